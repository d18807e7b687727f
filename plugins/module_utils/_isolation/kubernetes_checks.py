# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a schema cannot say about a declaration: names that refer to others, and what cannot go together."""

from __future__ import annotations

from .._core.errors import unknown_name
from . import cdi
from .kubernetes_names import version
from .runtime_classes import is_debugging, shim_of
from .runtime_classes_overheads import UPSTREAM

# Admission policies are part of admissionregistration.k8s.io/v1 from here on.
POLICIES = (1, 30)
# What runs there needs the host's network and devices, and must run for there to be a cluster.
_SYSTEM = ("kube-node-lease", "kube-system")


def problems(declared):
    """Return what is wrong with a declaration of the right shape, as sentences, in its order."""
    return [*_policies(declared), *_handlers(declared), *_pools(declared), *_nodes(declared)]


def _policies(declared):
    found = []
    if version(declared["kubernetes"]) < POLICIES and (declared["namespaces"] or declared["production"]):
        found.append("kubernetes: {0} has no ValidatingAdmissionPolicy (it came with {1}.{2}), so nothing would keep "
                     "pods out of isolated namespaces; upgrade the cluster, or leave namespaces out and say "
                     "production: false".format(declared["kubernetes"], *POLICIES))
    for index, name in enumerate(declared["namespaces"]):
        if name in _SYSTEM:
            found.append("namespaces[{0}]: {1} cannot be isolated: what runs the nodes is in it and needs the host; "
                         "declare the namespaces of tenants".format(index, name))
    return found


def _handlers(declared):
    found = _twice("handlers", declared["handlers"])
    pools = {one["name"]: one for one in declared["pools"]}
    for index, one in enumerate(declared["handlers"]):
        where = "handlers[{0}]".format(index)
        shim = shim_of(one)
        if one["shim"] and one["shim"] not in UPSTREAM:
            found.append(unknown_name(where + ".shim", one["shim"], "shim of Kata 4.1.0", UPSTREAM))
        elif not shim and not one["overhead"] and not one["sizing"]:
            found.append("{0}.overhead: missing, expected memory and cpu, because {1!r} is not named after a shim of "
                         "Kata; or declare shim ({2})".format(where, one["handler"], _nearest_shim(one["handler"])))
        if one["overhead"] and one["sizing"]:
            found.append("{0}: overhead and sizing are declared, expected one: overhead as it is, or what kata_config "
                         "returned to compute it from".format(where))
        found += _sizing(where, one, pools.get(one["pool"]), declared["kubelet"]["container_timeout"])
        if one["pool"] and one["pool"] not in pools:
            found.append(unknown_name(where + ".pool", one["pool"], "declared pool", pools))
        elif one["pool"]:
            found += _gpu_handler(where, shim, pools[one["pool"]])
        if declared["production"] and is_debugging(one):
            found.append("{0}: {1} is for debugging, and this cluster is in production: whoever reaches the host gets "
                         "a console in the guest; leave it out, or say production: false".format(where, one["name"]))
    return found


def _sizing(where, handler, pool, timeout):
    """What the shim was configured for has to be what the cluster asks of it."""
    found, sizing = [], handler["sizing"] or {}
    if sizing.get("timeout", 0) > timeout:
        found.append("kubelet.container_timeout: {0}, expected {1} or more, as long as the shim of {2} waits: else the "
                     "kubelet gives up a pod that is still starting".format(
                         timeout, sizing["timeout"], handler["name"]))
    devices = pool["count"] + pool["nvswitches"] if pool else 0
    if sizing.get("devices") is not None and sizing["devices"] < devices:
        found.append("{0}.sizing.devices: {1}, expected {2} or more, the GPUs and switches of pool {3}: configure the "
                     "shim for them".format(where, sizing["devices"], devices, pool["name"]))
    return found


def _nearest_shim(handler):
    name = handler[len("kata-"):] if handler.startswith("kata-") else handler
    return unknown_name("shim", name, "shim", UPSTREAM).rsplit("; ", 1)[-1]


def _gpu_handler(where, shim, pool):
    """Only QEMU takes a whole GPU, and a confidential pool needs a confidential guest (docs/hypervisors.md, 4.1.0)."""
    if not shim:
        return []
    words = shim.split("-")
    found = []
    if words[0] != "qemu":
        found.append("{0}.shim: {1} cannot take GPUs of pool {2}, expected a shim with QEMU such as "
                     "qemu-nvidia-gpu-runtime-rs".format(where, shim, pool["name"]))
    tee = next((one for one in ("snp", "tdx") if one in words), None)
    if tee != pool["tee"] and words[0] == "qemu":
        found.append("{0}.shim: {1} starts {2} guests, and the GPUs of pool {3} are for {4} ones (tee)".format(
            where, shim, tee or "ordinary", pool["name"], pool["tee"] or "ordinary"))
    return found


def _pools(declared):
    found = _twice("pools", declared["pools"])
    for index, one in enumerate(declared["pools"]):
        where = "pools[{0}]".format(index)
        if one["nvswitches"] and one["vendor"] != "nvidia":
            found.append("{0}.nvswitches: {1}, expected 0, because {2} is no GPU of NVIDIA".format(
                where, one["nvswitches"], one["model"]))
        if one["tee"] and one["vendor"] != "nvidia":
            found.append("{0}.tee: {1}, expected none: Kata 4.1.0 has confidential guests with GPUs of NVIDIA "
                         "only".format(where, one["tee"]))
        if one["vendor"] != "nvidia" and not one["resource"]:
            found.append("{0}.resource: missing, expected the name that the device plugin for {1} advertises, such as "
                         "{2}.com/gpu; it is the kind of its CDI devices too".format(
                             where, one["model"], one["vendor"]))
    return found


def _nodes(declared):
    found = _twice("nodes", declared["nodes"])
    pools = {one["name"]: one for one in declared["pools"]}
    for index, one in enumerate(declared["nodes"]):
        where = "nodes[{0}]".format(index)
        if one["pool"] and one["pool"] not in pools:
            found.append(unknown_name(where + ".pool", one["pool"], "declared pool", pools))
        elif one["devices"] and not one["pool"]:
            found.append(where + ".pool: missing, expected the pool that the devices are of")
        elif one["devices"]:
            found += _devices(where, one, pools[one["pool"]])
    return found


def _devices(where, node, pool):
    if pool["operator"]:
        return ["{0}.devices: the GPU Operator's device plugin writes the CDI devices of pool {1} itself, and the same "
                "names in two files make both unusable; leave devices out, or gpu_operator".format(where, pool["name"])]
    # Switches are devices of the pool too: they go to the guest with the GPUs.
    if len(node["devices"]) > pool["count"] + pool["nvswitches"]:
        return ["{0}.devices: {1}, expected at most the {2} of pool {3}".format(
            where, len(node["devices"]), pool["count"] + pool["nvswitches"], pool["name"])]
    return cdi.problems(pool["resource"] or "nvidia.com/pgpu", node["devices"], where + ".devices")


def _twice(path, items):
    found, first = [], {}
    for index, one in enumerate(items):
        if first.setdefault(one["name"], index) != index:
            found.append("{0}[{1}].name: {2!r} is the name of {0}[{3}] already".format(
                path, index, one["name"], first[one["name"]]))
    return found
