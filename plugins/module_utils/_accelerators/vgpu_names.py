# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of vGPU types: what is declared, what the driver calls it, and which number it has today. Pure.

NVIDIA changes the numbers between driver releases, so only names are declared and written down. A name is compared as a
whole, because ``L40S-1Q`` is the beginning of no other type's business. ``NVIDIA`` or ``GRID`` in front may be
left out.
"""

from __future__ import annotations

import re

from .._core.errors import nearest

_MAKER = re.compile(r"(NVIDIA|GRID)\s+")
# A100-1-5C lives in 1g.5gb, A100-1-5CME in 1g.5gb+me: compute slices, GB, series. Source: NVIDIA's vGPU software
# documentation, "Virtual GPU Types for Supported GPUs", MIG-backed C-series.
_BACKED = re.compile(r"-([1-9])-([1-9]\d{0,3})[A-Z](-?ME)?$")


def short(name):
    """Return a name without the maker in front of it, which documents leave out."""
    text = " ".join(str(name).split())
    found = _MAKER.match(text)
    return text[found.end():] if found else text


def same(one, other):
    """Whether two names are the same type."""
    return short(one) == short(other)


def mig_profile(name):
    """Return the MIG profile in which a MIG-backed type lives, as its name tells it; None where it does not."""
    found = _BACKED.search(short(name))
    return found and "{0}g.{1}gb{2}".format(found.group(1), found.group(2), "+me" if found.group(3) else "")


def types_of(device, functions):
    """Return {number: name} of every type that a GPU is known to have, from all sources.

    Args:
        device: the PF.
        functions: its VFs.
    """
    found = {}
    for one in [device] + list(functions):
        vgpu = one.get("vgpu") or {}
        for kind in list(vgpu.get("supported") or ()) + list(vgpu.get("creatable") or ()):
            found[kind["id"]] = kind["name"]
        # A type in use that was named by somebody; the bare number is no name.
        if vgpu.get("type_id") and vgpu.get("type") and str(vgpu["type"]) != str(vgpu["type_id"]):
            found.setdefault(vgpu["type_id"], vgpu["type"])
    return found


def details(device, profile):
    """Return what ``nvidia-smi vgpu -s -v`` tells about a type: a mapping, empty when it tells nothing."""
    for kind in (device.get("vgpu") or {}).get("supported") or ():
        if same(kind["name"], profile):
            return kind
    return {}


def made(vf, types):
    """Return the name of the type that a VF has, or None; the number as text where nobody knows its name."""
    vgpu = vf.get("vgpu") or {}
    if not vgpu.get("type_id"):
        return None
    return types.get(vgpu["type_id"]) or str(vgpu.get("type") or vgpu["type_id"])


def unknown(path, profile, types):
    """Return the sentence for a profile that a GPU does not have."""
    names = sorted({short(name) for name in types.values()}, key=_natural)
    close = nearest(short(profile), names)
    hint = "the nearest is {0!r}".format(close) if close else "it has: {0}".format(", ".join(names[:12]))
    return "{0}: {1!r} is no vGPU type of this GPU; {2}. A type is a whole name of nvidia-smi vgpu -s".format(
        path, profile, hint)


def _natural(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
