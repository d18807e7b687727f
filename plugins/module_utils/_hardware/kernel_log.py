# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XIDs, the error numbers of NVIDIA's driver, from the kernel log of this boot."""

from __future__ import annotations

import re

from .tool_output import OK, address

PATH = "/dev/kmsg"
# A card in trouble repeats itself thousands of times.
MOST_PER_DEVICE = 20

# NVRM: Xid (PCI:0000:01:00 GPU-I:05 GPU-CI:00): 94, pid=7194, …; the parts after the address only on MIG, PCI: not in
# old drivers. Source: NVIDIA/open-gpu-kernel-modules, src/nvidia/src/kernel/gpu/rc/kernel_rc.c.
_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([0-9A-Fa-f:.]{7,20})[^)\n]{0,40}\): (\d{1,6})(?:,[ ]?(.*))?")
# 6,1234,120345432,-;text: level, number, microseconds since boot, flags. Source: kernel ABI testing/dev-kmsg.
_RECORD = re.compile(r"\d{1,6},\d{1,20},(\d{1,20}),[^;]{0,100};")
# [  120.345432] text, as dmesg writes it and as a saved log has it.
_SAVED = re.compile(r"(?:<\d{1,3}>)?\[ {0,20}(\d{1,12}\.\d{1,9})\]")


def xids(host, path=PATH):
    """Read the kernel log once.

    Args:
        host: Host.
        path: ``/dev/kmsg``, or a file that was saved from it or from ``dmesg``.

    Returns:
        ({address: [{"xid": int, "time": seconds since boot or None, "message": str}]}, status): the latest
        ``MOST_PER_DEVICE`` of each device, oldest first. The log is a ring, so early ones may be gone.
    """
    try:
        records = host.read_records(path)
    except FileNotFoundError:
        return {}, "absent"
    except OSError as error:
        return {}, "error: {0}: {1}; reading the kernel log needs root where dmesg_restrict is set".format(
            path, error.strerror)
    # Of a plain file a read returns a block and not a record, so lines are found again in the whole.
    return parse("".join(records)), OK


def parse(text):
    """Return {address: [xid]} from the text of a kernel log. Pure; raises nothing."""
    found = {}
    for line in text.split("\n"):
        match = _XID.search(line) if "NVRM: Xid" in line else None
        where = address(match.group(1)) if match else None
        if where is None:
            continue
        message = (match.group(3) or "").strip()[:300]
        found.setdefault(where, []).append(
            {"xid": int(match.group(2)), "time": _seconds(line), "message": message})
    return {where: listed[-MOST_PER_DEVICE:] for where, listed in found.items()}


def _seconds(line):
    record = _RECORD.match(line)
    if record:
        return int(record.group(1)) / 1000000.0
    saved = _SAVED.match(line)
    return float(saved.group(1)) if saved else None
