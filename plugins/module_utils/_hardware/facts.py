# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a decision about accelerators needs to know of a host, in one pass, as plain data.

What every field means and where it comes from is in docs/accelerator-facts.md. Nothing here fails because something is
absent, garbage or hangs: each source has a status, and what is not known is None.
"""

from __future__ import annotations

import time

from .._core import errors
from . import (
    boot_drivers,
    groups,
    health,
    holders,
    kernel,
    kernel_log,
    modules,
    nvidia_driver,
    pci,
    secure_boot,
    slicing,
    sriov,
    vendor_tools,
    vgpu,
    waiting_files,
)

ARGUMENT_SPEC = {
    "root": {"type": "path", "default": "/"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "vendor_tools": {"type": "bool", "default": True},
}
_PARTITION = {"compute": "current_compute_partition", "compute_available": "available_compute_partition",
              "memory": "current_memory_partition", "memory_available": "available_memory_partition"}


def validate(params):
    """Return a sentence for each option that cannot be right. Pure.

    Args:
        params: options of accelerator_info.
    """
    problems = []
    if not params["root"].startswith("/"):
        problems.append("root: {0!r} is no absolute path; / is this host".format(params["root"]))
    for index, text in enumerate(params["addresses"]):
        if pci.address(text) is None:
            problems.append("addresses[{0}]: {1!r} is no PCI address; expected {2}{3}".format(
                index, text, pci.EXPECTED, _hint(text)))
    return problems


def execute(host, params):
    """Return the result of accelerator_info. Raises DeclarationError.

    Args:
        host: Host.
        params: its options.
    """
    problems = validate(params)
    if not problems and not host.exists("/."):
        problems.append("root: {0} is no directory".format(params["root"]))
    if problems:
        raise errors.DeclarationError(problems)
    return dict(collect(host, params["addresses"], params["vendor_tools"]), changed=False)


def collect(host, also=(), tools=True):
    """Return the facts of a host: ``accelerators``, ``others``, ``not_found`` and ``host``.

    Args:
        host: Host.
        also: addresses of further functions to describe, such as that of a NIC with VFs.
        tools: whether nvidia-smi, amd-smi, rocm-smi and xpu-smi are asked.
    """
    began = time.monotonic()
    before = (host.counts.opened, host.counts.listed, host.counts.started)
    asked = list(dict.fromkeys(pci.address(text) or text for text in also))
    classes = pci.scan(host)
    names = [name for name in classes if classes[name] in pci.GPU_CLASSES]
    names += [name for name in asked if name in classes and name not in names]
    reader = _Reader(host, classes, names)
    devices = [reader.device(name) for name in names]
    vgpu.name_types(devices)
    accelerators = [device for device in devices if device["class"] in pci.GPU_CLASSES]
    sources = {"pci": _bus_status(classes, reader.silent)}
    about = _host(host, devices, reader, sources)
    _guarded(sources, "holders", lambda: (None, holders.observe(host, devices)))
    xids = _guarded(sources, "kernel_log", lambda: kernel_log.xids(host)) or {}
    files = time.monotonic() - began
    dropped = _asked_tools(host, accelerators, sources) if tools else 0
    for device in devices:
        device["health"]["xids"] = xids.get(device["address"], [])
        device["health"] = health.judge(device)
    after = (host.counts.opened, host.counts.listed, host.counts.started)
    about.update(
        sources=sources, dropped_rows=dropped,
        counts=dict(zip(("opened", "listed", "started"), (new - old for new, old in zip(after, before)))),
        seconds={"files": round(files, 3), "tools": round(time.monotonic() - began - files, 3)})
    return {
        "accelerators": accelerators, "others": [device for device in devices if device not in accelerators],
        "not_found": [{"address": name, "status": _missing(name, classes)} for name in asked if name not in classes],
        "host": about,
    }


class _Reader:
    """Describes functions; what several of them share is read once.

    Args:
        host: Host.
        classes: what ``pci.scan`` found.
        names: addresses of the functions that will be described.
    """

    def __init__(self, host, classes, names):
        self.host = host
        self.classes = classes
        self.release = host.text("/proc/sys/kernel/osrelease")
        self.drivers = host.names(kernel.DRIVERS)
        self._mediated = self._aliases = None
        self.alias_status = None
        self._groups, self._functions, self._versions = {}, {}, {}
        self._folders = {name: pci.open_folder(host, name) for name in names}
        self._present = {name: frozenset(folder.names()) if folder else frozenset()
                         for name, folder in self._folders.items()}
        self._numbers = {name: groups.number_of(folder) for name, folder in self._folders.items() if folder}
        self._names = {number: groups.names_of(host, number) for number in set(self._numbers.values()) - {None}}
        siblings = {name: ("driver_override",) for every in self._names.values() for name in every if name in classes}
        self.silent = waiting_files.silent(host, dict(siblings, **self._present))

    def device(self, name):
        """Return everything that files say about one function."""
        folder, present = self._folders[name], self._present[name]
        if name in self.silent:
            present = present - frozenset(waiting_files.NAMES)
        device = pci.describe(folder, name, present, self.classes[name])
        physical = sriov.physical_of(folder) if folder else None
        group = self._numbers.get(name)
        found = [] if group is None else groups.members(
            self.host, group, self._names[group], self.classes, self._groups, self.silent)
        device.update(
            vfio_driver=kernel.best_vfio_driver(device["modalias"], self._known_aliases(), self.drivers),
            iommu_group=group, sriov=sriov.describe(self.host, folder, name, present, physical, self._functions),
            vgpu=self._vgpu(device, name, present), mig=None, partition=_partition(folder, present),
            interfaces_up=pci.interfaces_up(self.host, name, present), holders=[], in_use=False, uuid=None,
            driver_version=self._version(device["driver"]), sources={},
            firmware={"vbios": _single(folder, present, "vbios_version"), "gsp": None},
            health={"status": "unknown", "reasons": [], "ecc_uncorrected": None, "remapped_rows": None,
                    "recovery_action": None, "xids": []})
        device["group"] = groups.describe(device, found, physical)
        if name in self.silent:
            device["sources"]["sysfs"] = waiting_files.status(name, device["driver"])
        return device

    def _vgpu(self, device, name, present):
        if device["kind"] != "gpu" or name in self.silent:
            return vgpu.none()
        if self._mediated is None:
            self._mediated = vgpu.Mediated(self.host)
        return vgpu.describe(self.host, name, present, self._mediated, device["device_id"])

    def _known_aliases(self):
        if self._aliases is None:
            self._aliases, self.alias_status = kernel.vfio_aliases(self.host, self.release)
        return self._aliases

    def _version(self, driver):
        """Return the version of the module behind a driver; those of the kernel itself have none."""
        if driver and driver not in self._versions:
            text = self.host.text("/sys/module/{0}/version".format(driver.replace("-", "_")))
            self._versions[driver] = text if text and len(text) < 100 and text.isprintable() else None
        return self._versions.get(driver)


def _host(host, devices, reader, sources):
    """Return what is known of the host as a whole, and put a status for each source into ``sources``."""
    used = {device["iommu_group"] for device in devices if not (device["sriov"] or {}).get("role") == "vf"}
    if reader.alias_status:
        sources["modules.alias"] = reader.alias_status
    protected = _guarded(sources, "secure_boot", lambda: _apart(secure_boot.observe(host))) or (None, None)
    loaded = _guarded(sources, "modules", lambda: (modules.observe(host), "ok")) or {}
    restored = {name: _guarded(sources, name, lambda source=source: (source.observe(host), "ok"))
                for name, source in (("boot_drivers", boot_drivers), ("slicing", slicing))}
    nvidia = _guarded(sources, "nvidia_driver", lambda: _with_status(nvidia_driver.observe(host)))
    return {
        "kernel": kernel.observe(host), "iommu": kernel.iommu(host, used - {None}), "secure_boot": protected[0],
        "lockdown": protected[1], "modules": loaded, "nvidia": nvidia,
        "vfio_drivers": [name for name in reader.drivers if groups.is_vfio(name)],
        "hugepages": kernel.hugepages(host), "memory_kib": kernel.memory_kib(host), "cpus": kernel.cpus(host),
        "driver_overrides": kernel.driver_overrides(host), "os": kernel.os_release(host), **restored,
    }


def _asked_tools(host, accelerators, sources):
    """Lay what vendors' tools say over the accelerators, and return how many rows belong to none of them."""
    told = {}
    dropped = _guarded(told, "vendor_tools", lambda: vendor_tools.overlay(host, accelerators)[::-1])
    statuses = told.pop("vendor_tools")
    sources.update(statuses if isinstance(statuses, dict) else {"vendor_tools": statuses})
    return dropped or 0


def _guarded(sources, name, call):
    """Return what a source says, and note its status: one that fails costs itself only, never the facts.

    Args:
        sources: where the status goes.
        name: of the source.
        call: function that returns what it says, and a status.
    """
    try:
        answer, sources[name] = call()
    except Exception as error:  # pylint: disable=broad-except
        sources[name] = "error: {0}: {1}".format(type(error).__name__, str(error)[:200])
        return None
    return answer


def _apart(answer):
    return answer[:-1], answer[-1]


def _with_status(nvidia):
    """Return what is known of NVIDIA's driver, and the status that it brings along."""
    return nvidia, nvidia.get("status", "ok") if nvidia else "absent"


def _bus_status(classes, silent):
    """Return the status of the bus itself."""
    if not classes:
        return "absent"
    if silent:
        return "error: sysfs gives no answer about {0}".format(", ".join(sorted(silent)[:5]))
    unread = [name for name, class_id in classes.items() if class_id is None]
    return "error: the class of {0} cannot be read".format(", ".join(unread[:5])) if unread else "ok"


def _partition(folder, present):
    """Return the partitions of an AMD Instinct card, or None. Source: amdgpu's files in the directory of the device."""
    if "current_compute_partition" not in present and "current_memory_partition" not in present:
        return None
    found = {key: _single(folder, present, name) for key, name in _PARTITION.items()}
    for key in ("compute_available", "memory_available"):
        found[key] = (found[key] or "").replace(",", " ").split()
    return found


def _single(folder, present, name):
    text = pci.read(folder, name) if name in present else None
    return text if text and len(text) < 200 and text.isprintable() else None


def _missing(name, classes):
    close = errors.nearest(name, classes)
    return "no PCI function of this host has this address{0}".format("; the nearest is " + close if close else "")


def _hint(text):
    if pci.address("0000:" + text):
        return "; with its domain it may be 0000:{0}".format(text)
    if text.replace(".", "", 1).isdigit():
        return "; YAML takes an address without quotes for a number: put it in quotes"
    return ""
