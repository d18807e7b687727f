# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu that GRUB reads, ``grub.cfg``: which arguments each entry hands to its kernel. Pure.

Source: ``util/grub-mkconfig.in`` and ``util/grub.d/10_linux.in`` of GRUB, which write it.
"""

from __future__ import annotations

import re

from . import arguments

_SECTION = re.compile(r"### (BEGIN|END) (\S+) ###\s*\Z")
_ENTRY = re.compile(r"\s*(menuentry|submenu)\s+(?:'((?:[^']|'\\'')*)'|\"((?:[^\"\\]|\\.)*)\")(.*)\{\s*\Z")
_LINUX = re.compile(r"\s*(?:linux|linuxefi|linux16)\s+\S+(?:\s+(.*))?\Z")


def read(text):
    """Return the normal entries of a menu, and whether it was written to its end.

    Args:
        text: content of ``grub.cfg``.

    Returns:
        ``{"entries": [{"title", "arguments": [...]}, ...], "complete": bool}``. Recovery entries, other systems' and
        those that somebody wrote by hand are not what the settings of GRUB decide; they are left out.
    """
    entries, open_sections, nested, seen = [], [], [], False
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section:
            seen = True
            if section.group(1) == "BEGIN":
                open_sections.append(section.group(2))
            elif section.group(2) in open_sections:
                open_sections.remove(section.group(2))
            continue
        entry = _ENTRY.match(line)
        if entry:
            title = entry.group(2) if entry.group(2) is not None else entry.group(3)
            nested.append((entry.group(1), title, _is_recovery(title, entry.group(4))))
            continue
        bare = line.strip()
        if bare.endswith("{") and not bare.startswith("#"):
            nested.append(("block", "", False))
        elif bare == "}" and nested:
            nested.pop()
        else:
            found = _linux(line, nested)
            if found and (not open_sections or "linux" in open_sections[-1].rpartition("/")[2]):
                entries.append(found)
    return {"entries": entries, "complete": bool(text.strip()) and not nested and not open_sections and (
        seen or bool(entries))}


def _linux(line, nested):
    """Return the entry of a line that loads a kernel, or None."""
    match = _LINUX.match(line)
    if not match:
        return None
    inside = [one for one in nested if one[0] == "menuentry"]
    if not inside or inside[-1][2]:
        return None
    return {"title": inside[-1][1], "arguments": arguments.split((match.group(1) or "").replace("'", ""))}


def _is_recovery(title, rest):
    return "(recovery mode)" in title or "-recovery-" in rest
