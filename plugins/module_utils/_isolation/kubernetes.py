# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kata in a Kubernetes cluster: from a small declaration to everything that the cluster and its nodes have to be told.

Pure: it asks no cluster and no host. Whoever applies it needs no more than ``kubectl apply``.
"""

from __future__ import annotations

from .._core.errors import DeclarationError
from .._core.schema import Problem
from .._region.plain import to_plain
from . import (
    cdi,
    gpu_operator,
    kubernetes_checks,
    kubernetes_kubelet,
    kubernetes_nodes,
    kubernetes_policies,
    runtime_classes,
    trustee,
)
from .kubernetes_names import TEE_KEYS, TEE_LABELS, metadata
from .kubernetes_schema import VALIDATOR

_FEATURES = {"snp": ("amd.sev-snp", "sev.snp.enabled", "@cpu.security.sev.encrypted_state_ids"),
             "tdx": ("intel.tdx", "tdx.enabled", "@cpu.security.tdx.total_keys")}


def render(declaration):
    """Return what makes a cluster run Kata sandboxes as declared.

    Args:
        declaration: mapping as described by the filter ``kata_kubernetes``.

    Returns:
        Mapping with

        - ``manifests``: objects for the API server, in an order in which they can be created;
        - ``node_feature_rules``: objects that need Node Feature Discovery's definitions in the cluster first;
        - ``nodes``: by name ``labels``, ``taints`` and ``cdi`` (``path``, ``specification`` and ``content``, or None);
        - ``kubelet``, ``gpu_operator`` and ``trustee``: see the modules of these names; None where not declared;
        - ``resources``: by pool what a pod asks for to get all GPUs of a node;
        - ``warnings``: what works and is probably not meant, as sentences.

    Raises:
        DeclarationError: everything that is wrong with the declaration.
    """
    declared = complete(declaration)
    pools = {one["name"]: one for one in declared["pools"]}
    tees = _tees(declared, pools)
    kinds = trustee.attested(declared["pools"], tees)
    _refuse(declared, kinds)
    features = declared["node_features"]
    return {
        "manifests": [*runtime_classes.render(declared["handlers"], pools, features),
                      *kubernetes_policies.render(declared)],
        "node_feature_rules": [_feature_rule(tees)] if features and tees else [],
        "nodes": _nodes(declared, pools),
        "kubelet": kubernetes_kubelet.render(declared, bool(pools)),
        "resources": {name: _resources(one) for name, one in pools.items()},
        "gpu_operator": gpu_operator.render(declared["gpu_operator"], _nvidia(declared))
        if declared["gpu_operator"] else None,
        "trustee": trustee.render(declared, kinds) if declared["attestation"] else None,
        "warnings": _warnings(declared, kinds, tees),
    }


def complete(declaration):
    """Return a declaration in plain types with every key, or raise all problems of its shape."""
    plain, found = to_plain(declaration)
    found = found or VALIDATOR.problems(plain, "")
    if found:
        raise DeclarationError([one.sentence() if isinstance(one, Problem) else one for one in found])
    declared = VALIDATOR.complete(plain)
    for one in declared["handlers"]:
        one["handler"] = one["handler"] or one["name"]
    for one in declared["pools"]:
        one["operator"] = bool(declared["gpu_operator"]) and one["vendor"] == "nvidia"
    return declared


def _refuse(declared, kinds):
    found = kubernetes_checks.problems(declared)
    found += kubernetes_kubelet.problems(declared, bool(declared["pools"]))
    if declared["gpu_operator"]:
        found += gpu_operator.problems(declared["gpu_operator"], _nvidia(declared))
    if declared["attestation"]:
        found += trustee.problems(declared, kinds)
    if found:
        raise DeclarationError(found)


def _nvidia(declared):
    return [one for one in declared["pools"] if one["vendor"] == "nvidia"]


def _tees(declared, pools):
    """Return the kinds of confidential guests that the handlers start."""
    found = {runtime_classes.tee_of(one, pools.get(one["pool"])) for one in declared["handlers"]}
    return [one for one in TEE_KEYS if one in found]


def _nodes(declared, pools):
    nodes = kubernetes_nodes.render(declared["nodes"], pools)
    for one in declared["nodes"]:
        nodes[one["name"]]["cdi"] = _cdi(pools[one["pool"]], one["devices"]) if one["devices"] else None
    return nodes


def _cdi(pool, devices):
    kind = pool["resource"] or gpu_operator.GPU_RESOURCE
    specification = cdi.render(kind, devices)
    return {"path": cdi.file_of(kind), "specification": specification, "content": cdi.text(specification)}


def _resources(pool):
    if pool["vendor"] == "nvidia":
        return gpu_operator.resources(pool)
    return {pool["resource"]: str(pool["count"])}


def _feature_rule(tees):
    """Return the rule with which Node Feature Discovery labels nodes and counts their keys, as kata-deploy's does."""
    rules = []
    for tee in tees:
        name, feature, keys = _FEATURES[tee]
        rules.append({
            "name": name,
            "labels": {TEE_LABELS[tee]: "true"},
            "extendedResources": {TEE_KEYS[tee]: keys},
            "matchFeatures": [{"feature": "cpu.security", "matchExpressions": {feature: {"op": "Exists"}}}],
        })
    return {"apiVersion": "nfd.k8s-sigs.io/v1alpha1", "kind": "NodeFeatureRule",
            "metadata": metadata("sovereign-region-kata-keys"), "spec": {"rules": rules}}


def _warnings(declared, kinds, tees):
    found = runtime_classes.warnings(declared["handlers"])
    if not declared["namespaces"]:
        found.append("namespaces: none, so no pod has to run in a virtual machine of its own")
    if tees and not declared["node_features"]:
        found.append("node_features: false, so nothing counts the keys for confidential guests ({0}): more sandboxes "
                     "are placed on a node than it can start".format(", ".join(TEE_KEYS[one] for one in tees)))
    if kinds and not declared["attestation"]:
        found.append("attestation: missing, so nothing tells a confidential guest from one that only says so")
    unused = {one["name"] for one in declared["pools"]} - {one["pool"] for one in declared["handlers"]}
    for name in sorted(unused):
        found.append("pools: no handler is for {0}, so no RuntimeClass leads to it".format(name))
    return found + (trustee.warnings(declared, kinds) if declared["attestation"] else [])
