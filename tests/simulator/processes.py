# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated processes, and what they hold open: device nodes, VFIO groups, vGPUs, mdevs."""

from __future__ import annotations

from . import pci
from .drivers import DRIVERS
from .state import BUSY, INVALID, MISSING, Process, refuse


def start(state, command, arguments=(), files=()):
    """Start a process that has these files open. Returns its pid."""
    state.next_pid += 1
    opened = dict.fromkeys(range(3), "/dev/null")
    opened.update({3 + number: path for number, path in enumerate(files)})
    state.processes[state.next_pid] = Process(state.next_pid, command, [command, *arguments], opened)
    return state.next_pid


def hold(state, path, command="python3"):
    """Start a process that has a device node open. Refuses with ENODEV when there is no such node."""
    if path not in state.nodes and not path.startswith("/dev/vfio/"):
        raise refuse(MISSING)
    return start(state, command, files=[path])


def group_viable(state, group):
    """The kernel's answer to VFIO_GROUP_GET_STATUS: every function but bridges on a VFIO driver, a stub or none."""
    members = [one for one in state.members(group) if not one.about.is_bridge]
    fit = [one.driver is None or one.driver == "pci-stub" or DRIVERS[one.driver].vfio for one in members]
    return bool(members) and all(fit) and any(one.driver and DRIVERS[one.driver].vfio for one in members)


def virtual_machine(state, address, command="qemu-system-x86"):
    """Start a virtual machine that is given a function (or a VF with a vGPU). Returns its pid.

    Refused with EINVAL when the function's group is not viable or its VF has no vGPU, EBUSY when somebody has it.
    """
    device = state.device(address)
    if device.driver == "nvidia" and device.is_vf:
        if not device.vgpu_type:
            raise refuse(INVALID)
        files = [f"vgpu:{address}", f"/dev/vfio/{state.group(device)}"]
    elif device.driver and DRIVERS[device.driver].vfio:
        if not group_viable(state, state.group(device)):
            raise refuse(INVALID)
        files = ["/dev/vfio/vfio", f"/dev/vfio/{state.group(device)}"]
        pci.was_reset(state, device)
    else:
        raise refuse(MISSING)
    if any(files[-1] in process.files.values() for process in state.processes.values()):
        raise refuse(BUSY)
    return start(state, command, ["-device", f"vfio-pci,host={address}"], files)


def machine_with_mdev(state, uuid, command="qemu-system-x86"):
    """Start a virtual machine that is given a mediated device. Returns its pid."""
    if uuid not in state.mdevs:
        raise refuse(MISSING)
    return start(state, command, ["-device", f"vfio-pci,sysfsdev=/sys/bus/mdev/devices/{uuid}"],
                 [f"mdev:{uuid}", f"/dev/vfio/{state.mdevs[uuid].group}"])


def end(state, pid):
    """End a process: what it held is free, and what waited for it goes on."""
    state.processes.pop(pid)
    for device in state.devices.values():
        if device.pending is not None and pci.blocks_unbind(state, device) is None:
            device.pending = None
