# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG and vGPUs of simulated NVIDIA cards: capacity, lists that shrink, what one change does to the others.

Synthetic: the rules are those of NVIDIA's documents and of the projects that drive the vendor-specific VFIO framework
(names in the project's notes); no card was asked. Known from them: the list of creatable types is empty but for its
header when nothing fits, an uncreatable type answers EIO, clearing a type that is in use answers EPERM, ids of GPU
instances go by the size of the profile.
"""

from __future__ import annotations

import errno

from .catalogue import vgpu_capacity, vgpu_type
from .state import INVALID, Instance, refuse

HEADER = "ID    : vGPU Name\n"
SLICES = 8
# Where the ids of GPU instances start, by memory slices of the profile; seen in NVIDIA's own examples.
_FIRST_ID = {8: 0, 4: 1, 2: 3, 1: 7}


def vgpu_users(state, gpu_address):
    """The (VF, type) of a card that have a vGPU, in order."""
    pf = state.devices.get(gpu_address)
    found = []
    for address in pf.vfs if pf else ():
        vf = state.devices.get(address)
        if vf is not None and vf.vgpu_type:
            found.append((address, vgpu_type(pf.about.model, vf.vgpu_type)))
    return found


def creatable(state, vf):
    """The vGPU types that may be created on this VF now."""
    gpu = state.gpu(vf.address)
    if vf.vgpu_type or gpu is None or vf.driver != "nvidia":
        return []
    return [one for one in gpu.about.vgpu if _fits(state, gpu, vf.pf, one)]


def _fits(state, gpu, pf, kind):
    users = [one for _, one in vgpu_users(state, pf)]
    if gpu.mig != (kind.profile is not None):
        return False
    if gpu.mig:
        return any(_free_instance(one, kind) for one in gpu.instances)
    if users and not gpu.heterogeneous and any(one.memory_mib != kind.memory_mib for one in users):
        return False
    return sum(one.memory_mib for one in users) + kind.memory_mib <= vgpu_capacity(gpu.model)


def _free_instance(instance, kind):
    return instance.profile.number == kind.profile and not instance.used


def creatable_text(state, vf):
    """The file ``nvidia/creatable_vgpu_types``: its header always, then one line a type."""
    return HEADER + "".join(f"{one.number:<5} : {one.name}\n" for one in creatable(state, vf))


def write_type(state, vf, text):
    """The file ``nvidia/current_vgpu_type``: a decimal id, or 0 to free it."""
    try:
        number = int(text.strip(), 10)
    except ValueError as error:
        raise refuse(INVALID) from error
    if number == 0:
        if any(f"vgpu:{vf.address}" in process.files.values() for process in state.processes.values()):
            raise refuse(errno.EPERM)
        clear_type(state, vf)
        return
    chosen = [one for one in creatable(state, vf) if one.number == number]
    if not chosen:
        state.say(f"NVRM: Failed to add vgpu create request: 0x38 (type {number} on {vf.address})", 3)
        raise refuse(errno.EIO)
    vf.vgpu_type = number
    gpu = state.gpu(vf.address)
    if gpu.mig:
        next(one for one in gpu.instances if _free_instance(one, chosen[0])).used.append(vf.address)


def clear_type(state, vf):
    """Free the vGPU of a VF."""
    vf.vgpu_type = 0
    for instance in state.gpu(vf.address).instances:
        if vf.address in instance.used:
            instance.used.remove(vf.address)


def read_once_created(state, vf, what):
    """``gpu_instance_id`` and ``placement_id``: ENXIO until there is a vGPU."""
    if not vf.vgpu_type:
        raise refuse(errno.ENXIO)
    if what == "placement_id":
        return f"{[address for address, _ in vgpu_users(state, vf.pf)].index(vf.address)}\n"
    number = next((one.number for one in state.gpu(vf.address).instances if vf.address in one.used), None)
    return f"{number if number is not None else 4294967295}\n"


def free_starts(gpu, profile):
    """Where another instance of a profile could start now."""
    taken = {slot for one in gpu.instances for slot in range(one.start, one.start + one.profile.size)}
    same = [one for one in gpu.instances if one.profile.name == profile.name]
    slices = sum(one.profile.slices for one in gpu.instances)
    if len(same) >= profile.most or slices + profile.slices > 7:
        return []
    return [start for start in profile.starts if not taken & set(range(start, start + profile.size))]


def create_instance(gpu, profile, start=None, compute=False):
    """Create a GPU instance and, if asked to, the compute instance that takes all of it. None when it does not fit."""
    starts = free_starts(gpu, profile)
    if not starts or (start is not None and start not in starts):
        return None
    used = {one.number for one in gpu.instances}
    number = _FIRST_ID[profile.size]
    while number in used:
        number += 1
    instance = Instance(number, profile, starts[0] if start is None else start, [0] if compute else [])
    gpu.instances.append(instance)
    gpu.instances.sort(key=lambda one: one.number)
    return instance


def in_use(state, address):
    """Who has the card open (PF, its VFs' vGPUs, or its mdevs), in words, or None."""
    nodes = {node for node, of in state.nodes.items() if of == address}
    vfs = state.devices[address].vfs if address in state.devices else []
    nodes |= {f"vgpu:{vf}" for vf in vfs}
    nodes |= {f"mdev:{one.uuid}" for one in state.mdevs.values() if one.parent in vfs or one.parent == address}
    for process in state.processes.values():
        if nodes & set(process.files.values()):
            return f"{process.command} ({process.pid})"
    return None


def set_mig(state, address, wanted):
    """Ask for MIG mode. Returns ``now``, ``pending`` (a client holds it, or it needs a reset), ``vfs`` or ``same``."""
    gpu, device = state.gpus[address], state.devices[address]
    if gpu.mig == wanted and gpu.mig_pending == wanted:
        return "same"
    if device.num_vfs and not wanted:
        return "vfs"
    gpu.mig_pending = wanted
    if in_use(state, address):
        return "pending"
    if gpu.about.live_mig:
        gpu.mig, gpu.instances = wanted, []
        return "now"
    return "pending"


def reset_gpu(state, address):
    """``nvidia-smi -r``: whether it was done; not while somebody has it open."""
    gpu = state.gpus[address]
    if in_use(state, address) or state.devices[address].num_vfs:
        return False
    if gpu.mig != gpu.mig_pending:
        gpu.mig = gpu.mig_pending
    gpu.instances, gpu.heterogeneous, gpu.recovery = [], False, "None"
    gpu.cc, gpu.cc_pending = gpu.cc_pending or gpu.cc, None
    gpu.ppcie, gpu.ppcie_pending = gpu.ppcie_pending or gpu.ppcie, None
    return True
