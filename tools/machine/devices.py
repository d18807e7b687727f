# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be put on a machine's bus, by name, and where it then is.

    h200,mi300x,igb      each behind a root port of its own, so each in an IOMMU group of its own
    h200+nvme            both behind one switch without ACS: one IOMMU group, as on a board that shares a switch

Identities show what lspci shows of the real thing (vendor, device, class, subsystem); BARs are smaller than the real
ones. `igb` and `nvme` are QEMU's own devices and work: igb has SR-IOV with 7 VFs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .identity import Identity

KIB, MIB = 1 << 10, 1 << 20
NVIDIA, AMD, HABANA = 0x10DE, 0x1002, 0x1DA3

# BAR0 of Hopper: NV_PMC_BOOT_0 and NV_PMC_BOOT_42 hold the chip's id, which is what drivers look at first.
HOPPER = {0: {0x0: 0x180000A1, 0xA00: 0x180A1000}}
H200 = Identity(NVIDIA, 0x2335, 0x030200, (NVIDIA, 0x18BE), 0xA1,
                {0: (16 * MIB, False), 1: (256 * MIB, True), 3: (32 * MIB, True)}, HOPPER, memory=True)
H200_AUDIO = Identity(NVIDIA, 0x22B9, 0x040300, (NVIDIA, 0x18BE), 0xA1, {0: (16 * KIB, False)})
MI300X = Identity(AMD, 0x74A1, 0x120000, (AMD, 0x74A1), 0x00,
                  {0: (256 * MIB, True), 2: (2 * MIB, True), 5: (512 * KIB, False)})
GAUDI2 = Identity(HABANA, 0x1020, 0x120000, (HABANA, 0x1020), 0x01,
                  {0: (16 * MIB, True), 2: (32 * MIB, True), 4: (64 * MIB, True)}, link=(4, 16))
NVSWITCH = Identity(NVIDIA, 0x22A3, 0x068000, (NVIDIA, 0x1796), 0xA1, {0: (32 * MIB, False)}, link=(4, 2))
# An id that pci.ids does not know, of a vendor that it knows: the GPU of next year.
UNKNOWN = Identity(NVIDIA, 0x2FFE, 0x030200, (NVIDIA, 0x0000), 0xA1, {0: (16 * MIB, False), 1: (64 * MIB, True)})

# habanalabs looks at the size of BAR0, which is 256 MiB on the real one, and gives up at once: no test waits for it.
# The functions of a card, .0 first.
CARDS: dict[str, tuple[Identity, ...]] = {
    "h200": (H200, H200_AUDIO),
    "mi300x": (MI300X,),
    "gaudi2": (GAUDI2,),
    "nvswitch": (NVSWITCH,),
    "unknown": (UNKNOWN,),
}
STOCK = ("igb", "nvme")
# Root ports stand at 00:10.0 and up; 00:1f is the chipset's.
FIRST_SLOT, MOST = 0x10, 15


@dataclass(frozen=True)
class Slot:
    """A device at its place: its bus in QEMU's words, and its address in the guest."""

    name: str
    bus: str
    address: str

    def functions(self) -> Iterator[tuple[str, Identity]]:
        """The identities that are served for it, each with the name of its socket."""
        for number, identity in enumerate(CARDS.get(self.name, ())):
            yield f"{self.bus}-{number}", identity


class UnknownDevice(ValueError):
    """A name that is not in the catalogue."""


def parse(text: str) -> list[list[str]]:
    """`h200,igb+nvme` as [["h200"], ["igb", "nvme"]]: what hangs off each root port."""
    groups = [group.split("+") for group in text.split(",") if group]
    for name in (name for group in groups for name in group):
        if name not in CARDS and name not in STOCK:
            raise UnknownDevice(f"there is no device {name!r}; there are {', '.join([*CARDS, *STOCK])}")
    if len(groups) > MOST:
        raise UnknownDevice(f"{len(groups)} root ports are asked for, and there is room for {MOST}")
    return groups


def place(groups: list[list[str]]) -> list[Slot]:
    """Where everything is. Firmware numbers buses depth first, a switch being one bus inside and one per port."""
    slots, bus = [], 0
    for port, group in enumerate(groups):
        bus += 1
        if len(group) == 1:
            slots.append(Slot(group[0], f"rp{port}", f"0000:{bus:02x}:00.0"))
            continue
        bus += 1
        for number, name in enumerate(group):
            bus += 1
            slots.append(Slot(name, f"rp{port}d{number}", f"0000:{bus:02x}:00.0"))
    return slots


def arguments(groups: list[list[str]], sockets: str) -> list[dict]:
    """QEMU's devices for it, as the objects that -device takes."""
    made = []
    for port, group in enumerate(groups):
        made.append({"driver": "pcie-root-port", "id": f"rp{port}", "chassis": port + 1, "slot": port + 1,
                     "bus": "pcie.0", "addr": hex(FIRST_SLOT + port)})
        if len(group) > 1:
            made.append({"driver": "x3130-upstream", "id": f"rp{port}u", "bus": f"rp{port}"})
            # As functions of one slot: the kernel takes those for one, where they have no ACS.
            made += [{"driver": "xio3130-downstream", "id": f"rp{port}d{number}", "bus": f"rp{port}u",
                      "addr": f"0.{number}", "multifunction": True, "chassis": 0x40 + port, "slot": number}
                     for number in range(len(group))]
    for slot in place(groups):
        if slot.name == "igb":
            made.append({"driver": "igb", "bus": slot.bus, "romfile": ""})
        elif slot.name == "nvme":
            made.append({"driver": "nvme", "bus": slot.bus, "serial": slot.bus, "drive": "empty"})
        functions = list(slot.functions())
        for number, (name, _identity) in enumerate(functions):
            made.append({"driver": "vfio-user-pci", "bus": slot.bus, "addr": f"0.{number}",
                         "multifunction": len(functions) > 1, "socket": {"path": f"{sockets}/{name}", "type": "unix"}})
    return made
