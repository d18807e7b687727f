# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IOMMU groups: who is in one, what they are to a device, and whether a VM could have the group.

Sources: the kernel's Documentation/driver-api/vfio.rst, drivers/iommu/iommu.c (a group is given to a user only when no
driver of the kernel's own holds one of its devices) and ``driver_managed_dma`` of vfio-pci, pci-stub and pcieport.
"""

from __future__ import annotations

import re

from . import pci

GROUPS = "/sys/kernel/iommu_groups"
# Drivers that leave DMA alone, so that a group stays viable with them. Bridges are on pcieport.
_STUB = "pci-stub"
_PCI_BRIDGE = "0604"
_KEYS = ("address", "vendor_id", "device_id", "class", "driver", "driver_override")


def number_of(folder):
    """Return the number of the group of a function, or None: there is none where the IOMMU is off."""
    name = folder.target_name("iommu_group")
    return int(name) if re.fullmatch(r"[0-9]{1,9}", name or "") else None


def names_of(host, number):
    """Return the names of the members of a group."""
    return host.names("{0}/{1}/devices".format(GROUPS, number))


def members(host, number, names, classes, cache, silent=frozenset()):
    """Return the members of a group, unjudged: address, ids, class, driver, override and the PF of a VF.

    Args:
        host: Host.
        number: of the group.
        names: what ``names_of`` returned.
        classes: what ``pci.scan`` found.
        cache: a mapping that is kept for one collection, so that each group is read once.
        silent: addresses whose ``driver_override`` cannot be read without waiting for ever.

    A member that is no PCI function keeps its own name as address.
    """
    if number not in cache:
        cache[number] = [_member(host, number, name, classes, silent) for name in names]
    return cache[number]


def describe(device, found, physical=None):
    """Return the group as a device sees it: ``members`` with their roles, ``viable`` and ``reason``. Pure.

    Args:
        device: a described device, with ``iommu_group``.
        found: what ``members`` returned.
        physical: address of its PF when the device is a VF.
    """
    if device["iommu_group"] is None:
        return None
    if not any(one["address"] == device["address"] for one in found):
        # The link says so although the group's own directory could not be read: never a group without its device.
        found = [dict({key: device[key] for key in _KEYS}, pf=physical)]
        reason = "the members of IOMMU group {0} could not be read".format(device["iommu_group"])
        return {"members": [_shown(one, device, physical) for one in found], "viable": False, "reason": reason}
    shown = [_shown(one, device, physical) for one in found]
    reason = reason_against(device["iommu_group"], shown)
    return {"members": shown, "viable": reason is None, "reason": reason}


def reason_against(number, shown):
    """Return in one sentence why a group is not viable, or None. Pure.

    Args:
        number: of the group.
        shown: its members, each with address, class, role and driver.
    """
    held = ["{0} ({1}) is bound to {2}".format(one["address"], one["role"], one["driver"])
            for one in shown if not leaves_dma_alone(one)]
    if not held:
        return None
    return ("{0}; every function of IOMMU group {1} that is no PCI bridge has to be on a vfio driver, on pci-stub or "
            "on no driver".format(", ".join(held), number))


def leaves_dma_alone(member):
    """Whether a group stays viable with this member as it is. Pure."""
    return member["class"] == _PCI_BRIDGE or is_vfio(member["driver"]) or member["driver"] in (None, _STUB)


def is_vfio(driver):
    """Whether a driver hands its devices to VFIO: vfio-pci or a variant driver, by its name. Pure."""
    name = (driver or "").replace("-", "_")
    return name.startswith("vfio_") or name.endswith("_vfio_pci")


def role(member, device, physical=None):
    """Return what a member of a group is to a device. Pure.

    Args:
        member: what ``members`` returned.
        device: the described device: functions in its slot are parts of the same card.
        physical: address of its PF when the device is a VF: then the card is where the PF is.

    Returns:
        gpu, audio, usb, ucsi, nvswitch, bridge, vf (of this card), nic or other (only of the device's own kind), or
        foreign: a function of something else, that must not be taken along unasked.
    """
    if member["pf"]:
        same = pci.slot(member["pf"]) == pci.slot(physical or device["address"])
        return "vf" if same or member["address"] == device["address"] else "foreign"
    what = pci.kind(member["class"], member["vendor_id"], member["address"])
    if what == "display":
        what = "gpu"
    if pci.slot(member["address"]) == pci.slot(physical or device["address"]):
        own = "gpu" if device["kind"] == "display" else device["kind"]
        if member["address"] == device["address"] or what == own:
            return own
        return what if what in ("gpu", "audio", "usb", "ucsi", "nvswitch", "bridge") else "foreign"
    return what if what in ("nvswitch", "bridge") else "foreign"


def _member(host, number, name, classes, silent):
    known = pci.address(name) == name
    path = "{0}/{1}/devices/{2}".format(GROUPS, number, name)
    try:
        folder = host.folder(path)
    except OSError:
        folder = None
    if known and name in classes:
        folder = pci.open_folder(host, name) or folder
    driver = folder.target_name("driver") if folder else None
    physical = folder.target_name("physfn") if folder else None
    return {
        "address": name, "class": classes.get(name), "driver": driver, "pf": physical,
        "driver_override": pci.override(pci.read(folder, "driver_override")) if known and name not in silent else None,
        "vendor_id": pci.identity(pci.read(folder, "vendor")) if known else None,
        "device_id": pci.identity(pci.read(folder, "device")) if known else None,
    }


def _shown(member, device, physical):
    return dict({key: member[key] for key in _KEYS}, role=role(member, device, physical))
