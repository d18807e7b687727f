# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ``nvidia-smi``: lists, queries, modes, resets; ``mig`` and ``vgpu`` are in nvidia_smi_mig.py.

What it says without a driver or without a card on the driver, and with which exit status, is that of the captures of
550.163.01; success texts are those of NVIDIA's documents. Everything about a started card is synthetic.
"""

from __future__ import annotations

from .. import nvidia
from . import nvidia_query as query
from .answer import Answer, changed
from .nvidia_smi_mig import mig
from .nvidia_smi_vgpu import vgpu

_NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n\n"
)
_NO_CARD = "Failed to initialize NVML: No supported GPUs were found\n"
# The word before its value; the rest of the words stand alone.
_VALUED = ("-i", "--id", "-mig", "--multi-instance-gpu", "-pm", "--persistence-mode", "--format", "--query-gpu")


def main(state, words):
    """``nvidia-smi …``."""
    if "nvidia" not in state.modules:
        return Answer(9, _NO_DRIVER)
    cards = query.visible(state)
    if not cards:
        listed = (
            "Unable to determine the number of available GPUs: Uninitialized\n"
            if "-L" in words
            else "Unable to determine the number of GPUs\n"
        )
        return Answer(255, _NO_CARD + listed)
    if words[:1] == ["mig"]:
        return mig(state, words[1:])
    if words[:1] == ["vgpu"]:
        return vgpu(state, words[1:])
    options = parse(words)
    chosen = select(state, options.get("-i", options.get("--id")))
    if isinstance(chosen, Answer):
        return chosen
    return _dispatch(state, options, chosen)


def parse(words):
    """The words as {option: value}; ``--option=value`` and ``option value`` alike."""
    found, rest = {}, list(words)
    while rest:
        word = rest.pop(0)
        if "=" in word and word.startswith("--"):
            key, value = word.split("=", 1)
            found[key] = value
        elif word in _VALUED and rest:
            found[word] = rest.pop(0)
        else:
            found[word] = None
    return found


def select(state, text):
    """The cards that ``-i`` names (index, address in any spelling, UUID; commas), all without it, or an Answer."""
    cards = query.visible(state)
    if text is None:
        return cards
    found = []
    for one in text.split(","):
        match = [row for row in cards if one in (str(row[0]), row[2].uuid) or _same(one, row[1])]
        if not match:
            return Answer(6, "No devices were found\n" if ":" in one else "Invalid device id.\n")
        found += match
    return found


def _same(text, address):
    text = text.lower()
    return text in (address, "0000" + address, address[5:])


def _dispatch(state, options, cards):
    if "-L" in options or "--list-gpus" in options:
        return Answer(0, _list(cards))
    if "--version" in options:
        version = state.description.nvidia_version
        return Answer(
            0,
            f"NVIDIA-SMI version  : {version}\nNVML version        : {version[: version.rindex('.')]}\n"
            f"DRIVER version      : {version}\nCUDA Version        : {query.cuda(state)}\n",
        )
    if "--help-query-gpu" in options:
        keys = query.columns(state, *cards[0])
        return Answer(
            0,
            'List of valid properties to query for the switch "--query-gpu":\n\n'
            + "".join(f'"{key}"\nSimulated.\n\n' for key in keys),
        )
    if "--query-gpu" in options:
        return _columns(state, options, cards)
    if "-q" in options or "--query" in options:
        return Answer(
            0, query.xml(state, cards) if "-x" in options or "--xml-format" in options else _text(state, cards)
        )
    for key in ("-mig", "--multi-instance-gpu"):
        if key in options:
            return _set_mig(state, options[key], cards)
    for key in ("-pm", "--persistence-mode"):
        if key in options:
            return _persistence(options[key], cards)
    if "-r" in options or "--gpu-reset" in options:
        return _reset(state, cards)
    return Answer(0, _summary(state, cards))


def _list(cards):
    lines = []
    for index, _, gpu, _ in cards:
        lines.append(f"GPU {index}: {gpu.about.name} (UUID: {gpu.uuid})\n")
        for number, one in enumerate(query.with_compute(gpu)):
            lines.append(
                f"  MIG {one.profile.name:<11} Device {number:>2}: (UUID: MIG-{gpu.index:08x}-0000-0000-0000-"
                f"{one.number:012x})\n"
            )
    return "".join(lines)


def _columns(state, options, cards):
    keys, form = options["--query-gpu"].split(","), (options.get("--format") or "").split(",")
    if "csv" not in form:
        return Answer(1, 'Missing format: "--format=" switch. Only "--format=csv" is supported.\n')
    lines = []
    if "noheader" not in form:
        lines.append(", ".join(f"{key} [MiB]" if key.startswith("memory.") else key for key in keys))
    for row in cards:
        values = query.columns(state, *row)
        wrong = [key for key in keys if key not in values]
        if wrong:
            return Answer(2, f'Field "{wrong[0]}" is not a valid field to query.\n\n')
        texts = ["[N/A]" if values[key] is None else values[key] for key in keys]
        lines.append(", ".join(text.replace(" MiB", "") if "nounits" in form else text for text in texts))
    return Answer(0, "\n".join(lines) + "\n")


def _text(state, cards):
    """The text of ``-q``: only the sections that decisions read."""
    virtual, host = query.virtualization(state)
    head = (
        f"\n==============NVSMI LOG==============\n\nDriver Version                            : "
        f"{state.description.nvidia_version}\nCUDA Version                              : {query.cuda(state)}\n\n"
        f"Attached GPUs                             : {len(cards)}\n"
    )
    for _, address, gpu, _ in cards:
        current, pending = query.mig_modes(gpu)
        head += (
            f"GPU {query.long_address(address)}\n    Product Name                          : {gpu.about.name}\n"
            f"    MIG Mode\n        Current                           : {current}\n"
            f"        Pending                           : {pending}\n"
            f"    GPU UUID                              : {gpu.uuid}\n"
            f"    GPU Virtualization Mode\n        Virtualization Mode               : {virtual}\n"
            f"        Host VGPU Mode                    : {host}\n"
            f"        vGPU Heterogeneous Mode           : "
            f"{query.mode(gpu.heterogeneous) if host != 'N/A' else 'N/A'}\n"
        )
    return head


def _set_mig(state, value, cards):
    wanted, lines, status = {"1": True, "ENABLED": True, "0": False, "DISABLED": False}.get(str(value).upper()), [], 0
    if wanted is None:
        return Answer(2, f'Invalid "-mig" argument: {value}\n')
    word = "Enabled" if wanted else "Disabled"
    for _, address, gpu, _ in cards:
        name = query.long_address(address)
        if not gpu.about.mig:
            lines.append(
                f"Unable to {word.lower()[:-1]} MIG Mode for GPU {name}: Not Supported\n"
                "Treating as warning and moving on.\n"
            )
            continue
        answer = nvidia.set_mig(state, address, wanted)
        if answer == "vfs":
            lines.append(f"Unable to disable MIG Mode for GPU {name}: In use by another client\n")
            status = 19
        elif answer == "pending":
            lines.append(_pending(name, wanted, nvidia.in_use(state, address)))
        else:
            lines.append(f"{word} MIG Mode for GPU {name}\n")
    return changed(
        status, "".join(lines) + ("All done.\n" if not status else "Terminating early due to previous errors.\n")
    )


def _pending(name, wanted, held):
    head = f"Warning: MIG mode is in pending {'enable' if wanted else 'disable'} state for GPU {name}:"
    if not held:
        return f"{head}Reset required\n"
    return (
        f"{head}In use by another client\n{name} is currently being used by one or more other processes (e.g. CUDA "
        "application or a monitoring application such as another instance of nvidia-smi). Please first kill all "
        "processes using the device and retry the command or reboot the system to make MIG mode effective.\n"
    )


def _persistence(value, cards):
    lines = []
    for _, address, gpu, _ in cards:
        gpu.persistence = value == "1"
        lines.append(f"{query.mode(gpu.persistence)} Legacy persistence mode for GPU {query.long_address(address)}.\n")
    return changed(0, "".join(lines) + "All done.\n")


def _reset(state, cards):
    lines = []
    for _, address, _, _ in cards:
        name = query.long_address(address)
        if not nvidia.reset_gpu(state, address):
            return changed(
                19,
                "".join(lines) + f"GPU {name} is currently in use by another process.\n\n1 device is currently "
                "being used by one or more other processes (e.g., Fabric Manager, CUDA application, graphics "
                "application such as an X server, or a monitoring application such as another instance of "
                "nvidia-smi). Please first kill all processes using this device and all compute applications "
                "running in the system.\n",
            )
        lines.append(f"GPU {name} was successfully reset.\n")
    return changed(0, "".join(lines) + "All done.\n")


def _summary(state, cards):
    version = state.description.nvidia_version
    rows = "".join(
        f"|   {index}  {gpu.about.name:<32}  |   {query.long_address(address)} Off |                    0 |\n"
        for index, address, gpu, _ in cards
    )
    return (
        f"Sat Nov 21 12:00:00 2026       (simulated)\n| NVIDIA-SMI {version}    Driver Version: {version}    "
        "CUDA Version: "
        f"{query.cuda(state)} |\n{rows}"
    )
