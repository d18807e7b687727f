# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``sriov-manage`` of NVIDIA's vGPU host driver: VFs by way of pci-pf-stub, in the steps that the script takes.

Order and words follow a published copy of the script: unbindLock, unbind, pci-pf-stub, sriov_numvfs, back to nvidia,
VFs to nvidia. ``-e`` always enables all VFs. Faults: ``unbindLock`` (so many refusals, then it works), ``silent`` (it
fails and its exit status is 0, as in vGPU 17.2), ``dies`` (killed with the PF unbound: no driver, no VFs).
"""

from __future__ import annotations

from .. import modules, nvidia, pci, sriov
from ..state import Blocked
from .answer import Answer, changed

_USAGE = """Usage:
    /usr/lib/nvidia/sriov-manage <-e|-d> <ssss:bb:dd.f|ALL>
        Enable/disable Virtual functions on the GPU specified by the PCI_ID=ssss:bb:dd.f.
"""


def main(state, words, fault=None):
    """``sriov-manage -e|-d ADDRESS|ALL``."""
    if len(words) != 2 or words[0] not in ("-e", "-d"):
        return Answer(1, "", _USAGE)
    if "nvidia" not in state.modules:
        return changed(1, "Nvidia driver not loaded. Cannot continue.\n")
    everything = [
        address for address in state.gpus if state.devices.get(address) and state.devices[address].about.sriov
    ]
    chosen = everything if words[1].upper() == "ALL" else [address(words[1])]
    said, status = "", 0
    for one in chosen:
        out, err, status = _one(state, one, words[0] == "-e", fault)
        said += out
        if status:
            silent = fault is not None and fault.kind == "silent"
            return changed(0 if silent else status, said, err)
    return changed(status, said)


def address(text):
    """The address as sysfs has it, from ``41:00.0`` or ``00000000:41:00.0``."""
    text = text.lower()
    if text.count(":") == 1:
        return "0000:" + text
    return text[4:] if len(text.split(":")[0]) == 8 else text


def _one(state, one, enable, fault):
    """(stdout, stderr, status) for one card."""
    device = state.devices.get(one)
    if device is None or one not in state.gpus:
        return "", "", 1
    if device.about.sriov is None or state.description.vgpu == "none":
        return "", "", 0
    word = "Enabling" if enable else "Disabling"
    if bool(device.num_vfs) == enable:
        return f"GPU at {one} already has VFs {'enabled' if enable else 'disabled'}.\n", "", 0
    said = f"{word} VFs on {one}\n"
    holder = nvidia.in_use(state, one)
    if holder or (fault and fault.kind in ("unbindLock", "silent")):
        return said, f"Cannot obtain unbindLock for {one}\n", 1
    try:
        modules.load(state, "pci_pf_stub")
        if device.driver is not None:
            pci.detach(state, device)
        if fault and fault.kind == "dies":
            return said, "Killed\n", 137
        pci.write_new_id(state, "pci-pf-stub", f"{device.about.vendor} {device.about.device}")
        if device.driver is None:
            pci.probe(state, device, "pci-pf-stub")
        sriov.write_numvfs(state, device, str(device.about.sriov.total if enable else 0))
        pci.detach(state, device)
        pci.write_new_id(state, "pci-pf-stub", f"{device.about.vendor} {device.about.device}", remove=True)
        pci.probe(state, device, "nvidia")
        for vf in [state.devices[name] for name in device.vfs]:
            if vf.driver not in (None, "nvidia"):
                pci.detach(state, vf)
            if vf.driver is None:
                pci.probe(state, vf, "nvidia")
    except (OSError, Blocked) as error:
        return said, f"/usr/lib/nvidia/sriov-manage: line 0: {error}\n", 1
    return said, "", 0
