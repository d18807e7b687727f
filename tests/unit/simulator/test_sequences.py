# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written in whatever order, a simulated host stays one that could be: no VF without its PF, and so on."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st
from simulator import Blocked, MemoryHost, Model, describe
from simulator.testing import BUS, device

SMALL = {
    "hgx": {"gpus": 2, "switches": 1},
    "l40s": {"gpus": 1},
    "a100": {"gpus": 1},
    "mi300x": {"gpus": 1},
    "igb": {},
    "flex170": {"cards": 1},
}
# From where a sequence sets out.
STARTS = (
    (),
    (("run", None, "sriov-manage -e ALL"),),
    (("vfs", 0, "4"),),
    (("move", 0, "to vfio"), ("move", 1, "to vfio")),
    (("move", 0, "mig on"), ("run", None, "sriov-manage -e ALL"), ("run", None, "nvidia-smi mig -cgi 19,14,14 -C")),
    (("run", None, "modprobe vfio-pci"), ("vfs", 0, "2"), ("move", 1, "to vfio"), ("machine", 1, None)),
    (("run", None, "sriov-manage -e ALL"), ("type", 1, "1153"), ("machine", 1, None)),
    (("move", 0, "to vfio"), ("move", 1, "to vfio"), ("machine", 0, None)),
)
DRIVERS = ("vfio-pci", "nvidia", "igb", "igbvf", "xe", "amdgpu", "snd_hda_intel", "pci-stub", "no-such", "", "nouveau")
# Moves that bring a host where it gets interesting; made of single writes all the same.
MOVES = {
    "to vfio": ("run modprobe vfio-pci", "override vfio-pci", "unbind", "probe"),
    "home": ("override ", "unbind", "probe"),
    "mig on": ("run nvidia-smi -mig 1", "run nvidia-smi -r"),
}
COMMANDS = (
    "modprobe vfio-pci",
    "modprobe -r vfio-pci",
    "modprobe -r nvidia",
    "modprobe nvidia",
    "rmmod igb",
    "modprobe igb",
    "modprobe igbvf",
    "sriov-manage -e ALL",
    "sriov-manage -d ALL",
    "nvidia-smi -mig 1",
    "nvidia-smi -mig 0",
    "nvidia-smi -r",
    "nvidia-smi mig -cgi 19,14 -C",
    "nvidia-smi mig -cgi 9 -C",
    "nvidia-smi mig -dci",
    "nvidia-smi mig -dgi",
    "nvidia-smi vgpu -shm 1",
    "update-grub",
)


def address():
    """Which of the devices is meant, by number: see step."""
    return st.integers(0, 5)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("override"), address(), st.sampled_from(DRIVERS)),
        st.tuples(st.just("unbind"), address(), st.none()),
        st.tuples(st.just("probe"), address(), st.none()),
        st.tuples(st.just("bind"), address(), st.sampled_from(DRIVERS)),
        st.tuples(st.just("vfs"), address(), st.sampled_from(("0", "1", "2", "4", "99", "x"))),
        st.tuples(st.just("autoprobe"), address(), st.sampled_from(("0", "1"))),
        st.tuples(st.just("type"), address(), st.sampled_from(("0", "1153", "1147", "474", "475", "471"))),
        st.tuples(st.just("remove"), address(), st.just("1")),
        st.tuples(st.just("reset"), address(), st.just("1")),
        st.tuples(st.just("machine"), address(), st.none()),
        st.tuples(st.just("end"), address(), st.none()),
        st.tuples(st.just("move"), address(), st.sampled_from(sorted(MOVES))),
        st.tuples(st.just("rescan"), st.none(), st.none()),
        st.tuples(st.just("reboot"), st.none(), st.none()),
        st.tuples(st.just("run"), st.none(), st.sampled_from(COMMANDS)),
    ),
    max_size=25,
)
FILES = {
    "override": "driver_override",
    "unbind": "driver/unbind",
    "vfs": "sriov_numvfs",
    "autoprobe": "sriov_drivers_autoprobe",
    "type": "nvidia/current_vgpu_type",
    "remove": "remove",
    "reset": "reset",
}


def step(model, what, number, value):
    """Do one step; refusals and waits are part of the game."""
    # Cards, their siblings and their first VFs; hardly ever a bridge.
    everything = [
        address
        for address, one in sorted(model.state.devices.items())
        if (one.about.model or one.is_vf or one.about.sriov or one.about.supplier) and (one.index or 0) < 3
    ]
    one = (everything or sorted(model.state.devices))[number % max(len(everything), 1)] if number is not None else None
    if what == "move":
        for move in MOVES[value]:
            first, _, rest = move.partition(" ")
            step(model, first, number, rest or (None if first in ("unbind", "probe") else ""))
        return
    try:
        if what in FILES:
            model.put(f"{device(one)}/{FILES[what]}", one if what == "unbind" else value)
        elif what == "probe":
            model.put(f"{BUS}/drivers_probe", one)
        elif what == "bind":
            model.put(f"{BUS}/drivers/{value}/bind", one)
        elif what == "machine":
            model.virtual_machine(one)
        elif what == "end":
            machines = [pid for pid, process in model.state.processes.items() if process.command.startswith("qemu")]
            if machines:
                model.end(machines[number % len(machines)])
        elif what == "rescan":
            model.put(f"{BUS}/rescan", "1")
        elif what == "run":
            model.run(value.split())
        else:
            model.reboot()
    except (OSError, Blocked):
        return


@pytest.mark.parametrize("name", SMALL)
@hypothesis.settings(max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(start=st.sampled_from(STARTS), steps=STEPS)
def test_no_sequence_reaches_an_impossible_state(name, start, steps):
    model = Model(describe(name, processes=2, **SMALL[name]))
    for one in [*start, *steps]:
        step(model, *one)
        assert model.problems() == [], one
        _holders_keep_what_they_hold(model)
    _everything_can_be_read(model)


def _holders_keep_what_they_hold(model):
    for process in model.state.processes.values():
        for word in process.arguments:
            if word.startswith("vfio-pci,host="):
                held = model.state.devices.get(word.partition("=")[2])
                assert held is not None and held.driver is not None, f"{word} lost its device"


def _everything_can_be_read(model):
    host = MemoryHost(model)
    todo = ["/sys/bus", "/sys/kernel", "/sys/module", "/proc", "/dev"]
    while todo:
        path = todo.pop()
        for name in model.names(path):
            here = f"{path}/{name}"
            kind = model.stat(here)[0] & 0o170000
            if kind == 0o040000:
                todo.append(here)
            elif kind == 0o120000:
                assert path.endswith("/fd") or model.resolve(here)
            else:
                host.text(here)


def test_the_log_counts_every_change_once():
    model = Model(describe("igb"))
    for number in range(3):
        model.put(f"{device('0000:21:00.0')}/driver_override", f"name-{number}")
    assert [one.number for one in model.log] == [1, 2, 3]
