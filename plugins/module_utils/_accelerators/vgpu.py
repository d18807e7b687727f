# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vGPU types on the VFs of NVIDIA's GPUs, by name; and whether an mdev host can give what Nova will ask it for.

On NVIDIA's own VFIO framework (kernel 6.8 and later) a vGPU is made by writing the number of its type to a VF's
``nvidia/current_vgpu_type``. On mdev hosts Nova makes vGPUs itself, so nothing is written there. Source: NVIDIA's vGPU
software documentation, "Creating an NVIDIA vGPU that supports SR-IOV on a Linux with KVM hypervisor".
"""

from __future__ import annotations

import re

from .._core.errors import DeclarationError, Refused
from .._hardware import nvidia_smi_vgpu
from . import boot_units, pending, slices, vgpu_checks, vgpu_mdev, vgpu_names, vgpu_vfs

ARGUMENT_SPEC = {
    "devices": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "profile": {"type": "str"},
            "count": {"type": "int", "default": 0},
            "heterogeneous": {"type": "bool"},
        },
    },
    "persistent": {"type": "bool", "default": True},
    "pending": pending.SPEC,
}
_RELEASE = re.compile(r"(\d{1,3})\.(\d{1,3})")


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    said, first = [], {}
    for index, item in enumerate(params["devices"]):
        path, address = "devices[{0}]".format(index), slices.normal(item["address"])
        other = first.setdefault(address, item) if address else item
        if other is not item and other["profile"] != item["profile"]:
            said.append("{0}.profile: {1!r}, but {2} has {3!r} already; one PF has one profile, because Nova refuses "
                        "VFs of one PF in different resource classes, and nova-compute does not start then".format(
                            path, item["profile"], address, other["profile"]))
        if item["count"] < 0 or (item["profile"] is None and item["count"]):
            said.append("{0}.count: {1}, expected how many VFs get the profile, with the profile beside it; 0 takes "
                        "all vGPU types away".format(path, item["count"]))
        if item["profile"] is not None and not item["profile"].strip():
            said.append("{0}.profile: it is empty, expected the name of a vGPU type such as L40S-12Q".format(path))
        elif item["profile"] is not None and not item["count"]:
            said.append("{0}.count: it is missing, expected how many VFs get {1}".format(path, item["profile"]))
    return slices.problems(params) + said


def observe(host, params):
    """Return the facts of the host, with the declared PFs, their VFs and the vGPU types that they support."""
    found = slices.look(host, [item["address"] for item in params["devices"]])
    devices = slices.known(found)
    wanted = [devices.get(address) for path, address, item in slices.declared(params)]
    # Without its driver nothing is asked: nvidia-smi would load the module, which then takes every free GPU.
    if any(one and one.get("driver") == "nvidia" and "supported" not in one["vgpu"] for one in wanted):
        types, status = nvidia_smi_vgpu.observe(host)
        found["host"]["sources"].setdefault(nvidia_smi_vgpu.TOOL, status)
        for one in wanted:
            if one:
                one["vgpu"].setdefault("supported", types.get(one["address"], []))
    return found


def framework(device, devices):
    """Return by which framework a PF has vGPUs: ``mdev``, ``vendor_vfio`` or ``none``. Pure."""
    family = [device] + [vf for index, vf in slices.vfs_of(device, devices)]
    found = {(one.get("vgpu") or {}).get("framework", "none") for one in family}
    return "vendor_vfio" if "vendor_vfio" in found else "mdev" if "mdev" in found else "none"


def coming_framework(device, devices, observed):
    """Return the framework also of a PF whose VFs are yet to be made, and tell it. Pure.

    Mediated devices ended with kernel 6.8 for NVIDIA's driver. Where somebody ported that back, this is wrong until the
    VFs are there, which nobody but them can tell; so the plan is made anew then.
    """
    found = framework(device, devices)
    if found != "none" or slices.vfs_of(device, devices) or not vgpu_checks.number_of_vfs(device, []):
        return found
    release = _RELEASE.match((observed["host"].get("kernel") or {}).get("release") or "")
    return "mdev" if release and tuple(int(part) for part in release.groups()) < (6, 8) else found


def decide(params, observed):
    """Return the plan: for each PF what is taken away, heterogeneous mode, what is made; then what restores it. Pure.

    Raises:
        DeclarationError: there is no such PF, or it has no such type, or not so many.
        Refused: a vGPU that would go is in use, or what it needs is not there yet.
    """
    observed = pending.after(params["pending"], observed)
    devices, plan, problems, refusals, wanted = slices.known(observed), [], [], [], {}
    for path, address, item in slices.declared(params):
        device = devices.get(address)
        said = vgpu_checks.problems(path, address, item, observed)
        problems += said
        if said:
            continue
        if coming_framework(device, devices, observed) == "mdev":
            # What is not there yet cannot be looked at.
            there = framework(device, devices) == "mdev"
            problems += vgpu_mdev.problems(path, item, device, devices) if there else []
            wanted[address] = None
            continue
        functions = slices.vfs_of(device, devices)
        problems += vgpu_checks.type_problems(path, item, device, functions)
        actions, refused = vgpu_vfs.decide(item, device, functions, observed)
        plan, refusals = plan + actions, refusals + refused
        wanted[address] = _restored(item) if params["persistent"] and item["count"] else None
    if problems:
        raise DeclarationError(problems)
    if refusals:
        raise Refused("\n".join(refusals))
    first, last = boot_units.decide("vgpu", wanted, observed["host"]["slicing"])
    return pending.deferred(params["pending"], first + plan + last)


def _restored(item):
    declaration = {"profile": vgpu_names.short(item["profile"]), "count": item["count"]}
    if item["heterogeneous"] is not None:
        declaration["heterogeneous"] = item["heterogeneous"]
    return declaration


def performer(host, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        if not boot_units.perform(host, action):
            vgpu_vfs.perform(host, action)

    return perform


def describe(params, observed):
    """Return the declared PFs as they are now: framework, VFs with their vGPU types, what can still be made."""
    devices, rows = slices.known(observed), []
    restored = observed["host"]["slicing"]["restored"]["declared"].get("vgpu", {})
    for _path, address, item in slices.declared(params):
        device = devices[address]
        functions = slices.vfs_of(device, devices)
        types = vgpu_names.types_of(device, [vf for index, vf in functions])
        rows.append({
            "address": address,
            "model": device.get("model"),
            "framework": framework(device, devices),
            "vfs": [{"address": vf["address"], "index": index, "type": vgpu_names.made(vf, types),
                     "in_use": bool(slices.users(vf))} for index, vf in functions],
            "mdev": vgpu_mdev.describe(item, device, devices),
            "restored": address in restored,
        })
    return {"devices": rows}
