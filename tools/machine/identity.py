# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PCI function says of itself: a configuration space, and registers behind its BARs. No GPU is behind them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from .vfio_user import CONFIGURATION

SPACE = 4096
PAGE = 4096
COMMAND, REVISION, BAR, SUBSYSTEM, CAPABILITIES, PIN = 0x04, 0x08, 0x10, 0x2C, 0x34, 0x3D
POWER, MSI, EXPRESS = 0x40, 0x50, 0x60
# Offset and length of what a guest may change; everything else keeps its value, as in hardware.
WRITABLE = ((COMMAND, 2), (0x0C, 1), (0x3C, 1), (POWER + 4, 2), (MSI + 2, 12), (EXPRESS + 8, 2), (EXPRESS + 16, 2),
            (EXPRESS + 40, 2), (EXPRESS + 48, 2))
HAS_CAPABILITIES = 1 << 20  # in the status register, the upper half of the command register's dword
BIT64, PREFETCHABLE = 0x4, 0x8
ROLE_BASED_ERRORS, FUNCTION_LEVEL_RESET = 1 << 15, 1 << 28
SPEEDS_UP_TO_GEN5 = 0x3E


@dataclass(frozen=True)
class Identity:
    """One function: ids as lspci prints them, sizes in bytes, registers as {BAR: {offset: 32-bit value}}."""

    vendor: int
    device: int
    kind: int  # the class code with its programming interface, 0x030200 for a 3D controller
    subsystem: tuple[int, int]
    revision: int = 0
    # {index of the BAR: (size, 64-bit and prefetchable)}
    bars: Mapping[int, tuple[int, bool]] = field(default_factory=dict)
    registers: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    link: tuple[int, int] = (5, 16)  # generation and width, now and at best
    # Whether BARs are memory that keeps what is written. Registers that are cleared by writing ones are not: a driver
    # that finds there what it wrote takes it for news, without end (snd_hda_intel and its ring of answers).
    memory: bool = False

    def configuration(self) -> bytearray:
        """The 4 KiB that the function shows after a reset."""
        space = bytearray(SPACE)
        struct.pack_into("<HHI", space, 0, self.vendor, self.device, HAS_CAPABILITIES)
        struct.pack_into("<I", space, REVISION, self.kind << 8 | self.revision)
        for index, (_size, large) in self.bars.items():
            struct.pack_into("<I", space, BAR + 4 * index, BIT64 | PREFETCHABLE if large else 0)
        struct.pack_into("<HH", space, SUBSYSTEM, *self.subsystem)
        space[CAPABILITIES], space[PIN] = POWER, 1
        # Power management, version 3, that loses its state in D3hot: the kernel offers it as a way to reset.
        struct.pack_into("<BBHH", space, POWER, 0x01, MSI, 0x0003, 0)
        struct.pack_into("<BBH", space, MSI, 0x05, EXPRESS, 0x0080)
        speed, width = self.link
        struct.pack_into("<BBHI", space, EXPRESS, 0x10, 0, 0x0002, ROLE_BASED_ERRORS | FUNCTION_LEVEL_RESET | 1)
        struct.pack_into("<I", space, EXPRESS + 12, speed | width << 4)
        struct.pack_into("<H", space, EXPRESS + 18, speed | width << 4)
        struct.pack_into("<IHH", space, EXPRESS + 44, SPEEDS_UP_TO_GEN5, speed, 0)
        return space


class Device:
    """An identity that is alive: it remembers what is written to it until it is reset."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.reset()

    def reset(self) -> None:
        self.space = self.identity.configuration()
        self.pages: dict[tuple[int, int], bytearray] = {}
        for region, registers in self.identity.registers.items():
            for offset, value in registers.items():
                self._store(region, offset, struct.pack("<I", value))

    def size(self, region: int) -> int:
        """How large a region of vfio is; 0 when there is none."""
        return SPACE if region == CONFIGURATION else self.identity.bars.get(region, (0, False))[0]

    def interrupts(self, index: int) -> int:
        """One INTx (0), one MSI (1), no MSI-X, none for errors and requests."""
        return 1 if index in (0, 1) else 0

    def read(self, region: int, offset: int, count: int) -> bytes:
        self._check(region, offset, count)
        if region == CONFIGURATION:
            return bytes(self.space[offset:offset + count])
        page = self.pages.get((region, offset // PAGE), b"")
        return bytes(page[offset % PAGE:offset % PAGE + count]).ljust(count, b"\0")

    def write(self, region: int, offset: int, data: bytes) -> None:
        self._check(region, offset, len(data))
        if region != CONFIGURATION:
            if self.identity.memory:
                self._store(region, offset, data)
            return
        for position, value in enumerate(data, offset):
            if any(start <= position < start + length for start, length in WRITABLE):
                self.space[position] = value

    def _store(self, region: int, offset: int, data: bytes) -> None:
        page = self.pages.setdefault((region, offset // PAGE), bytearray(PAGE))
        page[offset % PAGE:offset % PAGE + len(data)] = data

    def _check(self, region: int, offset: int, count: int) -> None:
        """Configuration space is read as a whole; an access to a BAR is one word and never crosses a page."""
        whole = region == CONFIGURATION
        if offset + count > self.size(region) or (not whole and offset % PAGE + count > PAGE):
            raise ValueError("{} bytes at {:#x} of region {} are not there".format(count, offset, region))
