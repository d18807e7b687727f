# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a PF can have the declared vGPUs at all. Pure."""

from __future__ import annotations

import re

from . import slices, vgpu_names

# MIG-backed types have the slices of their GPU instance in the name: H100XM-1-10C.
_MIG_BACKED = re.compile(r"-\d+-\d+[A-Za-z]+(-?ME)?$")


def problems(path, address, item, observed):
    """Return why there can be no vGPUs at an address, one sentence each."""
    device = slices.known(observed).get(address)
    if device is None:
        return [slices.absent(path, address, observed)]
    if not slices.is_nvidia_gpu(device):
        return ["{0}.address: {1} is {2} of {3}; vGPU types are NVIDIA's. Other GPUs are cut with sriov_vfs".format(
            path, address, device.get("model") or "a device", device.get("vendor") or "another vendor")]
    sriov = device.get("sriov") or {}
    if sriov.get("role") == "vf":
        return ["{0}.address: {1} is a VF of {2}; one PF has one profile, so write the PF".format(
            path, address, sriov["pf"])]
    return []


def number_of_vfs(device, functions):
    """Return how many VFs a PF has; those that earlier modules will make are counted in sriov_numvfs only."""
    return len(functions) or (device.get("sriov") or {}).get("num") or 0


def is_mig_backed(kind, profile):
    """Whether a type lives in a GPU instance: ``GPU Instance Profile ID`` says so, N/A means time-sliced."""
    if kind:
        return kind.get("gi_profile_id") is not None
    return bool(_MIG_BACKED.search(profile))


def type_problems(path, item, device, functions):
    """Return what is wrong with profile and count.

    Args:
        path: such as ``devices[0]``.
        item: the declaration.
        device: the PF.
        functions: its VFs, a list of (index, device).
    """
    if item["profile"] is None:
        return []
    said = []
    types = vgpu_names.types_of(device, [vf for index, vf in functions])
    if types and not any(vgpu_names.same(name, item["profile"]) for name in types.values()):
        said.append(vgpu_names.unknown(path + ".profile", item["profile"], types))
    kind = vgpu_names.details(device, item["profile"])
    most, number = kind.get("max_instances"), number_of_vfs(device, functions)
    if number and item["count"] > number:
        said.append("{0}.count: {1}, but {2} has {3} VFs, and each VF takes one vGPU".format(
            path, item["count"], device["address"], number))
    elif most is not None and item["count"] > most:
        said.append("{0}.count: {1}, but one {2} takes at most {3} of {4}".format(
            path, item["count"], device.get("model") or "GPU", most, item["profile"]))
    return said


def refusals(item, device, functions):
    """Return what has to be done first, one sentence each.

    Args:
        item: the declaration.
        device: the PF.
        functions: its VFs, a list of (index, device).
    """
    address, number = device["address"], number_of_vfs(device, functions)
    if item["profile"] is None:
        return []
    if device.get("driver") != "nvidia":
        return ["{0} is on driver {1}; vGPUs are made by NVIDIA's vGPU host driver. Bind it to nvidia first "
                "(pci_driver with driver: nvidia)".format(address, device.get("driver") or "none")]
    if functions and all((vf.get("vgpu") or {}).get("framework", "none") == "none" for index, vf in functions):
        drivers = ", ".join(sorted({str(vf.get("driver")) for index, vf in functions}))
        return ["the VFs of {0} take no vGPU types: they have no directory nvidia/ with current_vgpu_type, and no mdev "
                "types. Is NVIDIA's vGPU host driver installed (not the one for guests or bare metal), and are they on "
                "nvidia? They are on: {1}".format(address, drivers)]
    if not number:
        return ["{0} has no VFs, and vGPUs live on VFs; make them first (sriov_vfs with vfs: {1})".format(
            address, (device.get("sriov") or {}).get("total") or "all that it offers")]
    kind, mig = vgpu_names.details(device, item["profile"]), device.get("mig") or {}
    enabled = mig.get("mode") == "enabled"
    if not is_mig_backed(kind, item["profile"]):
        return ["{0} is in MIG mode, and {1} is a time-sliced type; turn MIG off first (mig_layout with mode: "
                "disabled, before the VFs are made)".format(address, item["profile"])] if enabled else []
    if not enabled:
        return ["{0} is a MIG-backed type, and {1} is not in MIG mode; the order is MIG mode, VFs, MIG instances, vGPU "
                "types (mig_layout, sriov_vfs, mig_layout, vgpu_profiles)".format(item["profile"], address)]
    return _instances(item, kind, mig, address)


def _instances(item, kind, mig, address):
    """Return whether GPU instances are missing: each holds at most ``Max Instances Per GI`` vGPUs of one type."""
    if not kind:
        return []
    each = kind.get("max_per_gi") or 1
    needed = -(-item["count"] // each)
    there = sum(1 for one in mig.get("instances") or () if one.get("profile_id") == kind["gi_profile_id"])
    unknown = any(one.get("profile_id") is None for one in mig.get("instances") or ())
    if there >= needed or unknown:
        return []
    return ["{0} of {1} on {2} need {3} GPU instances of profile id {4}, and {5} are there; declare them in "
            "mig_layout. sriov-manage destroys MIG instances, so VFs come first".format(
                item["count"], item["profile"], address, needed, kind["gi_profile_id"], there)]
