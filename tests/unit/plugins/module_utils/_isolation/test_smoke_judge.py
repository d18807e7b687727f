# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a pod counts as being in a virtual machine of its own: every assertion alone can refuse it."""

from __future__ import annotations

import copy
import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke_guest, smoke_judge
from hypothesis import given
from hypothesis import strategies as st

GPU = {"address": "0000:41:00.0", "id": "10de:2335", "subsystem": "10de:18be"}
NIC = {"address": "0000:17:00.0", "id": "15b3:1021", "subsystem": "15b3:0023"}
BRIDGE = {"address": "0000:00:00.0", "id": "8086:29c0", "subsystem": "1af4:1100"}
RANDOM = {"address": "0000:00:01.0", "id": "1af4:1005", "subsystem": "1af4:0004"}
GOOD = {
    "problem": None,
    "host": {"release": "6.12.107", "boot_id": "aaaa", "pci": [BRIDGE, NIC, GPU],
             "nodes": {"/dev/sda": "block", "/dev/null": "char", "/dev/kvm": "char", "/dev/vfio/9": "char"}},
    "guest": {"release": "6.18.35", "boot_id": "bbbb", "pci": [BRIDGE, RANDOM], "nodes": {"/dev/null": "char"}},
    "hypervisors": [{"pid": 7, "name": "qemu-system-x86_64", "kvm": True}],
    "devices": [],
    "left": {},
}


def judged(**changes):
    """The names of the assertions that fail, when the good case is changed: `guest__release=…` changes a part."""
    observed = copy.deepcopy(GOOD)
    for key, value in changes.items():
        part = observed
        *parents, last = key.split("__")
        for name in parents:
            part = part[name]
        part[last] = value
    return {one["name"]: one["message"] for one in smoke_judge.judge(observed) if not one["passed"]}


def test_a_virtual_machine_passes():
    rows = smoke_judge.judge(GOOD)
    assert [one["name"] for one in rows] == ["sandbox", "kernel", "boot id", "hypervisor", "host devices", "torn down"]
    assert smoke_judge.passed(rows)
    assert "virtual machine of its own" in smoke_judge.summary("kata", rows)


def test_what_runc_shows_is_not_a_virtual_machine():
    found = judged(guest=dict(GOOD["host"], nodes={"/dev/null": "char"}), hypervisors=[])
    assert sorted(found) == ["boot id", "host devices", "hypervisor", "kernel"]
    assert "the PCI bus of the host, with all its 3 functions" in found["host devices"]


def test_what_gvisor_shows_is_not_a_virtual_machine():
    observed = dict(GOOD, guest={"release": "4.4.0", "boot_id": None, "pci": [], "nodes": {}}, hypervisors=[])
    rows = smoke_judge.judge(observed)
    assert [one["name"] for one in rows if not one["passed"]] == ["boot id", "hypervisor"]
    assert smoke_judge.summary("runsc", rows).startswith("handler runsc: not a virtual machine: ")


@pytest.mark.parametrize(("change", "name"), [
    ({"guest__release": "6.12.107"}, "kernel"),
    ({"guest__release": None}, "kernel"),
    ({"host__release": None}, "kernel"),
    ({"guest__boot_id": "aaaa"}, "boot id"),
    ({"guest__boot_id": None}, "boot id"),
    ({"hypervisors": []}, "hypervisor"),
    ({"guest__pci": [BRIDGE, GPU]}, "host devices"),
    ({"guest__nodes": {"/dev/kvm": "char"}}, "host devices"),
    ({"guest__nodes": {"/dev/sda": "block"}}, "host devices"),
    ({"left": {"processes": ["qemu-system-x86_64 (pid 7)"]}}, "torn down"),
    ({"left": {"mounts": ["/run/kata-containers/x"]}}, "torn down"),
    ({"problem": "crictl exec: gone"}, "sandbox"),
])
def test_one_thing_that_is_wrong_is_one_assertion_that_fails(change, name):
    assert list(judged(**change)) == [name]


def test_without_an_answer_there_is_no_pass_and_no_claim():
    observed = dict(GOOD, guest=None, problem="crictl runp: no such handler")
    rows = smoke_judge.judge(observed)
    assert [(one["name"], one["passed"]) for one in rows] == [("sandbox", False), ("torn down", True)]
    said = smoke_judge.summary("kata", rows)
    assert "no such handler" in said and smoke_judge.NOT_A_VM not in said


def test_a_pod_has_device_nodes_of_its_own():
    nodes = {"/dev/null": "char", "/dev/pts/0": "char", "/dev/console": "char", "/dev/mine": "char"}
    assert judged(guest__nodes=nodes) == {}
    assert judged(guest__nodes={"/dev/sda": "char"}) == {}  # the host's is a block device


def requested(**changes):
    return dict({"address": GPU["address"], "id": GPU["id"], "node": "/dev/vfio/9", "holders": [7]}, **changes)


def test_a_device_is_inside_and_held_by_its_hypervisor_alone():
    inside = [BRIDGE, dict(GPU, address="0000:01:00.0")]
    assert judged(devices=[requested()], guest__pci=inside) == {}
    # A container in the guest may have the VFIO node of the guest's own group.
    assert judged(devices=[requested()], guest__pci=inside, guest__nodes={"/dev/vfio/9": "char"}) == {}
    name = "device " + GPU["address"]
    assert "is not in the pod" in judged(devices=[requested()])[name]
    assert "held by process 8" in judged(devices=[requested(holders=[7, 8])], guest__pci=inside)[name]
    assert "not held by the hypervisor" in judged(devices=[requested(holders=[])], guest__pci=inside)[name]


def test_two_cards_of_one_model_are_two_in_the_pod():
    both = [requested(), requested(address="0000:61:00.0")]
    one = [dict(GPU, address="0000:01:00.0")]
    assert sorted(judged(devices=both, guest__pci=one)) == ["device 0000:41:00.0", "device 0000:61:00.0"]
    assert judged(devices=both, guest__pci=one + [dict(GPU, address="0000:02:00.0")]) == {}


HEXADECIMAL = st.text("0123456789abcdef", min_size=4, max_size=4)
FUNCTIONS = st.builds(
    lambda bus, ids: {"address": "0000:{0:02x}:00.0".format(bus), "id": "{0}:{1}".format(*ids[:2]),
                      "subsystem": "{0}:{1}".format(*ids[2:])},
    st.integers(0, 255), st.tuples(HEXADECIMAL, HEXADECIMAL, HEXADECIMAL, HEXADECIMAL))


@given(st.lists(FUNCTIONS, max_size=6), st.lists(FUNCTIONS, max_size=6), st.data())
def test_no_device_of_the_host_is_ever_overlooked(host, guest, data):
    shown = data.draw(st.lists(st.sampled_from(host), max_size=3)) if host else []
    theirs = guest + shown
    bad = any(one in host and not smoke_judge.emulated(one["id"]) for one in theirs)
    found = judged(host__pci=host, guest__pci=theirs)
    if bad:
        assert list(found) == ["host devices"]


@given(st.text())
def test_what_is_no_answer_of_the_script_is_none(text):
    assert smoke_guest.parse(text) is None or ("smoke 1" in text and "end" in text)


def test_the_script_runs_in_a_plain_shell_and_is_read():
    printed = subprocess.run(["/bin/sh", "-c", smoke_guest.SCRIPT], capture_output=True, text=True, check=True)
    assert printed.stderr == ""
    found = smoke_guest.parse("banner\n" + printed.stdout)
    with open("/proc/sys/kernel/osrelease", encoding="ascii") as stream:
        assert found["release"] == stream.read().strip()
    assert found["nodes"]["/dev/null"] == "char"
    assert len(found["boot_id"]) == 36
    assert smoke_guest.parse(printed.stdout.replace("end", "")) is None


def test_a_kernel_without_osrelease_is_named_by_its_version():
    text = "smoke 1\nrelease \nboot_id \nversion Linux version 4.4.0 #1 SMP\npci nonsense\nnode char /etc/x\nend\n"
    assert smoke_guest.parse(text) == {"release": "4.4.0", "boot_id": None, "pci": [], "nodes": {}}


def test_a_pci_function_is_read():
    assert smoke_guest.pci_function("0000:41:00.0 0x10de 0x2335 0x10de 0x18be") == GPU
    assert smoke_guest.pci_function("0000:41:00.0 0x10de 0x2335") is None
