# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of what the kernel does with PCI functions and their drivers: no files, only the rules.

Rules: an override names the only driver that may take a function; VFIO drivers take nothing without one; a module that
is loaded is offered every function without a driver; a function that somebody holds must not be unbound; a reboot
forgets overrides and asks /etc/driverctl.d, where something at boot reads that.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from ansible_collections.sovereign.region.plugins.module_utils._accelerators import persistence, persistence_files
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._hardware import boot_drivers, groups, pci


@dataclass
class Function:
    """One PCI function. ``native`` is the driver that knows it; a ``stubborn`` one refuses it all the same."""

    address: str
    pci_class: str = "0302"
    vendor_id: str = "10de"
    device_id: str = "2335"
    native: str | None = "nvidia"
    driver: str | None = None
    override: str | None = None
    group: int | None = 1
    stubborn: bool = False
    held: bool = False
    extra: dict = field(default_factory=dict)


class Bus:
    """All functions of a host, its loaded drivers and the files that count.

    Args:
        functions: list of Function.
        loaded: names of drivers that are registered.
        modules: names of drivers that modprobe can load.
        overrides: what stands in /etc/driverctl.d: mapping of address to driver.
        driverctl: whether driverctl is installed.
    """

    def __init__(self, functions, loaded=("nvidia", "snd_hda_intel", "igb", "pcieport"),
                 modules=("vfio-pci", "xhci_hcd"), overrides=None, driverctl=False):
        self.functions = {one.address: one for one in functions}
        self.loaded, self.modules = set(loaded), set(modules)
        self.overrides, self.driverctl = dict(overrides or {}), driverctl
        self.files, self.releases, self.iommu = {}, set(), True

    def copy(self):
        return copy.deepcopy(self)

    def state(self):
        """What two runs have to agree on."""
        rows = {one.address: (one.driver, one.override) for one in self.functions.values()}
        return rows, self.overrides, self.files, self.releases

    def probe(self, one):
        if one.driver is not None:
            return
        wanted = one.override or one.native
        refused = one.stubborn and not groups.is_vfio(wanted)
        if wanted in self.loaded and not refused and not (one.override is None and groups.is_vfio(wanted)):
            one.driver = wanted

    def load(self, driver):
        if driver in self.modules or driver in self.loaded:
            self.loaded.add(driver)
            for one in self.functions.values():
                if (one.override or one.native) == driver:
                    self.probe(one)

    def do(self, action):
        """Carry out one action, as the performer and the kernel would. Raises HostError."""
        kind, one = action.kind, self.functions.get(action.name)
        if kind == "kernel module":
            self.load(action.details)
            if action.details not in self.loaded:
                raise errors.HostError("no such module")
        elif kind == "native driver":
            self.load(one.native)
        elif kind == "driver override":
            assert not one.held, "in use"
            assert action.before == {"driver_override": one.override}
            one.override = action.after["driver_override"]
        elif action.verb == "unbind":
            assert not one.held, "in use"
            assert action.before == {"driver": one.driver}
            one.driver = None
        elif action.verb == "bind":
            self.probe(one)
            if action.details is not None and one.driver != action.details:
                raise errors.HostError("not taken")
        elif kind == "driverctl file":
            address = action.name.rpartition("pci-")[2]
            assert action.before == ({"driver": self.overrides[address]} if address in self.overrides else None)
            self.overrides.pop(address, None)
            self.overrides.update({address: action.after["driver"]} if action.after else {})
        elif kind == "pending release":
            (self.releases.discard if action.after is None else self.releases.add)(action.name)
        else:
            assert kind == "file"
            self.files.pop(action.name, None)
            self.files.update({action.name: action.after["sha256"]} if action.after else {})

    def reboot(self):
        """Power goes and comes: what was only in the kernel or in /run is gone."""
        self.releases = set()
        restored = self.driverctl or set(self.files) == {path for path, text in persistence_files.FILES}
        for one in self.functions.values():
            one.driver = one.override = None
            if restored and one.address in self.overrides:
                one.override = self.overrides[one.address]
                self.load(one.override)
            self.probe(one)

    def facts(self):
        """Return facts in the shape that accelerator_info has."""
        rows = [self._row(one) for one in self.functions.values()]
        return copy.deepcopy({
            "accelerators": [row for row in rows if row["class"] in pci.GPU_CLASSES],
            "others": [row for row in rows if row["class"] not in pci.GPU_CLASSES],
            "host": {
                "kernel": {"release": "6.12.94", "arguments": []},
                "iommu": {"enabled": self.iommu, "groups": 9},
                "vfio_drivers": sorted(name for name in self.loaded if groups.is_vfio(name)),
                "modules": {name.replace("-", "_"): {"loaded": True, "refcnt": 0} for name in self.loaded},
                "driver_overrides": self.overrides,
                "boot_drivers": {"driverctl": self.driverctl, "files": self.files, "releasing": sorted(self.releases)},
                "sources": {"holders": "ok"},
            },
        })

    def _row(self, one):
        held = [{"kind": "process", "pid": 812, "command": "python3", "what": "/dev/nvidia0"}] if one.held else []
        row = {
            "address": one.address, "vendor_id": one.vendor_id, "device_id": one.device_id, "class": one.pci_class,
            "kind": pci.kind(one.pci_class, one.vendor_id, one.address), "model": None, "driver": one.driver,
            "driver_override": one.override, "vfio_driver": "vfio-pci", "iommu_group": one.group, "sriov": None,
            "holders": held, "in_use": one.held,
            "vgpu": {"framework": "none", "type": None, "type_id": None, "creatable": [], "mdevs": []},
        }
        row.update(one.extra)
        members = [
            {"address": other.address, "vendor_id": other.vendor_id, "device_id": other.device_id,
             "class": other.pci_class, "driver": other.driver, "driver_override": other.override,
             "pf": (other.extra.get("sriov") or {}).get("pf")}
            for other in self.functions.values() if other.group == one.group
        ]
        row["group"] = groups.describe(row, members, (row["sriov"] or {}).get("pf"))
        return row


def shipped():
    """Return mapping of path to digest of the files that restore drivers at boot."""
    return {path: boot_drivers.digest(text) for path, text in persistence_files.FILES}


def card(slot="0000:41:00", group=1, **options):
    """Return the functions of an H200-like card: GPU and audio."""
    return [
        Function(slot + ".0", group=group, **dict({"driver": "nvidia"}, **options)),
        Function(slot + ".1", "0403", "10de", "22b9", "snd_hda_intel", "snd_hda_intel", group=group),
    ]


def declared(*pairs, **options):
    """Return parameters that declare (address, driver) pairs."""
    base = {"siblings": True, "persistent": True, "allow_console_loss": False, "allow_pf_reset_risk": False,
            "allow_interruption": False, "expected_actions": None}
    return dict(base, devices=[{"address": address, "driver": driver} for address, driver in pairs], **options)


OVERRIDE_FILE = persistence.override_path("0000:41:00.0")
