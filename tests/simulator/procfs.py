# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc and /dev of a simulated host."""

from __future__ import annotations

from . import modules, nvidia
from .drivers import DRIVERS, MODULES
from .tree import File, Folder, Link, Records, line


def proc(state):
    """The Folder of /proc."""
    return Folder(lambda: {
        "cmdline": line("BOOT_IMAGE=/boot/vmlinuz-" + " ".join([state.description.kernel, *state.arguments])),
        "version": line(f"Linux version {state.description.kernel} (simulated)"),
        "modules": File(lambda: _modules(state)), "filesystems": line("nodev\tsysfs"),
        "meminfo": File("MemTotal:       2113536000 kB\nMemFree:        2000000000 kB\n"),
        "cpuinfo": File(_cpuinfo(state)), "mounts": File("sysfs /sys sysfs rw 0 0\n"), "keys": File(""),
        "uptime": line(f"{1000 * state.boots}.00 0.00"),
        "sys": Folder(lambda: {"kernel": Folder(lambda: {
            "osrelease": line(state.description.kernel), "hostname": line("simulated"),
            "tainted": line(0),
            "random": Folder(lambda: {"boot_id": line(f"{state.boots:08x}-0000-4000-8000-000000000000")}),
        })}),
        "driver": Folder(lambda: _driver(state)),
        **{str(pid): Folder(lambda one=one: _process(one)) for pid, one in state.processes.items()},
    })


def _cpuinfo(state):
    vendor = {"amd": "AuthenticAMD"}.get(state.description.iommu, "GenuineIntel")
    return "".join(f"processor\t: {number}\nvendor_id\t: {vendor}\n\n" for number in range(4))


def _modules(state):
    rows = []
    for name in state.modules:
        needed = "".join(f"{one}," for one in modules.needed_by(state, name)) or "-"
        rows.append(f"{name} {MODULES[name].size} {modules.use_count(state, name)} {needed} Live 0x0000000000000000\n")
    return "".join(reversed(rows))


def _process(one):
    return {
        "comm": line(one.command[:15]), "cmdline": File("\0".join(one.arguments) + "\0"),
        "stat": line(f"{one.pid} ({one.command[:15]}) S 1 {one.pid} {one.pid} 0 -1 4194560"),
        "status": File(f"Name:\t{one.command[:15]}\nState:\tS (sleeping)\nPid:\t{one.pid}\nPPid:\t1\n"),
        "fd": Folder(lambda: {str(number): Link(_shown(path)) for number, path in one.files.items()}),
    }


def _shown(path):
    """What the link in fd says: a vGPU or mdev is held by a file without a name of its own."""
    return "anon_inode:[vfio-device]" if path.startswith(("vgpu:", "mdev:")) else path


def _driver(state):
    found = {}
    if "nvidia" in state.modules:
        found["nvidia"] = Folder(lambda: _nvidia(state))
        switches = [one for one in state.devices.values() if one.driver == "nvidia-nvswitch"]
        found["nvidia-nvswitch"] = Folder(lambda: {"devices": Folder(lambda: {
            one.address: Folder(lambda: {"information": line("simulated NVSwitch")}) for one in switches}),
            "permissions": line("DeviceFileMinor: 255")})
    return found


def _nvidia(state):
    about = state.description
    kind = "Open Kernel Module" if about.nvidia_open else "Kernel Module"
    machine = " for x86_64" if about.nvidia_open else "  x86_64"
    return {
        "version": File(f"NVRM version: NVIDIA UNIX {kind}{machine}  {about.nvidia_version}  Release Build  "
                        "(simulated)\nGCC version:  gcc version 14.2.0 (Debian 14.2.0-19) \n"),
        "params": File("EnableMSI: 1\nOpenRmEnableUnsupportedGpus: 1\nRegistryDwords: \"\"\n"),
        "gpus": Folder(lambda: {address: Folder(lambda address=address: _gpu(state, address)) for address in state.gpus
                                if address in state.devices and state.devices[address].driver == "nvidia"}),
    }


def _gpu(state, address):
    gpu = state.gpus[address]
    firmware = state.description.nvidia_version if state.description.nvidia_open else "N/A"
    found = {"information": File(
        f"Model: \t\t {gpu.about.name}\nIRQ:   \t\t 34\nGPU UUID: \t {gpu.uuid}\nVideo BIOS: \t {gpu.about.vbios}\n"
        f"Bus Type: \t PCIe\nDMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\nBus Location: \t {address}\n"
        f"Device Minor: \t {gpu.index}\nGPU Firmware: \t {firmware}\nGPU Excluded:\t No\n"),
        "power": File("Runtime D3 status:          Disabled by default\n"), "registry": File('Binary: ""\n')}
    if state.description.vgpu != "none":
        found["unbindLock"] = File(f"{int(gpu.unbind_lock)}\n", lambda text: _lock(state, gpu, address, text))
    return found


def _lock(state, gpu, address, text):
    """Taken only when nobody has the card open; the write itself succeeds either way."""
    gpu.unbind_lock = text.strip() == "1" and nvidia.in_use(state, address) is None


def dev(state):
    """The Folder of /dev: device nodes are plain empty files here, so that nobody opens this machine's devices."""
    return Folder(lambda: _dev(state))


def _dev(state):
    found = {"null": File(""), "kmsg": Records(lambda: "".join(_records(state)))}
    paths = {path[5:] for path in state.nodes}
    groups = {state.group(one) for one in state.devices.values() if one.driver and DRIVERS[one.driver].vfio}
    groups |= {state.group(one) for one in state.devices.values() if one.vgpu_type}
    groups |= {one.group for one in state.mdevs.values()}
    groups.discard(None)
    if "vfio" in state.modules or groups:
        paths |= {"vfio/vfio"} | {f"vfio/{group}" for group in groups}
        if state.description.iommu_cdev:
            paths |= {f"vfio/devices/vfio{group}" for group in groups} | {"iommu"}
    return {**found, **_tree(paths)}


def _tree(paths):
    found, below = {}, {}
    for path in paths:
        head, slash, rest = path.partition("/")
        if slash:
            below.setdefault(head, set()).add(rest)
        else:
            found[head] = File("", mode=0o666, size=0)
    found.update({head: Folder(lambda rest=rest: _tree(rest)) for head, rest in below.items()})
    return found


def _records(state):
    return [f"{level},{number},{1000000 + number * 1000},-;{text}\n" for number, (level, text) in enumerate(state.kmsg)]
