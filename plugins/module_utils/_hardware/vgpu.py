# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vGPUs: by which framework a function has them, which types can be created now, and which are there.

- ``mdev``: the kernel's mediated devices, Documentation/ABI/testing/sysfs-bus-vfio-mdev.
- ``vendor_vfio``: NVIDIA's own on kernel 6.8 and later. Each VF has a directory ``nvidia`` with ``current_vgpu_type``
  and ``creatable_vgpu_types``; the PF has none.
"""

from __future__ import annotations

import re

from . import pci

MDEV_BUS = "/sys/class/mdev_bus"
MDEV_DEVICES = "/sys/bus/mdev/devices"
_TYPES = "mdev_supported_types"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


class Mediated:
    """What all parents of mediated devices share, read once for a collection.

    Args:
        host: Host.
    """

    def __init__(self, host):
        self.host = host
        # A parent is listed here also where its own directory shows no types.
        self.parents = frozenset(host.names(MDEV_BUS))
        # Without a single mediated device, no type has to be asked for its own.
        self.any = bool(self.parents) and bool(host.names(MDEV_DEVICES))
        self.type_names = {}


def none():
    """Return ``vgpu`` of a function that has no vGPUs."""
    return {"framework": "none", "type": None, "type_id": None, "creatable": [], "mdevs": []}


def describe(host, name, present, mediated, device_id):
    """Return ``vgpu`` of a function.

    Args:
        host: Host.
        name: its address.
        present: names in its directory.
        mediated: Mediated.
        device_id: its device id: types of one id mean the same on all of its functions.

    ``type`` is the decimal id as text here; ``name_types`` puts the name in its place where one is known.
    """
    if "nvidia" in present:
        found = _vendor(host, name)
        if found:
            return found
    if _TYPES in present or name in mediated.parents:
        return _mediated(name, _TYPES in present, mediated, device_id)
    return none()


def creatable(text):
    """Return the types of a ``creatable_vgpu_types``: a list of id and name, in their order. Pure.

    The header ``ID    : vGPU Name`` alone is a valid empty list: the framebuffer is given away.
    """
    found = []
    for line in (text or "").splitlines():
        number, colon, label = line.partition(":")
        if colon and re.fullmatch(r"[0-9]{1,9}", number.strip()) and label.strip().isprintable() and label.strip():
            found.append({"id": int(number), "name": label.strip()})
    return found


def name_types(devices):
    """Put names in the place of ids, in place: a type in use is often creatable only on other VFs by now.

    Args:
        devices: all described devices.

    A PF has no vGPUs of its own on ``vendor_vfio``; it gets the framework of its VFs.
    """
    known, physical = {}, set()
    for device in devices:
        if device["vgpu"]["framework"] == "vendor_vfio":
            known.update({(device["vendor_id"], one["id"]): one["name"] for one in device["vgpu"]["creatable"]})
            if device["sriov"] and device["sriov"]["role"] == "vf":
                physical.add(device["sriov"]["pf"])
    for device in devices:
        mine = device["vgpu"]
        if device["address"] in physical and mine["framework"] == "none":
            mine["framework"] = "vendor_vfio"
        if mine["type_id"]:
            mine["type"] = known.get((device["vendor_id"], mine["type_id"]), str(mine["type_id"]))


def _vendor(host, name):
    try:
        folder = host.folder("{0}/{1}/nvidia".format(pci.DEVICES, name))
    except OSError:
        return None
    current, types = pci.read(folder, "current_vgpu_type"), pci.read(folder, "creatable_vgpu_types")
    if current is None and types is None:
        return None
    number = pci.decimal(current)
    return dict(none(), framework="vendor_vfio", type_id=number if number and number > 0 else None,
                creatable=creatable(types))


def _mediated(name, inside, mediated, device_id):
    """Return ``vgpu`` of a parent of mediated devices. The id of a type is its directory, such as ``nvidia-558``."""
    base = "{0}/{1}/{2}".format(pci.DEVICES if inside else MDEV_BUS, name, _TYPES)
    types, created = [], []
    for kind in mediated.host.names(base):
        try:
            folder = mediated.host.folder(base + "/" + kind)
        except OSError:
            continue
        key = (device_id, kind)
        if key not in mediated.type_names:
            label = pci.read(folder, "name")
            mediated.type_names[key] = label if label and label.isprintable() else kind
        left = pci.decimal(pci.read(folder, "available_instances"))
        if left:
            types.append({"id": kind, "name": mediated.type_names[key], "available": left})
        if mediated.any:
            created += [{"uuid": uuid.lower(), "type": mediated.type_names[key]}
                        for uuid in mediated.host.names("{0}/{1}/devices".format(base, kind)) if _UUID.fullmatch(uuid)]
    return dict(none(), framework="mdev", creatable=types, mdevs=created)
