# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles do to a host, on a mounted one: kill -9 after every change, reboot with the shipped units, holders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from simulator import SimulatedHost, describe
from simulator.testing import BUS

CLIENT = str(Path(__file__).with_name("client.py"))
GPU = "0000:18:00.0"


def pool(model, mode, devices, profile=None, slices=1):
    return {"name": "p", "site": "s", "model": model, "mode": mode, "consumer": "nova", "devices": devices,
            "cards_per_host": devices, "profile": profile, "slices": slices}


CASES = {
    "passthrough": (("hgx", {"gpus": 1, "switches": 0, "processes": 2, "driverctl": False}),
                    "passthrough", pool("H200", "passthrough", 1)),
    "vf": (("flex170", {"cards": 1}), "partitioning", pool("Flex 170", "vf", 1, slices=2)),
    "vgpu": (("l40s", {"gpus": 1}), "partitioning", pool("L40S", "vgpu", 1, "L40S-24Q", 2)),
    "mig-backed vgpu": (("hgx", {"gpus": 1, "switches": 0, "processes": 2, "vgpu": "vendor_vfio"}), "partitioning",
                        pool("H200", "vgpu", 1, "H200XM-2-35C", 3)),
    "mig": (("hgx", {"gpus": 1, "switches": 0, "processes": 2}), "partitioning", pool("H200", "mig", 1, "1g.18gb", 7)),
}


def command(host, case):
    return [sys.executable, CLIENT, host.root, CASES[case][1], json.dumps(CASES[case][2])]


def converge(host, case):
    """Run the client to its end and return its actions."""
    done = subprocess.run(command(host, case), env=host.environment(), capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def mounted(case):
    name, changes = CASES[case][0]
    return SimulatedHost(describe(name, **changes))


@pytest.mark.parametrize("case", CASES)
def test_it_converges_outlives_a_reboot_and_changes_nothing_more(case):
    with mounted(case) as host:
        assert converge(host, case) != []
        assert converge(host, case) == []
        assert [line for line in host.reboot() if line[2] != 0] == []
        assert converge(host, case) == []
        assert host.problems() == []


@pytest.mark.parametrize("case", ["passthrough", "vf"])
def test_killed_after_every_single_change_a_rerun_converges(case):
    for changes in range(1, 80):
        with mounted(case) as host:
            killed = host.killed(command(host, case), changes).returncode == -9
            converge(host, case)
            assert converge(host, case) == []
            assert host.problems() == []
        if not killed:
            break
    assert changes > 5


def test_what_is_held_is_never_touched():
    with mounted("passthrough") as host:
        before = len(host.log())
        host.hold("/dev/nvidia0")
        done = subprocess.run(command(host, "passthrough"), env=host.environment(), capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode != 0 and "/dev/nvidia0" in done.stderr
        assert [one for one in host.log()[before:] if one.path.startswith(("/sys", "/etc"))] == []
        with open(f"{host.root}{BUS}/devices/{GPU}/driver_override", encoding="ascii") as stream:
            assert stream.read().strip() == "(null)"
