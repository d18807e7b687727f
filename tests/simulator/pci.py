# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drivers and devices: probing, binding, overrides, removal, reset; after ``drivers/base`` and ``drivers/pci``.

Facts that tests lean on: ``drivers_probe`` succeeds although nothing was bound (a failing probe only passes the device
on); ``bind`` answers the probe's own error; a VF whose PF has autoprobe off is probed by nobody without an override;
an override of any name is taken, whether there is such a driver or not, up to a page less one byte.
"""

from __future__ import annotations

import errno

from .drivers import DRIVERS
from .state import BUSY, INVALID, MISSING, Blocked, Device, refuse

PAGE = 4096


def registered(state):
    """The drivers that are there now: built-in ones, then modules' in the order in which they were loaded."""
    return [one.name for one in DRIVERS.values() if one.module is None] + state.drivers


def matches(state, device, name):
    """Whether a driver would take the device: pci_match_device()."""
    driver, about = DRIVERS[name], device.about
    if device.override is not None:
        return device.override == name
    if (about.vendor, about.device) in state.new_ids.get(name, ()):
        return True
    return driver.matches(about, device.is_vf)


def may_probe(state, device):
    """pci_device_can_probe(): a VF of a PF without autoprobe is left alone unless it has an override."""
    return not device.is_vf or device.override is not None or state.devices[device.pf].autoprobe


def probe(state, device, name):
    """Call a driver's probe; 0 or the errno of its refusal."""
    driver = DRIVERS[name]
    if not may_probe(state, device):
        return MISSING
    if driver.refuses:
        state.say(f"{name} {device.address}: probe failed: unknown chipset")
        return driver.refuses
    if device.dead:
        return errno.EIO
    if driver.vfio:
        if device.about.is_bridge or state.group(device) is None:
            return INVALID
        if device.num_vfs:
            return BUSY
        if device.is_vf and device.about.vendor == "10de" and state.description.vgpu == "vendor_vfio":
            return INVALID
    if device.driver is not None:
        return BUSY
    _bound(state, device, name)
    return 0


def attach(state, device):
    """device_attach(): offer the device to every driver; whether one took it. A refusal only passes it on."""
    if device.driver is not None:
        return True
    return any(matches(state, device, name) and probe(state, device, name) == 0 for name in registered(state))


def offer(state, name):
    """driver_attach(): offer a driver that is new, or has a new id, all devices without one."""
    for device in list(state.devices.values()):
        free = device.driver is None and device.pending is None
        if state.drivers_autoprobe and free and matches(state, device, name):
            probe(state, device, name)


def detach(state, device):
    """device_driver_detach(): waits for those who have the device open."""
    wait_for_lock(device)
    holder = blocks_unbind(state, device)
    if holder is not None:
        device.pending = f"unbind from {device.driver}: held by {holder}"
        raise Blocked(device.pending)
    _unbound(state, device)


def wait_for_lock(device):
    """Whoever needs the lock of a device waits behind an operation that hangs."""
    if device.pending is not None:
        raise Blocked(device.pending)


def blocks_unbind(state, device):
    """Who keeps the driver from leaving the device, in words, or None.

    A holder of /dev/nvidiactl alone blocks the module, not the unbind: tried on a QEMU machine.
    """
    held = {node for node, address in state.nodes.items() if address == device.address}
    group = state.group(device)
    if device.driver and DRIVERS[device.driver].vfio and group is not None:
        held |= {f"/dev/vfio/{group}", f"/dev/vfio/devices/vfio{group}"}
    if device.vgpu_type or (device.is_vf and device.driver == "nvidia"):
        held.add(f"vgpu:{device.address}")
    # The driver counts the users of its VFs as its own.
    held |= {f"vgpu:{vf}" for vf in device.vfs if device.driver == "nvidia"}
    held |= {f"mdev:{one.uuid}" for one in state.mdevs.values() if one.parent in (device.address, *device.vfs)}
    for process in state.processes.values():
        opened = held & set(process.files.values())
        if opened:
            return f"{process.command} ({process.pid}), {sorted(opened)[0]}"
    return None


def write_override(state, device, text):
    """driver_override: up to the newline; empty clears."""
    if len(text) >= PAGE - 1:
        raise refuse(INVALID)
    wait_for_lock(device)
    name = text.split("\n")[0]
    device.override = name or None


def write_bind(state, name, text):
    """drivers/X/bind: the device must match; the probe's own error comes back."""
    device = state.device(text)
    if not matches(state, device, name):
        raise refuse(MISSING)
    wait_for_lock(device)
    if device.driver is not None:
        raise refuse(BUSY)
    number = probe(state, device, name)
    if number:
        raise refuse(number)


def write_unbind(state, name, text):
    """drivers/X/unbind: the device must be that driver's."""
    device = state.device(text)
    if device.driver != name:
        raise refuse(MISSING)
    detach(state, device)


def write_probe(state, text):
    """drivers_probe: succeeds whether or not anything was bound."""
    device = state.device(text)
    wait_for_lock(device)
    attach(state, device)


def write_new_id(state, name, text, remove=False):
    """new_id and remove_id: ``vendor device …`` in hex; new_id offers the driver every device of that id at once."""
    words = text.split()
    if len(words) < 2:
        raise refuse(INVALID)
    try:
        pair = tuple(f"{int(word, 16):04x}" for word in words[:2])
    except ValueError as error:
        raise refuse(INVALID) from error
    ids = state.new_ids.setdefault(name, set())
    if remove:
        if pair not in ids:
            raise refuse(MISSING)
        ids.discard(pair)
        return
    if pair in ids:
        raise refuse(errno.EEXIST)
    ids.add(pair)
    offer(state, name)


def write_reset(state, device, text):
    """reset: ``1`` only; a function without a method has no such file."""
    if text.strip() != "1":
        raise refuse(INVALID)
    wait_for_lock(device)
    was_reset(state, device)


def was_reset(state, device):
    """What a reset does: an MI300X under VFIO answers no more until the host's reboot (MxGPU issue 25)."""
    if device.about.model == "MI300X" and not device.is_vf and device.driver and DRIVERS[device.driver].vfio:
        device.dead = True
        state.say(f"vfio-pci {device.address}: not ready 65535ms after FLR; giving up")


def remove(state, device):
    """The remove file: off the bus, until a rescan."""
    if device.driver is not None:
        detach(state, device)
    drop_vfs(state, device)
    if device.is_vf:
        # A rescan does not find a VF: it is back when its PF's VFs are made anew.
        state.devices[device.pf].vfs.remove(device.address)
    else:
        state.removed[device.address] = device.about
    _gone(state, device)


def rescan(state):
    """The bus's rescan file: brings back what was removed."""
    for address in list(state.removed):
        add(state, Device(state.removed.pop(address)))


def add(state, device):
    """Put a function on the bus and offer it to the drivers; udev hears of it (``on_add``) once the host has booted."""
    device.reset_methods = list(device.about.reset_methods)
    state.devices[device.address] = device
    state.devices = dict(sorted(state.devices.items()))
    if state.drivers_autoprobe:
        attach(state, device)
    if state.booted:
        state.on_add(state, device.address)


def drop_vfs(state, device):
    """Take the VFs of a PF off the bus; waits for those that are held."""
    for address in list(device.vfs):
        vf = state.devices[address]
        if vf.driver is not None:
            detach(state, vf)
    for address in list(device.vfs):
        _gone(state, state.devices[address])
    device.vfs, device.num_vfs = [], 0


def _gone(state, device):
    device.driver = None
    for uuid in [one.uuid for one in state.mdevs.values() if one.parent == device.address]:
        del state.mdevs[uuid]
    state.devices.pop(device.address)


def _bound(state, device, name):
    device.driver = name
    gpu = state.gpus.get(device.address)
    if name == "nvidia" and gpu is not None:
        state.nodes.setdefault(f"/dev/nvidia{gpu.index}", device.address)
        for node in ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap1"):
            state.nodes.setdefault(node, None)
        gpu.mig, gpu.unbind_lock = gpu.mig_pending, False
    if name == "amdgpu" and gpu is not None and gpu.memory_pending:
        gpu.memory, gpu.memory_pending = gpu.memory_pending, None
    if name == "xe" or name == "amdgpu":
        state.nodes.setdefault(f"/dev/dri/renderD{128 + (gpu.index if gpu else 99)}", device.address)


def _unbound(state, device):
    name, gpu = device.driver, state.gpus.get(device.address)
    driver = DRIVERS[name]
    if device.num_vfs and driver.drops_vfs:
        drop_vfs(state, device)
    device.driver = None
    if name == "nvidia" and gpu is not None:
        # The driver's own state of the card: what a rebind does not bring back.
        gpu.instances, gpu.heterogeneous, gpu.persistence, gpu.unbind_lock = [], False, False, False
        for vf in device.vfs:
            state.devices[vf].vgpu_type = 0
    if name == "nvidia" and device.is_vf:
        device.vgpu_type = 0
