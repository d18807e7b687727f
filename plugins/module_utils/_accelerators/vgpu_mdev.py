# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vGPUs on mdev hosts: only looked at, because Nova makes and removes mediated devices itself. Pure.

Nova asks for a type by its directory, ``[devices] enabled_mdev_types = nvidia-558``; an mdev that stands there already
is one that Nova did not make. Source: Nova, doc/source/admin/virtual-gpu.rst.
"""

from __future__ import annotations

from . import slices, vgpu_names


def _parents(device, devices):
    """Return the functions whose mediated devices count for a PF: itself, or its VFs on SR-IOV GPUs."""
    functions = [vf for index, vf in slices.vfs_of(device, devices)]
    return [one for one in [device] + functions if (one.get("vgpu") or {}).get("framework") == "mdev"]


def _found(profile, parents):
    """Return (directory of the type or None, instances that can be made, instances that are there)."""
    kind, available, there = None, 0, 0
    for one in parents:
        for offered in one["vgpu"].get("creatable") or ():
            if vgpu_names.same(offered["name"], profile):
                kind, available = offered["id"], available + (offered.get("available") or 0)
        there += sum(1 for mdev in one["vgpu"].get("mdevs") or () if vgpu_names.same(mdev["type"], profile))
    return kind, available, there


def problems(path, item, device, devices):
    """Return why Nova could not make the declared vGPUs on this PF."""
    if item["profile"] is None:
        return []
    if item["heterogeneous"] is not None:
        return ["{0}.heterogeneous: {1} has vGPUs through mdev, where this module changes nothing; leave it out".format(
            path, device["address"])]
    parents = _parents(device, devices)
    kind, available, there = _found(item["profile"], parents)
    if kind is None and not there:
        types = {(one["address"], offered["id"]): offered["name"] for one in parents
                 for offered in one["vgpu"].get("creatable") or ()}
        return [vgpu_names.unknown(path + ".profile", item["profile"], types)]
    if available + there < item["count"]:
        return ["{0}.count: {1}, but {2} can have {3} of {4}: {5} are there and available_instances says {6} more. On "
                "an mdev host Nova makes vGPUs itself; take away what is made of other types, or declare fewer".format(
                    path, item["count"], device["address"], available + there, item["profile"], there, available)]
    return []


def describe(item, device, devices):
    """Return what nova.conf needs: the directory of the type; None on other hosts."""
    parents = _parents(device, devices)
    if not parents or item["profile"] is None:
        return None
    kind, available, there = _found(item["profile"], parents)
    return {"type": kind, "available": available, "made": there, "parents": [one["address"] for one in parents]}
