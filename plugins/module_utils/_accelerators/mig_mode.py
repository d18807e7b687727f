# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG mode of a GPU: changing it interrupts, may stay pending, and is impossible beside VFs. Deciding is pure."""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import HostError
from . import slices

KIND = "MIG mode"


def is_pending(item, device):
    """Whether the declared mode was set already and waits for a reset."""
    mig = device.get("mig") or {}
    return bool(mig) and mig["mode"] != item["mode"] and mig.get("pending") == item["mode"]


def waits(address):
    """Return what a pending mode waits for, in words."""
    return ("MIG mode of {0} waits for a reset of the GPU (nvidia-smi --gpu-reset -i {0}, with nothing on it; on "
            "boards with NVSwitch all GPUs at once) or for a reboot".format(address))


def decide(item, device, devices, observed):
    """Return (actions, refusals) for one GPU.

    Args:
        item: the declaration.
        device: the GPU.
        devices: {address: device}.
        observed: facts.
    """
    mig, address = device.get("mig") or {}, device["address"]
    if not mig or mig["mode"] == item["mode"] or is_pending(item, device):
        return [], []
    refusals = []
    number = (device.get("sriov") or {}).get("num")
    if number:
        refusals.append("MIG mode of {0} cannot be changed while it has VFs; remove its {1} VFs first (sriov_vfs with "
                        "vfs: 0), and make them again afterwards".format(address, number))
    busy = slices.users_of(device, devices)
    if busy:
        refusals.append("MIG mode of {0} is left as it is, because something works on it: {1}; stop that first".format(
            address, slices.named(busy)))
    words = "MIG mode of {0} is turned {1}, which resets the GPU where it can".format(
        address, "on" if item["mode"] == "enabled" else "off")
    return [Action("set", KIND, address, {"mode": mig["mode"]}, {"mode": item["mode"]}, interrupts=words)], (
        refusals + slices.unsure(observed))


def now(host, address):
    """Return (current, pending) as nvidia-smi tells them now, in lower case; (None, None) when it does not."""
    finished = host.run(["nvidia-smi", "-i", address, "--query-gpu=mig.mode.current,mig.mode.pending",
                         "--format=csv,noheader"], 60)
    words = [word.strip().lower() for word in finished.stdout.strip().split(",")]
    if len(words) != 2 or not set(words) <= {"enabled", "disabled"}:
        return None, None
    return words[0], words[1]


def perform(host, action):
    """Carry out the action above. Return whether it was it. Raises HostError."""
    if action.kind != KIND:
        return False
    mode, address = action.after["mode"], action.name
    slices.refuse_if_used(host, address)
    finished = host.run(["nvidia-smi", "-i", address, "-mig", "1" if mode == "enabled" else "0"], 180, changes=True)
    current, pending = now(host, address)
    if mode not in (current, pending):
        raise HostError("MIG mode of {0} is still {1}: {2}. An NVML client such as DCGM or an exporter keeps it from "
                        "changing; stop nvidia-dcgm, dcgm-exporter and nvsm, and run this again".format(
                            address, current or "unknown", _said(finished)))
    return True


def _said(finished):
    """A refusal stands on standard output, and the exit status is 0 at times."""
    lines = [line.strip() for line in (finished.stdout + "\n" + finished.stderr).splitlines() if line.strip()]
    return "; ".join(line for line in lines if not line.startswith("All done"))[:300] or finished.words()
