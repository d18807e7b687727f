# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file below ``/dev`` belongs to which PCI function, and which ones belong to a driver as a whole."""

from __future__ import annotations

import re

_PCI = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_MINOR = re.compile(r"^Device Minor:\s*(\d{1,6})\s*$", re.MULTILINE)
# Folder in the device's own folder in sysfs, and where the nodes of that name lie.
_FOLDERS = (("drm", "/dev/dri/"), ("accel", "/dev/accel/"), ("habanalabs", "/dev/"), ("vfio-dev", "/dev/vfio/devices/"),
            ("infiniband_verbs", "/dev/infiniband/"), ("infiniband_mad", "/dev/infiniband/"),
            ("infiniband_cm", "/dev/infiniband/"))
# sound/card0/pcmC0D3p, in a folder for each sound card. Source: the kernel's sound/core, snd_device_alloc() and others.
_SOUND = re.compile(r"(control|midi|hw|pcm|compr)C\d{1,3}(D\d{1,3}[pc]?)?")
# Old habanalabs drivers name the node differently from the entry in sysfs: hl_controlD0 beside hl0.
_CONTROL = {"habanalabs": ("hl", "hl_controlD"), "accel": ("accel", "accel_controlD")}
# Whoever holds one of these holds the driver, but no card in particular: the module cannot be unloaded.
DRIVER_NODES = {
    "nvidia": ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset",
               "/dev/nvidia-vgpuctl"),
    "amdgpu": ("/dev/kfd",),
}


class Nodes:
    """Device nodes and whose they are.

    Attributes:
        of_card: {path: [addresses]}; a VFIO group's node belongs to all functions of the group.
        of_driver: {path: name of the driver}.
        of_mdev: {path: (address of the parent, uuid)}.
        mdevs: {address of the parent: [uuids]}, open or not.
    """

    def __init__(self):
        self.of_card = {}
        self.of_driver = {}
        self.of_mdev = {}
        self.mdevs = {}

    def names(self):
        """Return the last parts of all paths: what is looked for first, because it is cheap."""
        return {path.rsplit("/", 1)[1] for path in (*self.of_card, *self.of_driver, *self.of_mdev)}

    def knows(self, path):
        """Whether it is one of them."""
        return path in self.of_card or path in self.of_driver or path in self.of_mdev

    def add(self, path, where):
        """Note that a node belongs to a function."""
        known = self.of_card.setdefault(path, [])
        if where not in known:
            known.append(where)


def observe(host, devices):
    """Return Nodes for the given devices.

    Args:
        host: Host.
        devices: list of devices; read are address, driver, iommu_group.

    Sources: ``/proc/driver/nvidia/gpus/<address>/information`` (Device Minor), ``drm/``, ``accel/``, ``habanalabs/``,
    ``vfio-dev/``, ``infiniband_*/`` and ``sound/`` in the device's folder in sysfs, ``/sys/bus/mdev/devices``. ``/dev``
    itself is not read: nodes of NVIDIA's driver stay behind when the driver is gone.
    """
    nodes = Nodes()
    bound = [device for device in devices if device.get("driver")]
    for device in bound:
        _of_sysfs(host, nodes, device["address"])
    for device in devices:
        if device.get("iommu_group") is not None:
            for path in ("/dev/vfio/{0}", "/dev/vfio/noiommu-{0}"):
                nodes.add(path.format(device["iommu_group"]), device["address"])
    # A VF has no node of NVIDIA's: it is used through VFIO alone.
    _nvidia(host, nodes, [device["address"] for device in bound if device["driver"] == "nvidia"
                          and (device.get("sriov") or {}).get("role") != "vf"])
    _amd_partitions(host, nodes, [device["address"] for device in bound if device["driver"] == "amdgpu"])
    _mdevs(host, nodes)
    for driver, paths in DRIVER_NODES.items():
        nodes.of_driver.update(dict.fromkeys(paths, driver))
    return nodes


def minor_of(text):
    """Return the minor number in ``/proc/driver/nvidia/gpus/<address>/information``, or None. Pure."""
    found = _MINOR.search(text or "")
    return int(found.group(1)) if found else None


def _of_sysfs(host, nodes, where):
    """One listing for each device, and one more for each kind of node that it has."""
    base = "/sys/bus/pci/devices/{0}".format(where)
    present = set(host.folder(base).names())
    for name, parent in _FOLDERS:
        if name not in present:
            continue
        for entry in host.names("{0}/{1}".format(base, name)):
            nodes.add(parent + entry, where)
            plain, control = _CONTROL.get(name, (None, None))
            if plain and re.fullmatch(plain + r"\d+", entry):
                nodes.add(parent + control + entry[len(plain):], where)
    for card in host.names(base + "/sound") if "sound" in present else ():
        for entry in host.names("{0}/sound/{1}".format(base, card)):
            if _SOUND.fullmatch(entry):
                nodes.add("/dev/snd/" + entry, where)


def _nvidia(host, nodes, addresses):
    """``/dev/nvidia<minor>``. One that nobody claims is put on every card whose minor is unknown: better too many."""
    unknown = []
    for where in addresses:
        minor = minor_of(host.text("/proc/driver/nvidia/gpus/{0}/information".format(where)))
        if minor is None:
            unknown.append(where)
        else:
            nodes.add("/dev/nvidia{0}".format(minor), where)
    if unknown:
        for minor in range(len(addresses)):
            path = "/dev/nvidia{0}".format(minor)
            if path not in nodes.of_card:
                nodes.of_card[path] = list(unknown)


def _amd_partitions(host, nodes, addresses):
    """In modes such as CPX, render nodes are on platform devices that do not name their GPU: they are put on all."""
    if not addresses:
        return
    for name in host.names("/sys/class/drm"):
        if "/dev/dri/" + name in nodes.of_card or not re.fullmatch(r"(card|renderD)\d+", name):
            continue
        try:
            target = host.readlink("/sys/class/drm/" + name)
        except OSError:
            continue
        if "/amdgpu_xcp" in target:
            for where in addresses:
                nodes.add("/dev/dri/" + name, where)


def _mdevs(host, nodes):
    base = "/sys/bus/mdev/devices"
    for uuid in host.names(base):
        try:
            # ../../../devices/pci0000:40/…/0000:41:00.4/<uuid>
            parents = _PCI.findall(host.readlink("{0}/{1}".format(base, uuid)))
        except OSError:
            continue
        if not parents:
            continue
        nodes.mdevs.setdefault(parents[-1], []).append(uuid)
        group = host.target_name("{0}/{1}/iommu_group".format(base, uuid))
        for path in ["/dev/vfio/" + group] if group else []:
            nodes.of_mdev[path] = (parents[-1], uuid)
        for entry in host.names("{0}/{1}/vfio-dev".format(base, uuid)):
            nodes.of_mdev["/dev/vfio/devices/" + entry] = (parents[-1], uuid)
