# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and taints of nodes: who can run Kata sandboxes, which pool of GPUs a node has, and what may be there."""

from __future__ import annotations

from .kubernetes_names import (
    KATA_LABEL,
    NVIDIA_CC_MODE_LABEL,
    NVIDIA_WORKLOAD_LABEL,
    POOL_LABEL,
    TAINT,
)

# Hopper encrypts between GPUs only when one guest holds all of them and the switches (protected PCIe); Blackwell
# encrypts NVLink itself (docs/use-cases/NVIDIA-GPU-passthrough-and-Kata-QEMU.md of Kata 4.1.0, multi-GPU passthrough).
_HOPPER = ("H100", "H200", "H800", "H20", "GH200")


def render(nodes, pools):
    """Return labels and taints by node.

    Args:
        nodes: declared nodes, with every key.
        pools: declared pools by name.

    Returns:
        Mapping of node to ``labels`` (mapping) and ``taints`` (list as in a Node's spec).
    """
    return {one["name"]: _node(pools.get(one["pool"])) for one in nodes}


def _node(pool):
    labels = {KATA_LABEL: "true"}
    if not pool:
        return {"labels": labels, "taints": []}
    labels[POOL_LABEL] = pool["name"]
    if pool["operator"]:
        labels[NVIDIA_WORKLOAD_LABEL] = "vm-passthrough"
        labels[NVIDIA_CC_MODE_LABEL] = confidential_mode(pool)
    taints = [{"key": TAINT, "value": pool["name"], "effect": "NoSchedule"}] if pool["taint"] else []
    return {"labels": labels, "taints": taints}


def confidential_mode(pool):
    """Return the mode that the GPUs of a pool have to be in: ``on``, ``off`` or ``ppcie``."""
    if not pool["tee"]:
        return "off"
    return "ppcie" if pool["nvswitches"] and pool["model"].upper().split(" ")[0] in _HOPPER else "on"
