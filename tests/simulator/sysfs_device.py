# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of one PCI function in sysfs, and where it lies."""

from __future__ import annotations

from . import amd, mdev, nvidia, pci, sriov
from .drivers import DRIVERS
from .tree import File, Folder, line, link_to

PCI_BUS = "/sys/bus/pci"
_FLAGS = {(False, 32): 0x40200, (True, 64): 0x14220C, (False, 64): 0x140204, (True, 32): 0x42208}


def place(state, address):
    """The real directory of a function: below its port, which is on a root bus."""
    device = state.devices.get(address)
    about = device.about if device else state.removed[address]
    if about.parent and about.parent in state.devices:
        return f"{place(state, about.parent)}/{address}"
    return f"/sys/devices/{root_bus(about)}/{address}"


def root_bus(about):
    """The name of the root bus directory of a function without a parent."""
    return "pci{}:{}".format(*about.address.split(":")[:2])


def modalias(about):
    """The modalias of a function."""
    code = about.pci_class.upper()
    return "pci:v0000{}d0000{}sv0000{}sd0000{}bc{}sc{}i{}".format(
        about.vendor.upper(), about.device.upper(), about.subsystem_vendor.upper(), about.subsystem_device.upper(),
        code[:2], code[2:4], code[4:6])


def resource(about):
    """The ``resource`` file: thirteen lines of start, end and flags."""
    lines, start = [], 0x20_0000_0000 + (int(about.address.split(":")[1], 16) << 40)
    for size, prefetchable, bits in about.bars:
        lines.append(f"0x{start:016x} 0x{start + size - 1:016x} 0x{_FLAGS[(bool(prefetchable), bits)]:016x}\n")
        if bits == 64:
            lines.append(f"0x{0:016x} 0x{0:016x} 0x{0:016x}\n")
        start += size
    lines += [f"0x{0:016x} 0x{0:016x} 0x{0:016x}\n"] * (13 - len(lines))
    return "".join(lines[:13])


def config(state, device):
    """The configuration space: header only, unless the description says more; all 0xff when the device is dead."""
    about, size = device.about, 4096 if state.description.config_space else 64
    if device.dead:
        return b"\xff" * size
    content = bytearray(size)
    content[0:2] = int(about.vendor, 16).to_bytes(2, "little")
    content[2:4] = int(about.device, 16).to_bytes(2, "little")
    content[8] = int(about.revision, 16)
    content[9:12] = bytes.fromhex(about.pci_class)[::-1]
    content[0x0E] = 1 if about.is_bridge else 0
    content[0x2C:0x2E] = int(about.subsystem_vendor, 16).to_bytes(2, "little")
    content[0x2E:0x30] = int(about.subsystem_device, 16).to_bytes(2, "little")
    return bytes(content)


def folder(state, device):
    """The Folder of a function."""
    return Folder(lambda: _entries(state, device))


def _entries(state, device):
    about, here = device.about, place(state, device.address)
    override = state.description.unset_override if device.override is None else device.override
    found = {
        "vendor": line("0x" + about.vendor), "device": line("0x" + about.device),
        "subsystem_vendor": line("0x" + about.subsystem_vendor),
        "subsystem_device": line("0x" + about.subsystem_device),
        "class": line("0x" + about.pci_class), "revision": line("0x" + about.revision),
        "numa_node": line(about.numa), "modalias": line(modalias(about)),
        "local_cpulist": line(f"{max(about.numa, 0) * 32}-{max(about.numa, 0) * 32 + 31}"),
        "resource": File(resource(about)), "config": File(config(state, device), mode=0o644, size=64),
        "irq": line(0), "enable": line(int(device.driver is not None)), "msi_bus": line(1), "d3cold_allowed": line(1),
        "uevent": File(lambda: _uevent(device)),
        "driver_override": File(_locked(state, device, override), lambda text: pci.write_override(state, device, text)),
        "remove": File(None, lambda text: pci.remove(state, device)),
        "power": Folder(lambda: {"control": line("on"), "runtime_status": line("active")}),
        "subsystem": link_to(f"{here}/subsystem", PCI_BUS),
    }
    if about.pci_class.startswith("03"):
        found["boot_vga"] = line(int(about.vendor == "1a03"))
    if about.max_speed:
        speed = "Unknown" if device.dead else f"{about.speed} GT/s PCIe"
        found.update(current_link_speed=line(speed), max_link_speed=line(f"{about.max_speed} GT/s PCIe"),
                     current_link_width=line(63 if device.dead else about.width), max_link_width=line(about.max_width))
    if about.reset_methods:
        found["reset"] = File(None, lambda text: pci.write_reset(state, device, text))
        found["reset_method"] = File(" ".join(device.reset_methods) + "\n",
                                     lambda text: _set_reset_method(device, text))
    for number in range(len(about.bars)):
        found[f"resource{number}"] = File(b"", mode=0o600, size=about.bars[number][0])
    _add_links(state, device, here, found)
    if about.sriov:
        _add_sriov(state, device, here, found)
    _add_vendor(state, device, found)
    for child in state.devices.values():
        if child.about.parent == device.address:
            found[child.address] = folder(state, child)
    return found


def _locked(state, device, value):
    """A line whose reading waits for the device's lock, where the kernel is one that does so."""
    def read():
        if state.locked_reads:
            pci.wait_for_lock(device)
        return f"{value}\n"
    return read


def _set_reset_method(device, text):
    words = text.split()
    if not set(words) <= set(device.about.reset_methods):
        raise pci.refuse(pci.INVALID)
    device.reset_methods = words or list(device.about.reset_methods)


def _uevent(device):
    about, words = device.about, []
    if device.driver:
        words.append(f"DRIVER={device.driver}")
    words += [f"PCI_CLASS={about.pci_class.upper().lstrip('0')}", f"PCI_ID={about.vendor}:{about.device}".upper(),
              f"PCI_SUBSYS_ID={about.subsystem_vendor}:{about.subsystem_device}".upper(),
              f"PCI_SLOT_NAME={about.address}", f"MODALIAS={modalias(about)}"]
    return "\n".join(words) + "\n"


def _add_links(state, device, here, found):
    group = state.group(device)
    if device.driver is not None:
        found["driver"] = link_to(f"{here}/driver", f"{PCI_BUS}/drivers/{device.driver}")
        if DRIVERS[device.driver].vfio and state.description.iommu_cdev:
            found["vfio-dev"] = Folder(lambda: {f"vfio{group}": Folder(lambda: {"dev": line(f"511:{group}")})})
    if group is not None:
        found["iommu_group"] = link_to(f"{here}/iommu_group", f"/sys/kernel/iommu_groups/{group}")
        found["iommu"] = link_to(f"{here}/iommu", "/sys/devices/virtual/iommu/dmar0")
    if device.pf:
        found["physfn"] = link_to(f"{here}/physfn", place(state, device.pf))
    if device.about.supplier in state.devices:
        name = f"supplier:pci:{device.about.supplier}"
        found[name] = link_to(f"{here}/{name}", f"/sys/devices/virtual/devlink/pci:{device.about.supplier}"
                                                f"--pci:{device.address}")
    for other in state.devices.values():
        if other.about.supplier == device.address:
            name = f"consumer:pci:{other.address}"
            found[name] = link_to(f"{here}/{name}", f"/sys/devices/virtual/devlink/pci:{device.address}"
                                                    f"--pci:{other.address}")


def _add_sriov(state, device, here, found):
    about = device.about.sriov
    found.update({
        "sriov_totalvfs": line(about.total), "sriov_offset": line(about.offset), "sriov_stride": line(about.stride),
        "sriov_vf_device": line(about.vf_device), "sriov_vf_total_msix": line(0),
        "sriov_numvfs": File(_locked(state, device, device.num_vfs),
                             lambda text: sriov.write_numvfs(state, device, text)),
        "sriov_drivers_autoprobe": File(f"{int(device.autoprobe)}\n", lambda text: sriov.write_autoprobe(device, text)),
    })
    for address in device.vfs:
        name = f"virtfn{state.devices[address].index}"
        found[name] = link_to(f"{here}/{name}", place(state, address))


def _add_vendor(state, device, found):
    vendor_vfio = state.description.vgpu == "vendor_vfio" and device.is_vf and device.driver == "nvidia"
    if vendor_vfio and state.gpu(device.address):
        found["nvidia"] = Folder(lambda: {
            "current_vgpu_type": File(f"{device.vgpu_type}\n", lambda text: nvidia.write_type(state, device, text)),
            "creatable_vgpu_types": File(lambda: nvidia.creatable_text(state, device)),
            "gpu_instance_id": File(lambda: nvidia.read_once_created(state, device, "gpu_instance_id")),
            "placement_id": File(lambda: nvidia.read_once_created(state, device, "placement_id")),
            "vgpu_params": File("\n", lambda text: None), "warm_update": File("0\n", lambda text: None),
        })
    if device in mdev.parents(state):
        found["mdev_supported_types"] = Folder(lambda: _mdev_types(state, device))
    for uuid in [one.uuid for one in state.mdevs.values() if one.parent == device.address]:
        found[uuid] = Folder(lambda uuid=uuid: _mdev(state, uuid))
    if device.driver == "amdgpu" and not device.is_vf and state.gpu(device.address):
        found.update(amd.attributes(state, device))


def _mdev_types(state, parent):
    return {name: Folder(lambda name=name, kind=kind: {
        "name": line(kind.name), "device_api": line("vfio-pci"),
        "description": line(f"num_heads=1, frl_config=60, framebuffer={kind.memory_mib}M, max_instance=1"),
        "available_instances": File(lambda: f"{mdev.available(state, parent, kind)}\n"),
        "create": File(None, lambda text: mdev.write_create(state, parent, name, text)),
        "devices": Folder(lambda: {one.uuid: link_to(
            f"{place(state, parent.address)}/mdev_supported_types/{name}/devices/{one.uuid}",
            f"{place(state, parent.address)}/{one.uuid}")
            for one in state.mdevs.values() if (one.parent, one.kind) == (parent.address, name)}),
    }) for name, kind in mdev.types(state, parent).items()}


def _mdev(state, uuid):
    one = state.mdevs[uuid]
    here = f"{place(state, one.parent)}/{uuid}"
    return {
        "remove": File(None, lambda text: mdev.write_remove(state, uuid, text)),
        "mdev_type": link_to(f"{here}/mdev_type", f"{place(state, one.parent)}/mdev_supported_types/{one.kind}"),
        "iommu_group": link_to(f"{here}/iommu_group", f"/sys/kernel/iommu_groups/{one.group}"),
        "driver": link_to(f"{here}/driver", "/sys/bus/mdev/drivers/nvidia-vgpu-vfio"),
        "subsystem": link_to(f"{here}/subsystem", "/sys/bus/mdev"),
    }
