# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions: ``sriov_numvfs`` in the order of checks of ``drivers/pci/iov.c``."""

from __future__ import annotations

import errno

from . import pci
from .description import Function
from .drivers import DRIVERS
from .state import BUSY, INVALID, Blocked, Device, refuse


def write_numvfs(state, device, text):
    """sriov_numvfs: EINVAL, ERANGE above the total, ENOENT without a driver that can, EBUSY from N to M."""
    try:
        number = int(text.strip(), 0)
    except ValueError as error:
        raise refuse(INVALID) from error
    if not 0 <= number <= 0xFFFF:
        raise refuse(INVALID)
    if number > device.about.sriov.total:
        raise refuse(errno.ERANGE)
    pci.wait_for_lock(device)
    if number == device.num_vfs:
        return
    driver = DRIVERS.get(device.driver)
    if driver is None:
        state.say(f"pci {device.address}: no driver bound to device; cannot configure SR-IOV", 6)
        raise refuse(errno.ENOENT)
    if not can(state, driver):
        state.say(f"{driver.name} {device.address}: driver does not support SR-IOV configuration via sysfs", 6)
        raise refuse(errno.ENOENT)
    if number == 0:
        try:
            pci.drop_vfs(state, device)
        except Blocked as waiting:
            device.pending = waiting.waits_for
            raise
        return
    if device.num_vfs:
        state.say(f"{driver.name} {device.address}: {device.num_vfs} VFs already enabled. "
                  f"Disable before enabling {number} VFs")
        raise refuse(BUSY)
    enable(state, device, number)


def can(state, driver):
    """Whether the driver has sriov_configure now: vfio-pci only with its parameter, NVIDIA's never."""
    if driver.vfio:
        return state.modules.get("vfio_pci", {}).get("enable_sriov") in ("Y", "1", "y")
    return driver.sriov


def write_autoprobe(device, text):
    """sriov_drivers_autoprobe: a boolean as kstrtobool reads it."""
    word = text.strip().lower()
    if word not in ("0", "1", "y", "n", "on", "off", "yes", "no"):
        raise refuse(INVALID)
    device.autoprobe = word in ("1", "y", "on", "yes")


def enable(state, device, number):
    """Put that many VFs on the bus. A PF on a vfio driver captures its VFs with an override of their own."""
    first = _routing_id(device.address) + device.about.sriov.offset
    captured = device.driver if device.driver and DRIVERS[device.driver].vfio else None
    device.num_vfs = number
    for index in range(number):
        about = _function(state, device, first + index * device.about.sriov.stride)
        vf = Device(about, override=captured, pf=device.address, index=index)
        device.vfs.append(about.address)
        if captured:
            state.say(f"vfio-pci {device.address}: Captured SR-IOV VF {about.address} driver_override", 6)
        pci.add(state, vf)


def vf_addresses(about, count=None):
    """The addresses that the VFs of a function get."""
    first = _routing_id(about.address) + about.sriov.offset
    domain = about.address.split(":")[0]
    return [_address(domain, first + index * about.sriov.stride) for index in range(count or about.sriov.total)]


def _function(state, device, routing_id):
    about = device.about
    state.next_group += 1
    size = max([bar[0] for bar in about.bars] or [16384]) // max(about.sriov.total, 1)
    return Function(
        _address(about.address.split(":")[0], routing_id), about.vendor, about.sriov.vf_device, about.pci_class,
        about.subsystem_vendor, about.subsystem_device, about.revision, about.numa, about.parent, state.next_group,
        [[size, True, 64]], about.speed, about.max_speed, about.width, about.max_width, ["flr"], None,
    )


def _routing_id(address):
    _, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return int(bus, 16) << 8 | int(slot, 16) << 3 | int(function)


def _address(domain, routing_id):
    return f"{domain}:{routing_id >> 8:02x}:{routing_id >> 3 & 31:02x}.{routing_id & 7}"
