# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host shows of a sandbox while it runs and after it is gone. Reads only."""

from __future__ import annotations

import os
import re

from .._core import processes
from .smoke_guest import pci_function

SYSFS = "/sys/bus/pci/devices"
# Names of hypervisors that Kata starts as a process of their own (src/runtime/virtcontainers and
# src/runtime-rs/crates/hypervisor, 4.1.0). Dragonball is in the shim itself: then the shim holds a KVM machine.
HYPERVISOR = re.compile(r"(qemu-system-\w+|qemu-kvm|cloud-hypervisor|firecracker|stratovirt|openvmm)")
SHIM = "containerd-shim-kata-v2"
KVM_MACHINE = "anon_inode:kvm-vm"
# Firecracker takes names of no more than 32 characters.
ENOUGH = 32
# Where runtimes keep what belongs to one sandbox, by its id: containerd's bundles, CRI-O's, and Kata's own
# (the Go shim: sbs and vm; runtime-rs: /run/kata; both: what is shared with the guest).
RUN_DIRECTORIES = (
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes",
    "/run/containerd/io.containerd.grpc.v1.cri/containers", "/run/vc/sbs", "/run/vc/vm", "/run/kata",
    "/run/kata-containers/shared/sandboxes",
)


def facts(host):
    """Return release, boot id, PCI functions and device nodes of the host, as ``smoke_judge.judge`` takes them."""
    return {"release": host.text("/proc/sys/kernel/osrelease"),
            "boot_id": host.text("/proc/sys/kernel/random/boot_id"),
            "pci": pci(host), "nodes": nodes(host)}


def pci(host):
    """Return the PCI functions in the order of their addresses."""
    found = []
    for address in host.names(SYSFS):
        folder = host.folder("{0}/{1}".format(SYSFS, address))
        words = [folder.text(name) or "" for name in ("vendor", "device", "subsystem_vendor", "subsystem_device")]
        function = pci_function(" ".join([address] + words))
        found += [function] if function else []
    return found


def nodes(host):
    """Return mapping of a path below /dev to ``char`` or ``block``, by what sysfs says of every device."""
    found = {}
    for kind, directory in (("char", "/sys/dev/char"), ("block", "/sys/dev/block")):
        for number in host.names(directory):
            event = host.text("{0}/{1}/uevent".format(directory, number)) or ""
            name = re.search(r"^DEVNAME=(.+)$", event, re.MULTILINE)
            if name:
                path = name.group(1).strip()
                found[path if path.startswith("/dev/") else "/dev/" + path] = kind
    return found


def device(host, address):
    """Return what is known of a function that a pod should get: ``id``, ``driver``, ``group`` and its ``node``."""
    folder = host.folder("{0}/{1}".format(SYSFS, address))
    words = [folder.text(name) or "" for name in ("vendor", "device", "subsystem_vendor", "subsystem_device")]
    function = pci_function(" ".join([address] + words))
    group = folder.target_name("iommu_group")
    return {"address": address, "id": function["id"] if function else None, "driver": folder.target_name("driver"),
            "group": group, "node": "/dev/vfio/{0}".format(group) if group else None,
            "cdev": ["/dev/vfio/devices/" + name for name in host.names("{0}/{1}/vfio-dev".format(SYSFS, address))]}


def running(host, identifiers):
    """Return the processes whose command line has one of the ids: list of mappings.

    ``pid``, ``name`` (of its program), ``hypervisor`` (whether it is one) and ``files`` (texts of its descriptors).
    """
    found = []
    wanted = [one[:ENOUGH] for one in identifiers if len(one) >= ENOUGH]
    for name in host.names("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        arguments = processes.arguments_of(host, name)
        if not arguments or not any(one in word for one in wanted for word in arguments):
            continue
        program = os.path.basename(arguments[0])
        links = sorted(set(processes.descriptors(host, name).values()))
        virtual = bool(HYPERVISOR.match(program)) or (program == SHIM and KVM_MACHINE in links)
        found.append({"pid": int(name), "name": program, "hypervisor": virtual, "files": links})
    return found


def holders(host, paths):
    """Return the pids of the processes that have one of these files open."""
    wanted = set(paths)
    return [int(name) for name in host.names("/proc")
            if name.isdigit() and wanted.intersection(processes.descriptors(host, name).values())]


def left(host, identifiers, namespaces):
    """Return what is there of a sandbox, beside what the runtime itself lists. Mapping of kind to names.

    Args:
        host: Host.
        identifiers: of the sandbox and its containers.
        namespaces: paths of its network namespaces.
    """
    mounts = (host.text("/proc/self/mountinfo") or "").splitlines()
    points = [line.split(" ")[4] for line in mounts if line.count(" ") > 4]
    return {
        "processes": ["{name} (pid {pid})".format(**one) for one in running(host, identifiers)],
        "mounts": sorted(point for point in points
                         if point in namespaces or any(one in point for one in identifiers)),
        "network namespaces": [path for path in namespaces if host.exists(path)],
        "directories": ["{0}/{1}".format(directory, one) for directory in RUN_DIRECTORIES for one in identifiers
                        if host.exists("{0}/{1}".format(directory, one))],
    }


def bundles(host, text):
    """Return the ids of what the runtime keeps whose configuration has this text, such as the uid of a pod.

    For a sandbox whose start was cancelled, so that nobody has said its id.
    """
    return [name for name in host.names(RUN_DIRECTORIES[0])
            if text in (host.text("{0}/{1}/config.json".format(RUN_DIRECTORIES[0], name)) or "")]
