# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Intel's ``xpu-smi discovery -j`` says of each GPU. Source: intel/xpumanager, its CLI guide."""

from __future__ import annotations

from .tool_output import OK, address, ask, cleaned, json_value

TOOL = "xpu-smi"
ARGV = (TOOL, "discovery", "-j")


def observe(host):
    """Ask once.

    Args:
        host: Host.

    Returns:
        (list of (address or None, facts), {tool: status}).
    """
    finished, status = ask(host, ARGV)
    if finished is None:
        return [], {TOOL: status}
    rows, problem = parse(finished.stdout)
    if rows:
        status = OK if status == OK else "partial: {0}".format(status.split(": ", 1)[1])
    elif status == OK:
        status = "error: xpu-smi ended with status 0 and printed {0}".format(problem)
    return rows, {TOOL: status}


def parse(text):
    """Return what it says. Pure; raises nothing.

    Returns:
        (list of (address or None, facts), what was wrong or None). An error is JSON too:
        ``{"error": "Level Zero Initialization Error", "errno": 15}``, in some releases with exit status 0.
    """
    value = json_value(text)
    if isinstance(value, dict) and "device_list" not in value and value.get("error"):
        return [], "the error {0!r}".format(str(value["error"])[:200])
    listed = value.get("device_list") if isinstance(value, dict) else None
    rows = []
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and "pci_bdf_address" in one:
            rows.append((address(one["pci_bdf_address"]), {
                "uuid": cleaned(one.get("uuid")),
                "product": cleaned(one.get("device_name")),
                "driver_version": cleaned(one.get("driver_version")),
            }))
    return rows, None if rows else "no device: {0!r}".format(" ".join(text.split())[:200])
