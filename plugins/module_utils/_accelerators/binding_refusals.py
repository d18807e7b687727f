# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a PCI function must not be moved now, each in a sentence that says what to do. Pure."""

from __future__ import annotations

from .._core.errors import nearest
from .._hardware import boot_drivers, groups
from . import binding_targets as targets

# After a reset of the whole card by VFIO, its configuration space can read 0xff until the host is rebooted:
# amd/MxGPU-Virtualization issue 25, for MI300X (74a1, 74a9) and MI355X (75a3). Virtual functions are not affected.
RESET_RISK = {"74a1": "MI300X", "74a9": "MI300X HF", "75a3": "MI355X"}
# Who usually holds a GPU, by the 15 letters that the kernel keeps of a name, and how to make them let go.
_STOP = {
    "nvidia-persiste": "systemctl stop nvidia-persistenced",
    "nv-hostengine": "systemctl stop nvidia-dcgm",
    "nv-fabricmanage": "systemctl stop nvidia-fabricmanager",
    "dcgm-exporter": "systemctl stop dcgm-exporter",
    "nvsm_core": "systemctl stop nvsm",
    "nvidia-vgpud": "systemctl stop nvidia-vgpud",
    "nvidia-vgpu-mgr": "systemctl stop nvidia-vgpu-mgr",
    "qemu-system-x86": "stop or migrate the server that has it",
    "qemu-kvm": "stop or migrate the server that has it",
}
_MOST_NAMED = 4


def holders(device):
    """Return who uses a function, in words; an empty list when nobody does."""
    said = []
    for holder in device.get("holders") or () if device.get("in_use") else ():
        if holder["kind"] == "driver":
            # It has a node of the driver open that belongs to no card, such as /dev/nvidiactl.
            continue
        if holder.get("pid") is None:
            words = "{0} {1} exists".format(holder["kind"], holder.get("what"))
        else:
            words = "process {0} (pid {1}) has {2} open".format(
                holder.get("command") or "of unknown name", holder["pid"], holder.get("what"))
        said.append(words + (" on its VF {0}".format(holder["through"]) if holder.get("through") else ""))
    if device.get("in_use") and not said:
        said.append("by whom is not known")
    return said + ["network interface {0} is up".format(name) for name in device.get("interfaces_up") or ()]


def refusals(params, observed, found, needs):
    """Return the reasons against a plan, one sentence each.

    Args:
        params: options of the module.
        observed: what was observed.
        found: list of Move.
        needs: mapping of address to Need.
    """
    said = []
    for move in found:
        moving = needs[move.address].unbind or needs[move.address].bind
        said += _never(move, moving)
        if targets.is_handed_out(move.target):
            said += _unfit(params, observed, move)
        if needs[move.address].bind and move.target:
            said += _no_driver(observed, move)
    for group in targets.by_group(found).values():
        if any(needs[move.address].unbind or needs[move.address].bind for move in group):
            said += _in_use(observed, group)
        if any(targets.is_handed_out(move.target) for move in group):
            said += _strangers(group)
    return said + _left_behind(params, observed, found) + _not_looked(observed, needs)


def _left_behind(params, observed, found):
    """What restores drivers at boot applies every file. Those that nothing applies now, it would bring to life."""
    restore = observed["host"].get("boot_drivers") or boot_drivers.nothing()
    if restore["driverctl"] or boot_drivers.SCRIPT in restore["files"] or not params["persistent"]:
        return []
    mine = {move.address for move in found}
    if all(move.target is None for move in found):
        return []
    return ["/etc/driverctl.d/pci-{0} names {1}, and driverctl is not installed: nothing applies it now, and what this "
            "module writes to restore drivers at boot would. Declare {0} here, or remove that file".format(
                address, driver)
            for address, driver in sorted((observed["host"].get("driver_overrides") or {}).items())
            if address not in mine]


def _never(move, moving):
    """What is not to be moved, whatever the driver."""
    device, words = move.device, move.words
    pci_class, sriov = str(device.get("class", "")), device.get("sriov") or {}
    if device.get("kind") == "bridge":
        return ["{0} is a bridge: VFIO leaves bridges to the kernel, and so does this module; "
                "declare the functions behind it".format(words)]
    if pci_class.startswith("01"):
        return ["{0} is a storage controller (class {1}): this module moves accelerators, the functions of their cards "
                "and network functions".format(words, pci_class)]
    if not moving:
        return []
    if sriov.get("role") == "pf" and sriov.get("num"):
        return ["{0} has {1} virtual functions enabled, which go away with its driver {2}; set their number to 0 with "
                "sriov_vfs first".format(words, sriov["num"], device.get("driver"))]
    if sriov.get("role") == "vf" and device.get("vendor_id") == "10de" and device.get("driver") == "nvidia":
        return ["{0} is a virtual function of an NVIDIA GPU and has to stay on nvidia: taking it off breaks it until "
                "SR-IOV is turned off and on again. Nova passes it through as it is, with managed=no; choose its "
                "profile with vgpu_profiles".format(words)]
    return []


def _unfit(params, observed, move):
    """What cannot be given to a guest, or should not."""
    device, words, said = move.device, move.words, []
    iommu = observed["host"].get("iommu") or {}
    if not iommu.get("enabled"):
        said.append("{0} cannot go to {1}: the IOMMU is off, so there are no IOMMU groups; turn it on in the firmware "
                    "setup (VT-d, AMD-Vi) and on the kernel command line with kernel_arguments (intel_iommu=on on "
                    "Intel), and reboot".format(words, move.target))
    elif device.get("iommu_group") is None:
        said.append("{0} cannot go to {1}: it is in no IOMMU group although the IOMMU is on; the firmware's DMAR or "
                    "IVRS table leaves it out, which a firmware update or another slot may cure".format(
                        words, move.target))
    if device.get("boot_vga") and not params["allow_console_loss"]:
        said.append("{0} shows the console of this host (boot_vga is 1): choose the display of the BMC as the primary "
                    "one in the firmware setup, or set allow_console_loss when there is another way in".format(words))
    virtual = (device.get("sriov") or {}).get("role") == "vf"
    model = RESET_RISK.get(device.get("device_id")) if device.get("vendor_id") == "1002" else None
    if model and not virtual and not params["allow_pf_reset_risk"]:
        said.append("{0} is a whole {1}: after the reset that VFIO makes when a guest goes, its configuration space "
                    "can read 0xff until this host is rebooted (amd/MxGPU-Virtualization issue 25). Pass virtual "
                    "functions through, see sriov_vfs, or set allow_pf_reset_risk".format(words, model))
    if virtual and (device.get("vgpu") or {}).get("framework") == "vendor_vfio" and device.get("driver") != "nvidia":
        said.append("{0} is a virtual function for NVIDIA's own VFIO, which {1} cannot drive (its probe ends with "
                    "EINVAL); it belongs on nvidia, see vgpu_profiles".format(words, move.target))
    return said


def _no_driver(observed, move):
    found = observed.get("drivers", {}).get(move.target)
    if not found or found["registered"] or found["available"] is not False:
        return []
    close = nearest(move.target, found["names"])
    hint = "the nearest is {0!r}".format(close) if close else "install the package that has it"
    if groups.is_vfio(move.target):
        hint = "install the kernel package that has it (linux-modules-extra on Ubuntu, kernel-modules on EL)"
    return ["{0} cannot go to {1!r}: the running kernel {2} has no such driver, loaded or as a module; {3}".format(
        move.words, move.target, observed["host"]["kernel"]["release"], hint)]


def in_use_words(address, said):
    """Return the sentence about a function that somebody holds.

    Args:
        address: how it is called.
        said: what ``holders`` says about it, not empty.
    """
    hints = [hint for name, hint in _STOP.items() if any("process {0} ".format(name) in one for one in said)]
    more = ", and {0} more".format(len(said) - _MOST_NAMED) if len(said) > _MOST_NAMED else ""
    return "{0} is in use and is not touched: {1}{2}; {3}, then run again".format(
        address, ", ".join(said[:_MOST_NAMED]), more, ", ".join(hints) or "end that first")


def _in_use(observed, group):
    """Whoever holds one function of a group holds the group: the kernel keeps it together while a guest has it."""
    devices, said = targets.known(observed), []
    for move in group:
        found = holders(move.device)
        if found:
            said.append(in_use_words(move.words, found))
    mine = {move.address for move in group}
    for member in (group[0].device.get("group") or {}).get("members", ()):
        found = holders(devices.get(member["address"], {}))
        if member["address"] not in mine and found:
            said.append(in_use_words("{0} shares IOMMU group {1} with {2}, which".format(
                group[0].words, group[0].group, member["address"]), found))
    return said


def _strangers(group):
    first, mine, said = group[0], {move.address for move in group}, []
    own = {member["address"] for move in group for member in targets.own_siblings(move.device)}
    for member in (first.device.get("group") or {}).get("members", ()):
        address = member["address"]
        if address in mine or groups.leaves_dma_alone(member):
            continue
        what = "{0} ({1}:{2}, class {3}, driver {4})".format(
            address, member["vendor_id"], member["device_id"], member["class"], member["driver"])
        if address in own:
            said.append("{0} shares IOMMU group {1} with {2}, a function of the same card that stays on its driver: "
                        "VFIO does not open such a group; set siblings, or move that function first".format(
                            first.words, first.group, what))
            continue
        hint = "move that card to another slot" if member["role"] == "foreign" else "declare that one here too"
        said.append("{0} shares IOMMU group {1} with {2}, which does not move with it: a group goes to a guest as a "
                    "whole, and VFIO would not open this one. Use a slot with a group of its own, turn on ACS in the "
                    "firmware setup, or {3}".format(first.words, first.group, what, hint))
    return said


def _not_looked(observed, needs):
    status = (observed["host"].get("sources") or {}).get("holders", "ok")
    if status == "ok" or not any(one.unbind for one in needs.values()):
        return []
    return ["nothing is taken from a driver while it is not known who uses it: {0}".format(status)]
