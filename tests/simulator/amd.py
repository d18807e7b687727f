# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AMD's compute and memory partitions of MI300X in sysfs, as amdgpu has them.

Synthetic: names and values are those of the kernel's amdgpu documentation; what a change does to a card in use, and
that another memory partition waits until the driver is loaded again, was not seen on a card.
"""

from __future__ import annotations

from .nvidia import in_use
from .state import BUSY, INVALID, refuse
from .tree import File, Folder, line

COMPUTE = {"NPS1": ("SPX", "DPX", "QPX", "CPX"), "NPS4": ("QPX", "CPX")}
MEMORY = ("NPS1", "NPS4")


def attributes(state, device):
    """The partition attributes of a card."""
    gpu = state.gpus[device.address]
    return {
        "available_compute_partition": line(", ".join(COMPUTE[gpu.memory])),
        "current_compute_partition": File(f"{gpu.compute}\n", lambda text: set_compute(state, device, text)),
        "available_memory_partition": line(", ".join(MEMORY)),
        "ras": Folder(lambda: {"umc_err_count": File(f"ue: {gpu.ecc_uncorrected}\nce: 0\n")}),
        "current_memory_partition": File(f"{gpu.memory}\n", lambda text: set_memory(state, device, text)),
    }


def set_compute(state, device, text):
    """Divide the compute units; refused with EBUSY while a process has the card open."""
    gpu, wanted = state.gpus[device.address], text.strip().upper()
    if wanted not in COMPUTE[gpu.memory]:
        raise refuse(INVALID)
    if in_use(state, device.address):
        raise refuse(BUSY)
    gpu.compute = wanted


def set_memory(state, device, text):
    """Ask for another memory partition: in force when amdgpu is loaded again."""
    gpu, wanted = state.gpus[device.address], text.strip().upper()
    if wanted not in MEMORY:
        raise refuse(INVALID)
    if in_use(state, device.address):
        raise refuse(BUSY)
    gpu.memory_pending = None if wanted == gpu.memory else wanted
