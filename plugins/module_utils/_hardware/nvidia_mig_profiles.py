# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MIG profiles that a GPU offers, from ``nvidia-smi mig -lgip``.

They depend on the GPU and on the driver. The listing knows a GPU only by its index, so one GPU is asked at a time, by
its PCI address.
"""

from __future__ import annotations

import re

from .tool_output import OK, ask

# |   0  MIG 1g.18gb       19     7/7        16.00      No     16     1     0   |
_ROW = re.compile(r"^\|\s*\d{1,6}\s+MIG\s+(\S+)\s+(\d{1,9})\s+(\d{1,4})/(\d{1,4})\s", re.MULTILINE)


def observe(host, address):
    """Ask about one GPU.

    Args:
        host: Host.
        address: its PCI address.

    Returns:
        (list, status); see ``parse``. None instead of the list when there was no answer to read.
    """
    finished, status = ask(host, ("nvidia-smi", "mig", "-i", address, "-lgip"))
    if finished is None:
        return None, status
    found = parse(finished.stdout)
    if not found:
        return None, status if status != OK else "error: nvidia-smi mig -lgip printed no MIG profile"
    return found, OK


def parse(text):
    """Return the profiles of one GPU in the order of the listing. Pure; raises nothing.

    Returns:
        [{"profile": "1g.18gb", "profile_id": 19, "free": 7, "total": 7}]: how many more instances of it fit beside
        those that exist now, and how many fit on an empty GPU.
    """
    return [
        {"profile": profile, "profile_id": int(number), "free": int(free), "total": int(total)}
        for profile, number, free, total in _ROW.findall(text)
    ]
