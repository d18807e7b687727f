# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vGPU types that a GPU supports, from ``nvidia-smi vgpu -s -v``.

Here ids are hexadecimal (``0x5ef``); in sysfs (``creatable_vgpu_types``) they are decimal. They change between driver
releases, so names are what is declared, and this list is what resolves them.
"""

from __future__ import annotations

import re

from .tool_output import OK, address, ask, cleaned, number

TOOL = "nvidia-smi vgpu"
ARGV = ("nvidia-smi", "vgpu", "-s", "-v")

_GPU = re.compile(r"GPU ([0-9A-Fa-f:.]{7,20})\s*")
# Keys of the tool, and ours. "GPU Instance Profile ID" is N/A for a time-sliced type: that is no profile 0.
_NUMBERS = {"GPU Instance Profile ID": "gi_profile_id", "Max Instances": "max_instances",
            "Max Instances Per VM": "max_per_vm", "Max Instances Per GI": "max_per_gi", "FB Memory": "framebuffer_mib"}


def observe(host):
    """Ask once.

    Returns:
        ({address: [type]}, status); see ``parse``.
    """
    finished, status = ask(host, ARGV)
    if finished is None:
        return {}, status
    types = parse(finished.stdout)
    if not types and status == OK:
        status = "error: nvidia-smi vgpu -s -v printed no vGPU type"
    if types and status != OK:
        status = "partial: {0}".format(status.split(": ", 1)[1])
    return types, status


def parse(text):
    """Return the supported types by PCI address. Pure; raises nothing.

    Returns:
        {address: [{"id": int, "name": str, "gi_profile_id": int or None, "max_instances": int or None,
        "max_per_vm": int or None, "max_per_gi": int or None, "framebuffer_mib": int or None}]}. A type without an id
        or a name is left out.
    """
    found, where, current = {}, None, None
    for line in text.splitlines():
        gpu = _GPU.fullmatch(line)
        if gpu:
            where, current = address(gpu.group(1)), None
            continue
        if where is None:
            continue
        key, _colon, value = (part.strip() for part in line.partition(":"))
        if key == "vGPU Type ID":
            current = dict({"id": _type_id(value), "name": None}, **dict.fromkeys(_NUMBERS.values()))
            found.setdefault(where, []).append(current)
        elif current is not None and key == "Name":
            current["name"] = cleaned(value)
        elif current is not None and key in _NUMBERS:
            current[_NUMBERS[key]] = number(value)
    for where, types in list(found.items()):
        found[where] = [one for one in types if one["id"] is not None and one["name"]]
    return {where: types for where, types in found.items() if types}


def _type_id(text):
    """Return the id. It is always hexadecimal here, with its ``0x``."""
    return int(text, 16) if re.fullmatch(r"0[xX][0-9A-Fa-f]{1,8}", text) else None
