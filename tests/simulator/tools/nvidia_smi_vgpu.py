# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ``nvidia-smi vgpu``: supported and creatable types, heterogeneous mode.

The block of ``-s -v`` is that of a listing of an RTX PRO 6000 in the project's notes: type ids in hex, N/A for the
profile of a time-sliced type.
"""

from __future__ import annotations

from .. import nvidia
from ..catalogue import vgpu_capacity
from . import nvidia_query as query
from .answer import Answer, changed

_CLASSES = {"Q": "Quadro", "C": "Compute", "B": "NVS", "A": "NVS"}


def vgpu(state, words):
    """``nvidia-smi vgpu [-i CARD] -s|-c [-v]`` and ``-shm 0|1``."""
    from .nvidia_smi import select

    if state.description.vgpu == "none":
        return Answer(0, "No supported devices in vGPU mode\n")
    chosen = words[words.index("-i") + 1] if "-i" in words else None
    cards = select(state, chosen)
    if isinstance(cards, Answer):
        return cards
    if "-shm" in words:
        return _heterogeneous(state, cards, words[words.index("-shm") + 1])
    if "-s" in words or "--supported" in words:
        return Answer(0, "".join(_block(state, row, row[2].about.vgpu, "-v" in words) for row in cards))
    if "-c" in words or "--creatable" in words:
        return Answer(0, "".join(_block(state, row, _creatable(state, row), "-v" in words) for row in cards))
    users = sum(len(nvidia.vgpu_users(state, address)) for _, address, _, _ in cards)
    return Answer(0, f"| simulated: {users} vGPUs on {len(cards)} GPUs |\n")


def _creatable(state, row):
    free = [state.devices[vf] for vf in row[3].vfs if not state.devices[vf].vgpu_type]
    return nvidia.creatable(state, free[0]) if free else []


def _block(state, row, types, verbose):
    _, address, gpu, _ = row
    if not verbose:
        return f"GPU {query.long_address(address)}\n" + "".join(f"    {one.name}\n" for one in types)
    lines = [f"GPU {query.long_address(address)}"]
    for one in types:
        per_instance = 1 if one.profile is not None else None
        most = (
            vgpu_capacity(gpu.model) // one.memory_mib
            if one.profile is None
            else next((has.most for has in gpu.about.mig if has.number == one.profile), 1)
        )
        lines.append(f"    vGPU Type ID                          : 0x{one.number:x}")
        for key, value in (
            ("Name", one.name),
            ("Class", _CLASSES[one.series]),
            ("GPU Instance Profile ID", "N/A" if one.profile is None else one.profile),
            ("Max Instances", most),
            ("Max Instances Per VM", 16),
            ("Max Instances Per GI", "N/A" if per_instance is None else per_instance),
            ("Multi vGPU Exclusive", "False"),
            ("vGPU Exclusive Type", "False"),
            ("Vendor ID", "0x10de"),
            ("FB Memory", f"{one.memory_mib} MiB"),
        ):
            lines.append(f"        {key:<34}: {value}")
    return "\n".join(lines) + "\n"


def _heterogeneous(state, cards, value):
    lines = []
    for _, address, gpu, _ in cards:
        name = query.long_address(address)
        if nvidia.vgpu_users(state, address):
            return changed(
                19, "".join(lines) + f"Unable to set vGPU heterogeneous mode for GPU {name}: In use by another client\n"
            )
        gpu.heterogeneous = value == "1"
        lines.append(f"{query.mode(gpu.heterogeneous)} vGPU heterogeneous mode for GPU {name}\n")
    return changed(0, "".join(lines) + "All done.\n")
