# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A synthetic /sys and /proc in a directory, and a Host whose writes have the effects that the kernel gives them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host

RELEASE = "6.12.94"
NATIVE = {"0x030200": "nvidia", "0x040300": "snd_hda_intel", "0x020000": "igb"}
MODULES = {"vfio_pci": "vfio-pci", "nvidia": "nvidia", "snd_hda_intel": "snd_hda_intel", "igb": "igb", "deaf": None}


class Killed(BaseException):
    """The process is gone."""


class TreeHost(Host):
    """A simulated host.

    Args:
        root: an empty directory.
        refusing: names of drivers that take nothing.
        hanging: addresses that never come off their drivers.
    """

    def __init__(self, root: Path, refusing=(), hanging=()):
        super().__init__(str(root), runner=self._command)
        self.top, self.refusing, self.hanging = root, refusing, hanging
        self.writes, self.commands, self.most = [], [], None
        self.put("/proc/sys/kernel/osrelease", RELEASE)
        self.put("/proc/1/comm", "systemd")
        (root / "proc/1/fd").mkdir()
        self.put("/lib/modules/{0}/modules.dep".format(RELEASE),
                 "".join("kernel/drivers/{0}.ko.xz: kernel/x.ko.xz\n".format(name) for name in MODULES))
        self.put("/lib/modules/{0}/modules.alias".format(RELEASE), "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n")
        for folder in ("sys/bus/pci/devices", "sys/bus/pci/drivers", "sys/kernel/iommu_groups"):
            (root / folder).mkdir(parents=True)
        self.put("/sys/bus/pci/drivers_probe", "")

    def put(self, path, text):
        """Lay down a file."""
        real = self.top / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text + "\n")

    def driver(self, name):
        """Register a driver."""
        self.put("/sys/bus/pci/drivers/{0}/unbind".format(name), "")

    def device(self, address, pci_class="0x030200", ids="0x10de 0x2335", driver=None, group=1, **files):
        """Plug a function in."""
        vendor, device = ids.split()
        base = "/sys/bus/pci/devices/" + address
        for name, text in dict({"vendor": vendor, "device": device, "class": pci_class, "driver_override": "(null)",
                                "modalias": "pci:v0000{0}d0000{1}".format(vendor[2:].upper(), device[2:].upper())},
                               **files).items():
            self.put("{0}/{1}".format(base, name), text)
        if group is not None:
            real = self.top / "sys/kernel/iommu_groups" / str(group) / "devices"
            real.mkdir(parents=True, exist_ok=True)
            os.symlink("../../../../kernel/iommu_groups/{0}".format(group), self.top / base.lstrip("/") / "iommu_group")
            os.symlink("../../../../bus/pci/devices/" + address, real / address)
        if driver:
            self.driver(driver)
            self._link(address, driver)

    def hold(self, pid, command, node):
        """Let a process have a file open."""
        self.put("/proc/{0}/comm".format(pid), command)
        (self.top / "proc/{0}/fd".format(pid)).mkdir()
        os.symlink(node, self.top / "proc/{0}/fd/3".format(pid))

    def now(self, address):
        """The driver and the override of a function."""
        base = "/sys/bus/pci/devices/" + address
        return self.target_name(base + "/driver"), self.text(base + "/driver_override")

    def write_attribute(self, path, text, timeout=60.0):
        self._count(path, text)
        name = text.strip()
        if path.endswith("/driver_override"):
            self.put(path, name or "(null)")
        elif path.endswith("/unbind"):
            if name in self.hanging:
                raise HostError("{0}: the kernel did not take {1!r} within {2:g} s".format(path, name, timeout))
            if self.now(name)[0] != path.split("/")[-2]:
                raise HostError("{0}: no such device".format(path), errno.ENODEV)
            (self.top / "sys/bus/pci/devices" / name / "driver").unlink()
        elif path == "/sys/bus/pci/drivers_probe":
            self._probe(name)
        else:
            raise AssertionError(path)

    def write_file(self, path, text, mode=0o644):
        self._count(path, text)
        super().write_file(path, text, mode)

    def remove_file(self, path):
        self._count(path, None)
        super().remove_file(path)

    def _count(self, path, text):
        if self.most is not None and len(self.writes) >= self.most:
            raise Killed
        self.writes.append((path, text))

    def _command(self, argv, timeout):
        if argv[0] != "modprobe":
            return Finished(tuple(argv), 1, "", "{0}: not here".format(argv[0]))
        self._count("modprobe", argv[-1])
        self.commands.append(argv)
        module = argv[-1]
        if module in MODULES and MODULES[module]:
            self.driver(MODULES[module])
        status = 0 if module in MODULES else 1
        return Finished(tuple(argv), status, "", "modprobe: FATAL: Module {0} not found".format(module))

    def _link(self, address, driver):
        os.symlink("../../../../bus/pci/drivers/" + driver, self.top / "sys/bus/pci/devices" / address / "driver")

    def _probe(self, address):
        driver, override = self.now(address)
        if driver:
            return
        native = NATIVE.get(self.text("/sys/bus/pci/devices/{0}/class".format(address)))
        wanted = native if override == "(null)" else override
        if wanted and wanted not in self.refusing and self.exists("/sys/bus/pci/drivers/" + wanted):
            self._link(address, wanted)
