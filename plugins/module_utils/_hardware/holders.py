# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a device: one pass over the open files of all processes.

A file is told by the name of its node. A container that maps a node under another name, and a process that keeps only
a mapping of a node that it closed, are not seen; the reference count of the module still is (``modules.py``).
"""

from __future__ import annotations

from . import device_nodes
from .tool_output import OK

_DELETED = " (deleted)"
# The PID namespace in which the kernel began: PROC_PID_INIT_INO of include/linux/proc_ns.h. In any other one the
# processes of the host, and so those that hold its devices, cannot be seen.
_FIRST_NAMESPACE = "pid:[4026531836]"


def observe(host, devices):
    """Fill ``holders``, ``driver_holders`` and ``in_use`` into devices, in place.

    Args:
        host: Host.
        devices: list of devices; read are address, driver, iommu_group, sriov, vgpu.

    Each holder is ``{"kind", "pid", "command", "what"}``:

    - ``process``: a process has the card's own node open
    - ``vfio``, ``mdev``, ``vgpu``: a process, most often QEMU, has it open through VFIO as a whole function, as a
      mediated device or as a vGPU on a VF. Without a pid: such a mediated device or vGPU exists and nobody uses it

    ``driver_holders`` are of kind ``driver``: a process has a node of the driver open that belongs to no card, such as
    ``/dev/nvidiactl``. The card is not in use, but the module cannot be unloaded.

    A holder of a VF is also listed at its PF, with the VF's address as ``through``: the PF cannot go either.

    ``in_use`` is true when a process holds the card, one of its VFs or something on it, and when a mediated device
    exists on it, because whoever made that would lose it. A vGPU type that is set and not open is no use.

    Returns:
        ``ok``; ``partial: …`` when processes of other users could not be looked into; ``error: …`` without /proc.
    """
    nodes = device_nodes.observe(host, devices)
    opened, status = scan(host, nodes)
    found = {device["address"]: [] for device in devices}
    of_driver = {}
    frameworks = {device["address"]: (device.get("vgpu") or {}).get("framework") for device in devices}
    for path, pid, command in opened:
        if path in nodes.of_mdev:
            parent = nodes.of_mdev[path][0]
            if parent in found:
                found[parent].append(_holder("mdev", pid, command, path))
            continue
        for where in nodes.of_card.get(path, ()):
            found[where].append(_holder(_kind(path, frameworks[where]), pid, command, path))
        if path in nodes.of_driver:
            of_driver.setdefault(nodes.of_driver[path], []).append(_holder("driver", pid, command, path))
    for device in devices:
        found[device["address"]] += _unopened(device, nodes, found[device["address"]])
    _to_parents(devices, found)
    for device in devices:
        device["holders"] = found[device["address"]]
        device["driver_holders"] = [dict(one) for one in of_driver.get(device.get("driver"), ())]
        device["in_use"] = any(_uses(one) for one in device["holders"])
    return status


def scan(host, nodes):
    """Return ([(path of the node, pid, command)], status): each pair of process and node once, by pid.

    Args:
        host: Host.
        nodes: Nodes.
    """
    try:
        processes = [name for name in host.listdir("/proc") if name.isascii() and name.isdigit()]
    except OSError as error:
        return [], "error: /proc: {0}, so nobody knows who holds a device".format(error.strerror)
    wanted = nodes.names()
    wanted |= {name + _DELETED for name in wanted}
    found, closed = [], 0
    for pid in sorted(processes, key=int):
        base = "/proc/{0}/fd".format(pid)
        try:
            numbers = host.listdir(base)
        except PermissionError:
            closed += 1
            continue
        except OSError:
            # It ended while we looked.
            continue
        folder = host.folder(base)
        # The last part of a link is compared before its whole path is read: nearly all are files and sockets.
        last = {number: folder.target_name(number) for number in numbers}
        if numbers and not any(last.values()) and _forbidden(host, base, numbers[0]):
            closed += 1
            continue
        paths = {_path(host, base, number) for number in numbers if last[number] in wanted}
        mine = sorted(path for path in paths if path and nodes.knows(path))
        if mine:
            command = host.text("/proc/{0}/comm".format(pid))
            found += [(path, int(pid), command) for path in mine]
    if closed:
        return found, ("partial: the open files of {0} of {1} processes cannot be read as this user, so holders may be "
                       "missing; run as root".format(closed, len(processes)))
    if host.is_real and ("1" not in processes or _path(host, "/proc/self/ns", "pid") != _FIRST_NAMESPACE):
        return found, "partial: /proc shows only some processes (hidepid or a container), so holders may be missing"
    return found, OK


def _path(host, base, number):
    try:
        path = host.readlink("{0}/{1}".format(base, number))
    except OSError:
        return None
    return path[:-len(_DELETED)] if path.endswith(_DELETED) else path


def _forbidden(host, base, number):
    """Whether the kernel lets us list a process's files, but not look at them, as in a container without ptrace."""
    try:
        host.readlink("{0}/{1}".format(base, number))
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _kind(path, framework):
    if not path.startswith("/dev/vfio/"):
        return "process"
    return "vgpu" if framework == "vendor_vfio" else "vfio"


def _unopened(device, nodes, opened):
    """Return what exists on a device and is held by no process."""
    used = {nodes.of_mdev[one["what"]][1] for one in opened if one["what"] in nodes.of_mdev}
    idle = [_holder("mdev", None, None, uuid) for uuid in nodes.mdevs.get(device["address"], ()) if uuid not in used]
    vgpu = device.get("vgpu") or {}
    set_type = vgpu.get("type") if vgpu.get("framework") == "vendor_vfio" else None
    if set_type and not any(one["kind"] == "vgpu" for one in opened):
        idle.append(_holder("vgpu", None, None, set_type))
    return idle


def _to_parents(devices, found):
    """List holders of VFs at their PF as well."""
    for device in devices:
        sriov = device.get("sriov") or {}
        parent = sriov.get("pf") if sriov.get("role") == "vf" else None
        if parent in found:
            found[parent] += [dict(one, through=device["address"]) for one in found[device["address"]]]


def _uses(holder):
    return holder["pid"] is not None or holder["kind"] == "mdev"


def _holder(kind, pid, command, what):
    return {"kind": kind, "pid": pid, "command": command, "what": what}
