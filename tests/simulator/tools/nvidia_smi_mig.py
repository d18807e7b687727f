# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ``nvidia-smi mig``. Tables and sentences as in NVIDIA's MIG guide and in listings of users (A100, H100)."""

from __future__ import annotations

from .. import nvidia
from ..catalogue import profile
from .answer import Answer, changed

_VALUED = (
    "-i",
    "--id",
    "-gi",
    "--gpu-instance-id",
    "-ci",
    "--compute-instance-id",
    "-cgi",
    "--create-gpu-instance",
    "-cci",
    "--create-compute-instance",
)
_LONG = {
    "--id": "-i",
    "--gpu-instance-id": "-gi",
    "--compute-instance-id": "-ci",
    "--create-gpu-instance": "-cgi",
    "--create-compute-instance": "-cci",
    "--default-compute-instance": "-C",
    "--list-gpu-instances": "-lgi",
    "--list-gpu-instance-profiles": "-lgip",
    "--list-gpu-instance-possible-placements": "-lgipp",
    "--list-compute-instances": "-lci",
    "--destroy-gpu-instance": "-dgi",
    "--destroy-compute-instance": "-dci",
}


def mig(state, words):
    """``nvidia-smi mig [-i CARD] …``."""
    from .nvidia_smi import select

    options, rest = {}, list(words)
    while rest:
        word = _LONG.get(rest[0], rest[0])
        rest.pop(0)
        takes = word in _VALUED and rest and not rest[0].startswith("-")
        options[word] = rest.pop(0) if takes else None
    cards = select(state, options.get("-i"))
    if isinstance(cards, Answer):
        return cards
    ready = [row for row in cards if row[2].mig]
    if not ready:
        return Answer(6, "No MIG-enabled devices found.\n")
    verbs = {
        "-lgip": _profiles,
        "-lgipp": _placements,
        "-lgi": _instances,
        "-lci": _compute_instances,
        "-cgi": _create,
        "-cci": _create_compute,
        "-dci": _destroy_compute,
        "-dgi": _destroy,
    }
    for verb, function in verbs.items():
        if verb in options:
            return function(state, ready, options)
    return Answer(1, "No MIG action specified.\n")


def _table(width, head, rows):
    edge = "+" + "-" * width + "+\n"
    lines = edge + "".join(f"|{text:<{width}}|\n" for text in head) + "|" + "=" * width + "|\n"
    return lines + "".join("".join(f"|{text:<{width}}|\n" for text in row) + edge for row in rows)


def _profiles(state, cards, options):
    head = [
        " GPU instance profiles:",
        " GPU   Name               ID    Instances   Memory     P2P    SM    DEC   ENC",
        "                                Free/Total   GiB              CE    JPEG  OFA",
    ]
    rows = []
    for index, _, gpu, _ in cards:
        for one in gpu.about.mig:
            used = sum(has.profile.name == one.name for has in gpu.instances)
            free = min(one.most - used, len(_disjoint(gpu, one)))
            rows.append(
                [
                    f"   {index}  MIG {one.name:<15}{one.number:>3}     {free}/{one.most}        "
                    f"{one.memory_gib:<10.2f} "
                    f"No     {one.slices * 16:<6} {one.slices}     0",
                    f"{'':61} {one.slices}     0     0",
                ]
            )
    return Answer(0, _table(79, head, rows))


def _disjoint(gpu, one):
    """Starts that could all be used together."""
    found, end = [], -1
    for start in nvidia.free_starts(gpu, one):
        if start > end:
            found.append(start)
            end = start + one.size - 1
    return found


def _placements(state, cards, options):
    lines = []
    for index, _, gpu, _ in cards:
        for one in gpu.about.mig:
            word = "Placements:" if len(one.starts) > 1 else "Placement :"
            lines.append(
                f"GPU {index:>2} Profile ID {one.number:>2} {word} {{{','.join(map(str, one.starts))}}}:{one.size}\n"
            )
    return Answer(0, "".join(lines))


def _instances(state, cards, options):
    rows = [
        [
            f"   {index}  MIG {one.profile.name:<15}{one.profile.number:>5}{one.number:>9}{one.start:>11}:"
            f"{one.profile.size}     "
        ]
        for index, _, gpu, _ in cards
        for one in gpu.instances
    ]
    if not rows:
        return Answer(0, "No GPU instances found: Not Found\n")
    head = [
        " GPU instances:",
        " GPU   Name               Profile  Instance   Placement",
        "                            ID       ID       Start:Size",
    ]
    return Answer(0, _table(57, head, rows))


def _compute_instances(state, cards, options):
    rows = [
        [
            f"   {index}     {one.number:>2}       MIG {one.profile.name:<15}{_compute_profile(one):>3}{number:>10}"
            f"{0:>11}:{one.profile.slices}     "
        ]
        for index, _, gpu, _ in cards
        for one in gpu.instances
        for number in one.compute
    ]
    if not rows:
        return Answer(0, "No compute instances found: Not Found\n")
    head = [
        " Compute instances:",
        " GPU     GPU       Name             Profile   Instance   Placement",
        "       Instance                       ID        ID       Start:Size",
        "         ID",
    ]
    return Answer(0, _table(68, head, rows))


def _create(state, cards, options):
    lines = []
    for index, _, gpu, _ in cards:
        for text in (options["-cgi"] or "").split(","):
            name, _, start = text.partition(":")
            one = profile(gpu.model, name[4:] if name.startswith("MIG ") else name)
            if one is None:
                return changed(
                    19,
                    "".join(lines) + f"Unable to create a GPU instance on GPU {index:>2} using profile {name}: "
                    "Invalid Argument\nFailed to create GPU instances: Invalid Argument\n",
                )
            made = nvidia.create_instance(gpu, one, int(start) if start else None, "-C" in options)
            if made is None:
                return changed(
                    19,
                    "".join(lines) + f"Unable to create a GPU instance on GPU {index:>2} using profile "
                    f"{one.number}: Insufficient Resources\nFailed to create GPU instances: Insufficient Resources\n",
                )
            lines.append(
                f"Successfully created GPU instance ID {made.number:>2} on GPU {index:>2} using profile MIG {one.name} "
                f"(ID {one.number:>2})\n"
            )
            if "-C" in options:
                lines.append(_made_compute(index, made))
    return changed(0, "".join(lines))


def _compute_profile(instance):
    """The id of the compute instance profile that takes all of an instance."""
    return max(instance.profile.slices - 1, 0)


def _made_compute(index, made):
    return (
        f"Successfully created compute instance ID  0 on GPU {index:>2} GPU instance ID {made.number:>2} using profile "
        "MIG "
        f"{made.profile.name} (ID {_compute_profile(made):>2})\n"
    )


def _create_compute(state, cards, options):
    lines = []
    for index, _, gpu, _ in cards:
        for one in _named(gpu, options):
            if not one.compute:
                one.compute.append(0)
                lines.append(_made_compute(index, one))
    return changed(
        0 if lines else 19, "".join(lines) or "Unable to create a compute instance: Insufficient Resources\n"
    )


def _named(gpu, options):
    numbers = options.get("-gi")
    return [one for one in gpu.instances if numbers is None or str(one.number) in numbers.split(",")]


def _destroy_compute(state, cards, options):
    lines = []
    for index, address, gpu, _ in cards:
        for one in _named(gpu, options):
            for number in list(one.compute):
                if nvidia.in_use(state, address):
                    return changed(
                        19,
                        "".join(lines) + f"Unable to destroy compute instance ID {number:>2} from GPU {index:>2} "
                        f"GPU instance ID {one.number:>2}: In use by another client\nFailed to destroy compute "
                        "instances: In use by another client\n",
                    )
                one.compute.remove(number)
                lines.append(
                    f"Successfully destroyed compute instance ID {number:>2} from GPU {index:>2} GPU instance ID "
                    f"{one.number:>2}\n"
                )
    return changed(0, "".join(lines)) if lines else changed(6, "No GPU instances found: Not Found\n")


def _destroy(state, cards, options):
    lines = []
    for index, address, gpu, _ in cards:
        for one in _named(gpu, options):
            if one.compute or one.used or nvidia.in_use(state, address):
                return changed(
                    19,
                    "".join(lines) + f"Unable to destroy GPU instance ID {one.number:>2} from GPU {index:>2}: In use "
                    "by another client\nFailed to destroy GPU instances: In use by another client\n",
                )
            gpu.instances.remove(one)
            lines.append(f"Successfully destroyed GPU instance ID {one.number:>2} from GPU {index:>2}\n")
    return changed(0, "".join(lines)) if lines else changed(6, "No GPU instances found: Not Found\n")
