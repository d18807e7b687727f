# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute and memory partitions of AMD Instinct GPUs, through amdgpu's own attributes.

Source: the kernel's Documentation/gpu/amdgpu/driver-misc.rst and ``amdgpu_gfx.c``, ``amdgpu_gmc.c``:
``current_compute_partition`` changes at once when nothing uses the GPU; ``current_memory_partition`` takes a request
that is carried out when amdgpu is loaded anew. Which of them go together is known to the driver.
"""

from __future__ import annotations

import errno

from .._core.change import Action
from .._core.errors import DeclarationError, HostError, Refused, unknown_name
from . import boot_units, pending, slices

ARGUMENT_SPEC = {
    "devices": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "compute": {"type": "str"},
            "memory": {"type": "str"},
        },
    },
    "persistent": {"type": "bool", "default": True},
    "pending": pending.SPEC,
}
# Memory first: it decides which compute partitions there are.
_KINDS = ("memory", "compute")
_DEVICES = "/sys/bus/pci/devices/"


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return slices.problems(params) + [
        "devices[{0}]: neither compute nor memory is declared; expected one of them at least".format(index)
        for index, item in enumerate(params["devices"]) if item["compute"] is None and item["memory"] is None]


def observe(host, params):
    """Return the facts of the host."""
    return slices.look(host, [item["address"] for item in params["devices"]])


def decide(params, observed):
    """Return the plan. Pure.

    Raises:
        DeclarationError: there is no such GPU, or it has no such partition.
        Refused: something works on a GPU that would change.
    """
    observed = pending.after(params["pending"], observed)
    devices, plan, problems, refusals, wanted = slices.known(observed), [], [], [], {}
    for path, address, item in slices.declared(params):
        said = _problems(path, address, item, observed)
        problems += said
        if said:
            continue
        actions = _actions(item, devices[address], observed)
        plan += actions
        if actions:
            refusals += _refusals(devices[address], devices, observed)
        wanted[address] = _declaration(item, devices[address], observed, actions)
    if problems:
        raise DeclarationError(problems)
    if refusals:
        raise Refused("\n".join(refusals))
    if not params["persistent"]:
        wanted = dict.fromkeys(wanted)
    first, last = boot_units.decide("partition", wanted, observed["host"]["slicing"])
    return first + plan + last


def _problems(path, address, item, observed):
    device = slices.known(observed).get(address)
    if device is None:
        return [slices.absent(path, address, observed)]
    partition = device.get("partition")
    if not partition:
        return ["{0}.address: {1} ({2}, on driver {3}) shows no partitions; expected an AMD Instinct GPU from MI300 "
                "on, on driver amdgpu".format(
                    path, address, device.get("model") or "unknown model", device.get("driver") or "none")]
    said = []
    for kind in _KINDS:
        value, offered = item[kind], partition.get(kind + "_available") or []
        if value is not None and partition.get(kind) is None:
            said.append("{0}.{1}: {2!r}, but {3} has no current_{1}_partition; leave it out".format(
                path, kind, value, address))
        elif value is not None and offered and value not in offered:
            said.append(unknown_name("{0}.{1}".format(path, kind), value, "{0} partition of {1}".format(
                kind, device.get("model") or address), offered))
    return said


def _requested(device, item, observed):
    """Whether the memory partition was asked for since the last boot, and waits for the driver."""
    slicing = observed["host"]["slicing"]
    before = slicing["restored"]["declared"]["partition"].get(device["address"], {})
    return before.get("memory") == item["memory"] and before.get("requested_in") == (slicing["boot_id"] or "")


def _actions(item, device, observed):
    plan, address, waits = [], device["address"], False
    for kind in _KINDS:
        now, value = device["partition"].get(kind), item[kind]
        if value is None or now == value:
            continue
        if kind == "memory":
            waits = True
            if not _requested(device, item, observed):
                plan.append(Action(
                    "set", "memory partition", address, {"memory": now}, {"memory": value},
                    interrupts="the memory of {0} is divided anew".format(address),
                    deferred="until amdgpu is loaded anew (modprobe -r amdgpu, modprobe amdgpu) or the next boot"))
        elif not waits:
            plan.append(Action("set", "compute partition", address, {"compute": now}, {"compute": value},
                               interrupts="{0} is divided anew, and its devices are named anew".format(address)))
    return plan


def _declaration(item, device, observed, actions):
    """Return what the program at boot reads, and when another memory partition was asked for: in which boot."""
    slicing = observed["host"]["slicing"]
    found = {kind: item[kind] for kind in _KINDS if item[kind] is not None}
    before = slicing["restored"]["declared"]["partition"].get(device["address"], {})
    if any(action.kind == "memory partition" for action in actions):
        found["requested_in"] = slicing["boot_id"] or ""
    elif item["memory"] is not None and before.get("memory") == item["memory"] and "requested_in" in before:
        found["requested_in"] = before["requested_in"]
    return found


def _refusals(device, devices, observed):
    busy, address = slices.users_of(device, devices), device["address"]
    said = slices.unsure(observed)
    if (device.get("sriov") or {}).get("num"):
        said.append("partitions of {0} are left as they are while it has VFs; remove them first (sriov_vfs with vfs: 0)"
                    .format(address))
    if busy:
        said.append("partitions of {0} are left as they are, because something works on it: {1}; stop that first"
                    .format(address, slices.named(busy)))
    return said


def performer(host, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        if boot_units.perform(host, action):
            return
        kind = action.kind.split(" ")[0]
        slices.refuse_if_used(host, action.name)
        _write(host, "{0}{1}/current_{2}_partition".format(_DEVICES, action.name, kind), action.after[kind], kind)

    return perform


def _write(host, path, value, kind):
    try:
        host.write_attribute(path, value, 180)
    except HostError as error:
        if error.number == errno.EBUSY:
            raise HostError("{0}; a process works on the GPU or on another one of its XGMI hive".format(error),
                            error.number)
        if error.number == errno.EINVAL:
            raise HostError("{0}; the present memory partition does not allow it: NPS4 goes with CPX (or QPX) only, "
                            "NPS1 with all".format(error), error.number)
        raise
    there = host.text(path)
    if kind == "compute" and there != value:
        raise HostError("{0}: {1} was written and taken, and it reads {2}; dmesg says more".format(path, value, there))


def describe(params, observed):
    """Return the declared GPUs as they are now: partitions, what is offered, what waits for the driver."""
    devices = slices.known(observed)
    return {"devices": [
        dict(devices[address]["partition"], address=address, model=devices[address].get("model"),
             deferred=[kind for kind in _KINDS if item[kind] not in (None, devices[address]["partition"].get(kind))])
        for path, address, item in slices.declared(params)]}
