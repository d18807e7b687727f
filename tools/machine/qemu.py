# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line for a machine, and its monitor."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from . import devices, emulator
from .variants import STANDARD, VARIANTS, Variant

PROCESSORS = 2
MONITOR = "monitor"
DISK_ID, NETWORK_ID, MEDIUM_ID = "disk", "network", "medium"
# How much of emulated code is kept translated: two kernels, one in the other, do not fit into the default.
NESTED_CACHE_MIB = 1024


def command(
    disk: Path, loader: Path, sockets: str, serial: Path, groups: list[list[str]], port: int, accelerator: str,
    variant: Variant = VARIANTS[STANDARD], medium: str = "",
) -> list[str]:
    """The command line.

    disk: raw, because a killed QEMU loses what a qcow2 image keeps in memory, and killing it is how power is lost here.
    loader: grub as a kernel, that boots the kernel and arguments of the guest's own disk. sockets: a directory with a
    short path. port: of loopback, to the guest's SSH. accelerator: `tcg` or `kvm`. medium: a file that the guest reads
    as its second disk, or nothing.
    """
    machine = {"type": "q35", "memory-backend": "ram"}
    acceleration = accelerator
    if variant.nested:
        acceleration += f",tb-size={NESTED_CACHE_MIB}"
    if accelerator == "kvm":
        machine["kernel-irqchip"] = "split"  # interrupt remapping is QEMU's own work
    processor = "host" if accelerator == "kvm" else variant.processor
    described = [
        # First on the bus, before everything that does DMA.
        {"driver": "intel-iommu", "intremap": "on", "caching-mode": True},
        {"driver": "virtio-blk-pci", "drive": DISK_ID, "bus": "pcie.0", "addr": "0x2"},
        {"driver": "virtio-net-pci", "netdev": NETWORK_ID, "romfile": "", "bus": "pcie.0", "addr": "0x3"},
        {"driver": "virtio-rng-pci", "bus": "pcie.0", "addr": "0x4"},
        *([{"driver": "virtio-blk-pci", "drive": MEDIUM_ID, "bus": "pcie.0", "addr": "0x5"}] if medium else []),
        *devices.arguments(groups, sockets),
    ]
    drives = [{"driver": "raw", "node-name": DISK_ID, "file": {"driver": "file", "filename": str(disk)},
               "cache": {"direct": False, "no-flush": True}}]
    if any("nvme" in group for group in groups):
        drives.append({"driver": "null-co", "node-name": "empty", "size": 1 << 26, "read-zeroes": True})
    if medium:
        drives.append({"driver": "raw", "node-name": MEDIUM_ID, "read-only": True,
                       "file": {"driver": "file", "filename": medium}})
    return emulator.qemu(
        "-nodefaults", "-no-user-config", "-display", "none", "-cpu", processor, "-smp", str(PROCESSORS),
        "-m", str(variant.memory_mib), "-accel", acceleration,
        # Shared, so that a device in another process could reach it: vfio-user insists.
        "-object", json.dumps({"qom-type": "memory-backend-memfd", "id": "ram", "share": True,
                               "size": variant.memory_mib << 20}),
        "-machine", ",".join(f"{key}={value}" for key, value in machine.items()),
        "-kernel", str(loader), "-serial", f"file:{serial}",
        "-qmp", f"unix:{sockets}/{MONITOR},server=on,wait=off",
        # Nothing but SSH from loopback to the guest: it reaches neither the host nor the world.
        "-netdev", f"user,id={NETWORK_ID},restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        *(part for one in drives for part in ("-blockdev", json.dumps(one))),
        *(part for one in described for part in ("-device", json.dumps(one))),
    )


def ask(sockets: str, execute: str, **arguments: Any) -> Any:
    """One command of QMP and its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(f"{sockets}/{MONITOR}")
        with connection.makefile("rw", encoding="utf-8") as stream:
            stream.readline()  # the greeting
            for request in ({"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = _answer(stream)
    return answer


def _answer(stream) -> Any:
    """The next answer; events between are nobody's business here."""
    for line in stream:
        message = json.loads(line)
        if "error" in message:
            raise RuntimeError(message["error"]["desc"])
        if "return" in message:
            return message["return"]
    raise ConnectionError("QEMU has ended")
