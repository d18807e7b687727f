# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which VFs are made: the kernel's attribute, NVIDIA's sriov-manage, Intel's xpu-smi. (AMD: ``gim.py``.)"""

from __future__ import annotations

import errno
import json
import re
import time

from .._core.change import Action
from .._core.errors import HostError
from .._hardware.slicing import SRIOV_MANAGE
from . import slices

KIND = "VF count"
_PROBING = "autoprobe setting"
_DEVICES = "/sys/bus/pci/devices/"
# sriov-manage leaves the PF on this driver when it is killed in the middle.
_STUB = "pci-pf-stub"
_TRIES = 5
_BUSY = "cannot obtain unbindlock"


def choose(item, device, observed):
    """Return how VFs of a PF are made: ``sysfs``, ``sriov-manage``, ``gim`` or ``xpu-smi``. Pure."""
    if device.get("vendor_id") == slices.AMD and device.get("kind") == "gpu":
        return "gim"
    if slices.is_nvidia_gpu(device) and observed["host"]["slicing"]["sriov_manage"]:
        return "sriov-manage"
    if item["local_memory_mib"] is not None:
        return "xpu-smi"
    return "sysfs"


def problems(path, item, device, observed):
    """Return one sentence for each thing that this way cannot do. Pure."""
    said, way, total = [], choose(item, device, observed), device["sriov"].get("total")
    if way == "sriov-manage" and item["vfs"] not in (0, total):
        said.append("{0}.vfs: {1}, but NVIDIA's sriov-manage makes all {2} VFs or none; write {2}: a VF that gets no "
                    "vGPU type costs nothing".format(path, item["vfs"], total))
    if slices.is_nvidia_gpu(device) and item["autoprobe"] is not None:
        said.append("{0}.autoprobe: NVIDIA's driver binds the VFs of its GPUs itself; leave autoprobe out".format(path))
    if item["local_memory_mib"] is not None:
        if device.get("vendor_id") != slices.INTEL:
            said.append("{0}.local_memory_mib: only Intel's GPUs share it out by VF; leave it out for {1}".format(
                path, device["address"]))
        elif not observed["host"]["slicing"]["xpu_smi"]:
            said.append("{0}.local_memory_mib: it is set by xpu-smi, which is not installed; install it, or leave the "
                        "option out".format(path))
    return said


def decide(way, item, device, devices, observed):
    """Return (actions, refusals) that give a PF its number of VFs. Pure."""
    address, now, wanted = device["address"], device["sriov"].get("num"), item["vfs"]
    plan = _probing(item, device)
    if now is None:
        return [], ["{0}: sriov_numvfs cannot be read, so nothing is changed; is the PF still on the bus?".format(
            address)]
    repair = _repair(way, device, wanted)
    again = way == "xpu-smi" and now == wanted and _other_memory(item, device, observed)
    if now == wanted and not again:
        return plan + repair, []
    refusals = _refusals(way, wanted, device, devices, observed)
    if now or way == "sriov-manage":
        refusals += slices.unsure(observed)
    if now:
        plan.append(Action("set", KIND, address, {"vfs": now}, {"vfs": 0}, interrupts=_removes(device, now),
                           details=("sriov-manage" if way == "sriov-manage" else "sysfs", 0, None)))
    if wanted:
        after = {"vfs": wanted}
        if way == "sysfs" and slices.is_nvidia_gpu(device):
            after["by"] = "a write to sriov_numvfs, because {0} is not installed".format(SRIOV_MANAGE)
        elif way != "sysfs":
            after["by"] = way
        if item["local_memory_mib"] is not None:
            after["local_memory_mib"] = item["local_memory_mib"]
        plan += repair
        plan.append(Action("set", KIND, address, {"vfs": 0}, after, interrupts=_unbinds(way, device),
                           details=(way, wanted, item["local_memory_mib"])))
    return plan, refusals


def _probing(item, device):
    from_now, wanted = device["sriov"].get("autoprobe"), item["autoprobe"]
    if wanted is None and item["driver"] is not None and not slices.is_nvidia_gpu(device):
        wanted = item["driver"] == "default"
    if wanted is None or from_now is None or from_now == wanted or not item["vfs"]:
        return []
    return [Action("set", _PROBING, device["address"], {"autoprobe": from_now}, {"autoprobe": wanted})]


def _repair(way, device, wanted):
    """Return the actions that bring a PF back which sriov-manage left behind without its driver."""
    if way != "sriov-manage" or not wanted or device.get("driver") not in (None, _STUB):
        return []
    address, plan = device["address"], []
    if device.get("driver") == _STUB:
        plan.append(Action("unbind", "PF", address, {"driver": _STUB}, {"driver": None}))
    return plan + [Action("bind", "PF", address, {"driver": None}, {"driver": "nvidia"})]


def _other_memory(item, device, observed):
    """What xpu-smi gave to VFs can be read nowhere: what we wrote down then is compared."""
    before = observed["host"]["slicing"]["restored"]["declared"]["sriov"].get(device["address"], {})
    return before.get("local_memory_mib") != item["local_memory_mib"]


def _removes(device, now):
    mig = device.get("mig") or {}
    more = ", and its MIG instances with them" if slices.is_nvidia_gpu(device) and mig.get("instances") else ""
    return "the {0} VFs of {1} are removed{2}".format(now, device["address"], more)


def _unbinds(way, device):
    if way != "sriov-manage":
        return None
    return "sriov-manage takes {0} off its driver for a moment, which destroys its MIG instances".format(
        device["address"])


def _refusals(way, wanted, device, devices, observed):
    """Return why the VFs of a PF must stay as they are."""
    address, driver = device["address"], device.get("driver")
    said = []
    if way == "sriov-manage":
        busy = slices.users_of(device, devices)
        if driver not in ("nvidia", None, _STUB):
            said.append("{0} is on driver {1}; its VFs are made by NVIDIA's vGPU host driver. Bind it to nvidia first "
                        "(pci_driver with driver: nvidia)".format(address, driver))
    else:
        busy = slices.users_of_vfs(device, devices)
        if driver is None and wanted:
            said.append("{0} has no driver, and only the driver of a PF can make VFs; bind it first (pci_driver with "
                        "driver: default)".format(address))
        elif slices.is_vfio(driver, observed) and wanted:
            said.append("{0} is on {1}: it is handed out as a whole. A PF is either passed through or cut into VFs; "
                        "release it first (pci_driver with driver: default)".format(address, driver))
    if busy:
        said.append("the VFs of {0} are left alone, because something works on them: {1}; stop that first".format(
            address, slices.named(busy)))
    return said


def see_interfaces(host, params, observed):
    """Note in the facts which VFs of the declared PFs are network interfaces that are up: they are in use."""
    devices = slices.known(observed)
    for item in params["devices"]:
        device = devices.get(slices.normal(item["address"]))
        for _index, vf in slices.vfs_of(device or {}, devices):
            if not str(vf.get("class") or "").startswith("02"):
                continue
            base = _DEVICES + vf["address"] + "/net"
            flags = {name: host.text("{0}/{1}/flags".format(base, name)) or "" for name in host.names(base)}
            # IFF_UP, Documentation/ABI/testing/sysfs-class-net.
            vf["interfaces_up"] = [name for name, text in flags.items()
                                   if re.fullmatch("0x[0-9a-f]{1,8}", text) and int(text, 16) & 1]


def perform(host, action):
    """Carry out one of the actions above. Return whether it was one of them. Raises HostError."""
    if action.kind == _PROBING:
        host.write_attribute(_DEVICES + action.name + "/sriov_drivers_autoprobe",
                             "1" if action.after["autoprobe"] else "0")
    elif action.kind == "PF":
        if action.verb == "unbind":
            host.write_attribute("/sys/bus/pci/drivers/{0}/unbind".format(_STUB), action.name)
        else:
            host.write_attribute("/sys/bus/pci/drivers/nvidia/bind", action.name)
    elif action.kind == KIND:
        way, number, memory = action.details
        # NVIDIA's tool takes the PF off its driver for a moment, so nobody may use it then either.
        if number == 0 or way == "sriov-manage":
            slices.refuse_if_used(host, action.name)
        {"sysfs": _write, "sriov-manage": _manage, "xpu-smi": _xpu_smi}[way](host, action.name, number, memory)
    else:
        return False
    return True


def _count(host, address):
    """Return (sriov_numvfs as text, number of VFs that are there)."""
    names = host.names(_DEVICES + address)
    return host.text(_DEVICES + address + "/sriov_numvfs"), sum(1 for one in names if re.fullmatch("virtfn[0-9]+", one))


def _verify(host, address, number, said):
    numvfs, there = _count(host, address)
    if numvfs != str(number) or there != number:
        raise HostError("{0}: {1} VFs were asked for, but sriov_numvfs is {2} and {3} VFs are there; {4}".format(
            address, number, numvfs, there, said))


def _write(host, address, number, _memory):
    try:
        host.write_attribute(_DEVICES + address + "/sriov_numvfs", str(number), 120)
    except HostError as error:
        hint = {
            errno.EBUSY: "it has VFs already, and 0 must be written first; something else makes VFs on this host",
            errno.ERANGE: "that is more than the device offers",
            errno.ENOENT: "the driver of the PF cannot make VFs (for a GPU: is the vendor's host driver installed?)",
            errno.ENOSYS: "the driver of the PF cannot make VFs",
            errno.ENOMEM: "the firmware has reserved too few PCI bus numbers or too little memory for VFs; turn on "
                          "SR-IOV and Above 4G Decoding in the firmware setup, or boot with pci=realloc,assign-busses",
            errno.EPERM: "kernel lockdown, or a driver that takes VFs only through its own tool",
        }.get(error.number)
        raise HostError("{0}{1}".format(error, "; " + hint if hint else ""), error.number)
    _verify(host, address, number, "look at dmesg")


def _manage(host, address, number, _memory):
    """Run NVIDIA's tool. One of vGPU 17.2 returned 0 when it had failed, so only what is there afterwards counts."""
    for attempt in range(_TRIES):
        finished = host.run([SRIOV_MANAGE, "-e" if number else "-d", address], 180, changes=True)
        said = (finished.stdout + finished.stderr).lower()
        if _BUSY not in said:
            break
        if attempt < _TRIES - 1:
            time.sleep(1)
    else:
        raise HostError("{0}: sriov-manage could not obtain the unbindLock in {1} tries: a client of NVIDIA's driver "
                        "holds the card, most often DCGM or an exporter; stop nvidia-dcgm and dcgm-exporter, and run "
                        "this again".format(address, _TRIES))
    if not finished.ok:
        raise HostError("{0}: {1}; dmesg says more".format(address, finished.words()))
    _verify(host, address, number, "sriov-manage ended with status 0 all the same; look at dmesg")


def _xpu_smi(host, address, number, memory):
    _precheck(host)
    finished = host.run(["xpu-smi", "vgpu", "-d", address, "-c", "-n", str(number), "--lmem", str(memory)], 180,
                        changes=True)
    if not finished.ok:
        raise HostError("{0}: {1}".format(address, finished.words()))
    _verify(host, address, number, finished.words())


def _precheck(host):
    """Ask xpu-smi whether the host is ready for VFs, which it knows better than an errno does."""
    finished = host.run(["xpu-smi", "vgpu", "--precheck", "-j"], 60)
    failed = failed_checks(finished.stdout)
    if failed:
        raise HostError("xpu-smi says that this host is not ready for VFs: {0}".format("; ".join(failed)))


def failed_checks(text):
    """Return what ``xpu-smi vgpu --precheck -j`` says is not fulfilled. Pure; raises nothing.

    Every check is a truth ``<name>_status`` or ``<name>_flag`` with a ``<name>_message`` beside it.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict):
        return []
    wrong = [key.rpartition("_")[0] for key, value in sorted(found.items())
             if value is False and key.endswith(("_status", "_flag"))]
    return ["{0}: {1}".format(name, found.get(name + "_message") or "not fulfilled") for name in wrong]
