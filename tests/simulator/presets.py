# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that can be simulated, by name. Topologies are synthetic; ids and classes are those of pci.ids.

An HGX board of the real world has no audio functions: they are here because the issue's rules for siblings need a card
with one, and the QEMU machines show the same pair (10de:2335 with 10de:22b9).
"""

from __future__ import annotations

from .description import Description, Function, Sriov

GIB = 1 << 30
MIB = 1 << 20
_GPU_BUSES = (0x17, 0x29, 0x39, 0x5C, 0x99, 0xAA, 0xB9, 0xDA)


class Board:
    """Collects functions: each slot is a root port on a root bus of its own with what hangs below."""

    def __init__(self):
        self.functions = []
        self._group = 0

    def group(self):
        """The next free number of an IOMMU group."""
        self._group += 1
        return self._group - 1

    def add(self, address, ids, pci_class, **more):
        """Add one function; ids is ``vendor:device``."""
        vendor, device = ids.split(":")
        more.setdefault("group", self.group())
        self.functions.append(Function(address, vendor, device, pci_class, **more))
        return self.functions[-1]

    def slot(self, bus, numa, members, port_ids="8086:352a"):
        """Add a root port at ``bus`` and behind it functions ``.0``, ``.1`` … that share one group.

        Args:
            bus: number of the root bus; what is behind the port is on the next one.
            numa: node.
            members: list of (ids, class, dictionary of further fields).
            port_ids: ids of the port.
        """
        port = self.add(f"0000:{bus:02x}:01.0", port_ids, "060400", numa=numa, revision="04", reset_methods=["pm"])
        group, first = self.group(), None
        for number, (ids, pci_class, more) in enumerate(members):
            fields = {"numa": numa, "parent": port.address, "group": group, **more}
            if first and not fields.pop("unlinked", False):
                fields["supplier"] = first
            one = self.add(f"0000:{bus + 1:02x}:00.{number}", ids, pci_class, **fields)
            first = first or one.address
        return first

    def house(self, fill_to=0):
        """Add what every server has: BMC display, disk, network, and then filling functions up to a number."""
        bridge = self.group()
        self.add("0000:00:00.0", "8086:09a2", "060000", numa=0, reset_methods=[])
        self.add("0000:00:1f.0", "8086:1b81", "060100", group=bridge, numa=0, reset_methods=[])
        self.add("0000:00:1f.4", "8086:1bc9", "0c0500", group=bridge, numa=0, reset_methods=[])
        self.slot(0x01, 0, [("1a03:2000", "030000", {"revision": "52", "bars": [[16 * MIB, False, 32]],
                                                     "reset_methods": []})])
        self.slot(0x03, 0, [("144d:a80a", "010802", {"legacy": True, "bars": [[16384, False, 64]]})])
        self.slot(0x0C, 0, [("15b3:101d", "020000", {"legacy": True, "bars": [[32 * MIB, True, 64]]})])
        number = 0
        while len(self.functions) < fill_to:
            bus, slot, function = 0xE0 + number // 256, 1 + number % 256 // 8, number % 8
            self.add(f"0000:{bus:02x}:{slot % 32:02x}.{function}", "8086:324a", "088000", numa=number % 2,
                     reset_methods=[])
            number += 1
        return self.functions


def _h200(model="H200", device="2335"):
    return {"subsystem_vendor": "10de", "subsystem_device": "18be", "model": model, "speed": 32.0, "max_speed": 32.0,
            "width": 16, "max_width": 16, "reset_methods": ["flr", "bus"],
            "bars": [[16 * MIB, False, 32], [256 * GIB, True, 64], [32 * MIB, True, 64]],
            "sriov": Sriov(16, device, 4, 1)}


def hgx_h200(gpus=8, switches=4, audio=True, foreign=False, functions=0, processes=40, vgpu="none", **changes):
    """An HGX host: H200 with an audio sibling each, NVSwitches, and the host's own devices.

    Args:
        gpus: 1 to 8.
        switches: NVSwitches, 0 to 4.
        audio: whether each GPU has an audio function in its group.
        foreign: whether a ConnectX of the host shares the first GPU's group.
        functions: fill the bus up to so many functions.
        processes: how many simulated processes run.
        vgpu: framework of the host driver.
    """
    board = Board()
    for index, bus in enumerate(_GPU_BUSES[:gpus]):
        numa = 0 if index < (gpus + 1) // 2 else 1
        members = [("10de:2335", "030200", _h200())]
        if audio:
            members.append(("10de:22b9", "040300", {"bars": [[16384, False, 32]], "reset_methods": ["pm"]}))
        if foreign and index == 0:
            members.append(("15b3:1021", "020000", {"legacy": True, "unlinked": True, "bars": [[32 * MIB, True, 64]]}))
        board.slot(bus, numa, members)
    for index in range(switches):
        board.slot(0x40 + 2 * index, 0, [("10de:22a3", "068000", {
            "subsystem_vendor": "10de", "subsystem_device": "1796", "model": "NVSWITCH",
            "bars": [[32 * MIB, False, 64]],
            "speed": 16.0, "max_speed": 16.0, "width": 2, "max_width": 2})])
    return _nvidia("hgx_h200", board.house(functions), "570.148.08", vgpu=vgpu, processes=processes,
                   hugepages=[[1048576, 0, 128, 128], [1048576, 1, 128, 96], [2048, 0, 0, 0], [2048, 1, 0, 0]],
                   **changes)


def l40s_vgpu(gpus=2, vgpu="vendor_vfio", **changes):
    """L40S cards under NVIDIA's vGPU host driver on a kernel with vendor-specific VFIO."""
    board = Board()
    for bus in (0x40, 0x60, 0x80, 0xA0)[:gpus]:
        board.slot(bus, 0, [
            ("10de:26b9", "030200", {
                "subsystem_vendor": "10de", "subsystem_device": "1851", "model": "L40S", "speed": 16.0,
                "max_speed": 16.0, "width": 16, "max_width": 16,
                "bars": [[16 * MIB, False, 32], [64 * GIB, True, 64], [32 * MIB, True, 64]],
                "sriov": Sriov(32, "26b9", 4, 1)}),
        ])
    return _nvidia("l40s_vgpu", board.house(), "570.148.06", vgpu=vgpu, nvidia_open=False, **changes)


def a100_mig(gpus=2, vgpu="vendor_vfio", **changes):
    """A100 PCIe cards: MIG mode needs a reset, VFs carry MIG-backed vGPUs (or mdevs with ``vgpu="mdev"``)."""
    board = Board()
    for bus in (0x20, 0x50, 0x70, 0x90)[:gpus]:
        board.slot(bus, 0, [("10de:20f1", "030200", {
            "subsystem_vendor": "10de", "subsystem_device": "145f", "model": "A100", "speed": 16.0, "max_speed": 16.0,
            "width": 16, "max_width": 16, "bars": [[16 * MIB, False, 32], [64 * GIB, True, 64], [32 * MIB, True, 64]],
            "sriov": Sriov(16, "20f1", 4, 1)})])
    return _nvidia("a100_mig", board.house(), "550.163.01", vgpu=vgpu, nvidia_open=False, **changes)


def mi300x(gpus=8, driver="amdgpu", **changes):
    """MI300X: class 1200. ``driver="gim"``: amdgpu is blacklisted and AMD's SR-IOV host driver is loaded."""
    board = Board()
    for index, bus in enumerate((0x10, 0x30, 0x50, 0x70, 0x90, 0xA8, 0xC0, 0xD8)[:gpus]):
        board.slot(bus, index * 2 // max(gpus, 2), [("1002:74a1", "120000", {
            "subsystem_vendor": "1002", "subsystem_device": "74a1", "model": "MI300X", "revision": "00",
            "speed": 32.0, "max_speed": 32.0, "width": 16, "max_width": 16,
            "bars": [[256 * GIB, True, 64], [2 * MIB, True, 64], [512 * 1024, False, 32]],
            "sriov": Sriov(8, "74b5", 16, 1)})], port_ids="1022:14ab")
    gim = driver == "gim"
    fields = {"name": "mi300x", "functions": board.house(), "iommu": "amd", "iommu_default": True,
              "arguments": "root=/dev/sda1 ro quiet iommu=pt", "tools": ["amd-smi", "rocm-smi"],
              "modules": ["gim"] if gim else [], "blacklist": ["amdgpu"] if gim else [],
              "files": {"/etc/modprobe.d/gim.conf": "options gim vf_num=1\n"} if gim else {}}
    return Description(**{**fields, **changes})


def gaudi(cards=8, **changes):
    """Gaudi 2: class 1200, vendor 1da3."""
    board = Board()
    for bus in (0x10, 0x30, 0x50, 0x70, 0x90, 0xA8, 0xC0, 0xD8)[:cards]:
        board.slot(bus, 0, [("1da3:1020", "120000", {
            "subsystem_vendor": "1da3", "subsystem_device": "0000", "model": "GAUDI2", "revision": "01", "speed": 16.0,
            "max_speed": 16.0, "width": 16, "max_width": 16, "bars": [[128 * GIB, True, 64], [64 * MIB, False, 64]]})])
    return Description(**{"name": "gaudi", "functions": board.house(), **changes})


def flex170(cards=2, driver="xe", **changes):
    """Intel Data Center GPU Flex 170: class 0380, plain SR-IOV by the kernel's driver."""
    board = Board()
    for bus in (0x20, 0x40, 0x60, 0x80)[:cards]:
        board.slot(bus, 0, [("8086:56c0", "038000", {
            "subsystem_vendor": "8086", "subsystem_device": "4905", "model": "FLEX170", "revision": "08", "speed": 16.0,
            "max_speed": 16.0, "width": 8, "max_width": 16, "bars": [[16 * MIB, False, 64], [16 * GIB, True, 64]],
            "sriov": Sriov(31, "56c0", 1, 1)})])
    other = "i915" if driver == "xe" else "xe"
    return Description(**{"name": "flex170", "functions": board.house(), "tools": ["xpu-smi"], "blacklist": [other],
                          **changes})


def igb_nic(**changes):
    """One igb network card with seven VFs, as QEMU emulates it: the judge that the real machines agree with."""
    board = Board()
    board.slot(0x20, 0, [("8086:10c9", "020000", {
        "subsystem_vendor": "8086", "subsystem_device": "a03c", "revision": "01", "bars": [[128 * 1024, False, 32]],
        "sriov": Sriov(7, "10ca", 128, 2)})])
    return Description(**{"name": "igb_nic", "functions": board.house(), **changes})


def _nvidia(name, functions, version, **changes):
    fields = {"name": name, "functions": functions, "nvidia_version": version, "tools": ["nvidia-smi", "sriov-manage"],
              "blacklist": ["nouveau"], "modules": ["nvidia_uvm"],
              "files": {"/etc/modprobe.d/nvidia-blacklist-nouveau.conf": "blacklist nouveau\n"}}
    return Description(**{**fields, **changes})


PRESETS = {one.__name__: one for one in (hgx_h200, l40s_vgpu, a100_mig, mi300x, gaudi, flex170, igb_nic)}


def describe(name, **changes):
    """Return the Description of that name; ``hgx`` stands for ``hgx_h200``. Raises KeyError."""
    chosen = [key for key in PRESETS if key == name] or [key for key in PRESETS if key.startswith(name)]
    if len(chosen) != 1:
        raise KeyError(f"there is no description {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[chosen[0]](**changes)
