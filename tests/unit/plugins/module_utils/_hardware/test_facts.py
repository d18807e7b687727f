# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of whole synthetic hosts: their shape, what they cost, and what cannot break them."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts, vendor_tools
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, filler, h200, l40s
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEVICE = {
    "address", "vendor_id", "device_id", "subsystem_vendor_id", "subsystem_device_id", "revision", "vendor", "model",
    "models", "known", "class", "class_name", "kind", "numa_node", "link", "bars", "reset_methods", "modalias",
    "driver", "driver_override", "vfio_driver", "iommu_group", "group", "sriov", "vgpu", "mig", "partition", "holders",
    "in_use", "health", "firmware", "uuid", "driver_version", "sources", "device_links", "boot_vga",
    "interfaces_up"}
HOST = {
    "kernel", "iommu", "secure_boot", "lockdown", "modules", "vfio_drivers", "nvidia", "hugepages", "memory_kib",
    "cpus", "driver_overrides", "boot_drivers", "slicing", "os", "sources", "dropped_rows", "counts", "seconds"}


def absent(argv, timeout):
    raise HostError(f"there is no program {argv[0]} on this host")


def host_of(tree):
    return Host(str(tree.root), runner=absent)


def collect(tree, also=(), tools=True):
    return facts.collect(host_of(tree), also, tools)


def zoo(tree):
    """One of everything."""
    h200(tree)
    tree.function("0000:45:00.0", "1002:74a1", "120000", driver="amdgpu", sub="1002:74a1", extra={
        "current_compute_partition": "SPX\n", "available_compute_partition": "SPX, DPX, QPX, CPX\n",
        "current_memory_partition": "NPS1\n", "available_memory_partition": "NPS1, NPS4\n",
        "vbios_version": "113-M3000100-102\n"})
    tree.function("0000:46:00.0", "1da3:1060", "120000", driver="habanalabs")
    tree.function("0000:05:00.0", "10de:22a3", "068000", driver="nvidia-nvswitch")
    tree.function("0000:c3:00.0", "1a03:2000", "030000", driver="ast")
    tree.function("0000:47:00.0", "10de:ffff", "030200")
    tree.function("0001:c8:00.0", "10de:2bb5", "030200")
    nic = tree.function("0000:17:00.0", "8086:10c9", "020000", driver="igb")
    tree.vfs(nic, ["0000:17:10.0"], "8086:10ca", "020000", 7, driver="igbvf")
    l40s(tree, count=4)
    return nic


def test_every_device_has_every_field(tmp_path):
    tree = Tree(tmp_path)
    nic = zoo(tree)
    found = collect(tree, [nic, "0000:41:00.1"])
    assert [one["address"] for one in found["others"]] == [nic, "0000:41:00.1"]
    for device in found["accelerators"] + found["others"]:
        assert DEVICE - set(device) == set()
        assert "serial" not in json.dumps(device).replace("serial bus", "").lower()
    assert HOST - set(found["host"]) == set()
    assert json.loads(json.dumps(found)) == found


def test_accelerators_are_those_of_the_four_classes(tmp_path):
    tree = Tree(tmp_path)
    zoo(tree)
    found = {one["address"]: one for one in collect(tree)["accelerators"]}
    assert list(found) == sorted(found)
    assert {name: (one["kind"], one["known"], one["model"]) for name, one in found.items() if not one["sriov"]} == {
        "0000:41:00.0": ("gpu", True, "H200 SXM 141GB"), "0000:45:00.0": ("gpu", True, "Instinct MI300X"),
        "0000:46:00.0": ("gpu", True, "Gaudi3"), "0000:47:00.0": ("gpu", False, None),
        "0000:c3:00.0": ("display", False, None),
        "0001:c8:00.0": ("gpu", True, "RTX PRO 6000 Blackwell Server Edition")}
    assert sum(one["sriov"] is not None for one in found.values()) == 5
    assert found["0000:45:00.0"]["partition"] == {
        "compute": "SPX", "compute_available": ["SPX", "DPX", "QPX", "CPX"], "memory": "NPS1",
        "memory_available": ["NPS1", "NPS4"]}
    assert found["0000:45:00.0"]["firmware"]["vbios"] == "113-M3000100-102"
    assert found["0000:41:00.0"]["partition"] is None


def test_the_host(tmp_path):
    tree = Tree(tmp_path)
    h200(tree, driver="vfio-pci")
    (tmp_path / "sys/bus/pci/drivers/nvgrace_gpu_vfio_pci").mkdir()
    tree.interrupts("IR-IO-APIC")
    tree.hugepages(0, 1048576, 4, 4)
    tree.write("etc/driverctl.d/pci-0000:41:00.0", "vfio-pci\n")
    tree.write("sys/module/vfio_pci/version", "0.2\n")
    found = collect(tree)
    host = found["host"]
    assert host["kernel"]["release"].startswith("6.12")
    assert host["kernel"]["arguments"][-2:] == ["intel_iommu=on", "iommu=pt"]
    assert host["iommu"] == {"enabled": True, "groups": 1, "interrupt_remapping": True, "translation": "identity"}
    assert host["vfio_drivers"] == ["nvgrace_gpu_vfio_pci", "vfio-pci"]
    assert host["driver_overrides"] == {"0000:41:00.0": "vfio-pci"}
    assert host["modules"]["vfio_pci"]["loaded"] is True
    assert host["os"] == {"id": "ubuntu", "id_like": ["debian"], "version_id": "24.04"}
    assert (host["nvidia"], host["dropped_rows"]) == (None, 0)
    assert host["sources"]["pci"] == host["sources"]["modules.alias"] == host["sources"]["holders"] == "ok"
    assert host["sources"]["nvidia_driver"] == "absent"
    assert host["sources"]["nvidia-smi"] == "absent"
    assert found["accelerators"][0]["driver_version"] == "0.2"
    assert found["accelerators"][0]["vfio_driver"] == "vfio-pci"


def test_an_empty_root(tmp_path):
    found = facts.collect(Host(str(tmp_path), runner=absent))
    assert (found["accelerators"], found["others"], found["not_found"]) == ([], [], [])
    assert found["host"]["iommu"]["enabled"] is False
    assert found["host"]["sources"]["pci"] == "absent"
    assert found["host"]["kernel"] == {"release": None, "arguments": []}


def test_what_was_asked_for_and_is_not_there(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree)
    found = collect(tree, ["0000:41:00.2", card, "00000000:41:00.1", "0000:41:00.1"])
    assert [one["address"] for one in found["others"]] == ["0000:41:00.1"]
    assert len(found["accelerators"]) == 1
    assert found["not_found"] == [{
        "address": "0000:41:00.2",
        "status": "no PCI function of this host has this address; the nearest is 0000:41:00.1"}]


def test_who_holds_a_device(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, driver="vfio-pci", audio=False)
    tree.process(4711, "qemu-system-x86", ["/dev/vfio/1", "/dev/vfio/vfio", "socket:[1]"])
    device = collect(tree)["accelerators"][0]
    assert device["in_use"] is True
    assert [(one["kind"], one["pid"], one["what"]) for one in device["holders"]] == [("vfio", 4711, "/dev/vfio/1")]
    assert device["address"] == card


# What 8 GPUs with audio functions, 400 functions and 2,000 processes cost, apart from the vendors' tools: one opened
# file for each function on the bus, no more than 25 for each that is described, one listed directory for each process.
def test_a_large_host_is_read_with_few_system_calls(tmp_path):
    tree = Tree(tmp_path)
    for number in range(8):
        h200(tree, f"{0x11 + 0x10 * number:02x}", driver="vfio-pci")
    filler(tree, 384)
    for pid in range(1, 2001):
        tree.process(pid, "worker", ["/dev/null", f"socket:[{pid}]"])
    host = host_of(tree)
    began = (host.counts.opened, host.counts.listed)
    found = facts.collect(host, tools=False)
    counts = found["host"]["counts"]
    assert len(found["accelerators"]) == 8
    assert len(os.listdir(tmp_path / "sys/bus/pci/devices")) == 400
    assert counts["started"] == 0
    assert 400 < counts["opened"] <= 400 + 8 * 25 + 100
    assert 2000 < counts["listed"] <= 2000 + 8 * 6 + 40
    assert (host.counts.opened - began[0], host.counts.listed - began[1]) == (counts["opened"], counts["listed"])


def test_functions_of_no_interest_are_opened_once(tmp_path):
    tree = Tree(tmp_path)
    h200(tree)
    small = collect(tree, tools=False)["host"]["counts"]
    filler(tree, 120)
    large = collect(tree, tools=False)["host"]["counts"]
    assert {key: large[key] - small[key] for key in small} == {"opened": 120, "listed": 0, "started": 0}


def test_a_second_collection_counts_from_zero(tmp_path):
    tree = Tree(tmp_path)
    zoo(tree)
    host = host_of(tree)
    assert facts.collect(host, tools=False)["host"]["counts"] == facts.collect(host, tools=False)["host"]["counts"]


def test_a_nic_whose_interface_is_up_and_a_card_with_the_console(tmp_path):
    tree = Tree(tmp_path)
    nic = tree.function("0000:17:00.0", "8086:10c9", "020000", driver="igb")
    for name, flags in (("eno1", "0x1003"), ("eno2", "0x1002"), ("eno3", "garbage")):
        tree.write(f"{tree.home(nic)}/net/{name}/flags", flags + "\n")
    tree.function("0000:c3:00.0", "1a03:2000", "030000", extra={"boot_vga": "1\n"})
    found = collect(tree, [nic])
    assert [(one["interfaces_up"], one["boot_vga"]) for one in found["others"]] == [(["eno1"], False)]
    assert [(one["interfaces_up"], one["boot_vga"]) for one in found["accelerators"]] == [([], True)]


@pytest.mark.parametrize("name", [
    "boot_drivers", "slicing", "secure_boot", "modules", "nvidia_driver", "holders", "kernel_log", "vendor_tools"])
def test_a_source_that_fails_costs_only_itself(tmp_path, monkeypatch, name):
    def broken(*arguments):
        raise ValueError("nobody thought of this")

    tree = Tree(tmp_path)
    h200(tree)
    whole = collect(tree)
    monkeypatch.setattr(getattr(facts, name), {
        "kernel_log": "xids", "vendor_tools": "overlay"}.get(name, "observe"), broken)
    found = collect(tree)
    assert found["host"]["sources"][name] == "error: ValueError: nobody thought of this"
    assert found["accelerators"][0]["model"] == whole["accelerators"][0]["model"]
    assert HOST - set(found["host"]) == set()


def test_tools_lie_over_devices_and_never_add_one(tmp_path, monkeypatch):
    def overlay(host, devices):
        devices[0].update(uuid="GPU-1", driver_version="590.48.01")
        return {"nvidia-smi": "ok"}, 3

    tree = Tree(tmp_path)
    h200(tree)
    monkeypatch.setattr(vendor_tools, "overlay", overlay)
    found = collect(tree)
    assert [one["uuid"] for one in found["accelerators"]] == ["GPU-1"]
    assert (found["host"]["sources"]["nvidia-smi"], found["host"]["dropped_rows"]) == ("ok", 3)
    assert "vendor_tools" not in found["host"]["sources"]
    assert [one["uuid"] for one in collect(tree, tools=False)["accelerators"]] == [None]


ATTRIBUTES = ("vendor", "device", "class", "resource", "modalias", "reset_method", "numa_node", "driver_override",
              "sriov_totalvfs", "sriov_numvfs", "current_link_width", "nvidia/creatable_vgpu_types",
              "nvidia/current_vgpu_type", "current_compute_partition", "vbios_version")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(ATTRIBUTES), st.one_of(st.binary(max_size=300), st.just(b"x" * 200000))))
def test_no_content_breaks_the_facts(tmp_path_factory, contents):
    tree = Tree(tmp_path_factory.mktemp("host"))
    card = h200(tree)
    for name, content in contents.items():
        tree.write(f"{tree.home(card)}/{name}", content)
    found = collect(tree, [card], tools=False)
    device = (found["accelerators"] + found["others"])[0]
    assert device["address"] == card
    assert DEVICE - set(device) == set()
    json.dumps(found)


@pytest.mark.parametrize("text, words", [
    ("41:00.0", "with its domain it may be 0000:41:00.0"), ("2460.0", "put it in quotes"),
    ("0000:41:00", "expected domain"), ("", "expected domain"), ("0000:41:00.9", "such as 0000:41:00.0"),
])
def test_an_address_with_a_typo_is_refused(text, words):
    problems = facts.validate({"root": "/", "addresses": ["0000:41:00.0", text]})
    assert len(problems) == 1
    assert problems[0].startswith(f"addresses[1]: {text!r} is no PCI address; ") and words in problems[0]
