# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pod is asked what it sees: one shell script, and what it prints. Pure.

The script needs a POSIX shell and nothing else, so that an image of any make will do: it starts no program, and words
of a host are only ever printed, never run.
"""

from __future__ import annotations

import re

FIRST, LAST = "smoke 1", "end"
SCRIPT = r"""
line() { value=; [ -r "$1" ] && read -r value < "$1"; }
walk() {
  for one in "$1"/*; do
    if [ -L "$one" ]; then continue
    elif [ -b "$one" ]; then echo "node block $one"
    elif [ -c "$one" ]; then echo "node char $one"
    elif [ -d "$one" ]; then walk "$one"
    fi
  done
}
echo "smoke 1"
line /proc/sys/kernel/osrelease; echo "release $value"
line /proc/sys/kernel/random/boot_id; echo "boot_id $value"
line /proc/version; echo "version $value"
for device in /sys/bus/pci/devices/*; do
  [ -e "$device/vendor" ] || continue
  words=${device##*/}
  for name in vendor device subsystem_vendor subsystem_device; do line "$device/$name"; words="$words $value"; done
  echo "pci $words"
done
walk /dev
echo end
"""
_PCI = re.compile(r"([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])" + r" 0x([0-9a-f]{4})" * 4 + r"$")


def parse(text):
    """Return what the script printed, in the shape of ``smoke_judge.judge``'s ``guest``; None when it is not whole.

    Args:
        text: standard output of the command.
    """
    lines = [line.strip() for line in text.splitlines()]
    if FIRST not in lines or LAST not in lines[lines.index(FIRST):]:
        return None
    lines = lines[lines.index(FIRST) + 1:]
    found = {"release": None, "boot_id": None, "pci": [], "nodes": {}}
    version = None
    for line in lines[:lines.index(LAST)]:
        word, _blank, rest = line.partition(" ")
        rest = rest.strip()
        if word in ("release", "boot_id"):
            found[word] = rest or None
        elif word == "version":
            version = re.match(r"Linux version (\S+)", rest)
        elif word == "pci":
            function = pci_function(rest)
            found["pci"] += [function] if function else []
        elif word == "node":
            kind, _blank, path = rest.partition(" ")
            if kind in ("char", "block") and path.startswith("/dev/"):
                found["nodes"][path] = kind
    if found["release"] is None and version:
        # gVisor has no /proc/sys/kernel/osrelease in every release.
        found["release"] = version.group(1)
    return found


def pci_function(text):
    """Return a PCI function from its address and four ids as sysfs writes them, or None.

    Args:
        text: such as ``0000:41:00.0 0x10de 0x2335 0x10de 0x18be``.
    """
    match = _PCI.match(text)
    if match is None:
        return None
    address, vendor, device, their_vendor, their_device = match.groups()
    return {"address": address, "id": "{0}:{1}".format(vendor, device),
            "subsystem": "{0}:{1}".format(their_vendor, their_device)}
