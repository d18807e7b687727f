# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a pod that was looked at is in a virtual machine of its own. Pure: it judges what was observed and no more.

What was not seen is never a pass. Kernel release and boot id alone prove little: gVisor answers with another kernel,
too, and a container may be given a file in place of either. So a hypervisor has to run for this very sandbox as well.
"""

from __future__ import annotations

NOT_A_VM = "not a virtual machine"
# QEMU's own chipset and virtio functions, which a host that is a virtual machine itself has at the same addresses as
# its guests (QEMU docs/specs/pci-ids.rst; q35's are those of hw/pci-host/q35.c, hw/isa/lpc_ich9.c, hw/ide/ich.c).
EMULATED_VENDORS = ("1af4", "1b36")
EMULATED = ("8086:29c0", "8086:2918", "8086:2922", "8086:2930", "8086:1237", "8086:7000", "8086:7010", "8086:7113")
# Nodes that every container gets (OCI runtime specification, config-linux, default devices), and the console.
STANDARD_NODES = ("console", "full", "null", "ptmx", "random", "tty", "urandom", "zero")


def judge(observed):
    """Return the assertions, in the order in which an operator would ask.

    Args:
        observed: mapping with

            ``problem``: why the pod could not be looked at, or None.
            ``host`` and ``guest``: mappings of ``release``, ``boot_id``, ``pci`` (list of mappings of ``address``,
            ``id`` such as ``10de:2335``, and ``subsystem``) and ``nodes`` (mapping of a path below /dev to ``char``
            or ``block``). The guest is None when it could not be asked.
            ``hypervisors``: list of mappings of ``pid`` and ``name``, those whose command line has the sandbox's id.
            ``devices``: list of mappings of ``address``, ``id``, ``node`` and ``holders`` (list of pids), as asked for.
            ``left``: mapping of a kind of thing to the names of those that are left of the sandbox.

    Returns:
        List of mappings of ``name``, ``passed`` and ``message``.
    """
    found = []
    if observed["guest"] is None:
        found.append(_row("sandbox", False, observed["problem"] or "the pod could not be looked at"))
    else:
        problem = observed["problem"]
        found.append(_row("sandbox", not problem, problem or "a pod was started and a command ran in it"))
        found += _virtual(observed)
        found.append(_isolated(observed))
        found += [_device(one, observed) for one in observed["devices"]]
    found.append(_clean(observed["left"]))
    return found


def passed(assertions):
    """Whether all of them hold."""
    return all(one["passed"] for one in assertions)


def summary(handler, assertions):
    """Return one sentence on the whole."""
    failed = [one for one in assertions if not one["passed"]]
    if not failed:
        return "handler {0}: the pod ran in a virtual machine of its own, and nothing of it is left".format(handler)
    virtual = [one for one in failed if one["name"] in ("kernel", "boot id", "hypervisor")]
    head = "handler {0}: ".format(handler) + (NOT_A_VM + ": " if virtual else "")
    return head + "; ".join(one["message"] for one in failed)


def _virtual(observed):
    """Return the three assertions that make a virtual machine."""
    host, guest, hypervisors = observed["host"], observed["guest"], observed["hypervisors"]
    return [
        _differs("kernel", "the kernel's release", host["release"], guest["release"]),
        _differs("boot id", "the boot id", host["boot_id"], guest["boot_id"]),
        _row("hypervisor", bool(hypervisors), "{0} runs the sandbox".format(
            ", ".join("{name} (pid {pid})".format(**one) for one in hypervisors)) if hypervisors
            else "no hypervisor's command line has the id of the sandbox"),
    ]


def _differs(name, what, host, guest):
    if not host or not guest:
        return _row(name, False, "{0} {1} could not be read".format(what, "of the host" if not host else "in the pod"))
    if host == guest:
        return _row(name, False, "{0} in the pod is the host's, {1}".format(what, host))
    return _row(name, True, "{0} is {1} in the pod and {2} on the host".format(what, guest, host))


def _isolated(observed):
    """Return the assertion that nothing of the host's devices shows in the pod, but what was asked for."""
    host, guest = observed["host"], observed["guest"]
    wanted = {one["address"] for one in observed["devices"]}
    theirs = {(one["address"], one["id"], one["subsystem"]) for one in guest["pci"]}
    seen = [one["address"] for one in host["pci"]
            if (one["address"], one["id"], one["subsystem"]) in theirs and one["address"] not in wanted
            and not emulated(one["id"])]
    if theirs and {(one["address"], one["id"], one["subsystem"]) for one in host["pci"]} == theirs:
        # A guest has functions of its own, such as that of its console: not one bus is like the other by chance.
        return _row("host devices", False, "the pod sees the PCI bus of the host, with all its {0} functions".format(
            len(theirs)))
    nodes = {one["node"] for one in observed["devices"]}
    seen += [path for path, kind in sorted(guest["nodes"].items())
             if not _is_standard(path) and path not in nodes and host["nodes"].get(path) == kind]
    if seen:
        return _row("host devices", False, "the pod sees {0} of the host: {1}{2}".format(
            "a device" if len(seen) == 1 else "{0} devices".format(len(seen)), ", ".join(seen[:8]),
            ", …" if len(seen) > 8 else ""))
    return _row("host devices", True, "of the host's {0} PCI functions and {1} device nodes the pod sees none".format(
        len(host["pci"]), len(host["nodes"])))


def emulated(identifier):
    """Whether a PCI id is one that QEMU gives to what it emulates, so that it names no device of a host."""
    return identifier in EMULATED or identifier.split(":")[0] in EMULATED_VENDORS


def _is_standard(path):
    name = path[len("/dev/"):]
    return name in STANDARD_NODES or name.startswith("pts/")


def _device(one, observed):
    """Return the assertion that a device is in the pod, and that nobody but its hypervisor holds it."""
    name = "device {0}".format(one["address"])
    same = [other for other in observed["devices"] if other["id"] == one["id"]]
    inside = [other for other in observed["guest"]["pci"] if other["id"] == one["id"]]
    if len(inside) < len(same):
        return _row(name, False, "{0} ({1}) was asked for and is not in the pod: {2} of {3} with this id are".format(
            one["address"], one["id"], len(inside), len(same)))
    ours = {other["pid"] for other in observed["hypervisors"]}
    others = [pid for pid in one["holders"] if pid not in ours]
    if others:
        return _row(name, False, "{0} is held by process {1} as well".format(
            one["address"], ", ".join(map(str, others))))
    if not one["holders"]:
        return _row(name, False, "{0} is not held by the hypervisor of the sandbox: what the pod sees is another "
                                 "device with the id {1}".format(one["address"], one["id"]))
    return _row(name, True, "{0} is in the pod, and only its hypervisor holds it".format(one["address"]))


def _clean(left):
    parts = ["{0} {1}".format(kind, ", ".join(map(str, names))) for kind, names in sorted(left.items()) if names]
    if parts:
        return _row("torn down", False, "left of the sandbox: {0}".format("; ".join(parts)))
    return _row("torn down", True, "no sandbox, container, process, mount, network namespace or directory is left")


def _row(name, good, message):
    return {"name": name, "passed": bool(good), "message": message}
