# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From pools and the cards that they got to the rows of ``devices`` of each module. Pure."""

from __future__ import annotations

from . import slices, vgpu, vgpu_checks, vgpu_names


def passthrough(pools, cards):
    """Return {module: rows} for whole cards."""
    addresses = [address for pool in pools for address in cards[pool["name"]]]
    return {"pci_driver": [{"address": address, "driver": "vfio"} for address in addresses]}


def partitioning(pools, cards, devices):
    """Return {step: rows} for cards that are cut, in the order in which the steps have to run.

    MIG mode comes before VFs, beside which it cannot be changed; MIG instances come after them, because they do not
    outlive that VFs are made; vGPU types come on VFs, and where they are MIG-backed, in instances.
    """
    found = {"mig_mode": [], "sriov_vfs": [], "mig_layout": [], "vgpu_profiles": []}
    for pool in pools:
        for address in cards[pool["name"]]:
            _add(found, pool, devices[address])
    return {name: rows for name, rows in found.items() if rows}


def _add(found, pool, device):
    address, profile, count = device["address"], pool["profile"], pool["slices"]
    if pool["mode"] == "mig":
        found["mig_layout"].append(_layout(address, [{"profile": profile, "count": count, "placements": None}]))
    elif has_types(pool, device):
        below = _below(profile, count, device)
        if below is not None:
            found["mig_mode"].append(_layout(address, None))
            found["mig_layout"] += [_layout(address, below)] if below else []
        total = (device["sriov"] or {}).get("total")
        if total or pool["mode"] == "vf":
            # sriov-manage makes all of them or none; those without a type cost nothing.
            found["sriov_vfs"].append({"address": address, "vfs": total or count})
        found["vgpu_profiles"].append({"address": address, "profile": profile, "count": count})
    else:
        found["sriov_vfs"].append({"address": address, "vfs": count, "driver": "vfio"})


def has_types(pool, device):
    """Whether what is handed out of a card are vGPUs: VFs of NVIDIA's GPUs are nothing without a vGPU type."""
    return pool["mode"] == "vgpu" or (pool["mode"] == "vf" and slices.is_nvidia_gpu(device))


def _layout(address, instances):
    return {"address": address, "mode": "enabled", "instances": instances}


def _below(profile, count, device):
    """Return the MIG instances below vGPUs; an empty list where MIG is needed and its instances are the operator's
    business; None for time-sliced types.

    Where several vGPUs share an instance, its profile does not follow from the name of their type.
    """
    kind = vgpu_names.details(device, profile)
    if not vgpu_checks.is_mig_backed(kind, profile):
        return None
    name = vgpu_names.mig_profile(profile)
    if name is None or (kind.get("max_per_gi") or 1) > 1:
        return []
    return [{"profile": name, "count": count, "placements": None}]


def problems(pools, cards, devices):
    """Return a sentence for each pool of mode ``vf`` whose cards are not handed out as it says."""
    said = []
    for pool in pools:
        for address in cards[pool["name"]] if pool["mode"] == "vf" else ():
            said += _vf_problems(pool, devices[address], devices)
    return list(dict.fromkeys(said))


def _vf_problems(pool, device, devices):
    what = device["model"] or device["address"]
    if not slices.is_nvidia_gpu(device):
        if not pool["profile"]:
            return []
        return ["pool {0}: profile {1!r}, but VFs of {2} have no profiles: they differ in nothing but their number, "
                "which is slices; leave profile out".format(pool["name"], pool["profile"], what)]
    if not pool["profile"]:
        return ["pool {0}: mode vf without a profile, but the VFs of {1} cannot be bound to vfio-pci: they stay on "
                "NVIDIA's driver, which hands them to VFIO itself, each with a vGPU type. Write profile with the "
                "name of a type (nvidia-smi vgpu -s lists them, such as L40S-12Q), or mode: passthrough for whole "
                "cards".format(pool["name"], what)]
    if vgpu.framework(device, devices) == "mdev":
        return ["pool {0}: mode vf, but vGPUs of {1} are mediated devices on this host, and its VFs are not handed "
                "out; write mode: vgpu with the same profile, and Nova makes the vGPUs. With NVIDIA's driver on kernel "
                "6.8 or later mode: vf is right".format(pool["name"], what)]
    return []
