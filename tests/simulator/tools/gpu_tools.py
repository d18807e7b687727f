# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated ``nvidia_gpu_tools.py`` (NVIDIA/gpu-admin-tools): queries and sets CC and PPCIe mode.

Synthetic: options are those of the tool's own help, log lines are in its style; rules from the project's notes: CC
needs PPCIe off and the other way round, PPCIe is for all GPUs and NVSwitches together, a mode takes effect after a
reset.
"""

from __future__ import annotations

from .answer import Answer, changed


def main(state, words):
    """``nvidia_gpu_tools.py --gpu-bdf BDF|--devices gpus|nvswitches|all --query-…|--set-…``."""
    options = {}
    for number, word in enumerate(words):
        key, equals, value = word.partition("=")
        following = words[number + 1] if number + 1 < len(words) and not words[number + 1].startswith("--") else None
        options[key] = value if equals else following
    chosen = _chosen(state, options)
    if not chosen:
        return Answer(1, "", "error: No matching devices found\n")
    held = [one for one in chosen if state.devices[one].driver == "nvidia"]
    lines, status = [], 0
    for address in chosen:
        gpu = state.gpus[address]
        if not gpu.about.confidential:
            return Answer(1, "", f"error: GPU {address} does not support CC\n")
        ids = state.devices[address].about.device
        head = f"2026-11-21,12:00:00.000 {{}}     {_kind(gpu)} {address} {gpu.about.name} {ids}"
        for mode in ("cc", "ppcie"):
            if f"--query-{mode}-mode" in options:
                lines.append(f"{head.format('INFO')} {_shown(mode)} mode is {getattr(gpu, mode)}")
            if f"--set-{mode}-mode" in options:
                error = _set(
                    gpu, mode, options[f"--set-{mode}-mode"], f"--reset-after-{mode}-mode-switch" in options, held
                )
                status = status or int(bool(error))
                lines.append(
                    f"{head.format('ERROR' if error else 'INFO')} "
                    + (
                        error
                        or f"{_shown(mode)} mode set to {options[f'--set-{mode}-mode']}. It is active after a reset."
                    )
                )
    output = "\n".join(lines) + "\n"
    return (
        changed(status, "", output) if any(key.startswith("--set-") for key in options) else Answer(status, "", output)
    )


def _chosen(state, options):
    cards = [
        one
        for one, gpu in sorted(state.gpus.items())
        if state.devices.get(one) and state.devices[one].about.vendor == "10de"
    ]
    if "--gpu-bdf" in options:
        wanted = (options["--gpu-bdf"] or "").lower()
        return [one for one in cards if one in (wanted, "0000:" + wanted)]
    wanted = options.get("--devices") or ""
    return [
        one
        for one in cards
        if (state.gpus[one].model == "NVSWITCH") == (wanted == "nvswitches") or wanted in ("all", one)
    ]


def _kind(gpu):
    return "NvSwitch" if gpu.model == "NVSWITCH" else "GPU"


def _shown(mode):
    return {"cc": "CC", "ppcie": "PPCIe"}[mode]


def _set(gpu, mode, value, reset, held):
    """None, or why not."""
    other = "ppcie" if mode == "cc" else "cc"
    if value not in (("off", "on", "devtools") if mode == "cc" else ("off", "on")):
        return f"invalid mode {value}"
    if mode == "cc" and gpu.model == "NVSWITCH":
        return "CC mode is not supported"
    if value != "off" and getattr(gpu, other) != "off":
        return f"{_shown(mode)} mode cannot be set while {_shown(other)} mode is {getattr(gpu, other)}"
    if reset and held:
        return "reset failed: the nvidia driver is bound"
    setattr(gpu, mode if reset else f"{mode}_pending", value)
    if reset:
        setattr(gpu, f"{mode}_pending", None)
    return None
