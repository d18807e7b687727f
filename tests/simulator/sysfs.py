# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/sys without the functions' own directories: buses, drivers, modules, IOMMU groups, hugepages, security."""

from __future__ import annotations

from . import mdev, modules, pci
from .drivers import DRIVERS
from .sysfs_device import PCI_BUS, folder, place, root_bus
from .tree import File, Folder, Link, line, link_to

_SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def root(state):
    """The Folder of /sys."""
    return Folder(lambda: {
        "bus": Folder(lambda: {"pci": Folder(lambda: _pci(state)), "mdev": Folder(lambda: _mdev_bus(state))}),
        "class": Folder(lambda: _classes(state)),
        "devices": Folder(lambda: _devices(state)),
        "firmware": Folder(lambda: _firmware(state)),
        "kernel": Folder(lambda: _kernel(state)),
        "module": Folder(lambda: {name: Folder(lambda name=name: _module(state, name)) for name in state.modules}),
    })


def _devices(state):
    found = {}
    for device in state.devices.values():
        about = device.about
        if about.parent is None or about.parent not in state.devices:
            bus = root_bus(about)
            found.setdefault(bus, Folder(lambda bus=bus: {
                one.address: folder(state, one) for one in state.devices.values()
                if (one.about.parent is None or one.about.parent not in state.devices) and root_bus(one.about) == bus}))
    nodes = range(state.description.numa_nodes)
    found["system"] = Folder(lambda: {
        "cpu": Folder(lambda: {"online": line("0-63"), "possible": line("0-63")}),
        "node": Folder(lambda: {
            "online": line(f"0-{len(nodes) - 1}" if len(nodes) > 1 else "0"),
            **{f"node{node}": Folder(lambda node=node: {"hugepages": Folder(lambda: _hugepages(state, node))})
               for node in nodes}})})
    found["virtual"] = Folder(lambda: _virtual(state))
    return found


def _virtual(state):
    links = {f"pci:{one.about.supplier}--pci:{one.address}": one for one in state.devices.values()
             if one.about.supplier in state.devices}
    found = {"devlink": Folder(lambda: {
        name: Folder(lambda name=name, one=one: {
            "consumer": link_to(f"/sys/devices/virtual/devlink/{name}/consumer", place(state, one.address)),
            "supplier": link_to(f"/sys/devices/virtual/devlink/{name}/supplier", place(state, one.about.supplier)),
            "status": line("available")}) for name, one in links.items()})}
    if state.iommu:
        found["iommu"] = Folder(lambda: {"dmar0": Folder(lambda: {"devices": Folder(lambda: {})})})
    return found


def _pci(state):
    return {
        "devices": Folder(lambda: {
            address: link_to(f"{PCI_BUS}/devices/{address}", place(state, address)) for address in state.devices}),
        "drivers": Folder(lambda: {name: Folder(lambda name=name: _driver(state, name))
                                   for name in pci.registered(state)}),
        "drivers_probe": File(None, lambda text: pci.write_probe(state, text)),
        "drivers_autoprobe": File(f"{int(state.drivers_autoprobe)}\n",
                                  lambda text: setattr(state, "drivers_autoprobe", text.strip() != "0")),
        "rescan": File(None, lambda text: pci.rescan(state)),
    }


def _driver(state, name):
    here, module = f"{PCI_BUS}/drivers/{name}", DRIVERS[name].module
    found = {
        "bind": File(None, lambda text: pci.write_bind(state, name, text)),
        "unbind": File(None, lambda text: pci.write_unbind(state, name, text)),
        "new_id": File(None, lambda text: pci.write_new_id(state, name, text)),
        "remove_id": File(None, lambda text: pci.write_new_id(state, name, text, remove=True)),
        "uevent": File(None, lambda text: None),
    }
    if module:
        found["module"] = link_to(f"{here}/module", f"/sys/module/{module}")
    for device in state.devices.values():
        if device.driver == name:
            found[device.address] = link_to(f"{here}/{device.address}", place(state, device.address))
    return found


def _mdev_bus(state):
    return {"devices": Folder(lambda: {
        one.uuid: link_to(f"/sys/bus/mdev/devices/{one.uuid}", f"{place(state, one.parent)}/{one.uuid}")
        for one in state.mdevs.values()}),
        "drivers": Folder(lambda: {"nvidia-vgpu-vfio": Folder(lambda: {})} if mdev.parents(state) else {})}


def _classes(state):
    found = {"iommu": Folder(lambda: {"dmar0": Link("../../devices/virtual/iommu/dmar0")} if state.iommu else {}),
             "drm": Folder(lambda: {}), "infiniband": Folder(lambda: {})}
    if "mdev" in state.modules:
        found["mdev_bus"] = Folder(lambda: {
            one.address: link_to(f"/sys/class/mdev_bus/{one.address}", place(state, one.address))
            for one in mdev.parents(state)})
    return found


def _firmware(state):
    if state.description.secure_boot is None:
        return {}
    content = b"\x06\0\0\0" + bytes([int(state.description.secure_boot)])
    return {"efi": Folder(lambda: {"efivars": Folder(lambda: {_SECURE_BOOT: File(content, size=len(content))})})}


def _kernel(state):
    secure = state.description.secure_boot
    lockdown = "none [integrity] confidentiality" if secure else "[none] integrity confidentiality"
    return {
        "iommu_groups": Folder(lambda: _groups(state)),
        "mm": Folder(lambda: {"hugepages": Folder(lambda: _hugepages(state, None))}),
        "security": Folder(lambda: {"lockdown": line(lockdown)}),
    }


def _groups(state):
    numbers = {state.group(one) for one in state.devices.values()} - {None}
    found = {str(number): Folder(lambda number=number: {
        "devices": Folder(lambda: {
            one.address: link_to(f"/sys/kernel/iommu_groups/{number}/devices/{one.address}", place(state, one.address))
            for one in state.members(number)}),
        "type": line("identity" if "iommu=pt" in state.arguments else "DMA-FQ"), "reserved_regions": line(""),
    }) for number in sorted(numbers)}
    for one in state.mdevs.values():
        found[str(one.group)] = Folder(lambda one=one: {"devices": Folder(lambda: {one.uuid: link_to(
            f"/sys/kernel/iommu_groups/{one.group}/devices/{one.uuid}", f"{place(state, one.parent)}/{one.uuid}")})})
    return found


def _hugepages(state, node):
    rows = {}
    for size, where, total, free in state.description.hugepages:
        if node is None or where == node:
            old = rows.get(size, (0, 0))
            rows[size] = (old[0] + total, old[1] + free)
    return {f"hugepages-{size}kB": Folder(lambda row=row: {"nr_hugepages": line(row[0]), "free_hugepages": line(row[1]),
                                                          "surplus_hugepages": line(0)}) for size, row in rows.items()}


def _module(state, name):
    options = state.modules[name]
    found = {"refcnt": File(lambda: f"{modules.use_count(state, name)}\n"), "initstate": line("live"),
             "taint": line("OE" if name.startswith("nvidia") and state.description.nvidia_open else
                           "POE" if name.startswith("nvidia") else ""),
             "holders": Folder(lambda: {one: link_to(f"/sys/module/{name}/holders/{one}", f"/sys/module/{one}")
                                        for one in modules.needed_by(state, name)})}
    if options:
        found["parameters"] = Folder(lambda: {key: line(value) for key, value in options.items()})
    if name.startswith("nvidia"):
        found["version"] = line(state.description.nvidia_version)
    drivers = [one.name for one in DRIVERS.values() if one.module == name]
    if drivers:
        found["drivers"] = Folder(lambda: {f"pci:{one}": link_to(f"/sys/module/{name}/drivers/pci:{one}",
                                                                 f"{PCI_BUS}/drivers/{one}") for one in drivers})
    return found
