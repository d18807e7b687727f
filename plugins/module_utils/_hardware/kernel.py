# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel and the operating system say: command line, IOMMU, hugepages, VFIO drivers, overrides."""

from __future__ import annotations

import fnmatch
import re

from . import groups, pci

DRIVERS = "/sys/bus/pci/drivers"
DRIVERCTL = "/etc/driverctl.d"
VFIO_PCI = "vfio-pci"
_INTERRUPTS = "/sys/kernel/irq"
_NODES = "/sys/devices/system/node"
_HUGEPAGES = re.compile(r"hugepages-([0-9]{1,12})kB")
# Interrupt chips of x86 whose name begins with IR- when interrupt remapping is in use.
_REMAPPABLE = re.compile(r"(IR-)?(IO-APIC|PCI-MSI)")
_MOST_INTERRUPTS = 64
# Drivers whose name is not the name of their module.
_NAMES = {"vfio_pci": VFIO_PCI, "hisi_acc_vfio_pci": "hisi-acc-vfio-pci"}


def arguments(text):
    """Return the arguments of a kernel command line, in their order; quotes keep blanks together. Pure."""
    return re.findall(r'(?:"[^"]*"?|[^\s"])+', text or "")


def observe(host):
    """Return ``kernel``: the release and the arguments of the running kernel."""
    return {"release": host.text("/proc/sys/kernel/osrelease"), "arguments": arguments(host.text("/proc/cmdline"))}


def iommu(host, used=()):
    """Return ``iommu``: whether it is on, how many groups there are, interrupt remapping and translation.

    Args:
        host: Host.
        used: numbers of the groups of described devices; without them, the first group stands for all.

    ``enabled`` is whether the kernel made groups. ``translation`` is the type of the groups' default domain:
    ``identity`` (pass-through), ``DMA`` or ``DMA-FQ`` (translated); several of them joined; None when it is unknown.
    """
    present = [name for name in host.names(groups.GROUPS) if name.isdigit()]
    looked = sorted(used) or sorted(present, key=int)[:1]
    types = {host.text("{0}/{1}/type".format(groups.GROUPS, number)) for number in looked} - {None, ""}
    return {"enabled": bool(present), "groups": len(present), "interrupt_remapping": interrupt_remapping(host),
            "translation": ", ".join(sorted(types)) or None}


def interrupt_remapping(host):
    """Return whether interrupts are remapped, or None when the kernel does not show it.

    The names of interrupt chips in /sys/kernel/irq are what is in use. What the IOMMU could do, or what the command
    line asks for, proves nothing, so it is not looked at. Only x86 has names that tell.
    """
    plain = False
    for number in sorted((name for name in host.names(_INTERRUPTS) if name.isdigit()), key=int)[:_MOST_INTERRUPTS]:
        found = _REMAPPABLE.match(host.text("{0}/{1}/chip_name".format(_INTERRUPTS, number)) or "")
        if found and found.group(1):
            return True
        plain = plain or bool(found)
    return False if plain else None


def os_release(host):
    """Return ``os``: id, id_like and version_id, as os-release(5) has them."""
    values = {}
    text = host.text("/etc/os-release") or host.text("/usr/lib/os-release") or ""
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            values[key] = value.strip().strip("\"'")
    return {"id": values.get("ID"), "id_like": values.get("ID_LIKE", "").split(),
            "version_id": values.get("VERSION_ID")}


def hugepages(host):
    """Return the hugepages of each NUMA node: size in KiB, node, total and free. node is None without nodes."""
    homes = [(int(name[4:]), "{0}/{1}/hugepages".format(_NODES, name))
             for name in host.names(_NODES) if re.fullmatch("node[0-9]{1,6}", name)]
    found = []
    for node, path in sorted(homes) or [(None, "/sys/kernel/mm/hugepages")]:
        for name in host.names(path):
            match = _HUGEPAGES.fullmatch(name)
            if match:
                total, free = (pci.decimal(host.text("{0}/{1}/{2}".format(path, name, key)))
                               for key in ("nr_hugepages", "free_hugepages"))
                found.append({"size_kib": int(match.group(1)), "node": node, "total": total, "free": free})
    return found


def memory_kib(host):
    """Return the memory of the host in KiB, or None."""
    found = re.search(r"^MemTotal:\s+([0-9]{1,15}) kB", host.text("/proc/meminfo") or "", re.M)
    return int(found.group(1)) if found else None


def cpus(host):
    """Return how many processors are online, or None. Source: /sys/devices/system/cpu/online."""
    found = 0
    for part in (host.text("/sys/devices/system/cpu/online") or "").split(","):
        match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part)
        if not match:
            return None
        found += int(match.group(2) or match.group(1)) - int(match.group(1)) + 1
    return found


def driver_overrides(host):
    """Return {address: driver} of what driverctl restores at boot: the files pci-<address> in /etc/driverctl.d."""
    found = {}
    for name in host.names(DRIVERCTL):
        address = pci.address(name[4:]) if name.startswith("pci-") else None
        driver = host.text(DRIVERCTL + "/" + name) if address else None
        if driver and driver.isprintable():
            found[address] = driver
    return found


def vfio_aliases(host, release):
    """Return [(pattern, module)] of the drivers that are meant for VFIO, and where they are from.

    Args:
        host: Host.
        release: of the running kernel, or None.

    Returns:
        (list, status): the lines ``alias vfio_pci:…`` of modules.alias, and ``ok``, ``absent`` or ``error: …``.
    """
    if not release or "/" in release:
        return [], "error: the release of the kernel is unknown"
    path = "/lib/modules/{0}/modules.alias".format(release)
    text = host.text(path)
    if text is None:
        return [], "absent" if not host.names("/lib/modules/" + release) else "error: {0} cannot be read".format(path)
    lines = re.findall(r"^alias vfio_pci:(\S+) (\S+)$", text, re.M)
    return [("pci:" + pattern, module) for pattern, module in lines], "ok"


def best_vfio_driver(modalias, aliases, registered):
    """Return the driver that VFIO should have for a device. Pure.

    Args:
        modalias: of the device, such as ``pci:v000010DEd00002335sv…``, or None.
        aliases: what ``vfio_aliases`` returned.
        registered: names in /sys/bus/pci/drivers.

    The alias with the fewest wildcards is for the fewest devices: a variant driver wins over vfio-pci, which takes all.
    """
    fitting = [(pattern.count("*"), module) for pattern, module in aliases
               if modalias and fnmatch.fnmatchcase(modalias, pattern)]
    if not fitting:
        return VFIO_PCI
    module = min(fitting)[1]
    spelled = [name for name in registered if name.replace("-", "_") == module.replace("-", "_")]
    return spelled[0] if spelled else _NAMES.get(module, module)
