# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mediated devices on the older framework: types of a parent, creating, removing. Parents are NVIDIA's VFs.

Synthetic where the driver's own errno is concerned: a type that is not available answers EIO.
"""

from __future__ import annotations

import errno
import re

from .catalogue import vgpu_capacity
from .state import INVALID, Blocked, Mdev, refuse

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parents(state):
    """The functions that take mediated devices now: bound VFs of cards under the mdev framework."""
    if state.description.vgpu != "mdev" or "nvidia_vgpu_vfio" not in state.modules:
        return []
    return [one for one in state.devices.values() if one.is_vf and one.driver == "nvidia" and state.gpu(one.address)]


def types(state, parent):
    """The types of a parent as {directory name: VgpuType}."""
    return {f"nvidia-{one.number}": one for one in state.gpu(parent.address).about.vgpu}


def available(state, parent, kind):
    """How many more of a type fit: 1 or 0, as a VF carries one."""
    gpu, here = state.gpu(parent.address), [one for one in state.mdevs.values() if one.parent == parent.address]
    if here or gpu.mig != (kind.profile is not None):
        return 0
    same_card = [types(state, parent)[one.kind] for one in state.mdevs.values()
                 if state.devices[one.parent].pf == parent.pf]
    if gpu.mig:
        room = sum(one.profile.number == kind.profile for one in gpu.instances)
        return int(sum(one.profile == kind.profile for one in same_card) < room)
    if any(one.memory_mib != kind.memory_mib for one in same_card):
        return 0
    return int(sum(one.memory_mib for one in same_card) + kind.memory_mib <= vgpu_capacity(gpu.model))


def write_create(state, parent, name, text):
    """The file ``create`` of a type: a UUID."""
    uuid = text.strip().lower()
    if not _UUID.fullmatch(uuid):
        raise refuse(INVALID)
    if uuid in state.mdevs:
        raise refuse(errno.EEXIST)
    if not available(state, parent, types(state, parent)[name]):
        raise refuse(errno.EIO)
    state.next_group += 1
    state.mdevs[uuid] = Mdev(uuid, parent.address, name, state.next_group)


def write_remove(state, uuid, text):
    """The file ``remove`` of a mediated device: waits for the virtual machine that has it."""
    if text.strip() != "1":
        raise refuse(INVALID)
    for process in state.processes.values():
        if f"mdev:{uuid}" in process.files.values():
            raise Blocked(f"remove of mdev {uuid}: held by {process.command} ({process.pid})")
    del state.mdevs[uuid]
