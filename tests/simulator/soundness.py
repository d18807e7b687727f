# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no real host can be: the simulator's own tests hold that no sequence of writes leads there."""

from __future__ import annotations

from . import pci


def problems(state):
    """Yield in words what is impossible about a state."""
    ready = set(pci.registered(state))
    for address, device in state.devices.items():
        if device.driver is not None and device.driver not in ready:
            yield f"{address}: bound to {device.driver}, which is not registered"
        if device.num_vfs < len(device.vfs):
            yield f"{address}: {device.num_vfs} VFs said, {len(device.vfs)} there"
        if any(one not in state.devices or state.devices[one].pf != address for one in device.vfs):
            yield f"{address}: a VF that is not there or not its own"
        if device.is_vf and device.pf not in state.devices:
            yield f"{address}: a VF without its PF"
        if device.vgpu_type and device.driver != "nvidia":
            yield f"{address}: a vGPU without its driver"
    for address, gpu in state.gpus.items():
        slots = [slot for one in gpu.instances for slot in range(one.start, one.start + one.profile.size)]
        if len(slots) != len(set(slots)) or len({one.number for one in gpu.instances}) != len(gpu.instances):
            yield f"{address}: GPU instances overlap"
        if gpu.instances and not gpu.mig:
            yield f"{address}: GPU instances without MIG mode"
    for one in state.mdevs.values():
        if one.parent not in state.devices:
            yield f"mdev {one.uuid} without its parent"
