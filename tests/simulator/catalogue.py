# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the simulated GPUs: names, memory, MIG profiles, vGPU types.

Synthetic but for what is marked: MIG profile ids and placements are NVIDIA's documented ones of 8-slice GPUs
(``nvidia-smi mig -lgipp`` prints them so), the L40S types 1145 and 1147 are in a published listing of
``creatable_vgpu_types``; all other vGPU ids are numbered in the same order and stand for nothing real, as ids differ
between driver releases anyway.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MigProfile:
    """A GPU instance profile: its name, id, compute slices, memory slices, where it may start, and how often."""

    name: str
    number: int
    slices: int
    size: int
    starts: tuple
    most: int
    memory_gib: float


@dataclass(frozen=True)
class VgpuType:
    """A vGPU type: decimal id, name, frame buffer in MiB, id of the GPU instance profile it needs or None."""

    number: int
    name: str
    memory_mib: int
    profile: int | None = None
    series: str = "Q"


@dataclass(frozen=True)
class Gpu:
    """A model: product name, architecture, memory in MiB, MIG profiles, vGPU types, whether MIG is switched live."""

    name: str
    architecture: str = "N/A"
    memory_mib: int = 0
    mig: tuple = ()
    vgpu: tuple = ()
    live_mig: bool = True
    vbios: str = "00.00.00.00.00"
    confidential: bool = False


def _mig(unit, total):
    """The eight-slice profiles; ``unit`` is the size of one slice in GB, ``total`` all of it."""
    double = {"5": "10", "10": "20", "18": "35"}[unit]
    half = {"5": "20", "10": "40", "18": "71"}[unit]
    memory = float(total) / 8
    return (
        MigProfile(f"1g.{unit}gb", 19, 1, 1, (0, 1, 2, 3, 4, 5, 6), 7, memory),
        MigProfile(f"1g.{unit}gb+me", 20, 1, 1, (0, 1, 2, 3, 4, 5, 6), 1, memory),
        MigProfile(f"1g.{double}gb", 15, 1, 2, (0, 2, 4, 6), 4, memory * 2),
        MigProfile(f"2g.{double}gb", 14, 2, 2, (0, 2, 4), 3, memory * 2),
        MigProfile(f"3g.{half}gb", 9, 3, 4, (0, 4), 2, memory * 4),
        MigProfile(f"4g.{half}gb", 5, 4, 4, (0,), 1, memory * 4),
        MigProfile(f"7g.{total}gb", 0, 7, 8, (0,), 1, memory * 8),
    )


def _types(model, first, sizes, series="Q", unit=1024):
    return tuple(VgpuType(first + step, f"NVIDIA {model}-{size}{series}", size * unit, None, series)
                 for step, size in enumerate(sizes))


_L40S = (
    _types("L40S", 1145, (1, 2), "B") + _types("L40S", 1147, (1, 2, 3, 4, 6, 8, 12, 16, 24, 48))
    + _types("L40S", 1157, (1, 2, 3, 4, 6, 8, 12, 16, 24, 48), "A")
)
_A100 = _types("A100", 468, (4, 5, 8, 10, 20, 40), "C") + (
    VgpuType(474, "NVIDIA A100-1-5C", 5120, 19, "C"), VgpuType(475, "NVIDIA A100-2-10C", 10240, 14, "C"),
    VgpuType(476, "NVIDIA A100-3-20C", 20480, 9, "C"), VgpuType(477, "NVIDIA A100-4-20C", 20480, 5, "C"),
    VgpuType(478, "NVIDIA A100-7-40C", 40960, 0, "C"),
)
_H200 = _types("H200XM", 1296, (4, 8, 16, 28, 35, 70, 141), "C") + (
    VgpuType(1303, "NVIDIA H200XM-1-18C", 18432, 19, "C"), VgpuType(1304, "NVIDIA H200XM-2-35C", 35840, 14, "C"),
    VgpuType(1305, "NVIDIA H200XM-3-71C", 72704, 9, "C"), VgpuType(1306, "NVIDIA H200XM-7-141C", 144384, 0, "C"),
)

GPUS = {
    "H200": Gpu("NVIDIA H200", "Hopper", 143771, _mig("18", "141"), _H200, True, "96.00.BC.00.01", True),
    "H100": Gpu("NVIDIA H100 80GB HBM3", "Hopper", 81559, _mig("10", "80"), (), True, "96.00.99.00.01", True),
    "A100": Gpu("NVIDIA A100-PCIE-40GB", "Ampere", 40960, _mig("5", "40"), _A100, False, "92.00.45.00.03"),
    "L40S": Gpu("NVIDIA L40S", "Ada Lovelace", 49140, (), _L40S, True, "95.02.66.00.02"),
    "T4": Gpu("Tesla T4", "Turing", 15360, (), (), True, "90.04.38.00.03"),
    "NVSWITCH": Gpu("NVIDIA NVSwitch", "LS10", 0, (), (), True, "96.10.57.00.01", True),
    "MI300X": Gpu("AMD Instinct MI300X", "CDNA3", 196608),
    "GAUDI2": Gpu("HL-225H", "Gaudi2", 98304),
    "FLEX170": Gpu("Intel Data Center GPU Flex 170", "Xe HPG", 16384),
}


def vgpu_capacity(model):
    """The memory in MiB that vGPUs of a GPU share: whole GiB, as NVIDIA's types are cut."""
    return (GPUS[model].memory_mib + 1023) // 1024 * 1024


def profile(model, number):
    """The MIG profile of that id or name, or None."""
    for one in GPUS[model].mig:
        if str(one.number) == str(number) or one.name == str(number):
            return one
    return None


def vgpu_type(model, number):
    """The vGPU type of that decimal id, or None."""
    for one in GPUS[model].vgpu:
        if one.number == number:
            return one
    return None
