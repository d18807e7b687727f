# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs to be cut into slices, and what it restores at boot: tools, files of this collection, boot id.

Everything here is a file or a directory entry; no process is started. Files that cannot be read are absent.
"""

from __future__ import annotations

import hashlib
import json

SRIOV_MANAGE = "/usr/lib/nvidia/sriov-manage"
FOLDER = "/etc/sovereign-region/accelerators.d"
PROGRAM = "/usr/local/lib/sovereign-region/restore-accelerators"
UNIT = "sovereign-region-accelerators.service"
UNIT_PATH = "/etc/systemd/system/" + UNIT
WANTS = "/etc/systemd/system/multi-user.target.wants/"
GIM_OPTIONS = "/etc/modprobe.d/sovereign-region-gim.conf"
# What is restored, in the order in which the program at boot does it.
KINDS = ("partition", "mig", "sriov", "vgpu")

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def path_of(kind, address):
    """Return the path of the file that declares one kind of slices of one device. Pure."""
    return "{0}/{1}-{2}.json".format(FOLDER, kind, address)


def digest(text):
    """Return the sha256 of a text, as it stands in the facts. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()


def observe(host):
    """Return what stands on the host.

    Returns:
        dict of ``sriov_manage`` (whether NVIDIA's tool is there), ``xpu_smi`` (likewise, on PATH), ``gim_options``
        (text of our modprobe.d file, or None), ``boot_id`` (str or None) and ``restored``: ``program`` and ``unit``
        (sha256 of
        the file, or None), ``enabled`` (bool), ``declared`` ({kind: {address: declaration}}), ``unreadable`` (paths of
        declarations that are no JSON mapping).
    """
    return {
        "sriov_manage": host.exists(SRIOV_MANAGE),
        "xpu_smi": host.program("xpu-smi") is not None,
        "gim_options": _text(host, GIM_OPTIONS),
        "boot_id": host.text(_BOOT_ID),
        "restored": _restored(host),
    }


def _restored(host):
    declared, unreadable = {kind: {} for kind in KINDS}, []
    folder = host.folder(FOLDER)
    for name in folder.names():
        kind, dash, rest = name.partition("-")
        if kind not in declared or not dash or not rest.endswith(".json"):
            continue
        found = declaration(folder.text(name))
        if found is None:
            unreadable.append("{0}/{1}".format(FOLDER, name))
        else:
            declared[kind][rest[:-len(".json")]] = found
    return {
        "program": _digest(host, PROGRAM),
        "unit": _digest(host, UNIT_PATH),
        "enabled": UNIT in host.names(WANTS),
        "declared": declared,
        "unreadable": unreadable,
    }


def declaration(text):
    """Return the mapping that a declaration holds, or None. Pure; raises nothing."""
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(host, path):
    try:
        return host.read_text(path)
    except OSError:
        return None


def _digest(host, path):
    text = _text(host, path)
    return None if text is None else digest(text)
