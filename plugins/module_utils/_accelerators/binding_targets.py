# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which PCI functions have to be on which driver: the declared ones, and the rest of their cards. Pure.

An IOMMU group is the smallest thing that can be given to a guest: a card's audio, USB and UCSI functions are in its
group, so they move with it. Source: Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._core.errors import DeclarationError, unknown_name
from .._hardware import groups, pci

VFIO = "vfio"
DEFAULT = "default"
FALLBACK = "vfio-pci"
# Drivers that take what an override gives them, and nothing by themselves: no native driver of anything.
_STUBS = ("pci-stub", "uio_pci_generic", "igb_uio")
_OF_A_CARD = ("gpu", "audio", "usb", "ucsi")
_DRIVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Move:
    """One function and the driver on which it has to be, wherever it is now.

    Attributes:
        path: where it was declared, such as ``devices[0]``.
        address: its PCI address.
        target: name of a driver, or None to give it back to the kernel's own choice.
        device: its facts, in the shape of ``accelerator_info``.
        role: what it is to the declared card, such as ``audio``; None when it is declared itself.
    """

    path: str
    address: str
    target: str | None
    device: dict
    role: str | None = None

    @property
    def group(self):
        """The IOMMU group; the address itself where there is none."""
        number = self.device.get("iommu_group")
        return self.address if number is None else number

    @property
    def words(self):
        """How it is called in messages."""
        if self.role is None:
            return "{0}: {1}".format(self.path, self.address)
        return "{0}: {1}, the {2} function of that card,".format(self.path, self.address, self.role)


def problems(params):
    """Return one sentence for each thing in the declaration that cannot be right."""
    said, first = [], {}
    for index, item in enumerate(params["devices"]):
        path, address = "devices[{0}]".format(index), pci.address(item["address"])
        if address is None:
            said.append("{0}.address: {1!r}, expected a PCI address such as \"0000:41:00.0\", in quotes (YAML reads "
                        "some as numbers)".format(path, item["address"]))
        elif address in first:
            said.append("{0}.address: {1!r}, expected each function once, it is {2} already".format(
                path, item["address"], first[address]))
        else:
            first[address] = path
        if item["driver"].lower() in ("none", "null", "native", ""):
            said.append("{0}.driver: {1!r}, expected the name of a driver, \"vfio\" or \"default\"; \"default\" gives "
                        "the function back to its native driver".format(path, item["driver"]))
        elif not _DRIVER.fullmatch(item["driver"]):
            said.append("{0}.driver: {1!r}, expected the name of a driver such as nvidia, \"vfio\" or "
                        "\"default\"".format(path, item["driver"]))
    return said


def known(observed):
    """Return mapping of address to device of everything that the facts describe."""
    return {device["address"]: device for device in observed["accelerators"] + observed["others"]}


def is_handed_out(driver):
    """Whether a driver has a function only because somebody said so, and not as its native one."""
    return groups.is_vfio(driver) or driver in _STUBS


def moves(params, observed):
    """Return a Move for each declared function and for what moves with it, cards in the order of the declaration.

    Raises:
        DeclarationError: there is no such function, or two of one group are to go different ways.
    """
    devices, unknown, declared = known(observed), [], {}
    for index, item in enumerate(params["devices"]):
        path, address = "devices[{0}]".format(index), pci.address(item["address"])
        if address not in devices:
            names = set(devices) | set(observed.get("addresses", ()))
            unknown.append(unknown_name(path + ".address", address, "PCI function of this host", names))
            continue
        device = devices[address]
        declared[address] = Move(path, address, _target(item["driver"], device), device)
    if unknown:
        raise DeclarationError(unknown)
    found = dict(declared)
    for move in list(declared.values()) if params["siblings"] else ():
        for member in own_siblings(move.device):
            if member["address"] not in found:
                device = devices.get(member["address"]) or _of_member(member, move.device)
                # A sibling of a card that gets a native driver goes back to its own one too.
                target = _target(VFIO, device) if is_handed_out(move.target) else None
                found[member["address"]] = Move(move.path, member["address"], target, device, member["role"])
    _refuse_split_groups(found.values())
    return list(found.values())


def own_siblings(device):
    """Return the members of a function's group that are other functions of the same card."""
    return [
        member for member in (device.get("group") or {}).get("members", ())
        if member["address"] != device["address"]
        and pci.slot(member["address"]) == pci.slot(device["address"])
        and member["role"] in _OF_A_CARD
    ]


def by_group(found):
    """Return mapping of group to its moves, in order."""
    sorted_out = {}
    for move in found:
        sorted_out.setdefault(move.group, []).append(move)
    return sorted_out


def _target(driver, device):
    if driver == DEFAULT:
        return None
    return device.get("vfio_driver") or FALLBACK if driver == VFIO else driver


def _of_member(member, device):
    """Return what is known of a sibling that the facts name only as a member of the group."""
    driver = member["driver"]
    # Where nobody looked: what is on a VFIO driver is there because of its override.
    override = member.get("driver_override", driver if groups.is_vfio(driver) else None)
    return dict(member, kind=member["role"], driver_override=override, vfio_driver=FALLBACK, sriov=None,
                iommu_group=device["iommu_group"], group=device["group"], holders=[], in_use=False)


def _refuse_split_groups(found):
    said = []
    for group in by_group(found).values():
        away = [move for move in group if is_handed_out(move.target)]
        staying = [move for move in group if move not in away]
        if away and staying:
            said.append("{0} cannot stay with the host while {1} goes to {2}: both are in IOMMU group {3}, which is "
                        "passed through as a whole; declare the same for both".format(
                            staying[0].words, away[0].address, away[0].target, away[0].group))
    if said:
        raise DeclarationError(said)
