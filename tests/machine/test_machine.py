# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines are what they are said to be. Judges: lspci, /sys, and the kernel's own answers through VFIO."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from machine import control, vfio_group

SYSFS = "/sys/bus/pci/devices"
VFIO_GROUP = Path(vfio_group.__file__).read_text(encoding="utf-8")
LSPCI = {
    "h200": "3D controller [0302]: NVIDIA Corporation GH100 [H200 SXM 141GB] [10de:2335] (rev a1)",
    "mi300x": "Processing accelerators [1200]: Advanced Micro Devices, Inc. [AMD/ATI] Aqua Vanjaram [Instinct MI300X]"
              " [1002:74a1]",
    "gaudi2": "Processing accelerators [1200]: Habana Labs Ltd. Gaudi2 AI Training Accelerator [1da3:1020] (rev 01)",
    "nvswitch": "Bridge [0680]: NVIDIA Corporation GH100 [H100 NVSwitch] [10de:22a3] (rev a1)",
    "unknown": "3D controller [0302]: NVIDIA Corporation Device [10de:2ffe] (rev a1)",
    "igb": "Ethernet controller [0200]: Intel Corporation 82576 Gigabit Network Connection [8086:10c9] (rev 01)",
    "nvme": "Non-Volatile memory controller [0108]: Red Hat, Inc. QEMU NVM Express Controller [1b36:0010] (rev 02)",
}


def group(machine, address):
    """The IOMMU group of a function, and who is in it."""
    number = machine.run(f"basename $(readlink {SYSFS}/{address}/iommu_group)").strip()
    return number, machine.run(f"ls {SYSFS}/{address}/iommu_group/devices").split()


def driver(machine, address):
    """The driver that holds a function; empty when none does."""
    return machine.run(f"basename $(readlink {SYSFS}/{address}/driver || echo /)").strip().strip("/")


def move(machine, address, to):
    """Gives a function to a driver, or to none, the way the kernel wants it."""
    machine.run(f"cd {SYSFS}/{address} && if [ -e driver ]; then echo {address} > driver/unbind; fi && "
                f"echo {shlex.quote(to)} > driver_override")
    if to:
        machine.run(f"modprobe {to} && echo {address} > /sys/bus/pci/drivers_probe")
    assert driver(machine, address) == to


def viable(machine, number):
    return json.loads(machine.run(f"python3 - status {number}", given=VFIO_GROUP))[number]


@pytest.fixture
def shared(machine):
    """The card that shares its group with a drive, and the drive."""
    card, drive = machine.addresses["h200"][1], machine.addresses["nvme"][0]
    return card, card[:-1] + "1", drive


def test_every_identity_is_where_it_is_said_to_be(machine):
    seen = dict(line.split(" ", 1) for line in machine.run("lspci -D -nn").splitlines())
    for name, addresses in machine.addresses.items():
        for address in addresses:
            assert seen[address] == LSPCI[name]
    assert seen["0000:01:00.1"] == "Audio device [0403]: NVIDIA Corporation Device [10de:22b9] (rev a1)"


def test_a_card_is_one_group_and_its_functions_are_linked(machine):
    gpu = machine.addresses["h200"][0]
    audio = gpu[:-1] + "1"
    assert group(machine, gpu)[1] == [gpu, audio]
    machine.run(f"test -e {SYSFS}/{gpu}/consumer:pci:{audio} && test -e {SYSFS}/{audio}/supplier:pci:{gpu}")


def test_what_has_a_root_port_of_its_own_is_alone(machine):
    for name in ("mi300x", "gaudi2", "nvswitch", "unknown", "igb"):
        address = machine.addresses[name][0]
        assert group(machine, address)[1] == [address]


def test_what_shares_a_switch_shares_a_group(machine, shared):
    _number, members = group(machine, shared[0])
    assert set(shared) < set(members)
    bridges = sorted(set(members) - set(shared))
    assert [driver(machine, address) for address in bridges] == ["pcieport", "pcieport"]


def test_hosts_drivers_have_tried_the_devices(machine, shared):
    gpu = machine.addresses["h200"][0]
    assert f"nouveau {gpu}: unknown chipset (180000a1)" in machine.run("dmesg")
    assert [driver(machine, address) for address in (gpu, shared[1], shared[2])] == ["", "snd_hda_intel", "nvme"]


def test_devices_reset(machine):
    gpu = machine.addresses["h200"][0]
    assert machine.run(f"cat {SYSFS}/{gpu}/reset_method").split()[:2] == ["flr", "pm"]
    machine.run(f"echo 1 > {SYSFS}/{gpu}/reset")


def test_interrupts_are_remapped(machine):
    assert "Enabled IRQ remapping" in machine.run("dmesg")
    unsafe = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
    assert machine.run(f"modprobe vfio_iommu_type1 && cat {unsafe}") == "N\n"


def test_a_group_is_viable_when_every_function_is_free_of_host_drivers(machine):
    gpu = machine.addresses["h200"][0]
    audio = gpu[:-1] + "1"
    number, _members = group(machine, gpu)
    move(machine, gpu, "vfio-pci")
    assert driver(machine, audio) == "snd_hda_intel" and not viable(machine, number)
    move(machine, audio, "")
    assert viable(machine, number)
    move(machine, audio, "vfio-pci")
    assert viable(machine, number)
    held = f"(echo; sleep 1) | timeout 20 python3 -c {shlex.quote(VFIO_GROUP)} hold {number} {gpu}"
    assert machine.run(held) == "held\n"
    move(machine, audio, "snd_hda_intel")
    move(machine, gpu, "")


def test_a_foreign_drive_keeps_a_group_from_being_viable(machine, shared):
    gpu, audio, drive = shared
    number, _members = group(machine, gpu)
    for address in (gpu, audio):
        move(machine, address, "vfio-pci")
    assert driver(machine, drive) == "nvme" and not viable(machine, number)
    move(machine, audio, "snd_hda_intel")
    move(machine, gpu, "")


def test_virtual_functions_are_real(machine):
    pf = f"{SYSFS}/{machine.addresses['igb'][0]}"
    assert machine.run(f"cat {pf}/sriov_totalvfs").strip() == "7"
    machine.run(f"echo 0 > {pf}/sriov_drivers_autoprobe && echo 2 > {pf}/sriov_numvfs")
    functions = machine.run(f"for vf in {pf}/virtfn*; do basename $(readlink $vf); done").split()
    assert len(functions) == 2
    assert [group(machine, one)[1] for one in functions] == [[one] for one in functions]
    assert [driver(machine, one) for one in functions] == ["", ""]
    with pytest.raises(control.MachineError, match="Device or resource busy"):
        machine.run(f"echo 3 > {pf}/sriov_numvfs")
    move(machine, functions[0], "vfio-pci")
    assert viable(machine, group(machine, functions[0])[0])
    machine.run(f"echo 0 > {pf}/sriov_numvfs")
    with pytest.raises(control.MachineError, match="out of range"):
        machine.run(f"echo 99 > {pf}/sriov_numvfs")


def test_a_mediated_device_can_be_made(machine):
    parent = "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1"
    identifier = "8b5c3cbe-0a3a-4d0a-9a5b-6c7a0f3d2b11"
    assert machine.run(f"modprobe mtty && cat {parent}/device_api").strip() == "vfio-pci"
    machine.run(f"echo {identifier} > {parent}/create")
    assert machine.run("ls /sys/bus/mdev/devices").split() == [identifier]
    machine.run(f"echo 1 > /sys/bus/mdev/devices/{identifier}/remove && modprobe -r mtty")


def test_an_argument_of_grub_reaches_the_kernel_by_a_reboot(machine):
    machine.run("mkdir -p /etc/default/grub.d && echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX iommu=pt\"' "
                "> /etc/default/grub.d/90-test.cfg && update-grub 2>&1")
    assert "iommu=pt" not in machine.run("cat /proc/cmdline")
    before = machine.boot_id()
    machine.reboot()
    assert machine.boot_id() != before
    assert machine.run("cat /proc/cmdline").split().count("iommu=pt") == 1


def test_a_power_loss_keeps_what_was_synced_and_nothing_else(machine):
    before = machine.boot_id()
    machine.run("echo kept > /var/kept && sync && echo lost > /var/lost")
    machine.power_off()
    assert not machine.running
    machine.up()
    assert machine.boot_id() != before
    assert machine.run("cat /var/kept") == "kept\n"
    assert machine.run("cat /var/lost 2>/dev/null || echo gone") in ("gone\n", "")
    assert "iommu=pt" in machine.run("cat /proc/cmdline")
    assert machine.run("dmesg | grep -c 'EXT4-fs error' || true").strip() == "0"
