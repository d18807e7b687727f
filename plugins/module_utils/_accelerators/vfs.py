# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many VFs a PF has, which driver they are on, and what restores them at boot.

Source of the rules: the kernel's Documentation/ABI/testing/sysfs-bus-pci (``sriov_numvfs``, ``sriov_totalvfs``,
``sriov_drivers_autoprobe``, ``driver_override``): VFs are made where there are none, and by the PF's driver alone.
"""

from __future__ import annotations

import re

from .._core.errors import DeclarationError, Refused, nearest
from . import boot_units, gim, pending, slices, vf_drivers, vf_ways

ARGUMENT_SPEC = {
    "devices": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "vfs": {"type": "int", "required": True},
            "driver": {"type": "str"},
            "autoprobe": {"type": "bool"},
            "local_memory_mib": {"type": "int"},
        },
    },
    "persistent": {"type": "bool", "default": True},
    "pending": pending.SPEC,
}
_DRIVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WORDS = ("vfio", "default", "none")


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    said = slices.problems(params)
    for index, item in enumerate(params["devices"]):
        path, driver = "devices[{0}]".format(index), item["driver"]
        if item["vfs"] < 0:
            said.append("{0}.vfs: {1}, expected the number of VFs, 0 for none".format(path, item["vfs"]))
        if driver is not None and not _DRIVER.fullmatch(driver):
            said.append("{0}.driver: {1!r}, expected \"vfio\", \"default\", \"none\" or the name of a driver".format(
                path, driver))
        elif driver is not None and driver not in _WORDS and driver.lower() in _WORDS:
            said.append("{0}.driver: {1!r}, expected {2!r} in lower case".format(path, driver, driver.lower()))
        if item["autoprobe"] and driver not in (None, "default"):
            said.append("{0}.autoprobe: with driver {1!r} the kernel must not bind new VFs itself; leave autoprobe out"
                        .format(path, driver))
        if item["autoprobe"] is False and driver == "default":
            said.append("{0}.autoprobe: false leaves new VFs without a driver, and driver \"default\" asks for one; "
                        "leave one of the two out".format(path))
        if item["local_memory_mib"] is not None and (item["local_memory_mib"] < 1 or item["vfs"] == 0):
            said.append("{0}.local_memory_mib: {1}, expected the MiB of local memory of a VF, with vfs above 0".format(
                path, item["local_memory_mib"]))
    return said


def observe(host, params):
    """Return the facts of the host, with the declared PFs and their VFs."""
    found = slices.look(host, [item["address"] for item in params["devices"]])
    vf_ways.see_interfaces(host, params, found)
    return found


def decide(params, observed):
    """Return the plan: for each PF probing, removal, creation, then drivers of its VFs; then what restores them. Pure.

    Raises:
        DeclarationError: there is no such PF, or it cannot have so many VFs.
        Refused: a VF that would go is in use, or the PF is not on a driver that can make VFs.
    """
    observed = pending.after(params["pending"], observed)
    devices, items = slices.known(observed), slices.declared(params)
    problems = [said for item in items for said in _problems(item, devices, observed)]
    if problems:
        raise DeclarationError(problems)
    plan, refusals = [], []
    through_gim = [item for item in items if _way(item, devices, observed) == "gim"]
    if through_gim:
        plan, refusals = gim.decide(through_gim, devices, observed)
    for path, address, item in items:
        device = devices[address]
        way = _way((path, address, item), devices, observed)
        if way != "gim":
            actions, refused = vf_ways.decide(way, item, device, devices, observed)
            plan, refusals = plan + actions, refusals + refused
        actions, refused = vf_drivers.decide(item, device, devices, observed)
        plan, refusals = plan + actions, refusals + refused
    if refusals:
        raise Refused("\n".join(refusals))
    first, last = boot_units.decide("sriov", _restored(params, devices, observed), observed["host"]["slicing"])
    return pending.deferred(params["pending"], first + _once(plan) + last)


def _once(plan):
    """Return the plan with each module loaded once, however many PFs need it."""
    return [action for place, action in enumerate(plan) if action.verb != "load" or action not in plan[:place]]


def _way(declared_item, devices, observed):
    return vf_ways.choose(declared_item[2], devices[declared_item[1]], observed)


def _problems(declared_item, devices, observed):
    path, address, item = declared_item
    device = devices.get(address)
    if device is None:
        return [slices.absent(path, address, observed)]
    sriov = device.get("sriov")
    if sriov is None:
        return ["{0}.address: {1} ({2}) has no SR-IOV; expected a PF, such as {3}".format(
            path, address, device.get("model") or device.get("class_name") or "unknown device",
            _some_pf(address, devices) or "none on this host: check SR-IOV in the firmware setup")]
    if sriov["role"] == "vf":
        return ["{0}.address: {1} is VF {2} of {3}; VFs are declared at their PF, so write {3}".format(
            path, address, sriov.get("index"), sriov["pf"])]
    total, said = sriov.get("total"), []
    if total is not None and item["vfs"] > total:
        said.append("{0}.vfs: {1}, but {2} offers at most {3} (sriov_totalvfs)".format(
            path, item["vfs"], address, total))
    return said + vf_ways.problems(path, item, device, observed) + vf_drivers.problems(path, item, device, observed)


def _some_pf(address, devices):
    others = [one for one in sorted(devices) if (devices[one].get("sriov") or {}).get("role") == "pf"]
    return nearest(address, others) or (others[0] if others else None)


def _restored(params, devices, observed):
    wanted = {}
    for path, address, item in slices.declared(params):
        declaration = {"vfs": item["vfs"], "way": _way((path, address, item), devices, observed)}
        if item["driver"] not in (None, "default", "none"):
            declaration["driver"] = item["driver"]
        probing = vf_drivers.autoprobe(item)
        if probing is not None:
            declaration["autoprobe"] = probing
        if item["local_memory_mib"] is not None:
            declaration["local_memory_mib"] = item["local_memory_mib"]
        wanted[address] = declaration if item["vfs"] and params["persistent"] else None
    return wanted


def performer(host, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        if not (boot_units.perform(host, action) or gim.perform(host, action) or vf_ways.perform(host, action)):
            vf_drivers.perform(host, action)

    return perform


def describe(params, observed):
    """Return the declared PFs as they are now: address, VFs with their drivers, whether they come back at boot."""
    devices, rows = slices.known(observed), []
    restored = observed["host"]["slicing"]["restored"]["declared"].get("sriov", {})
    for _path, address, _item in slices.declared(params):
        device = devices[address]
        rows.append({
            "address": address,
            "model": device.get("model"),
            "driver": device.get("driver"),
            "total": device["sriov"].get("total"),
            "vfs": [{"address": vf["address"], "index": index, "driver": vf.get("driver"),
                     "iommu_group": vf.get("iommu_group")} for index, vf in slices.vfs_of(device, devices)],
            "restored": address in restored,
        })
    return {"devices": rows}
