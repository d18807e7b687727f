# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical and virtual functions: which VFs a PF has, and whose VF a function is.

Source: the kernel's Documentation/ABI/testing/sysfs-bus-pci (``physfn``, ``virtfnN``, ``sriov_*``).
"""

from __future__ import annotations

import re

from . import pci

_VIRTFN = re.compile(r"virtfn([0-9]{1,5})")


def physical_of(folder):
    """Return the address of the PF when a function is a VF, or None."""
    return pci.address(folder.target_name("physfn"))


def describe(host, folder, name, present, physical, cache):
    """Return ``sriov`` of a function: of a PF, of a VF, or None where there is no SR-IOV.

    Args:
        host: Host.
        folder: its Folder.
        name: its address.
        present: names in its directory.
        physical: what ``physical_of`` returned.
        cache: a mapping that is kept for one collection, so that the VFs of a PF are listed once.

    A number that cannot be read is None, never 0: 0 VFs and an unknown number are different things.
    """
    if physical:
        return {"role": "vf", "pf": physical, "index": _indexes(host, physical, cache).get(name)}
    if "sriov_totalvfs" not in present:
        return None
    cache[name] = functions(folder, present)
    ordered = sorted(cache[name].items(), key=lambda item: item[1])
    autoprobe = _get(folder, present, "sriov_drivers_autoprobe")
    return {
        "role": "pf", "total": _count(_get(folder, present, "sriov_totalvfs")),
        "num": _count(_get(folder, present, "sriov_numvfs")),
        "vf_device_id": pci.identity(_get(folder, present, "sriov_vf_device")),
        "autoprobe": {"0": False, "1": True}.get(autoprobe), "vfs": [one for one, index in ordered],
    }


def functions(folder, present):
    """Return {address of a VF: its index} of a PF.

    Args:
        folder: the Folder of the PF.
        present: names in it.
    """
    found = {}
    for name in present:
        match = _VIRTFN.fullmatch(name)
        one = pci.address(folder.target_name(name)) if match else None
        if one:
            found[one] = int(match.group(1))
    return found


def _indexes(host, physical, cache):
    if physical not in cache:
        folder = pci.open_folder(host, physical)
        cache[physical] = functions(folder, folder.names()) if folder else {}
    return cache[physical]


def _get(folder, present, name):
    return pci.read(folder, name) if name in present else None


def _count(text):
    number = pci.decimal(text)
    return number if number is not None and number >= 0 else None
