# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules on a real kernel, where roles would not go: what they refuse, and what a power loss leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from machine import ssh, vfio_group

CHECKOUT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).with_name("ansible")
VFIO_GROUP = Path(vfio_group.__file__).read_text(encoding="utf-8")
SYSFS = "/sys/bus/pci/devices"


class Modules:
    """Calls modules on the machine through Ansible's own command line."""

    def __init__(self, machine) -> None:
        self.machine = machine

    def start(self, module: str, arguments: dict) -> subprocess.Popen:
        home = self.machine.directory / "home"
        variables = {
            **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"), "HOME": str(home),
            "ANSIBLE_PIPELINING": "1", "ANSIBLE_SSH_CONTROL_PATH_DIR": self.machine.state.sockets,
        }
        argv = [str(ANSIBLE), "-i", str(self.machine.directory / ssh.INVENTORY), "-o", "-m",
                f"sovereign.region.{module}", *(["-a", json.dumps(arguments)] if arguments else []), ssh.NAME]
        return subprocess.Popen(argv, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def call(self, module: str, **arguments) -> dict:
        child = self.start(module, arguments)
        printed, said = child.communicate(timeout=300)
        assert " => " in printed, printed + said
        head, result = printed.split(" => ", 1)
        return {"failed": "FAILED" in head, **json.loads(result)}


@pytest.fixture
def modules(machine):
    return Modules(machine)


def drivers(machine, *addresses):
    """Who holds each function; `none` for nobody."""
    link = f"basename $(readlink {SYSFS}/$one/driver || echo none)"
    return machine.run(f"for one in {' '.join(addresses)}; do {link}; done").split()


def overrides(machine, *addresses):
    return machine.run("cd {} && cat {}".format(SYSFS, " ".join(f"{one}/driver_override" for one in addresses))).split()


def test_facts_are_what_the_kernel_and_lspci_say(machine, modules):
    facts = modules.call("accelerator_info")
    found = {one["address"]: one for one in facts["accelerators"]}
    listed = {line.split()[0]: line.split() for line in machine.run("lspci -D -n").splitlines()}
    assert set(found) == {address for address, words in listed.items() if words[1] in ("0302:", "1200:")}
    for address, one in found.items():
        assert "{vendor_id}:{device_id}".format(**one) == listed[address][2]
        group = machine.run(f"basename $(readlink {SYSFS}/{address}/iommu_group)").strip()
        assert str(one["iommu_group"]) == group
        members = machine.run(f"ls /sys/kernel/iommu_groups/{group}/devices").split()
        assert [member["address"] for member in one["group"]["members"]] == members
    assert [found[address]["known"] for address in machine.addresses["h200"]] == [True, True]
    assert not found[machine.addresses["unknown"][0]]["known"]
    assert facts["host"]["iommu"]["enabled"] and facts["host"]["iommu"]["interrupt_remapping"] is True


def test_a_foreign_sibling_is_refused_and_nothing_is_changed(machine, modules):
    gpu, drive = machine.addresses["h200"][1], machine.addresses["nvme"][0]
    everything = (gpu, gpu[:-1] + "1", drive)
    result = modules.call("pci_driver", devices=[{"address": gpu}], allow_interruption=True)
    assert result["failed"] and drive in result["msg"]
    assert drivers(machine, *everything) == ["none", "snd_hda_intel", "nvme"]
    assert overrides(machine, *everything) == ["(null)"] * 3


def test_a_device_in_use_is_not_touched(machine, modules):
    gpu = machine.addresses["h200"][0]
    pair = (gpu, gpu[:-1] + "1")
    assert modules.call("pci_driver", devices=[{"address": gpu}], persistent=False, allow_interruption=True)["changed"]
    assert drivers(machine, *pair) == ["vfio-pci", "vfio-pci"]
    group = machine.run(f"basename $(readlink {SYSFS}/{gpu}/iommu_group)").strip()
    machine.run("cat > /run/vfio_group.py", given=VFIO_GROUP)
    machine.run(f"systemd-run --quiet --unit=holder --property=StandardInput=tty-force --property=TTYPath=/dev/tty9 "
                f"python3 /run/vfio_group.py hold {group} {gpu}")
    machine.run(f"for i in $(seq 50); do ls -l /proc/$(systemctl show -P MainPID holder)/fd | grep -q vfio/{group} "
                "&& exit 0; sleep 0.2; done; exit 1")
    result = modules.call("pci_driver", devices=[{"address": gpu, "driver": "default"}], allow_interruption=True)
    assert result["failed"] and "python3" in result["msg"]
    assert drivers(machine, *pair) == ["vfio-pci", "vfio-pci"]
    machine.run("systemctl stop holder")
    released = modules.call("pci_driver", devices=[{"address": gpu, "driver": "default"}], allow_interruption=True)
    assert released["changed"]
    assert drivers(machine, *pair)[1] == "snd_hda_intel"


def test_a_power_loss_in_the_middle_is_continued_by_the_next_run(machine, modules):
    gpu = machine.addresses["h200"][0]
    pair = (gpu, gpu[:-1] + "1")
    declared = {"devices": [{"address": gpu}], "allow_interruption": True}
    running = modules.start("pci_driver", declared)
    deadline = time.monotonic() + 120
    # The first override is written before anything is unbound: the whole of the work is still to come.
    while overrides(machine, *pair) == ["(null)"] * 2 and time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
    machine.power_off()
    printed, _said = running.communicate(timeout=120)
    assert "UNREACHABLE" in printed or "FAILED" in printed
    machine.up()
    modules.call("pci_driver", **declared)
    assert drivers(machine, *pair) == ["vfio-pci", "vfio-pci"]
    assert modules.call("pci_driver", **declared)["changed"] is False
    machine.reset()
    assert drivers(machine, *pair) == ["vfio-pci", "vfio-pci"]
    assert modules.call("pci_driver", **declared)["changed"] is False
