# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ``amd-smi`` and ``rocm-smi``. Synthetic: no output of an MI300X was at hand; keys of AMD's documents."""

from __future__ import annotations

import json

from .. import amd
from .answer import Answer, changed


def _cards(state):
    """The cards that the tools see: PFs on amdgpu or gim, as (index, address, Gpu, Device)."""
    found = [
        address
        for address, gpu in sorted(state.gpus.items())
        if gpu.model.startswith("MI")
        and address in state.devices
        and state.devices[address].driver in ("amdgpu", "gim")
    ]
    return [(index, one, state.gpus[one], state.devices[one]) for index, one in enumerate(found)]


def main(state, words):
    """``amd-smi list|static|partition|set|version [--json]``."""
    if not {"amdgpu", "gim"} & set(state.modules):
        return Answer(
            255,
            "",
            "ERROR:root:Unable to detect any GPU devices, check amdgpu version and module status (sudo "
            "modprobe amdgpu)\n",
        )
    verb, cards = words[0] if words else "", _cards(state)
    if verb == "version":
        return Answer(0, "AMDSMI Tool: 25.3.0+simulated | AMDSMI Library version: 25.3.0 | ROCm version: 6.4.0\n")
    if verb == "set":
        return _set(state, words, cards)
    rows = {"list": _listed, "static": _static, "metric": _metric, "partition": _partition}.get(verb)
    if rows is None:
        return Answer(1, "", f"amd-smi: error: invalid command {verb!r}\n")
    found = [rows(*row) for row in cards]
    if "--json" in words:
        return Answer(0, json.dumps(found, indent=4) + "\n")
    return Answer(0, "".join(_text(one) for one in found))


def _text(row, indent=""):
    lines = ""
    for key, value in row.items():
        head = f"{indent}{key.upper()}:"
        lines += f"{head}\n{_text(value, indent + '    ')}" if isinstance(value, dict) else f"{head} {value}\n"
    return lines


def _listed(index, address, gpu, device):
    return {
        "gpu": index,
        "bdf": address,
        "uuid": f"{index:02x}ff74a1-0000-1000-80{index:02x}-000000000000",
        "kfd_id": 1000 + index,
        "node_id": index + 2,
        "partition_id": 0,
    }


def _static(index, address, gpu, device):
    return {
        "gpu": index,
        "asic": {
            "market_name": gpu.about.name,
            "vendor_id": "0x1002",
            "device_id": "0x74a1",
            "asic_serial": f"0x{index:016x}",
        },
        "bus": {"bdf": address, "max_pcie_width": 16, "max_pcie_speed": {"value": 32, "unit": "GT/s"}},
        "vbios": {"version": "022.040.003.042.000001"},
        "driver": {"name": device.driver, "version": "6.12.12"},
        "vram": {"type": "HBM", "size": {"value": gpu.about.memory_mib, "unit": "MB"}},
        "partition": {"compute_partition": gpu.compute, "memory_partition": gpu.memory, "partition_id": 0},
    }


def _metric(index, address, gpu, device):
    return {
        "gpu": index,
        "ecc": {
            "total_correctable_count": 0,
            "total_uncorrectable_count": gpu.ecc_uncorrected,
            "cache_correctable_count": "N/A",
            "cache_uncorrectable_count": "N/A",
        },
    }


def _partition(index, address, gpu, device):
    return {"gpu": index, "memory": gpu.memory, "accelerator_type": gpu.compute, "partition_id": "0"}


def _set(state, words, cards):
    """``amd-smi set -g INDEX|all --compute-partition X`` or ``--memory-partition X``."""
    asked = words[words.index("-g") + 1] if "-g" in words else "all"
    lines = []
    for index, _, _, device in cards:
        if asked not in ("all", str(index), device.address):
            continue
        for option, function in (("--compute-partition", amd.set_compute), ("--memory-partition", amd.set_memory)):
            if option in words:
                try:
                    function(state, device, words[words.index(option) + 1])
                except OSError as error:
                    return changed(1, "".join(lines), f"ValueError: GPU {index}: {error.strerror}\n")
                lines.append(f"GPU: {index}\n    {option[2:].replace('-', '_').upper()}: Successfully set\n")
    return changed(0, "".join(lines)) if lines else Answer(1, "", "amd-smi: nothing was set\n")


def rocm(state, words):
    """``rocm-smi [--json] --showbus|--showproductname|--showcomputepartition…``: all of them are in one row here."""
    rows = {
        f"card{index}": {
            "PCI Bus": address.upper(),
            "Card Series": gpu.about.name,
            "GFX Version": "gfx942",
            "Compute Partition": gpu.compute,
            "Memory Partition": gpu.memory,
        }
        for index, address, gpu, device in _cards(state)
        if device.driver == "amdgpu"
    }
    if not rows:
        return Answer(
            1,
            "",
            "cat: /sys/module/amdgpu/initstate: No such file or directory\nERROR:root:Driver not initialized "
            "(amdgpu not found in modules)\n",
        )
    if "--json" in words:
        return Answer(0, json.dumps(rows) + "\n")
    return Answer(
        0, "".join(f"GPU[{name[4:]}]\t\t: {key}: {value}\n" for name, row in rows.items() for key, value in row.items())
    )
