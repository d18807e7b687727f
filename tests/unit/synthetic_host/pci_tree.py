# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic hosts: plain directories in the layout of sysfs and procfs, after the kernel's ABI documents.

No capture of a host stands behind these trees. They do not react to writes; the simulator does.
"""

from __future__ import annotations

import os
from pathlib import Path

RELEASE = "6.12.94+deb13-amd64"
MEMORY, PREFETCHABLE, WIDE = 0x200, 0x2000, 0x140000
ALIASES = """\
# Aliases extracted from modules themselves.
alias pci:v000010DEd*sv*sd*bc03sc00i00* nvidia
alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci
alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci
alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci
alias vfio_pci:v000019E5d0000A255sv*sd*bc*sc*i* hisi_acc_vfio_pci
"""


class Tree:
    """A synthetic host below a directory.

    Args:
        root: where it is written.
        iommu: whether there are IOMMU groups.
    """

    def __init__(self, root: Path, iommu: bool = True):
        self.root = Path(root)
        self.iommu = iommu
        self.next_group = 1
        for folder in ("sys/bus/pci/devices", "sys/bus/pci/drivers", "sys/kernel/iommu_groups", "sys/class/mdev_bus",
                       "sys/bus/mdev/devices", "sys/firmware", "sys/module", "dev", "run", "proc"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.write("proc/sys/kernel/osrelease", RELEASE + "\n")
        self.write("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.12.94 root=/dev/vda1 ro intel_iommu=on iommu=pt\n")
        self.write("proc/modules", "vfio_pci 16384 0 - Live 0x0\n")
        self.write("proc/meminfo", "MemTotal:       2113456128 kB\nMemFree:        1 kB\n")
        self.write("etc/os-release", 'ID=ubuntu\nID_LIKE="debian"\nVERSION_ID="24.04"\n')
        self.write(f"lib/modules/{RELEASE}/modules.alias", ALIASES)
        self.write("sys/devices/system/cpu/online", "0-95\n")

    def write(self, path: str, content) -> Path:
        """Write a file; bytes as they are."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        return target

    def link(self, path: str, target: str) -> None:
        """Make a link with the text ``target``."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def home(self, address: str) -> str:
        """The real directory of a function, relative to the root."""
        domain, bus, _ = address.split(":")
        return f"sys/devices/pci{domain}:{bus}/{address}"

    def function(self, address, ids, class_id, *, driver=None, group=None, alone=True, sub="10de:1850", extra=None,
                 bars=(), link=("32.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16), node=0, override="(null)", revision="a1",
                 reset="flr bus"):
        """Write one function.

        Args:
            address: such as ``0000:41:00.0``.
            ids: vendor and device, such as ``10de:2335``.
            class_id: six digits, such as ``030200``.
            group: number of its IOMMU group; a new one when it is None and ``alone``.
            extra: further attributes, {name: content}.
            bars: (index, size, flags) of each memory BAR.
        """
        (vendor, device), (subvendor, subdevice) = ids.split(":"), sub.split(":")
        home = self.home(address)
        modalias = "pci:v0000{}d0000{}sv0000{}sd0000{}bc{}sc{}i{}".format(
            *(text.upper() for text in (vendor, device, subvendor, subdevice)),
            *(class_id[at:at + 2].upper() for at in (0, 2, 4)))
        attributes = {
            "vendor": f"0x{vendor}\n", "device": f"0x{device}\n", "subsystem_vendor": f"0x{subvendor}\n",
            "subsystem_device": f"0x{subdevice}\n", "class": f"0x{class_id}\n", "revision": f"0x{revision}\n",
            "numa_node": f"{node}\n", "modalias": modalias + "\n", "driver_override": override + "\n",
            "current_link_speed": f"{link[0]}\n", "current_link_width": f"{link[1]}\n",
            "max_link_speed": f"{link[2]}\n", "max_link_width": f"{link[3]}\n",
            "resource": resource(bars), "enable": "1\n", "config": b"\xde\x10", "reset_method": reset + "\n",
            **(extra or {}),
        }
        for name, content in attributes.items():
            self.write(f"{home}/{name}", content)
        (self.root / home / "power").mkdir(exist_ok=True)
        self.link(f"sys/bus/pci/devices/{address}", "../../../" + home.partition("/")[2])
        if driver:
            self.bind(address, driver)
        if self.iommu and (group is not None or alone):
            self.join(address, group if group is not None else self.next_group)
        return address

    def bind(self, address: str, driver: str) -> None:
        """Bind a function to a driver."""
        (self.root / f"sys/bus/pci/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"{self.home(address)}/driver", f"../../../bus/pci/drivers/{driver}")

    def join(self, address: str, group: int) -> None:
        """Put a function into an IOMMU group."""
        self.next_group = max(self.next_group, group + 1)
        base = f"sys/kernel/iommu_groups/{group}"
        if not (self.root / base).exists():
            self.write(f"{base}/type", "identity\n")
        self.link(f"{base}/devices/{address}", "../../../../" + self.home(address).partition("/")[2])
        self.link(f"{self.home(address)}/iommu_group", f"../../../kernel/iommu_groups/{group}")

    def vfs(self, physical: str, addresses, ids: str, class_id: str, total: int, **options) -> list[str]:
        """Give a PF its VFs, and what sysfs says of them on both sides."""
        home = self.home(physical)
        for name, content in (("sriov_totalvfs", total), ("sriov_numvfs", len(addresses)),
                              ("sriov_vf_device", ids.split(":")[1]), ("sriov_drivers_autoprobe", 1),
                              ("sriov_offset", 4), ("sriov_stride", 1)):
            self.write(f"{home}/{name}", f"{content}\n")
        for index, address in enumerate(addresses):
            self.function(address, ids, class_id, link=("Unknown", 0, "Unknown", 255), **options)
            up = "../" if address.split(":")[1] == physical.split(":")[1] else f"../../{Path(home).parent.name}/"
            self.link(f"{self.home(address)}/physfn", up + physical)
            self.link(f"{home}/virtfn{index}", f"../{address}")
        return list(addresses)

    def tie(self, consumer: str, supplier: str) -> None:
        """A device link, as the kernel makes between a GPU and its audio function."""
        target = f"../../virtual/devlink/pci:{supplier}--pci:{consumer}"
        self.link(f"{self.home(supplier)}/consumer:pci:{consumer}", target)
        self.link(f"{self.home(consumer)}/supplier:pci:{supplier}", target)

    def interrupts(self, *chips: str) -> None:
        """Names of interrupt chips, one for each interrupt from 0 on."""
        for number, chip in enumerate(chips):
            self.write(f"sys/kernel/irq/{number}/chip_name", chip + "\n")

    def hugepages(self, node: int, kib: int, total: int, free: int) -> None:
        """Hugepages of one size on one node."""
        base = f"sys/devices/system/node/node{node}/hugepages/hugepages-{kib}kB"
        self.write(f"{base}/nr_hugepages", f"{total}\n")
        self.write(f"{base}/free_hugepages", f"{free}\n")

    def process(self, pid: int, command: str, files=()) -> None:
        """A process with open files."""
        self.write(f"proc/{pid}/comm", command + "\n")
        (self.root / f"proc/{pid}/fd").mkdir(parents=True)
        for number, target in enumerate(files):
            os.symlink(target, self.root / f"proc/{pid}/fd/{number}")


def resource(bars) -> str:
    """A ``resource`` file: 17 lines, zeros where there is nothing."""
    lines = ["0x0000000000000000 0x0000000000000000 0x0000000000000000"] * 17
    start = 0x380000000000
    for index, size, flags in bars:
        lines[index] = f"0x{start:016x} 0x{start + size - 1:016x} 0x{flags:016x}"
        start += size
    return "\n".join(lines) + "\n"


def h200(tree: Tree, bus: str = "41", domain: str = "0000", audio: bool = True, driver: str | None = "nvidia") -> str:
    """An H200, with an audio function in the same group as the QEMU machines have it."""
    group = tree.next_group
    card = tree.function(
        f"{domain}:{bus}:00.0", "10de:2335", "030200", driver=driver, group=group, sub="10de:18be",
        bars=((0, 16 << 20, MEMORY), (1, 256 << 30, MEMORY | PREFETCHABLE | WIDE), (3, 32 << 20, MEMORY | WIDE)))
    if audio:
        sound = tree.function(f"{domain}:{bus}:00.1", "10de:22b9", "040300", driver="snd_hda_intel", group=group)
        tree.tie(sound, card)
    return card


def l40s(tree: Tree, bus: str = "61", count: int = 32, types: str = "", current=None) -> tuple[str, list[str]]:
    """An L40S with VFs of the vendor-VFIO framework. ``current``: {index of a VF: id of its vGPU type}."""
    card = tree.function(f"0000:{bus}:00.0", "10de:26b9", "030200", driver="nvidia", sub="10de:1851")
    addresses = [f"0000:{bus}:{n // 8:02x}.{n % 8}" for n in range(4, 4 + count)]
    tree.vfs(card, addresses, "10de:26b9", "030200", 32, driver="nvidia", sub="10de:1851")
    for index, address in enumerate(addresses):
        base = f"{tree.home(address)}/nvidia"
        set_to = (current or {}).get(index, 0)
        tree.write(f"{base}/current_vgpu_type", f"{set_to}\n")
        tree.write(f"{base}/creatable_vgpu_types", "ID    : vGPU Name\n" + ("" if set_to else types))
    return card, addresses


def filler(tree: Tree, count: int, first_bus: int = 0xA0) -> None:
    """Functions of no interest: bridges, disks and NICs, each in a group of its own."""
    kinds = (("8086:352a", "060400", "pcieport"), ("144d:a80a", "010802", "nvme"), ("15b3:1021", "020700", "mlx5_core"))
    for number in range(count):
        ids, class_id, driver = kinds[number % 3]
        address = f"0000:{first_bus + number // 256:02x}:{number // 8 % 32:02x}.{number % 8}"
        tree.function(address, ids, class_id, driver=driver, sub="8086:0000")
