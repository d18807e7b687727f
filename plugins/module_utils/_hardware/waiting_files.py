# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in sysfs whose reading can wait for ever, and whether it does so now.

The kernel takes the lock of a device to show ``driver_override`` and ``sriov_numvfs``, and whoever unbinds a device
that is in use holds that lock until the device is free (drivers/pci/pci-sysfs.c and iov.c). Other files ask the driver,
which may hang. No signal reaches a process that waits so. A child reads them first, and is left behind when it waits.
"""

from __future__ import annotations

from .._core.deadline import within
from . import pci

# Of the device's lock, then of its driver. A directory stands for the files in it.
NAMES = ("driver_override", "sriov_numvfs", "current_compute_partition", "current_memory_partition", "vbios_version",
         "nvidia", "mdev_supported_types")
_ALL, _EACH = 4.0, 1.0


def silent(host, present, all_seconds=_ALL, each_seconds=_EACH):
    """Return the addresses of the functions that do not answer.

    Args:
        host: Host.
        present: {address: names in its directory}.
        all_seconds: how long all of them together may take; nearly always they answer, and one child is enough.
        each_seconds: how long each may take, when they did not.
    """
    asked = {name: [one for one in NAMES if one in names] for name, names in present.items()}
    asked = {name: files for name, files in asked.items() if files}
    if not asked or within(all_seconds, lambda: _read(host, asked)) == 0:
        return frozenset()
    return frozenset(name for name, files in asked.items()
                     if within(each_seconds, lambda name=name, files=files: _read(host, {name: files})) != 0)


def status(name, driver):
    """Return what is said of a function that does not answer. Pure."""
    return "error: sysfs gives no answer about {0}: {1} hangs, or an unbind waits for whoever uses it".format(
        name, "its driver {0}".format(driver) if driver else "something")


def _read(host, asked):
    """Read everything, for nobody. Returns 0."""
    for name, files in asked.items():
        base = "{0}/{1}/".format(pci.DEVICES, name)
        for file in files:
            if file == "nvidia":
                host.text(base + "nvidia/current_vgpu_type")
                host.text(base + "nvidia/creatable_vgpu_types")
            elif file == "mdev_supported_types":
                for kind in host.names(base + file):
                    host.text("{0}{1}/{2}/available_instances".format(base, file, kind))
            else:
                host.text(base + file)
    return 0
