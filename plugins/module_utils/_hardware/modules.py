# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the modules that matter to accelerators are loaded, and who uses them."""

from __future__ import annotations

import re

# Always reported, loaded or not.
NAMES = (
    "vfio", "vfio_pci", "vfio_pci_core", "vfio_iommu_type1", "iommufd", "mdev",
    "nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem", "nvidia_fs", "nvidia_vgpu_vfio",
    "nouveau", "nova_core", "gdrdrv",
    "amdgpu", "amdkfd", "gim", "i915", "xe", "habanalabs", "snd_hda_intel",
)
# Reported where loaded: variant drivers and helpers of later releases.
_ALSO = re.compile(r"nvidia(_|$)|(^|_)vfio(_|$)|habanalabs|amdxcp|_egm$")


def observe(host):
    """Read ``/proc/modules`` and the names in ``/sys/module``.

    Args:
        host: Host.

    Returns:
        {name: {"loaded": bool, "refcnt": int or None, "used_by": [names of modules], "builtin": bool}}. The refcnt
        counts modules and open files. One that is built into the kernel is loaded, has no refcnt and cannot go.
        Sources: ``/proc/modules``; ``/sys/module/<name>/refcnt``, which a module that is built in does not have.
    """
    loaded = parse(host.text("/proc/modules"))
    present = set(host.names("/sys/module"))
    wanted = set(NAMES) | {name for name in present | set(loaded) if _ALSO.search(name)}
    return {name: loaded.get(name) or _of_sysfs(host, name, name in present) for name in sorted(wanted)}


def parse(text):
    """Return {name: module} of ``/proc/modules``: ``nvidia 10211328 2 nvidia_uvm,nvidia_modeset, Live 0x0``. Pure."""
    found = {}
    for line in (text or "").splitlines():
        words = line.split()
        if len(words) < 4 or not words[1].isdigit():
            continue
        # "-" instead of a number: the kernel cannot unload modules.
        refcnt = int(words[2]) if words[2].isdigit() else None
        used_by = [name for name in words[3].split(",") if name not in ("", "-", "[permanent]")]
        found[words[0]] = {"loaded": True, "refcnt": refcnt, "used_by": used_by, "builtin": False}
    return found


def _of_sysfs(host, name, present):
    if not present:
        return {"loaded": False, "refcnt": 0, "used_by": [], "builtin": False}
    refcnt = host.text("/sys/module/{0}/refcnt".format(name)) or ""
    builtin = not refcnt.isdigit()
    used_by = [] if builtin else host.names("/sys/module/{0}/holders".format(name))
    return {"loaded": True, "refcnt": None if builtin else int(refcnt), "used_by": used_by, "builtin": builtin}
