# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RuntimeClasses: what a pod names to get its own virtual machine, with the price of it and the nodes that have it.

Fields as in node.k8s.io/v1. Selectors and overheads are those of kata-deploy's chart (4.1.0, runtimeclasses.yaml),
beside a label and a taint of our own for nodes of one pool of GPUs.
"""

from __future__ import annotations

from .kubernetes_names import (
    KATA_LABEL,
    NVIDIA_CC_READY_LABEL,
    POOL_LABEL,
    TAINT,
    TEE_KEYS,
    TEE_LABELS,
    is_debug,
    metadata,
)
from .runtime_classes_overheads import UPSTREAM, computed, mebibytes, millicores


def is_debugging(handler):
    """Say whether a handler is for debugging: declared so, or by its name."""
    return handler["debug"] or is_debug(handler["name"]) or is_debug(handler["handler"])


def shim_of(handler):
    """Return the upstream shim that a handler runs, or None when it is an operator's own.

    A handler is named after its shim: ``kata-qemu-runtime-rs``, or ``kata-qemu-runtime-rs-debug``.
    """
    if handler["shim"]:
        return handler["shim"]
    name = handler["handler"][len("kata-"):] if handler["handler"].startswith("kata-") else ""
    for suffix in ("", "-debug", "-devkit"):
        if suffix and not name.endswith(suffix):
            continue
        if name[:len(name) - len(suffix)] in UPSTREAM:
            return name[:len(name) - len(suffix)]
    return None


def tee_of(handler, pool):
    """Return which confidential guests a handler starts: ``snp``, ``tdx`` or None."""
    shim = shim_of(handler) or ""
    found = next((tee for tee in TEE_KEYS if tee in shim.split("-")), None)
    return found or (pool or {}).get("tee")


def render(handlers, pools, node_features):
    """Return a RuntimeClass for each handler, in their order.

    Args:
        handlers: declared handlers, with every key.
        pools: declared pools by name.
        node_features: whether Node Feature Discovery labels nodes and counts their keys for confidential guests.
            Where it does not, nothing is asked for that no node advertises.
    """
    return [_runtime_class(one, pools.get(one["pool"]), node_features) for one in handlers]


def _runtime_class(handler, pool, node_features):
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": metadata(handler["name"]),
        "handler": handler["handler"],
        "overhead": {"podFixed": _overhead(handler, pool, node_features)},
        "scheduling": _scheduling(handler, pool, node_features),
    }


def _overhead(handler, pool, node_features):
    memory, cpu = quantities(handler)
    fixed = {"memory": memory, "cpu": cpu}
    tee = tee_of(handler, pool)
    if tee and node_features:
        # A confidential sandbox holds one of the node's keys for its whole life.
        fixed[TEE_KEYS[tee]] = "1"
    return fixed


def quantities(handler):
    """Return memory and CPU of a handler's overhead: as declared, else computed, else upstream's."""
    if handler["overhead"]:
        return handler["overhead"]["memory"], handler["overhead"]["cpu"]
    if handler["sizing"]:
        return computed(shim_of(handler), handler["sizing"])
    return UPSTREAM[shim_of(handler)]


def _scheduling(handler, pool, node_features):
    selector = {KATA_LABEL: "true"}
    tee = tee_of(handler, pool)
    if tee and node_features:
        selector[TEE_LABELS[tee]] = "true"
    if not pool:
        return {"nodeSelector": selector}
    selector[POOL_LABEL] = pool["name"]
    if pool["operator"]:
        # The operator says when the GPU has changed its mode; before that a pod would get it in the wrong one.
        selector[NVIDIA_CC_READY_LABEL] = "true" if pool["tee"] else "false"
    toleration = {"key": TAINT, "operator": "Equal", "value": pool["name"], "effect": "NoSchedule"}
    return {"nodeSelector": selector, "tolerations": [toleration]}


def warnings(handlers):
    """Return sentences on overheads that upstream found too small."""
    found = []
    for handler in handlers:
        upstream = UPSTREAM.get(shim_of(handler))
        if not handler["overhead"] or not upstream:
            continue
        memory, cpu = quantities(handler)
        if mebibytes(memory) < mebibytes(upstream[0]) or millicores(cpu) < millicores(upstream[1]):
            found.append(
                "handlers: {0} has the overhead {1} and {2}, less than upstream's {3} and {4}: hypervisor and shim are "
                "counted to the pod, and a pod with small limits can be killed for memory that is not its own".format(
                    handler["name"], memory, cpu, *upstream))
    return found
