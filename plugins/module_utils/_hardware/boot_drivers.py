# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gives PCI functions their overridden drivers at boot: driverctl, or the files of this collection.

The overrides themselves, ``/etc/driverctl.d/pci-<address>``, are ``driver_overrides`` of the facts.
"""

from __future__ import annotations

import hashlib

SCRIPT = "/etc/sovereign-region/pci-driver.sh"
UNIT = "/etc/systemd/system/sovereign-region-pci-driver.service"
# Instead of a link in sysinit.target.wants: a file is replaced in one step, and needs no systemctl on the host.
WANTS = "/etc/systemd/system/sysinit.target.d/50-sovereign-region-pci-driver.conf"
RULES = "/etc/udev/rules.d/05-sovereign-region-pci-driver.rules"
# Names the functions that were taken off a VFIO driver and not yet offered to their native one: nothing in sysfs tells
# these from functions that no native driver wants. In /run, since a reboot offers everything to everybody anyway.
RELEASES = "/run/sovereign-region/pci-release"
_DRIVERCTL = ("/usr/lib/udev/rules.d/05-driverctl.rules", "/lib/udev/rules.d/05-driverctl.rules",
              "/etc/udev/rules.d/05-driverctl.rules")


def digest(text):
    """Return the sha256 of a text, as it stands in the facts. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()


def nothing():
    """Return what ``observe`` returns of a host that has none of it."""
    return {"driverctl": False, "files": {}, "releasing": []}


def observe(host):
    """Return what restores drivers at boot on a host, as plain data. Reads only.

    Args:
        host: Host.

    Returns:
        ``driverctl``, whether its udev rule is there; ``files``, mapping of path to sha256 of those of this collection
        that are there; ``releasing``, list of addresses of functions whose release was begun and not ended.
    """
    files = {}
    for path in (SCRIPT, UNIT, RULES, WANTS):
        try:
            files[path] = hashlib.sha256(host.read_bytes(path)).hexdigest()
        except OSError:
            continue
    return {
        "driverctl": any(host.exists(path) for path in _DRIVERCTL),
        "files": files,
        "releasing": [name for name in host.names(RELEASES) if not name.startswith(".")],
    }
