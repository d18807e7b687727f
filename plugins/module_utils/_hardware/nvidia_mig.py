# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG instances by PCI address: who is there from the XML, profile and placement from ``nvidia-smi mig -lgi``.

The XML lists compute instances and names no profile; the listing names profiles, but knows a GPU only by its index.
"""

from __future__ import annotations

import re

from .tool_output import OK, ask, number

TOOL = "nvidia-smi mig"
ARGV = ("nvidia-smi", "mig", "-lgi")

# | GPU   Name             Profile  Instance   Placement  |
# |   0  MIG 1g.5gb          19        9          2:1     |
_ROW = re.compile(
    r"^\| {0,20}(\d{1,6}) +MIG +(\S{1,40}) +(\d{1,9}) +(\d{1,9}) +(\d{1,6}:\d{1,6}) {0,40}\|", re.MULTILINE | re.ASCII)
_NONE_FOUND = "no gpu instances found"


def of_xml(gpu, mode, pending):
    """Return the MIG state of one GPU as the XML knows it, or None for a card that has no MIG. Pure.

    Args:
        gpu: element ``gpu``.
        mode: ``enabled``, ``disabled`` or None.
        pending: the mode after the next reset of the GPU, likewise.

    Returns:
        dict of mode, pending and instances: one for each GPU instance that has a compute instance, with ``gi_id`` and
        ``compute_instances`` (a number); ``profile``, ``profile_id`` and ``placement`` are None.
    """
    if mode is None:
        return None
    counts = {}
    for one in gpu.findall("mig_devices/mig_device"):
        instance = number(one.findtext("gpu_instance_id"))
        if instance is not None:
            counts[instance] = counts.get(instance, 0) + 1
    instances = [_instance(gi_id, count) for gi_id, count in sorted(counts.items())]
    return {"mode": mode, "pending": pending or mode, "instances": instances}


def parse(text):
    """Return what ``nvidia-smi mig -lgi`` lists. Pure.

    Returns:
        {index of the GPU: [{"profile": "1g.18gb", "profile_id": 19, "gi_id": 9, "placement": "2:1"}]}. The placement
        is ``start:size`` in memory slices.
    """
    found = {}
    for index, profile, profile_id, gi_id, placement in _ROW.findall(text):
        found.setdefault(int(index), []).append(
            {"profile": profile, "profile_id": int(profile_id), "gi_id": int(gi_id), "placement": placement})
    return found


def complete(host, rows, order):
    """Fill profile and placement into rows of ``nvidia_smi.parse``, in place.

    Args:
        host: Host.
        rows: list of (address, facts).
        order: addresses by index, or None when the order of the rows is not that of the indexes.

    Returns:
        status. Without a listing the instances of the XML stay, with their profiles unknown.
    """
    finished, status = ask(host, ARGV)
    if finished is None:
        return status
    listed = parse(finished.stdout)
    none = _NONE_FOUND in (finished.stdout + finished.stderr).lower()
    if not listed and not none:
        return status if status != OK else "error: nvidia-smi mig -lgi printed no table of GPU instances"
    if order is None:
        return "partial: GPUs are missing in the XML, so indexes cannot be told from addresses; profiles are unknown"
    strangers = [index for index in listed if index >= len(order)]
    if strangers:
        return "partial: the listing names GPU {0}, the XML has {1}; profiles are unknown".format(
            strangers[0], len(order))
    differing = [where for index, (where, facts) in enumerate(rows) if not _merge(facts["mig"], listed.get(index, []))]
    if differing:
        return "partial: listing and XML differ on {0}".format(", ".join(str(one) for one in differing))
    return OK


def _merge(mig, listed):
    """Take over the listing, which also has GPU instances without a compute instance. Return whether the XML agrees."""
    if mig is None or mig["mode"] != "enabled":
        return not listed
    counts = {one["gi_id"]: one["compute_instances"] for one in mig["instances"]}
    if set(counts) - {one["gi_id"] for one in listed}:
        return False
    mig["instances"] = sorted(
        (dict(_instance(one["gi_id"], counts.get(one["gi_id"], 0)), **one) for one in listed),
        key=lambda one: one["gi_id"])
    return True


def _instance(gi_id, count):
    return {"profile": None, "profile_id": None, "gi_id": gi_id, "placement": None, "compute_instances": count}
