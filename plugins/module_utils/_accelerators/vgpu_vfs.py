# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vGPU types on VFs: which are taken away, which are made, and how each is written. Deciding is pure."""

from __future__ import annotations

import errno

from .._core.change import Action
from .._core.errors import HostError, Refused
from .._hardware.vgpu import creatable
from . import slices, vgpu_checks, vgpu_names

KIND = "vGPU type"
_MODE = "heterogeneous vGPU mode"
_DEVICES = "/sys/bus/pci/devices/"


def decide(item, device, functions, observed):
    """Return (actions, refusals) for one PF. Pure.

    What is wrong is taken away before anything is made, because types share the framebuffer. A VF that a server has is
    left alone, and VFs are never unbound: NVIDIA's driver loses track of one that leaves it.

    Args:
        item: the declaration.
        device: the PF.
        functions: its VFs, a list of (index, device).
        observed: facts.
    """
    address, profile = device["address"], item["profile"]
    number = vgpu_checks.number_of_vfs(device, functions)
    types = vgpu_names.types_of(device, [vf for index, vf in functions])
    names = {index: vgpu_names.made(vf, types) for index, vf in functions}
    right = [index for index, name in names.items() if name and profile and vgpu_names.same(name, profile)]
    mode = _mode(item, device)
    keep = [] if mode else right[:item["count"]]
    if not mode and len(right) > item["count"]:
        # Rather those that a server has than those that nobody took.
        busy = [index for index in right if slices.users(dict(functions)[index])]
        keep = sorted((busy + [index for index in right if index not in busy])[:item["count"]])
    away = [index for index, name in names.items() if name and index not in keep]
    free = [index for index in range(number) if index not in keep]
    refusals = _busy(away, functions, names) + _unnamed(away, functions, types, device)
    refusals += vgpu_checks.refusals(item, device, functions) + (slices.unsure(observed) if away else [])
    plan = [_action(address, index, names[index], None) for index in away] + mode
    plan += [_action(address, index, None, vgpu_names.short(profile)) for index in free[:item["count"] - len(keep)]]
    return plan, refusals


def _action(address, index, before, after):
    interrupts = None
    if before is not None:
        interrupts = "vGPU {0} on {1} is taken away".format(before, slices.vf_name(address, index))
    return Action("set", KIND, slices.vf_name(address, index), {"type": before and vgpu_names.short(before)},
                  {"type": after}, interrupts=interrupts)


def _mode(item, device):
    """Return the action that changes heterogeneous mode, in a list; the GPU must be without vGPUs then."""
    now = {"enabled": True, "disabled": False}.get(
        str((device.get("virtualization") or {}).get("heterogeneous") or "").lower())
    wanted = item["heterogeneous"]
    if wanted is None or wanted == now or (now is None and not wanted):
        return []
    return [Action("set", _MODE, device["address"], {"heterogeneous": now}, {"heterogeneous": wanted})]


def _busy(away, functions, names):
    vfs = dict(functions)
    return ["{0} keeps vGPU {1}, because something works on it: {2}; stop or migrate that first".format(
        vfs[index]["address"], names[index], slices.named(slices.users(vfs[index])))
        for index in away if slices.users(vfs[index])]


def _unnamed(away, functions, types, device):
    """A number that nobody can name may be the declared type: taking it away would be a guess."""
    vfs = dict(functions)
    unnamed = [vfs[index] for index in away if vfs[index]["vgpu"]["type_id"] not in types]
    if not unnamed:
        return []
    return ["{0} has a vGPU of type {1}, and nobody tells the name of that number: nvidia-smi vgpu -s -v listed "
            "nothing for {2}. Does nvidia-smi work on this host?".format(
                unnamed[0]["address"], unnamed[0]["vgpu"]["type_id"], device["address"])]


def perform(host, action):
    """Carry out one of the actions above. Raises HostError, Refused."""
    if action.kind == _MODE:
        _set_mode(host, action.name, action.after["heterogeneous"])
        return
    pf, index = action.name.split(" VF ")
    address = host.target_name("{0}{1}/virtfn{2}".format(_DEVICES, pf, index))
    if address is None:
        raise HostError("{0} is not there; something else changes the VFs of this host".format(action.name))
    folder = "{0}{1}/nvidia".format(_DEVICES, address)
    if action.after["type"] is None:
        slices.refuse_if_used(host, address)
        _write(host, address, folder, "0", "to take its vGPU away", "dmesg says more")
    else:
        _make(host, address, folder, action.after["type"])


def _make(host, address, folder, profile):
    """Write the number that a type has now: the list is that of this VF at this moment."""
    current = host.text(folder + "/current_vgpu_type")
    if current is None:
        raise HostError("{0} has no nvidia/current_vgpu_type: NVIDIA's vGPU host driver does not drive it. Is the host "
                        "driver (not the one for guests or bare metal) installed, and the VF on driver nvidia?".format(
                            address))
    if current != "0":
        raise Refused("{0} has a vGPU of type {1} by now; plan again".format(address, current))
    offered = creatable(host.text(folder + "/creatable_vgpu_types"))
    found = [one["id"] for one in offered if vgpu_names.same(one["name"], profile)]
    if not found:
        raise HostError("{0}: {1} cannot be made now; {2}".format(address, profile, _offer(offered)))
    _write(host, address, folder, str(found[0]), "to make {0}".format(profile), _offer(offered))


def _offer(offered):
    if not offered:
        return ("creatable_vgpu_types is empty, so the framebuffer is given away: fewer vGPUs fit than were declared, "
                "or others are on VFs of the same GPU")
    return "creatable now: {0}".format(", ".join(vgpu_names.short(one["name"]) for one in offered[:12]))


def _write(host, address, folder, number, why, more):
    words = "{0}: the driver refused type {1} {2}".format(address, number, why)
    try:
        host.write_attribute(folder + "/current_vgpu_type", number)
    except HostError as error:
        if error.number == errno.EIO:
            raise HostError("{0} (EIO: not creatable now; dmesg has a line of NVRM); {1}".format(words, more),
                            error.number)
        if error.number in (errno.EPERM, errno.EBUSY):
            raise HostError("{0}: a server has this VF; stop it first".format(words), error.number)
        raise
    there = host.text(folder + "/current_vgpu_type")
    if there != number:
        raise HostError("{0}: it took the write, and current_vgpu_type reads {1}; {2}".format(words, there, more))


def _set_mode(host, address, wanted):
    finished = host.run(["nvidia-smi", "vgpu", "-i", address, "-shm", "1" if wanted else "0"], 60, changes=True)
    if not finished.ok:
        raise HostError("{0}: heterogeneous mode could not be turned {1}: {2}; it needs a GPU without vGPUs, and one "
                        "of which nvidia-smi -q says that it is supported".format(
                            address, "on" if wanted else "off", finished.words()))
