# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values for the Helm chart of NVIDIA's GPU Operator where its nodes give GPUs to Kata sandboxes.

Keys are those of deployments/gpu-operator/values.yaml at a22dbf67 (August 2026); Kata's mode came with v26.3.0. The
operator's older kata-manager does nothing any more and stays off.
"""

from __future__ import annotations

import re

from .kubernetes_names import TAINT
from .kubernetes_nodes import confidential_mode

FIRST_VERSION = (26, 3, 0)
# What the device plugin advertises when nothing else is asked for: one name for every model.
GPU_RESOURCE = "nvidia.com/pgpu"
SWITCH_RESOURCE = "nvidia.com/nvswitch"
# Images of what runs in this mode, by the key of the chart, and where in nvcr.io they lie.
_IMAGES = {
    "operator": "nvidia",
    "validator": "nvidia",
    "kataSandboxDevicePlugin": "nvidia/cloud-native",
    "ccManager": "nvidia/cloud-native",
}

_VERSION = re.compile(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)")


def problems(operator, pools):
    """Return what is wrong with what is declared of the operator, as sentences."""
    found = []
    numbers = tuple(int(part) for part in _VERSION.match(operator["version"]).groups())
    if numbers < FIRST_VERSION:
        found.append("gpu_operator.version: {0} has no mode for Kata, expected v{1}.{2}.{3} or newer".format(
            operator["version"], *FIRST_VERSION))
    if not pools:
        found.append("gpu_operator: no pool has NVIDIA's GPUs, so there is nothing for it to do; leave it out")
    resources = sorted({one["resource"] for one in pools if one["resource"]})
    if GPU_RESOURCE in resources and len(resources) > 1:
        other = next(one for one in resources if one != GPU_RESOURCE)
        found.append("pools: {0} beside {1}: the operator names all GPUs {0} or each by its model, so declare resource "
                     "for every pool or for none".format(GPU_RESOURCE, other))
    elif resources and any(not one["resource"] for one in pools):
        found.append("pools: {0} has no resource, expected the name of it such as nvidia.com/GH100_H100L_94GB, because "
                     "pool {1} has one of its own and then the operator names every GPU by its model".format(
                         next(one["name"] for one in pools if not one["resource"]),
                         next(one["name"] for one in pools if one["resource"])))
    return found


def render(operator, pools):
    """Return the chart's values.

    Args:
        operator: what is declared of it: ``version``, ``registry`` (in place of nvcr.io, or None), ``bind`` (whether it
            binds GPUs to vfio-pci itself) and ``containers`` (whether other nodes give GPUs to ordinary containers).
        pools: the pools with NVIDIA's GPUs, with every key.
    """
    confidential = any(one["tee"] for one in pools)
    modes = sorted({confidential_mode(one) for one in pools})
    values = {
        "sandboxWorkloads": {
            "enabled": True,
            "mode": "kata",
            # Nodes of a pool carry the label; this is for all others.
            "defaultWorkload": "container" if operator["containers"] else "vm-passthrough",
        },
        "nfd": {"enabled": True, "nodefeaturerules": confidential},
        "daemonsets": {"tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": TAINT, "operator": "Exists", "effect": "NoSchedule"},
        ]},
        # The driver is inside the guest: a host that loads it takes the GPU away from vfio-pci.
        "driver": {"enabled": operator["containers"]},
        "toolkit": {"enabled": operator["containers"]},
        "kataManager": {"enabled": False},
        "kataSandboxDevicePlugin": {"enabled": True},
        # One owner of the binding: this collection's, unless it is left to the operator.
        "vfioManager": {"enabled": operator["bind"]},
        "ccManager": {"enabled": True, "defaultMode": modes[0] if len(modes) == 1 else "off"},
    }
    if any(one["resource"] not in (None, GPU_RESOURCE) for one in pools):
        values["kataSandboxDevicePlugin"]["env"] = [{"name": "P_GPU_ALIAS", "value": ""}]
    if operator["registry"]:
        for key, folder in _IMAGES.items():
            values.setdefault(key, {})["repository"] = "{0}/{1}".format(operator["registry"].rstrip("/"), folder)
        if operator["bind"]:
            repository = {"repository": values["ccManager"]["repository"]}
            values["vfioManager"].update(repository, driverManager=repository)
    return values


def resources(pool):
    """Return what a pod asks for to get all GPUs of one node of a pool, as limits of a container."""
    limits = {pool["resource"] or GPU_RESOURCE: str(pool["count"])}
    if pool["nvswitches"]:
        limits[SWITCH_RESOURCE] = str(pool["nvswitches"])
    return limits
