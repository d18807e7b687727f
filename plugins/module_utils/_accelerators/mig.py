# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG mode and MIG instances of NVIDIA's GPUs, by PCI address: indexes change with every card that is added.

Source: NVIDIA Multi-Instance GPU User Guide. MIG instances vanish at every reboot; so does MIG mode from Hopper on.
Ampere keeps the mode, and needs a reset of the GPU to change it: until then the mode is *pending*.
"""

from __future__ import annotations

from .._core.errors import DeclarationError, Refused
from .._hardware import nvidia_mig_profiles
from . import boot_units, mig_instances, mig_mode, pending, slices

ARGUMENT_SPEC = {
    "devices": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "mode": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
            "instances": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "profile": {"type": "str", "required": True},
                    "count": {"type": "int", "default": 1},
                    "placements": {"type": "list", "elements": "int"},
                },
            },
        },
    },
    "persistent": {"type": "bool", "default": True},
    "pending": pending.SPEC,
}


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    said = slices.problems(params)
    for index, item in enumerate(params["devices"]):
        path = "devices[{0}]".format(index)
        if item["mode"] == "disabled" and item["instances"]:
            said.append("{0}.instances: without MIG mode there are none; expected mode: enabled, or no instances"
                        .format(path))
        said += mig_instances.problems(path, item)
    return said


def observe(host, params):
    """Return the facts of the host, and for each declared GPU the MIG profiles that it offers (``mig.profiles``)."""
    found = slices.look(host, [item["address"] for item in params["devices"]])
    devices = slices.known(found)
    for _path, address, item in slices.declared(params):
        mig = (devices.get(address) or {}).get("mig")
        if mig is not None and item["instances"] and "profiles" not in mig:
            mig["profiles"], mig["profiles_status"] = nvidia_mig_profiles.observe(host, address)
    return found


def decide(params, observed):
    """Return the plan: what restores it, then for each GPU instances that go, the mode, instances that come. Pure.

    What restores MIG at boot is written first, because a pending mode may need that boot to take effect.

    Raises:
        DeclarationError: there is no such GPU, it has no MIG, or no such profile, or not that often.
        Refused: something that would change is in use.
    """
    observed = pending.after(params["pending"], observed)
    devices, plan, problems, refusals, wanted = slices.known(observed), [], [], [], {}
    for path, address, item in slices.declared(params):
        said = _problems(path, address, item, observed)
        problems += said
        if said:
            continue
        device = devices[address]
        removed, refused = mig_instances.removals(item, device, devices, observed)
        plan, refusals = plan + removed, refusals + refused
        switched, refused = mig_mode.decide(item, device, devices, observed)
        plan, refusals = plan + switched, refusals + refused
        if not mig_mode.is_pending(item, device):
            created, refused = mig_instances.additions(item, device, bool(switched))
            plan, refusals = plan + created, refusals + refused
        wanted[address] = _restored(address, item, observed) if params["persistent"] else None
    if problems:
        raise DeclarationError(problems)
    if refusals:
        raise Refused("\n".join(refusals))
    first, last = boot_units.decide("mig", wanted, observed["host"]["slicing"])
    return pending.deferred(params["pending"], first + last + plan)


def _restored(address, item, observed):
    """Return what the program at boot reads; None without MIG, which is what a GPU comes up with."""
    if item["mode"] == "disabled":
        return None
    declaration = mig_instances.declaration(item)
    if item["instances"] is None:
        # Instances that are left as they are come back as they were declared before.
        before = observed["host"]["slicing"]["restored"]["declared"]["mig"].get(address, {})
        declaration["instances"] = before.get("instances")
    return declaration


def _problems(path, address, item, observed):
    device = slices.known(observed).get(address)
    if device is None:
        return [slices.absent(path, address, observed)]
    if not slices.is_nvidia_gpu(device):
        return ["{0}.address: {1} is {2} of {3}; MIG is NVIDIA's. AMD's GPUs have partitions (amd_partitions)".format(
            path, address, device.get("model") or "a device", device.get("vendor") or "another vendor")]
    if (device.get("sriov") or {}).get("role") == "vf":
        return ["{0}.address: {1} is a VF of {2}; MIG belongs to the whole GPU, so write {2}".format(
            path, address, device["sriov"]["pf"])]
    mig = device.get("mig")
    if mig is None:
        if item["mode"] == "disabled":
            return []
        return ["{0}.address: nothing tells the MIG mode of {1} ({2}): {3}".format(
            path, address, device.get("model") or "unknown model", _why(device))]
    return mig_instances.profile_problems(path, item, device)


def _why(device):
    if device.get("driver") != "nvidia":
        return "it is on driver {0}, and MIG is set through nvidia; bind it to nvidia first".format(
            device.get("driver") or "none")
    status = (device.get("sources") or {}).get("nvidia-smi", "absent")
    if status == "ok" or status.startswith("partial"):
        return "nvidia-smi says N/A, so this GPU has no MIG (A100, A30, Hopper and Blackwell have)"
    return "nvidia-smi: {0}; it comes with the driver's utilities".format(status)


def performer(host, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        if not (boot_units.perform(host, action) or mig_mode.perform(host, action)):
            mig_instances.perform(host, action)

    return perform


def describe(params, observed):
    """Return the declared GPUs as they are now: mode, what it waits for, instances, whether they come back at boot."""
    devices, rows = slices.known(observed), []
    restored = observed["host"]["slicing"]["restored"]["declared"].get("mig", {})
    for _path, address, item in slices.declared(params):
        device = devices[address]
        mig = device.get("mig") or {}
        rows.append({
            "address": address,
            "model": device.get("model"),
            "mode": mig.get("mode"),
            "pending": mig.get("pending"),
            "deferred": mig_mode.waits(address) if mig_mode.is_pending(item, device) else None,
            "instances": mig.get("instances") or [],
            "restored": address in restored,
        })
    return {"devices": rows}
