# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ``xpu-smi``. Synthetic: no output of a real card was at hand; keys as in Intel's documents."""

from __future__ import annotations

import json

from .. import sriov
from .answer import Answer, changed


def _cards(state):
    found = [
        address
        for address, gpu in sorted(state.gpus.items())
        if gpu.model == "FLEX170" and address in state.devices and state.devices[address].driver in ("xe", "i915")
    ]
    return [(index, one, state.gpus[one], state.devices[one]) for index, one in enumerate(found)]


def main(state, words):
    """``xpu-smi discovery|health|vgpu|-v``."""
    if not {"xe", "i915"} & set(state.modules):
        return Answer(1, "Error: Level Zero Initialization Error\n")
    verb = words[0] if words else "-v"
    if verb == "-v":
        return Answer(
            0,
            "CLI:\n    Version: 1.2.42.20250620\nService:\n    Version: 1.2.42.20250620\n",
        )
    if verb == "discovery":
        return _discovery(_cards(state), words)
    if verb == "health":
        rows = [
            {"device_id": index, "memory": {"status": "OK"}, "power": {"status": "OK"}} for index, *_ in _cards(state)
        ]
        return Answer(0, json.dumps({"device_list": rows}) + "\n")
    if verb == "vgpu":
        return _vgpu(state, words)
    return Answer(1, f"The following argument was not expected: {verb}\n")


def _discovery(cards, words):
    rows = [
        {
            "device_id": index,
            "device_name": gpu.about.name,
            "device_type": "GPU",
            "pci_bdf_address": address,
            "pci_device_id": "0x" + device.about.device,
            "uuid": f"00000000-0000-{address[5:7]}00-0000-0000{device.about.device}8086",
            "vendor_name": "Intel(R) Corporation",
            "drm_device": f"/dev/dri/card{index}",
            "device_function_type": "physical",
        }
        for index, address, gpu, device in cards
    ]
    if "-j" in words:
        return Answer(0, json.dumps({"device_list": rows}, indent=4) + "\n")
    return Answer(
        0,
        "".join(
            f"| {row['device_id']} | Device Name: {row['device_name']} | PCI BDF Address: {row['pci_bdf_address']} |\n"
            for row in rows
        ),
    )


def _vgpu(state, words):
    """``vgpu --precheck`` and ``vgpu -d ID -c -n COUNT --lmem MiB | -r | -l [-j]``."""
    if "--precheck" in words:
        iommu = "Pass" if state.iommu else "Fail"
        return Answer(0, json.dumps({"iommu_status": iommu, "sriov_status": "Pass", "vmx_flag": "Pass"}) + "\n")
    asked = words[words.index("-d") + 1] if "-d" in words else "0"
    chosen = [row for row in _cards(state) if asked in (str(row[0]), row[1])]
    if not chosen:
        return Answer(1, "Error: device not found\n")
    _, address, gpu, device = chosen[0]
    if "-l" in words:
        rows = [{"bdf_address": one, "function_type": "virtual", "lmem_size": "N/A"} for one in device.vfs]
        return Answer(0, json.dumps({"vf_list": [{"bdf_address": address, "function_type": "physical"}, *rows]}) + "\n")
    number = int(words[words.index("-n") + 1]) if "-c" in words and "-n" in words else 0 if "-r" in words else None
    if number is None:
        return Answer(1, "Error: no action\n")
    try:
        sriov.write_numvfs(state, device, str(number))
    except OSError as error:
        return changed(1, f"Error: Fail to create VFs: {error.strerror}\n")
    return changed(0, f"Device {asked}: {number} virtual GPUs\n")
