# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor, confidential computing, runtimes and snapshotters as facts, and this very machine."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import host_cpu, host_facts, host_runtimes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import host_machine
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import h200
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture()
def machine(tmp_path, monkeypatch):
    return host_machine.made(tmp_path, monkeypatch)


@pytest.mark.parametrize("text, expected", [
    (host_machine.AMD * 2, {"vendor": "AuthenticAMD", "processors": 2, "virtualization": "svm", "nested_paging": True,
                            "hypervisor": False, "flags": ["svm", "npt", "popcnt", "bmi1", "bmi2", "avx2"]}),
    (host_machine.INTEL, {"vendor": "GenuineIntel", "processors": 1, "virtualization": "vmx", "nested_paging": True,
                          "flags": ["vmx", "ept", "vpid", "unrestricted_guest", "bmi2", "avx2"]}),
    # One processor without the flag: no guest may run there.
    ("processor : 0\nflags : svm npt\n\nprocessor : 1\nflags : npt\n", {"virtualization": None, "flags": ["npt"]}),
    ("processor : 0\nflags : npt\n\nprocessor : 1\nflags : svm npt\n", {"virtualization": None, "flags": ["npt"]}),
    ("processor\t: 0\nCPU implementer\t: 0x41\n", {"vendor": "0x41", "flags": None, "virtualization": None,
                                                   "nested_paging": None, "hypervisor": None}),
    ("", {"vendor": None, "processors": 0, "flags": None}),
])
def test_the_processor(text, expected):
    found = host_cpu.parse(text)
    assert {name: found[name] for name in expected} == expected


@given(st.text())
def test_any_cpuinfo_is_read(text):
    found = host_cpu.parse(text)
    assert found["processors"] >= 0
    assert set(found["flags"] or ()) <= set(host_cpu.FLAGS)


@given(st.one_of(st.none(), st.text()))
def test_any_count_is_read(text):
    assert all(number >= 0 for number in host_cpu.counts(text).values())
    assert host_cpu.switch(text) in (True, False, None)


def test_confidential_computing(machine):
    for name, value in (("sev", "Y"), ("sev_es", "Y"), ("sev_snp", "Y")):
        machine.write("sys/module/kvm_amd/parameters/" + name, value + "\n")
    machine.write("sys/fs/cgroup/misc.capacity", "sev 410\nsev_es 99\n")
    machine.write("sys/fs/cgroup/misc.current", "sev 0\nsev_es 3\n")
    found = machine.facts()[0]["confidential"]
    assert found["sev_snp"] == {"enabled": True, "sev": True, "sev_es": True, "node": True}
    assert found["tdx"] == {"enabled": None}
    assert found["keys"] == {"sev": {"capacity": 410, "used": 0}, "sev_es": {"capacity": 99, "used": 3}}


def test_sgx(machine):
    machine.write("sys/module/kvm_intel/parameters/sgx", "Y\n")
    machine.write("sys/module/kvm_intel/parameters/tdx", "N\n")
    for node in (0, 1):
        machine.write(f"sys/devices/system/node/node{node}/x86/sgx_total_bytes", "1073741824\n")
    found = machine.facts()[0]["confidential"]
    assert found["sgx"] == {"enabled": True, "node": False, "epc_bytes": 2 << 30}
    assert found["tdx"] == {"enabled": False}


def test_the_rest_of_a_host(machine):
    facts, _handlers = machine.facts()
    assert (facts["arch"], facts["kernel"]) == ("x86_64", host_machine.RELEASE)
    assert facts["cgroup"]["version"] == 2
    assert (facts["dev_shm_kib"], facts["memory_kib"]) == (8388608, 2113456128)
    assert facts["syslog"] == {"path": "/dev/log", "listening": True}
    assert facts["kvm"]["nested"] is True
    assert facts["kvm"]["modules"] == ["kvm", "kvm_amd"]
    assert facts["vfio"] == {"container": True, "iommufd": False, "cdev": []}


def test_cgroups_of_version_1(machine):
    (machine.root / "sys/fs/cgroup/cgroup.controllers").unlink()
    assert machine.facts()[0]["cgroup"] == {"version": None, "controllers": []}
    machine.write("sys/fs/cgroup/memory/tasks", "")
    machine.write("sys/fs/cgroup/misc/misc.capacity", "sev_es 7\n")
    facts, _handlers = machine.facts()
    assert facts["cgroup"]["version"] == 1
    assert facts["confidential"]["keys"] == {"sev_es": {"capacity": 7, "used": None}}


@pytest.mark.parametrize("text, expected", [
    ("containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+b4\n", "1.7.24"),
    ("containerd github.com/containerd/containerd/v2 2.1.9~ds1 2.1.9~ds1-1\n", "2.1.9"),
    ("containerd containerd.io v2.3.0-rc.1 3f4a2b1\n", "2.3.0"),
    ("crio version 1.34.0\nVersion: 1.34.0\nGoVersion: go1.24.3\n", "1.34.0"),
    ("Docker version 26.1.5+dfsg1, build a72d7cd\n", "26.1.5"),
    ("mkfs.erofs 1.5\n", "1.5"), ("mkfs.erofs (erofs-utils) 1.8.6\navailable compressors: lz4\n", "1.8.6"),
    ("Version: \tv0.15.15\nReverse: abc\n", "0.15.15"), ("", None), ("no version here", None), ("build 7", None),
])
def test_versions(text, expected):
    assert host_runtimes.version(text) == expected


@given(st.text())
def test_any_version_can_be_compared(text):
    found = host_runtimes.version(text)
    assert found is None or host_runtimes.numbers(found) >= (0,)


@pytest.mark.parametrize("printed, enough", [("mkfs.erofs 1.5\n", False), ("mkfs.erofs (erofs-utils) 1.8.2\n", True),
                                             ("mkfs.erofs (erofs-utils) 1.10\n", True)])
def test_mkfs_erofs(machine, printed, enough):
    machine.programs["mkfs.erofs"] = printed
    assert machine.facts()[0]["snapshotters"]["mkfs_erofs"]["enough"] is enough


def test_a_version_on_the_standard_error_counts(machine):
    usual = machine.run
    machine.programs["mkfs.erofs"] = ""
    machine.run = lambda argv, timeout: Finished(tuple(argv), 0, "\n", "mkfs.erofs 1.4\n") \
        if argv[0] == "mkfs.erofs" else usual(argv, timeout)
    assert machine.facts()[0]["snapshotters"]["mkfs_erofs"]["version"] == "1.4"


@pytest.mark.parametrize("printed, found, status", [
    # As erofs-utils 1.5 of Debian 12 does.
    ("mkfs.erofs 1.5\n", "1.5", "ok"),
    ("7.7.7\n", None, "error: mkfs.erofs ended with status 1: unrecognized option '--version'"),
    ("mkfs.erofs\n", None, "error: mkfs.erofs ended with status 1: unrecognized option '--version'"),
])
def test_a_program_that_does_not_know_the_option(machine, printed, found, status):
    usual = machine.run
    machine.programs["mkfs.erofs"] = ""
    machine.run = lambda argv, timeout: usual(argv, timeout) if argv[0] != "mkfs.erofs" else Finished(
        tuple(argv), 1, printed, "unrecognized option '--version'\n")
    seen = machine.facts()[0]["snapshotters"]["mkfs_erofs"]
    assert (seen["version"], seen["status"], seen["installed"]) == (found, status, True)


@pytest.mark.parametrize("text, version, imports", [
    ('version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n[plugins]\n', 2, ["/etc/containerd/conf.d/*.toml"]),
    ("version = 3\n", 3, []), ("version = 4\nimports = 7\n", 4, []),
    # Only the root table counts, wherever the word stands.
    ("[plugins.a]\nversion = 3\n", 1, []), ('a = """\nversion = 3\n"""\n', 1, []),
    ("", 1, []), ("version = 0\n", 1, []),
])
def test_the_generation_of_a_configuration(machine, text, version, imports):
    machine.write("etc/containerd/config.toml", text)
    config = machine.facts()[0]["runtimes"]["containerd"]["config"]
    assert config == {"file": "/etc/containerd/config.toml", "version": version, "newest": 2, "imports": imports,
                      "status": "ok"}


def test_without_a_file_the_defaults_count(machine):
    config = machine.facts()[0]["runtimes"]["containerd"]["config"]
    assert config == {"file": None, "version": 2, "newest": 2, "imports": [], "status": "ok"}


@pytest.mark.parametrize("text, words", [("version = [", "no TOML"), ('version = "2"\n', "version is '2'"),
                                         ("version = true\n", "version is True"), ("version = -1\n", "version is -1")])
def test_a_broken_configuration_is_a_status(machine, text, words):
    machine.write("etc/containerd/config.toml", text)
    facts, _handlers = machine.facts()
    assert words in facts["sources"]["containerd_config"]
    assert facts["runtimes"]["containerd"]["config"]["version"] is None


@given(st.text())
def test_any_configuration_is_read(text):
    found = host_runtimes.generation(text)
    assert (found["problem"] is None) == (found["version"] is not None)


def test_a_program_that_fails_hangs_or_prints_nonsense_is_a_status(machine):
    replies = {"containerd": Finished(("containerd",), None, "", "", 20.0),
               "crio": Finished(("crio",), 1, "", "broken\n"), "dockerd": Finished(("dockerd",), 0, "whatever")}
    machine.programs = dict.fromkeys(replies, "")
    usual = machine.run
    machine.run = lambda argv, timeout: replies[argv[0]] if argv[0] in replies else usual(argv, timeout)
    runtimes = machine.facts()[0]["runtimes"]
    assert {one["installed"] for one in runtimes.values()} == {True}
    assert runtimes["containerd"]["status"] == "error: containerd gave no answer within 20 s"
    assert runtimes["crio"]["status"] == "error: crio ended with status 1: broken"
    assert "printed no version: 'whatever'" in runtimes["docker"]["status"]


def test_accelerators_with_their_groups(machine):
    h200(machine)
    (found,) = machine.facts()[0]["accelerators"]
    assert (found["address"], found["vendor_id"], found["kind"]) == ("0000:41:00.0", "10de", "gpu")
    assert found["ready"] is False
    assert found["reason"]
    assert "0000:41:00.1" in found["members"]


@pytest.mark.parametrize("drivers, viable, ready, words", [
    (("vfio-pci", "vfio-pci"), True, True, None),
    (("nvgrace_gpu_vfio_pci", None), True, True, None),
    (("vfio-pci", "snd_hda_intel"), False, False, "0000:51:00.1 (audio) is bound to snd_hda_intel"),
    (("nvidia", "vfio-pci"), False, False, "0000:51:00.0 (gpu) is bound to nvidia"),
    ((None, None), True, False, "it is on no driver; a sandbox takes it from a VFIO driver"),
])
def test_a_gpu_is_ready_when_its_whole_group_is(machine, drivers, viable, ready, words):
    for function, ids, class_id, driver in ((0, "10de:2335", "030200", drivers[0]),
                                            (1, "10de:22b9", "040300", drivers[1])):
        machine.function(f"0000:51:00.{function}", ids, class_id, driver=driver, group=7)
    facts, found = machine.facts()
    (gpu,) = facts["accelerators"]
    assert (gpu["viable"], gpu["ready"]) == (viable, ready)
    assert gpu["reason"] is None if words is None else words in gpu["reason"]
    assert found["qemu-nvidia-gpu"]["offered"] is ready
    assert found["qemu-nvidia-gpu"]["accelerators"] == (["0000:51:00.0"] if ready else [])


def test_without_an_iommu_no_gpu_is_ready(tmp_path, monkeypatch):
    machine = host_machine.made(tmp_path, monkeypatch)
    machine.iommu = False
    machine.function("0000:51:00.0", "10de:2335", "030200", driver="vfio-pci")
    (gpu,) = machine.facts()[0]["accelerators"]
    assert (gpu["ready"], gpu["reason"]) == (False, "it has no IOMMU group: the IOMMU is off")


def test_below_a_root_only_files_are_read(machine):
    host = Host(str(machine.root))
    facts = host_facts.collect(host)
    assert facts["kvm"]["openable"] is None
    assert facts["runtimes"]["containerd"]["installed"] is None
    assert facts["runtimes"]["containerd"]["status"] == "not asked: below a root only files are read"


def test_an_empty_host_is_told_of(tmp_path):
    facts = host_facts.collect(Host(str(tmp_path)))
    assert json.dumps(facts)
    assert (facts["kvm"]["present"], facts["kvm"]["usable"]) == (False, False)
    assert (facts["arch"], facts["cgroup"]["version"], facts["memory_kib"]) == (None, None, None)


def test_this_very_machine():
    before = Path("/proc/modules").read_bytes() if Path("/proc/modules").exists() else b""
    result = host_facts.execute(Host("/"), {"root": "/", "probe": "run", "timeout": 60.0})
    kvm = result["kata"]["kvm"]
    after = Path("/proc/modules").read_bytes() if Path("/proc/modules").exists() else b""
    assert names(before) == names(after)
    try:
        present = stat.S_ISCHR(os.stat("/dev/kvm").st_mode)
    except OSError:
        present = False
    assert kvm["present"] is present
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if not flags & {"svm", "vmx"} and result["kata"]["arch"] == "x86_64":
        # Whatever opens here and makes VMs: without the flag no kernel boots in them.
        assert kvm["usable"] is False
    if kvm["usable"]:
        assert kvm["run"] in (True, None)
    else:
        assert kvm["reasons"]
        assert not any(one["offered"] for one in result["handlers"])
    assert not [text for text in result["kata"]["sources"].values() if "Traceback" in text]


def names(modules):
    """Names of loaded modules."""
    return {line.split()[0] for line in modules.splitlines()}
