# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 after every single change, reboots, and the two together: the simulator outlives its clients."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from simulator import SimulatedHost, describe
from simulator.testing import BUS, device

PF, VF = "0000:21:00.0", "0000:21:10.0"
# What a careful client does, as a program of its own: safe to run again from wherever it was left.
CLIENT = f"""
import os, subprocess, sys
root = sys.argv[1]
def write(path, text):
    descriptor = os.open(root + path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)
def driver(address):
    path = root + "{BUS}/devices/" + address + "/driver"
    return os.path.basename(os.readlink(path)) if os.path.lexists(path) else None
if not os.path.exists(root + "/sys/module/vfio_pci"):
    subprocess.run(["modprobe", "vfio-pci"], check=True)
if open(root + "{device(PF)}/sriov_numvfs").read().strip() != "2":
    write("{device(PF)}/sriov_numvfs", "2")
for address in ("{VF}", "0000:21:10.2"):
    if open(root + "{BUS}/devices/" + address + "/driver_override").read().strip() != "vfio-pci":
        write("{BUS}/devices/" + address + "/driver_override", "vfio-pci")
    if driver(address) not in (None, "vfio-pci"):
        write("{BUS}/devices/" + address + "/driver/unbind", address)
    if driver(address) is None:
        write("{BUS}/drivers_probe", address)
    temporary = root + "/etc/driverctl.d/.new"
    with open(temporary, "w") as stream:
        stream.write("vfio-pci\\n")
    os.rename(temporary, root + "/etc/driverctl.d/pci-" + address)
print("done")
"""


@pytest.fixture
def igb():
    with SimulatedHost(describe("igb")) as host:
        yield host


def client(host):
    """The command line of the client."""
    return [sys.executable, "-c", CLIENT, host.root]


def drivers(host):
    """The drivers of the two VFs."""
    return [os.path.basename(os.readlink(host.path(f"{device(one)}/driver"))) for one in (VF, "0000:21:10.2")]


def whole(host):
    """Run the client to its end; how many changes it made."""
    before = len(host.log())
    done = subprocess.run(client(host), env=host.environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
    return len(host.log()) - before


def test_killed_after_each_change_it_converges_when_it_is_run_again():
    with SimulatedHost(describe("igb")) as host:
        total = whole(host)
    assert total >= 10
    for number in range(1, total + 1):
        with SimulatedHost(describe("igb")) as host:
            done = host.killed(client(host), number)
            assert done.returncode == -9 and done.stdout == "", (number, done)
            assert len(host.log()) == number and host.problems() == []
            whole(host)
            assert drivers(host) == ["vfio-pci", "vfio-pci"] and host.problems() == [], number


def test_fewer_changes_than_asked_for_kill_nobody(igb):
    done = igb.killed(client(igb), 1000)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert igb.run("lsmod")["status"] == 0


def test_only_some_changes_can_be_counted(igb):
    done = igb.killed(client(igb), 1, only="/etc/")
    assert done.returncode == -9 and igb.log()[-1].path.startswith("/etc/")


def test_a_power_cut_after_a_kill(igb):
    igb.killed(client(igb), 5)
    assert igb.reboot() == []
    assert not os.path.exists(igb.path(device(VF)))
    whole(igb)
    igb.reboot()
    # The files are in /etc and udev's rule is there: the VFs are taken as soon as somebody makes them.
    with open(igb.path(f"{device(PF)}/sriov_numvfs"), "w", encoding="ascii") as stream:
        stream.write("2")
    assert drivers(igb) == ["vfio-pci", "vfio-pci"]


def test_a_reboot_starts_the_enabled_units(igb):
    unit = igb.path("/etc/systemd/system/mine@.service")
    with open(unit, "w", encoding="ascii") as stream:
        stream.write("[Service]\nExecStart=/usr/libexec/restore %i\nExecStart=modprobe vfio-pci\n")
    os.makedirs(igb.path("/usr/libexec"))
    with open(igb.path("/usr/libexec/restore"), "w", encoding="ascii") as stream:
        stream.write(f'#!/bin/sh\necho 2 > "$SIMULATED_ROOT{device(PF)}/sriov_numvfs"\n')
    os.chmod(igb.path("/usr/libexec/restore"), 0o755)
    assert (
        subprocess.run(["systemctl", "enable", f"mine@{PF}.service"], env=igb.environment(), check=False).returncode
        == 0
    )
    assert [(line, status) for _, line, status in igb.reboot()] == [
        (f"/usr/libexec/restore {PF}", 0),
        ("modprobe vfio-pci", 0),
    ]
    assert os.path.exists(igb.path(device(VF)))


def test_a_reboot_can_be_given_a_hook_of_ones_own(igb):
    with open(igb.path("/etc/systemd/system/mine.service"), "w", encoding="ascii") as stream:
        stream.write("[Service]\nExecStart=/usr/bin/one two\n")
    igb.run("systemctl", "enable", "mine")
    seen = []
    igb.reboot(start=lambda unit, argv: seen.append((unit, argv)) or 0)
    assert seen == [("mine.service", ["/usr/bin/one", "two"])]


def test_the_programs_of_udev_rules_run_when_one_waits_for_them(igb):
    files = {
        "/etc/mine.sh": '#!/bin/sh\necho vfio-pci > "$2/sys/bus/pci/devices/$4/driver_override"\nmodprobe vfio-pci\n',
        "/etc/udev/rules.d/05-mine.rules": 'ACTION=="add", TEST=="/etc/driverctl.d/pci-$kernel", '
                                           'RUN+="/bin/sh /etc/mine.sh --add $kernel"\n',
        f"/etc/driverctl.d/pci-{VF}": "vfio-pci\n",
    }
    os.unlink(igb.path("/usr/lib/udev/rules.d/05-driverctl.rules"))
    for path, text in files.items():
        with open(igb.path(path), "w", encoding="ascii") as stream:
            stream.write(text)
    igb.reboot()
    with open(igb.path(f"{device(PF)}/sriov_numvfs"), "w", encoding="ascii") as stream:
        stream.write("2")
    assert igb.settle() == [("udev", f"/bin/sh /etc/mine.sh --add {VF}", 0)] and igb.settle() == []
    with open(igb.path(f"{device(VF)}/driver_override"), encoding="ascii") as stream:
        assert stream.read() == "vfio-pci\n"


def test_a_client_that_is_killed_takes_its_host_with_it():
    code = ("import sys, time; sys.path.append(sys.argv[1]); from simulator import SimulatedHost, describe\n"
            "print(SimulatedHost(describe('igb')).__enter__().root, flush=True); time.sleep(60)")
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    owner = subprocess.Popen([sys.executable, "-c", code, tests], stdout=subprocess.PIPE, text=True)
    root = owner.stdout.readline().strip()
    owner.kill()
    owner.communicate()
    deadline = time.monotonic() + 15
    while os.path.exists(os.path.dirname(root)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(os.path.dirname(root)) and os.path.basename(root) == "root"
