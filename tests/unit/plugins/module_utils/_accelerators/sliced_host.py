# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host whose GPUs and network cards can be cut into slices: files below a directory that react to writes.

The trees are synthetic: made from the kernel's ABI documents and from what peers report, not recorded on hardware.
Every write and every command that changes something is noted in ``done``. ``simulator`` has the whole hosts.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import slicing
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators import sliced_smi

BUS = "sys/bus/pci"
NAMES = {1145: "NVIDIA L40S-1B", 1155: "NVIDIA L40S-12Q", 1157: "NVIDIA L40S-24Q", 1160: "NVIDIA L40S-2Q"}
FRAMEBUFFER = {1145: 1, 1155: 12, 1157: 24, 1160: 2}


def filled(spec, value):
    """Return options with the defaults of a specification, as Ansible fills them in."""
    found = dict({name: one.get("default") for name, one in spec.items()}, **value)
    for name, one in spec.items():
        if "options" in one and found[name] is not None:
            found[name] = [filled(one["options"], item) for item in found[name]]
    return found


def converge(domain, host, devices, check=False, allowed=True, expected=None, **more):
    """Run a module's four steps as Ansible would."""
    params = filled(domain.ARGUMENT_SPEC, dict(more, devices=devices))
    params.update(allow_interruption=allowed, expected_actions=expected)
    return host_module.converge(domain, host, params, check)


def said(result):
    """Return the actions of a result as short texts, those that restore things at boot left out."""
    return ["{verb} {kind} {name}".format(**one) for one in result["actions"] if not one["kind"].startswith("boot ")]


def boot(host, wait="0.1"):
    """Run the program that stands on a host, its writes and commands in the simulated kernel. Return its status.

    Args:
        host: a Sliced, or another host with the methods of ``_core/host.Host``.
    """
    names = {"__name__": "at_boot"}
    exec(compile(host.read_text(slicing.PROGRAM), slicing.PROGRAM, "exec"), names)

    def write(path, content):
        try:
            host.write_attribute(path, content)
        except HostError as error:
            raise names["Failed"](str(error)) from error

    def run(*argv, may_fail=False):
        done = host.run(list(argv), 60, changes=True)
        if done.status and not may_fail:
            raise names["Failed"](done.words())
        return done.stdout + done.stderr

    names.update(write=write, run=run, read=host.text, link=host.target_name, names=host.names)
    return names["main"](["--wait", wait])


class Sliced(Host):
    """One simulated host.

    Args:
        root: an empty directory.
    """

    def __init__(self, root):
        super().__init__(root, self._run)
        self.tree = Path(self.root)
        self.done = []
        self.gpus, self.programs, self.lock_busy, self.lazy = {}, set(), 0, False
        self.loaded = {"vfio-pci"}
        for name in ("devices", "drivers/vfio-pci", "drivers/nvidia", "drivers/igb", "drivers/igbvf", "drivers/amdgpu"):
            (self.tree / BUS / name).mkdir(parents=True)
        self.put("proc/sys/kernel/osrelease", "6.12.0\n")
        self.put("proc/sys/kernel/random/boot_id", "boot-1\n")
        self.put("proc/1/comm", "systemd\n")
        (self.tree / "proc/1/fd").mkdir()
        self.put("etc/os-release", "ID=debian\n")
        for name in ("drivers_probe", "drivers/nvidia/bind", "drivers/vfio-pci/unbind", "drivers/igbvf/unbind"):
            self.put(BUS + "/" + name, "")

    # Making devices

    def put(self, path, text):
        target = self.tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def card(self, address, vendor="10de", device="26b9", pci_class="030200", driver="nvidia", total=None, **more):
        """Make a function; with ``total`` it is a PF."""
        base = BUS + "/devices/" + address + "/"
        for name, value in (("vendor", vendor), ("device", device), ("subsystem_vendor", vendor),
                            ("subsystem_device", "0000"), ("class", pci_class), ("revision", "a1")):
            self.put(base + name, "0x{0}\n".format(value))
        self.put(base + "numa_node", "0\n")
        self.put(base + "resource", "")
        self.put(base + "driver_override", "(null)\n")
        self.put(base + "modalias", "pci:v0000{0}d0000{1}\n".format(vendor.upper(), device.upper()))
        if driver:
            self.bind(address, driver)
        if total is not None:
            self.put(base + "sriov_totalvfs", "{0}\n".format(total))
            self.put(base + "sriov_numvfs", "0\n")
            self.put(base + "sriov_drivers_autoprobe", "1\n")
            self.put(base + "sriov_vf_device", device + "\n")
        for name, value in more.items():
            self.put(base + name, value + "\n")
        return address

    def nvidia_gpu(self, address, total=4, mig=None, framebuffer=48, tool=True, **more):
        """Make a PF of NVIDIA's whose VFs take vGPU types; ``mig`` is its mode, None for a GPU without MIG."""
        self.card(address, total=total)
        self.gpus[address] = dict({"mig": mig, "pending": mig, "instances": {}, "framebuffer": framebuffer,
                                   "heterogeneous": False, "live": True, "next": 3, "types": NAMES}, **more)
        self.programs.add("nvidia-smi")
        if tool:
            self.put("usr/lib/nvidia/sriov-manage", "#!/bin/sh\n")
        return address

    def process(self, pid, command, node):
        """Let a process hold a device node."""
        base = self.tree / "proc" / str(pid)
        (base / "fd").mkdir(parents=True)
        (base / "comm").write_text(command + "\n")
        os.symlink(node, base / "fd" / "3")

    # Looking, for the tests

    def here(self, address, name):
        return (self.tree / BUS / "devices" / address / name).read_text().strip()

    def driver(self, address):
        link = self.tree / BUS / "devices" / address / "driver"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None

    def vfs(self, address):
        base = self.tree / BUS / "devices" / address
        links = [name for name in os.listdir(base) if name.startswith("virtfn")]
        return [os.path.basename(os.readlink(base / name)) for name in sorted(links, key=lambda one: int(one[6:]))]

    def state(self):
        """Everything that two runs have to agree on."""
        found = {}
        for base, folders, names in os.walk(self.tree):
            folders[:] = [one for one in folders if one != "proc"]
            for name in names + folders:
                path = Path(base) / name
                key = str(path.relative_to(self.tree))
                if path.is_symlink():
                    found[key] = os.readlink(path)
                elif path.is_file():
                    found[key] = path.read_text()
        return found, {address: {key: value for key, value in gpu.items() if key not in ("next",)} | {
            "instances": sorted((one["profile"], one["cis"]) for one in gpu["instances"].values())}
            for address, gpu in self.gpus.items()}

    # The kernel

    def bind(self, address, driver):
        path = self.tree / BUS / "devices" / address / "driver"
        if path.is_symlink():
            path.unlink()
        if driver:
            (self.tree / BUS / "drivers" / driver).mkdir(parents=True, exist_ok=True)
            os.symlink("../../../../bus/pci/drivers/" + driver, path)

    def program(self, name):
        return "/usr/bin/" + name if name in self.programs else None

    def _note(self, what):
        self.done.append(what)

    def write_file(self, path, text, mode=0o644):
        self._note("file " + path)
        super().write_file(path, text, mode)

    def remove_file(self, path):
        self._note("remove " + path)
        super().remove_file(path)

    def write_attribute(self, path, text, timeout=60.0):
        self._note("{0} <- {1}".format(path, text.strip()))
        parts = path.strip("/").split("/")
        number = self._written(parts, text.strip())
        if number:
            raise HostError("{0}: the kernel refused {1!r}: {2}".format(path, text, os.strerror(number)), number)

    def _written(self, parts, text):
        """Carry out a write as the kernel would. Return 0 or an errno."""
        path = self.tree / "/".join(parts)
        if parts[-1] == "sriov_numvfs":
            return self.numvfs(parts[-2], int(text))
        if parts[-1] == "drivers_probe":
            if self.driver(text) is None:
                wanted = self.here(text, "driver_override")
                self.bind(text, wanted if wanted not in ("(null)", "") else self.native(text))
            return 0
        if parts[-2] == "drivers" or parts[-1] in ("bind", "unbind"):
            self.bind(text, parts[-2] if parts[-1] == "bind" else None)
            return 0
        if parts[-1] == "current_vgpu_type":
            return self.vgpu(parts[-3], int(text))
        if not path.exists():
            return 2
        path.write_text((text or "(null)") + "\n")
        return 0

    def native(self, address):
        return {"10de": "nvidia", "8086": "igbvf"}.get(self.here(address, "vendor")[2:])

    def numvfs(self, address, number):
        """The rules of Documentation/ABI/testing/sysfs-bus-pci."""
        if number > int(self.here(address, "sriov_totalvfs")):
            return 34
        there = self.vfs(address)
        if number and there:
            return 16
        for vf in there:
            shutil.rmtree(self.tree / BUS / "devices" / vf)
        for link in (self.tree / BUS / "devices" / address).glob("virtfn*"):
            link.unlink()
        for index in range(number):
            vf = "{0}:{1:02x}.{2}".format(address[:-5], 16 + index // 8, index % 8)
            self.card(vf, self.here(address, "vendor")[2:], self.here(address, "sriov_vf_device"),
                      self.here(address, "class")[2:], driver=None)
            os.symlink("../" + address, self.tree / BUS / "devices" / vf / "physfn")
            os.symlink("../" + vf, self.tree / BUS / "devices" / address / "virtfn{0}".format(index))
            if self.here(address, "sriov_drivers_autoprobe") == "1":
                self.bind(vf, self.native(vf))
            if address in self.gpus:
                self.put("{0}/devices/{1}/nvidia/current_vgpu_type".format(BUS, vf), "0\n")
        self.put("{0}/devices/{1}/sriov_numvfs".format(BUS, address), "{0}\n".format(number))
        if address in self.gpus:
            self.offer(address)
        return 0

    def offer(self, address):
        """Write what can still be made: the list shrinks with the framebuffer."""
        gpu, vfs = self.gpus[address], self.vfs(address)
        made = [int(self.here(vf, "nvidia/current_vgpu_type")) for vf in vfs]
        left = gpu["framebuffer"] - sum(FRAMEBUFFER.get(one, 12) for one in made if one)
        sizes = {number for number in made if number}
        rows = ["ID    : vGPU Name"] + [
            "{0}  : {1}".format(number, name) for number, name in gpu["types"].items()
            if FRAMEBUFFER.get(number, 12) <= left and (gpu["heterogeneous"] or not sizes - {number})]
        for vf in vfs:
            self.put("{0}/devices/{1}/nvidia/creatable_vgpu_types".format(BUS, vf), "\n".join(rows) + "\n")

    def vgpu(self, vf, number):
        pf = os.path.basename(os.readlink(self.tree / BUS / "devices" / vf / "physfn"))
        if number and "{0}  :".format(number) not in self.here(vf, "nvidia/creatable_vgpu_types"):
            return 5
        self.put("{0}/devices/{1}/nvidia/current_vgpu_type".format(BUS, vf), "{0}\n".format(number))
        self.offer(pf)
        return 0

    # Programs

    def _run(self, argv, timeout):
        name = os.path.basename(argv[0])
        if name not in self.programs and argv[0] not in ("modprobe", "systemctl", slicing.SRIOV_MANAGE):
            raise HostError("there is no program {0} on this host".format(argv[0]))
        if name == "nvidia-smi" and not sliced_smi.changes(argv):
            return Finished(tuple(argv), 0, sliced_smi.ask(self, argv), "", 0.1)
        if name == "xpu-smi" and "--precheck" in argv:
            return Finished(tuple(argv), 0, '{"iommu_status": true, "sriov_status": true}', "", 0.1)
        self._note(" ".join(argv))
        status, text = self._command(name, argv)
        return Finished(tuple(argv), status, text if not status else "", text if status else "", 0.1)

    def _command(self, name, argv):
        if name == "systemctl":
            self.put(slicing.WANTS.strip("/") + "/" + argv[-1], "")
            return 0, ""
        if name == "modprobe":
            return self._modprobe(argv)
        if name == "sriov-manage":
            return self._sriov_manage(argv[1], argv[2])
        if name == "xpu-smi":
            self.numvfs(argv[3], int(argv[6]))
            return 0, ""
        return sliced_smi.change(self, argv)

    def _modprobe(self, argv):
        amd = sorted(one.name for one in (self.tree / BUS / "devices").iterdir()
                     if self.here(one.name, "vendor") == "0x1002" and not (one / "physfn").is_symlink())
        if argv[-1] != "gim":
            (self.tree / BUS / "drivers" / argv[-1]).mkdir(exist_ok=True)
            return 0, ""
        for address in amd:
            self.numvfs(address, 0)
            self.bind(address, None)
        shutil.rmtree(self.tree / "sys/module/gim", ignore_errors=True)
        if "-r" not in argv:
            self.put("sys/module/gim/refcnt", "0\n")
            numbers = (self.tree / slicing.GIM_OPTIONS.strip("/")).read_text().rpartition("=")[2].split(",")
            for address, number in zip(amd, numbers):
                self.bind(address, "gim")
                self.numvfs(address, int(number))
        return 0, ""

    def _sriov_manage(self, flag, address):
        if self.lock_busy:
            self.lock_busy -= 1
            return 1, "Cannot obtain unbindLock for {0}".format(address)
        if self.lazy:
            return 0, ""
        gpu = self.gpus[address]
        gpu["instances"], gpu["heterogeneous"] = {}, False
        self.numvfs(address, 0)
        self.bind(address, "nvidia")
        if flag == "-e":
            self.numvfs(address, int(self.here(address, "sriov_totalvfs")))
        return 0, "Enabling VFs on {0}".format(address)

    def reboot(self):
        """Everything that lives in drivers is forgotten; files stay."""
        for address in [one.name for one in (self.tree / BUS / "devices").iterdir()]:
            if (self.tree / BUS / "devices" / address / "sriov_numvfs").exists():
                self.numvfs(address, 0)
        for gpu in self.gpus.values():
            mode = gpu["pending"] if not gpu["live"] else (gpu["mig"] and "Disabled")
            gpu.update(instances={}, heterogeneous=False, mig=mode, pending=mode)
        self.put("proc/sys/kernel/random/boot_id", "boot-2\n")
