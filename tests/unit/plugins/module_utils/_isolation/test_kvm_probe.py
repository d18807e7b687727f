# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every level of the probe, on hosts that reach it and hosts that do not, and children that hang or die."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import execute
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import host_cpu, host_nodes, kvm_probe
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import host_machine
from hypothesis import given
from hypothesis import strategies as st

RAN = host_machine.RAN
LEVELS = kvm_probe.LEVELS


@pytest.fixture()
def machine(tmp_path, monkeypatch):
    return host_machine.made(tmp_path, monkeypatch)


def failed(level, code, step):
    """What the child says when a system call failed."""
    return {"level": level, "ok": False, "errno": code, "words": "words of " + code, "step": step}


@pytest.mark.parametrize("probe", LEVELS)
def test_each_level_is_reached_when_it_is_asked(machine, probe):
    kvm = machine.facts(probe)[0]["kvm"]
    reached = LEVELS[:LEVELS.index(probe) + 1]
    assert (kvm["level"], kvm["asked"]) == (probe, probe)
    assert {name: kvm[name] for name in LEVELS} == {name: True if name in reached else None for name in LEVELS}
    assert kvm["usable"] is (True if probe == "run" else None)
    assert bool(kvm["reasons"]) == (probe != "run")


def test_only_the_deepest_level_asks_for_a_guest(machine):
    machine.facts("create_vm")
    asked = [argv for argv in machine.asked if "-c" in argv]
    assert [argv[-3:] for argv in asked] == [["/dev/kvm", "create_vm", "20.0"]]
    machine.asked.clear()
    machine.facts("present")
    assert not [argv for argv in machine.asked if "-c" in argv]


@pytest.mark.parametrize("answers, level, words", [
    ([failed("openable", "EACCES", "open")], "present", "run the module as root"),
    ([failed("openable", "EPERM", "open")], "present", "device cgroup"),
    ([failed("openable", "ENOTTY", "KVM_GET_API_VERSION")], "present", "KVM_GET_API_VERSION of /dev/kvm failed"),
    ([{"level": "openable", "ok": False, "api_version": 11}], "present", "interface version 11, not 12"),
    (RAN[:1] + [failed("create_vm", "EBUSY", "KVM_CREATE_VM")], "openable", "another hypervisor on this host"),
    (RAN[:1] + [failed("create_vm", "EIO", "KVM_CREATE_VM")], "openable", "firmware has locked"),
    (RAN[:2] + [failed("run", "EINVAL", "KVM_SET_SREGS")], "create_vm", "KVM_SET_SREGS of /dev/kvm failed"),
    (RAN[:2] + [{"level": "run", "ok": False, "exit": "internal_error", "detail": "not emulated"}], "create_vm",
     "boots no unmodified kernel"),
    (RAN[:2] + [{"level": "run", "ok": False, "exit": "io", "value": 3, "expected": 127}], "create_vm",
     "it answered 3, not 127"),
    (RAN[:2] + [{"level": "run", "ok": None, "words": "this Python has no ctypes"}], "create_vm",
     "install the whole standard library"),
])
def test_a_level_that_fails_says_what_to_do(machine, answers, level, words):
    machine.answers = answers
    facts, handlers = machine.facts()
    kvm = facts["kvm"]
    assert kvm["level"] == level
    assert kvm["usable"] is not True
    assert any(words in reason for reason in kvm["reasons"])
    assert not any(one["offered"] for one in handlers.values())
    # What stands above a level that failed is no longer unknown.
    above = LEVELS[LEVELS.index(level) + 1:]
    assert {kvm[name] for name in above} == ({None} if answers[-1]["ok"] is None else {False})


def test_a_guest_that_runs_without_the_flag_is_not_enough(tmp_path, monkeypatch):
    machine = host_machine.made(tmp_path, monkeypatch, host_machine.AMD.replace(" svm npt", " hypervisor"))
    kvm = machine.facts()[0]["kvm"]
    assert (kvm["run"], kvm["usable"]) == (True, False)
    assert "neither svm nor vmx" in kvm["reasons"][0]
    assert "at its hypervisor" in kvm["reasons"][0]


def test_on_arm_the_probe_ends_at_create_vm(tmp_path, monkeypatch):
    machine = host_machine.made(tmp_path, monkeypatch, "processor\t: {0}\nCPU implementer\t: 0x41\n")
    machine.write("proc/sys/kernel/arch", "aarch64\n")
    facts, handlers = machine.facts()
    assert (facts["kvm"]["run"], facts["kvm"]["create_vm"], facts["kvm"]["usable"]) == (None, True, True)
    assert "the guest program is for x86_64" in facts["sources"]["kvm"]
    assert [argv[-2] for argv in machine.asked if "-c" in argv] == ["create_vm"]
    assert handlers["qemu-runtime-rs"]["offered"]
    assert "x86_64, and this host is aarch64" in handlers["clh"]["reasons"][0]


def test_elsewhere_nothing_is_claimed(tmp_path, monkeypatch):
    machine = host_machine.made(tmp_path, monkeypatch, "processor\t: {0}\ncpu\t\t: POWER10\n")
    machine.write("proc/sys/kernel/arch", "ppc64le\n")
    kvm = machine.facts()[0]["kvm"]
    assert (kvm["create_vm"], kvm["run"], kvm["usable"]) == (True, None, None)


@pytest.mark.parametrize("kind", ["FIFO", "regular file", "directory", "another device"])
def test_what_is_no_device_of_kvm_is_never_opened(tmp_path, monkeypatch, kind):
    machine = host_machine.made(tmp_path, monkeypatch)
    machine.nodes.pop("/dev/kvm")
    path = machine.root / "dev/kvm"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "regular file":
        path.write_bytes(b"")
    elif kind == "directory":
        path.mkdir()
    else:
        machine.nodes["/dev/kvm"] = (1, 3)
    facts, _handlers = machine.facts()
    assert (facts["kvm"]["present"], facts["kvm"]["level"], facts["kvm"]["usable"]) == (False, None, False)
    assert ("number 1:3" if kind == "another device" else "is a " + kind) in facts["sources"]["kvm"]
    assert not [argv for argv in machine.asked if "-c" in argv]


def test_without_kvm_the_module_to_load_is_named(machine):
    machine.lose("/dev/kvm")
    kvm = machine.facts()[0]["kvm"]
    assert kvm["usable"] is False
    assert kvm["reasons"] == ["there is no /dev/kvm (absent); load the module kvm_amd"]


def test_a_node_without_its_driver_is_not_opened(machine):
    machine.misc({name: number for name, number in host_machine.NUMBERS.items() if name != "kvm"})
    facts, _handlers = machine.facts()
    assert (facts["kvm"]["present"], facts["kvm"]["openable"], facts["kvm"]["usable"]) == (True, None, None)
    assert facts["sources"]["kvm"].startswith("not loaded: ")
    assert not [argv for argv in machine.asked if "-c" in argv]


def test_without_proc_misc_it_is_not_opened_either(machine):
    (machine.root / "proc/misc").unlink()
    facts, _handlers = machine.facts()
    assert facts["kvm"]["openable"] is None
    assert "/proc/misc cannot be read" in facts["sources"]["kvm"]
    assert not [argv for argv in machine.asked if "-c" in argv]


def child(source):
    """Answers of a real child that runs ``source`` in place of the program."""
    return lambda argv, timeout: execute(argv[:4] + [source] + argv[5:], timeout)


HANGS = """
import json, os, sys, time
print(json.dumps({"level": "openable", "ok": True, "api_version": 12}), flush=True)
print(json.dumps({"level": "create_vm", "ok": True}), flush=True)
sys.stdout.write('{"level": "run", "ok": tr')
sys.stdout.flush()
open(%r, "w").write(str(os.getpid()))
if os.fork() == 0:
    time.sleep(600)
time.sleep(600)
"""


def test_a_child_that_hangs_is_ended_with_all_it_started(machine, tmp_path):
    machine.answers = child(HANGS % str(tmp_path / "pid"))
    facts, handlers = machine.facts(timeout=1.5)
    assert facts["sources"]["kvm"] == "error: no answer within 1.5 s; it got as far as create_vm"
    assert (facts["kvm"]["level"], facts["kvm"]["run"], facts["kvm"]["usable"]) == ("create_vm", None, None)
    assert "no answer within 1.5 s" in handlers["qemu"]["reasons"][0]
    number = int((tmp_path / "pid").read_text())
    for _again in range(100):
        if not alive(number):
            break
        time.sleep(0.05)
    assert not alive(number)


def alive(group):
    """Whether a process of a group still runs."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


@pytest.mark.parametrize("source, words", [
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
    ("import signal, os; os.kill(os.getpid(), signal.SIGALRM)", "no answer within"),
    ("raise SystemError('no more')", "ended with status 1: SystemError: no more"),
    ("print('hello')", "said nothing that can be read"),
    ("", "said nothing that can be read"),
])
def test_a_child_that_dies_costs_the_probe_only(machine, source, words):
    machine.answers = child(source)
    facts, handlers = machine.facts()
    assert words in facts["sources"]["kvm"]
    assert facts["kvm"]["usable"] is None
    assert facts["runtimes"]["containerd"]["version"] == "1.7.24"
    assert not handlers["qemu"]["offered"]


def test_a_child_that_cannot_be_started_is_a_status(machine):
    def none(argv, timeout):
        raise HostError("there is no program")

    machine.answers = none
    assert machine.facts()[0]["sources"]["kvm"] == "error: there is no program"


def test_below_a_root_this_machine_is_not_asked(machine):
    host = Host(str(machine.root))
    cpu, arch, _status = host_cpu.observe(host)
    node = host_nodes.observe(host, None)[0]["kvm"]
    facts, status = kvm_probe.observe(host, node, cpu, arch, "run", 5)
    assert status.startswith("not asked: below a root only files are read")
    assert (facts["present"], facts["openable"], facts["usable"]) == (True, None, None)


def test_a_child_that_says_nothing_is_a_reason():
    cpu = {"flags": ["svm"], "hypervisor": False, "virtualization": "svm"}
    facts = kvm_probe.judge({"node": True, "driver": True, "status": "ok"}, [], "ok", cpu, "x86_64", "run")
    assert not facts["usable"] and "without a word about the level openable" in facts["reasons"][0]


@given(st.text())
def test_any_text_is_read(text):
    for answer in kvm_probe.parse(text):
        assert answer["level"] in LEVELS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6)


@given(st.lists(JSON, max_size=4))
def test_any_json_is_read(values):
    assert kvm_probe.parse("\n".join(json.dumps(value) for value in values)) == []


FLAGS = st.one_of(st.none(), st.sets(st.sampled_from(("svm", "vmx", "npt", "hypervisor"))).map(sorted))
ANSWERS = st.lists(st.builds(lambda level, ok, code: {"level": level, "ok": ok, "errno": code},
                             st.sampled_from(LEVELS[1:]), st.sampled_from((True, False, None)),
                             st.sampled_from((None, "EIO", "E?"))), max_size=4)


@given(st.booleans(), st.sampled_from((True, False, None)), ANSWERS, st.sampled_from(("ok", "absent", "error: x")),
       FLAGS, st.sampled_from(("x86_64", "aarch64", "ppc64le", None)), st.sampled_from(LEVELS))
def test_usable_is_claimed_on_what_was_seen_only(present, driver, answers, status, flags, arch, depth):
    cpu = {"flags": flags, "hypervisor": None if flags is None else "hypervisor" in flags,
           "virtualization": next((one for one in ("svm", "vmx") if one in (flags or ())), None)}
    facts = kvm_probe.judge({"node": present, "driver": driver, "status": "some"}, answers, status, cpu, arch, depth)
    seen = {one["level"] for one in answers if one["ok"]}
    if facts["usable"]:
        assert ("create_vm" if arch == "aarch64" else "run") in seen
        assert arch == "aarch64" or cpu["virtualization"]
    else:
        assert facts["reasons"]
    assert facts["level"] is None or facts[facts["level"]] is True
