# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that slice accelerators share: addresses, VFs, who works on a device. Pure but for ``look``."""

from __future__ import annotations

from .._core.errors import Refused, unknown_name
from .._hardware import facts, groups, slicing
from .._hardware.pci import address as normal

NVIDIA, AMD, INTEL = "10de", "1002", "8086"
# They hold a card open to keep its driver awake, and run nothing on it. The kernel keeps 15 letters of a name.
_KEEPERS = tuple(name[:15] for name in ("nvidia-persistenced", "nvidia-vgpud", "nvidia-vgpu-mgr"))
_MOST_NAMED = 4
FALLBACK = "vfio-pci"


def look(host, addresses):
    """Return the facts of a host, with the declared functions and all of their VFs, and ``host["slicing"]``.

    Args:
        host: Host.
        addresses: PCI addresses that were declared.
    """
    wanted = sorted({normal(one) for one in addresses} - {None})
    found = facts.collect(host, also=wanted)
    devices = known(found)
    missing = [vf for one in wanted for vf in vf_addresses(devices.get(one)) if vf not in devices]
    if missing:
        found = facts.collect(host, also=wanted + missing)
    if not found["host"].get("slicing"):
        found["host"]["slicing"] = slicing.observe(host)
    return found


def problems(params):
    """Return one sentence for each address that is none, or that is declared twice."""
    said, first = [], {}
    for index, item in enumerate(params["devices"]):
        path, address = "devices[{0}].address".format(index), normal(item["address"])
        if address is None:
            said.append("{0}: {1!r}, expected a PCI address such as \"0000:41:00.0\", in quotes (YAML reads some as "
                        "numbers)".format(path, item["address"]))
        elif address in first:
            said.append("{0}: {1!r}, expected each device once; it is {2} already".format(
                path, item["address"], first[address]))
        else:
            first[address] = path[:-len(".address")]
    return said


def known(observed):
    """Return mapping of address to device of everything that the facts describe."""
    return {device["address"]: device for device in observed["accelerators"] + observed["others"]}


def is_vfio(driver, observed):
    """Whether a driver hands functions to user space through VFIO."""
    return bool(driver) and (driver in observed["host"].get("vfio_drivers", ()) or groups.is_vfio(driver))


def declared(params):
    """Return the declared devices of a module as a list of (path, address, item)."""
    return [("devices[{0}]".format(index), normal(item["address"]), item)
            for index, item in enumerate(params["devices"])]


def absent(path, address, observed):
    """Return the sentence for an address at which there is no function; the facts know which others there are."""
    for one in observed.get("not_found") or ():
        if one["address"] == address:
            return "{0}.address: {1!r}: {2}".format(path, address, one["status"])
    return unknown_name(path + ".address", address, "PCI function that is known on this host", sorted(known(observed)))


def vf_addresses(device):
    """Return the addresses of the VFs of a PF in the order of their index; none for everything else."""
    sriov = (device or {}).get("sriov") or {}
    return list(sriov.get("vfs") or ()) if sriov.get("role") == "pf" else []


def vfs_of(device, devices):
    """Return the VFs of a PF that the facts describe: a list of (index, device)."""
    found = []
    for place, one in enumerate(vf_addresses(device)):
        if one in devices:
            index = (devices[one].get("sriov") or {}).get("index")
            found.append((place if index is None else index, devices[one]))
    return found


def vf_name(address, index):
    """Return how a VF is called in plans, also before it exists and has an address of its own."""
    return "{0} VF {1}".format(address, index)


def is_nvidia_gpu(device):
    """Whether a function is a GPU of NVIDIA's; its network cards have another vendor id."""
    return device.get("vendor_id") == NVIDIA and device.get("kind") == "gpu"


def users(device):
    """Return who works on a function, in words; none when nobody does.

    NVIDIA's own daemons that only keep the driver loaded do not count, and neither does a vGPU type that was chosen for
    a VF: that is a vGPU which no server has taken yet.
    """
    said, counted = [], 0
    for holder in device.get("holders") or ():
        counted += 1
        if _is_keeper(holder) or (holder.get("kind") == "vgpu" and holder.get("pid") is None):
            continue
        if holder.get("pid") is None:
            said.append("{0} {1}".format(holder["kind"], holder.get("what") or "of unknown name"))
        else:
            said.append("process {0} (pid {1}) has {2} open".format(
                holder.get("command") or "of unknown name", holder["pid"], holder.get("what") or "it"))
    if not any(holder.get("kind") == "mdev" for holder in device.get("holders") or ()):
        said += ["mdev {0} is made on it".format(one["uuid"]) for one in (device.get("vgpu") or {}).get("mdevs") or ()]
    said += ["network interface {0} is up".format(name) for name in device.get("interfaces_up") or ()]
    if device.get("in_use") and not counted and not said:
        said.append("it is in use, and by whom is not known")
    return said


def _is_keeper(holder):
    command = str(holder.get("command") or "").partition(" ")[0].rsplit("/", 1)[-1]
    return holder.get("kind") == "process" and command[:15] in _KEEPERS


def users_of(device, devices):
    """Return who works on a PF or on one of its VFs, each sentence with the address."""
    # Holders of a VF are also listed at its PF, so that nobody forgets them: here they would stand twice.
    own = dict(device, holders=[one for one in device.get("holders") or () if one.get("through") not in devices])
    own["in_use"] = bool(device.get("in_use")) and not device.get("holders")
    return ["{0}: {1}".format(device["address"], said) for said in users(own)] + users_of_vfs(device, devices)


def users_of_vfs(device, devices):
    """Return who works on one of the VFs of a PF, each sentence with the address."""
    return ["{0}: {1}".format(vf["address"], said) for index, vf in vfs_of(device, devices) for said in users(vf)]


def unsure(observed):
    """Return why nobody can tell who works on what, in a list: then nothing that may be in use is touched."""
    status = (observed["host"].get("sources") or {}).get("holders", "ok")
    if status == "ok":
        return []
    return ["who uses which device cannot be told ({0}), so nothing that may be in use is touched".format(status)]


def refuse_if_used(host, address):
    """Look again, right before something is taken away: what came before it in the plan took seconds.

    Args:
        host: Host.
        address: a PF with all its VFs, or one VF.

    Raises:
        Refused: somebody works on it by now, or it cannot be told.
    """
    found = facts.collect(host, also=[address], tools=False)
    missing = [vf for vf in vf_addresses(known(found).get(address)) if vf not in known(found)]
    if missing:
        found = facts.collect(host, also=[address] + missing, tools=False)
    devices = known(found)
    if address in devices:
        busy = users_of(devices[address], devices) + unsure(found)
        if busy:
            raise Refused("{0} is left as it is, because by now something works on it: {1}; plan again when that has "
                          "ended".format(address, named(busy)))


def named(users_found):
    """Return the first few of a list of users, in one text."""
    more = len(users_found) - _MOST_NAMED
    return "; ".join(users_found[:_MOST_NAMED]) + ("; and {0} more".format(more) if more > 0 else "")
