# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated host is made of: plain values that survive JSON, with no behaviour.

Synthetic: no capture of a whole host's sysfs stands behind any of it. Ids, classes and offsets are those of pci.ids and
of the kernel's and vendors' documents; numbers of groups and buses are made up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field


@dataclass
class Sriov:
    """The SR-IOV capability of a function.

    Attributes:
        total: ``sriov_totalvfs``.
        vf_device: device id of its VFs, four hex digits.
        offset: routing id of the first VF, counted from the PF's.
        stride: distance of two VFs.
    """

    total: int
    vf_device: str
    offset: int = 4
    stride: int = 1


@dataclass
class Function:
    """One PCI function.

    Attributes:
        address: such as ``0000:41:00.0``.
        vendor, device, subsystem_vendor, subsystem_device: four hex digits.
        pci_class: six hex digits.
        parent: address of the port above it, or None on a root bus.
        group: number of its IOMMU group, or None.
        bars: list of [size in bytes, prefetchable, bits].
        speed, width, max_speed, max_width: of its link, in GT/s and lanes; 0 when it has none.
        model: name in catalogue.GPUS, or None.
        supplier: address of the function that this one needs (a device link), or None.
        legacy: whether the host itself lives on it, so that nothing of ours may touch it.
    """

    address: str
    vendor: str
    device: str
    pci_class: str
    subsystem_vendor: str = "0000"
    subsystem_device: str = "0000"
    revision: str = "a1"
    numa: int = -1
    parent: str | None = None
    group: int | None = None
    bars: list = field(default_factory=list)
    speed: float = 0.0
    max_speed: float = 0.0
    width: int = 0
    max_width: int = 0
    reset_methods: list = field(default_factory=lambda: ["flr", "bus"])
    model: str | None = None
    supplier: str | None = None
    sriov: Sriov | None = None
    legacy: bool = False

    @property
    def is_bridge(self):
        """Whether it is a PCI bridge: never part of what makes a group viable."""
        return self.pci_class.startswith("0604")


@dataclass
class Description:
    """One simulated host.

    Attributes:
        name: of the description.
        functions: list of Function.
        kernel: release.
        os: ``debian``, ``ubuntu`` or ``el9``: os-release, grub or BLS entries.
        iommu: ``intel``, ``amd`` or ``none``; iommu_default: whether it is on without an argument.
        arguments: kernel command line of the first boot.
        modules: loaded at boot although nothing on the bus asks for them.
        available: names of further modules that can be loaded; those behind drivers are always there.
        blacklist: modules that ``/etc/modprobe.d`` keeps from being loaded for a device.
        nvidia_version: of driver and tools; nvidia_open: whether the module is the open one.
        vgpu: ``none``, ``mdev`` or ``vendor_vfio``.
        tools: which command-line tools are installed.
        processes: how many simulated processes run besides.
        unset_override: what an unset driver_override reads, ``(null)`` or the empty string.
        secure_boot: True, False, or None on a host without EFI.
        numa_nodes: how many.
        hugepages: list of [size in KiB, node, total, free].
        driverctl: whether the driverctl package with its udev rule is installed.
        iommu_cdev: whether the kernel has ``/dev/vfio/devices``.
        config_space: whether ``config`` holds 4096 bytes (else 64).
        files: ordinary files, path to text.
        notes: what is synthetic here, in words.
    """

    name: str
    functions: list = field(default_factory=list)
    kernel: str = "6.12.94+deb13-amd64"
    os: str = "debian"
    iommu: str = "intel"
    iommu_default: bool = False
    arguments: str = "root=/dev/sda1 ro quiet intel_iommu=on iommu=pt"
    modules: list = field(default_factory=list)
    available: list = field(default_factory=list)
    blacklist: list = field(default_factory=list)
    nvidia_version: str | None = None
    nvidia_open: bool = True
    vgpu: str = "none"
    tools: list = field(default_factory=list)
    processes: int = 20
    unset_override: str = "(null)"
    secure_boot: bool | None = False
    numa_nodes: int = 2
    hugepages: list = field(default_factory=list)
    driverctl: bool = True
    iommu_cdev: bool = True
    config_space: bool = False
    files: dict = field(default_factory=dict)
    notes: str = ""


def to_plain(description):
    """Return the description as a dictionary that JSON can hold."""
    return dataclasses.asdict(description)


def from_plain(plain):
    """Return the Description that to_plain gave. Unknown keys are an error."""
    known = dict(plain)
    functions = []
    for one in known.pop("functions", []):
        values = dict(one)
        sriov = values.pop("sriov", None)
        functions.append(Function(sriov=Sriov(**sriov) if sriov else None, **values))
    return Description(functions=functions, **known)
