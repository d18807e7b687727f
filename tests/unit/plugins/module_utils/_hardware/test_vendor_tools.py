# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vendors' tools are laid over devices by address, and add none."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import (
    amd_smi,
    nvidia_smi_vgpu,
    tool_output,
    vendor_tools,
    xpu_smi,
)
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._hardware.smi_documents import (
    LISTING,
    MIG,
    device,
    document,
    gpu,
    host_with,
)
from hypothesis import given, settings
from hypothesis import strategies as st

QX = "nvidia-smi -q -x"
VGPU = "nvidia-smi vgpu -s -v"
AMD = "amd-smi static --json"
ROCM = " ".join(amd_smi.FALLBACK_ARGV)
XPU = "xpu-smi discovery -j"

AMD_GPU = {
    "gpu": 0,
    "asic": {"market_name": "AMD Instinct MI300X", "vendor_id": "0x1002", "asic_serial": "0xSECRET"},
    "bus": {"bdf": "0000:0C:00.0", "max_pcie_width": 16},
    "vbios": {"name": "AMD MI300X", "part_number": "113-M3000100-103", "version": "022.040.003.041.000001"},
    "driver": {"name": "amdgpu", "version": "6.10.5"},
    "board": {"product_serial": "SECRET"},
    "partition": {"compute_partition": "SPX", "memory_partition": "NPS1"},
}
ROCM_CARDS = {
    "card0": {"PCI Bus": "0000:0C:00.0", "VBIOS version": "113-M3000100-103", "Compute Partition": "SPX",
              "Memory Partition": "N/A"},
    "system": {"Driver version": "6.7.0"},
}
XPU_LIST = {"device_list": [{
    "device_function_type": "physical", "device_id": 0, "device_name": "Intel(R) Data Center GPU Flex 170",
    "device_type": "GPU", "drm_device": "/dev/dri/card0", "pci_bdf_address": "0000:4D:00.0",
    "pci_device_id": "0x56c0", "uuid": "00000000-0000-004d-0000-000056c08086"}]}
TYPES = """GPU 00000000:41:00.0
    vGPU Type ID                      : 0x479
        Name                          : NVIDIA L40S-1B
        Class                         : NVS
        GPU Instance Profile ID       : N/A
        Max Instances                 : 32
        Max Instances Per VM          : 1
        FB Memory                     : 1024 MiB
    vGPU Type ID                      : 0x619
        Name                          : NVIDIA RTX Pro 6000 Blackwell DC-1-24Q
        GPU Instance Profile ID       : 47
        Max Instances                 : 4
        Max Instances Per VM          : 1
        Max Instances Per GI          : 1
        FB Memory                     : 24576 MiB
    vGPU Type ID                      : nonsense
        Name                          : without an id
GPU 00000000:42:00.0
"""


@pytest.mark.parametrize("text, expected", [
    ("00000000:83:00.0", "0000:83:00.0"), ("0000:CA:00.0", "0000:ca:00.0"), ("0001:c8:00.0", "0001:c8:00.0"),
    ("00010000:E1:00.0", "10000:e1:00.0"), ("10000:e1:00.0", "10000:e1:00.0"), ("0000:01:00", "0000:01:00.0"),
    ("00000000:00:1E.0", "0000:00:1e.0"), ("83:00.0", None), ("", None), ("0000:83:00.9", None), ("N/A", None),
    (None, None), (7, None),
])
def test_an_address_is_that_of_sysfs(text, expected):
    assert tool_output.address(text) == expected


@pytest.mark.parametrize("text, expected", [
    ("N/A", None), ("[N/A]", None), (" [Not Supported] ", None), ("", None), (None, None), ({}, None), ("0", "0"),
    ("None", "None"), ("Requested functionality has been deprecated", None), (16, "16"),
])
def test_a_tool_that_says_it_has_no_value_has_none(text, expected):
    assert tool_output.cleaned(text) == expected


@pytest.mark.parametrize("text, expected", [
    ("640 bank(s)", 640), ("N/A", None), ("0x5ef", None), ("1.5", None), ("24576 MiB", 24576), ("0", 0), ("-1", None)])
def test_a_number_is_never_made_up(text, expected):
    assert tool_output.number(text) == expected


@pytest.mark.parametrize("script, words", [
    ("sleep 60", "error: tool gave no answer within 0 s"),
    ("printf 'GPU\\377\\000lost'; exit 255", "error: tool ended with status 255"),
    ("kill -9 $$", "error: tool ended with status -9"),
    ("echo out; echo why >&2; exit 3", "error: tool ended with status 3: why"),
    ("exit 0", "ok"),
])
def test_a_real_process(tmp_path, script, words):
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n" + script + "\n")
    program.chmod(0o755)
    began = time.monotonic()
    finished, status = tool_output.ask(Host(str(tmp_path)), [str(program)], timeout=0.4)
    assert status.startswith(words) and time.monotonic() - began < 10
    assert (finished is None) == ("no answer" in words)


def test_a_program_that_is_not_there(tmp_path):
    assert tool_output.ask(Host(str(tmp_path)), [str(tmp_path / "tool")]) == (None, "absent")
    (tmp_path / "tool").write_text("neither a script nor a program")
    (tmp_path / "tool").chmod(0o755)
    finished, status = tool_output.ask(Host(str(tmp_path)), [str(tmp_path / "tool")])
    assert finished is None and status.startswith("error: ") and "could not be started" in status


def test_rows_go_to_their_devices_and_strangers_are_counted(tmp_path):
    devices = [device("0000:06:00.0"), device("0000:07:00.0", driver="vfio-pci")]
    text = document(("00000000:06:00.0", gpu()), ("00000000:99:00.0", gpu()), ("nonsense", gpu()),
                    ("00000000:06:00.0", gpu()))
    sources, dropped = vendor_tools.overlay(host_with(tmp_path, {QX: (0, text)}), devices)
    assert (sources, dropped, len(devices)) == ({"nvidia-smi": "ok"}, 3, 2)
    assert devices[0]["uuid"].startswith("GPU-") and devices[0]["driver_version"] == "580.105.08"
    assert devices[0]["firmware"] == {"vbios": "96.00.99.00.01", "gsp": None}
    assert devices[0]["sources"] == {"nvidia-smi": "ok"}
    assert devices[1]["uuid"] is None and devices[1]["sources"] == {"nvidia-smi": "not listed"}


def test_a_tool_writes_nothing_that_the_bus_knows(tmp_path):
    one = device("0000:06:00.0", firmware={"vbios": None, "gsp": "of sysfs"}, health={"xids": []})
    before = dict(one)
    vendor_tools.overlay(host_with(tmp_path, {QX: (0, document(("0000:06:00.0", gpu())))}), [one])
    for key in ("address", "vendor_id", "class", "driver", "iommu_group", "sriov"):
        assert one[key] == before[key]
    assert one["firmware"]["gsp"] == "of sysfs"
    assert one["health"]["xids"] == [] and one["health"]["ecc_uncorrected"] == 7
    json.dumps(one)


def test_a_tool_is_asked_only_where_its_vendor_is(tmp_path):
    host = host_with(tmp_path, {})
    switch = device("0000:c1:00.0", **{"class": "0680"})
    assert vendor_tools.overlay(host, [device("0000:01:00.0", vendor="1da3", driver="habanalabs"), switch]) == ({}, 0)
    assert host._runner.ran == []
    sources, dropped = vendor_tools.overlay(host, [device("0000:0c:00.0", vendor="1002", driver="vfio-pci")])
    assert (sources, dropped) == ({"amd-smi": "absent", "rocm-smi": "absent"}, 0)
    assert [argv[0] for argv in host._runner.ran] == ["amd-smi", "rocm-smi"]


@pytest.mark.parametrize("driver, files, asked", [
    (None, {}, False), ("vfio-pci", {}, False), ("nvidia", {}, True),
    ("vfio-pci", {"/proc/driver/nvidia/version": "NVRM version: x"}, True)])
def test_facts_do_not_load_a_driver(tmp_path, monkeypatch, driver, files, asked):
    """Seen in the capture c-boot0-zero/28: nvidia-smi loads the module, which then takes every free GPU."""
    host = host_with(tmp_path, {QX: (9, "")}, files)
    monkeypatch.setattr(type(host), "is_real", True)
    monkeypatch.setattr(host, "exists", lambda path: path in files)
    sources, _dropped = vendor_tools.overlay(host, [device("0000:06:00.0", driver=driver)])
    assert bool(host._runner.ran) == asked
    assert sources["nvidia-smi"].startswith("error: " if asked else "skipped: the module nvidia is not loaded")


def test_mig_lands_on_the_device(tmp_path):
    one = device("0000:06:00.0")
    answers = {QX: (0, document(("0000:06:00.0", gpu(mig=MIG)))), "nvidia-smi mig -lgi": (0, LISTING)}
    sources, _dropped = vendor_tools.overlay(host_with(tmp_path, answers), [one])
    assert sources["nvidia-smi mig"] == "ok"
    assert [(one["profile"], one["gi_id"], one["placement"]) for one in one["mig"]["instances"]] == [
        ("3g.40gb", 2, "4:4"), ("1g.10gb", 9, "2:1"), ("1g.10gb+me", 13, "0:1")]


def test_vgpu_types_have_hexadecimal_ids_and_no_profile_is_not_profile_zero(tmp_path):
    one = device("0000:41:00.0", vgpu={"framework": "vendor_vfio", "type": None, "mdevs": []})
    host = host_with(tmp_path, {QX: (0, document(("0000:41:00.0", gpu()))), VGPU: (0, TYPES)})
    sources, _dropped = vendor_tools.overlay(host, [one])
    assert sources[nvidia_smi_vgpu.TOOL] == one["sources"][nvidia_smi_vgpu.TOOL] == "ok"
    assert one["vgpu"]["supported"] == [
        {"id": 1145, "name": "NVIDIA L40S-1B", "gi_profile_id": None, "max_instances": 32, "max_per_vm": 1,
         "max_per_gi": None, "framebuffer_mib": 1024},
        {"id": 0x619, "name": "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", "gi_profile_id": 47, "max_instances": 4,
         "max_per_vm": 1, "max_per_gi": 1, "framebuffer_mib": 24576}]


@pytest.mark.parametrize("answer, words", [
    (None, "absent"), ((0, "No supported vGPUs\n"), "error: nvidia-smi vgpu -s -v printed no vGPU type"),
    ((3, TYPES), "partial: nvidia-smi ended with status 3"), ((None, ""), "error: nvidia-smi gave no answer")])
def test_vgpu_types_that_cannot_be_read_are_a_status(tmp_path, answer, words):
    types, status = nvidia_smi_vgpu.observe(host_with(tmp_path, {VGPU: answer} if answer else {}))
    assert status.startswith(words) and bool(types) == status.startswith("partial")


@pytest.mark.parametrize("value", [[AMD_GPU], {"gpu_data": [AMD_GPU]},
                                   [dict(AMD_GPU, ifwi=AMD_GPU["vbios"], vbios="N/A")]])
@pytest.mark.parametrize("before", ["", "WARNING: low power state\n", "[WARN] busy\n"])
def test_amd_smi_of_several_releases(tmp_path, value, before):
    one = device("0000:0c:00.0", vendor="1002", driver="amdgpu", partition={"compute_available": ["SPX", "CPX"]})
    host = host_with(tmp_path, {AMD: (0, before + json.dumps(value, indent=4))})
    sources, dropped = vendor_tools.overlay(host, [one])
    assert (sources, dropped) == ({"amd-smi": "ok", "amdgpu ras": "absent"}, 0)
    assert one["driver_version"] == "6.10.5" and one["product"] == "AMD Instinct MI300X"
    assert one["firmware"]["vbios"] == "022.040.003.041.000001"
    assert one["partition"] == {"compute_available": ["SPX", "CPX"], "compute": "SPX", "memory": "NPS1"}
    assert one["uuid"] is None and "SECRET" not in repr(one)


@pytest.mark.parametrize("answer", [None, (1, "Unable to get devices\n"), (0, "nothing\n"), (0, "[]")])
def test_rocm_smi_where_amd_smi_says_nothing(tmp_path, answer):
    one = device("0000:0c:00.0", vendor="1002", driver="amdgpu")
    answers = {ROCM: (0, json.dumps(ROCM_CARDS))}
    if answer:
        answers[AMD] = answer
    sources, dropped = vendor_tools.overlay(host_with(tmp_path, answers), [one])
    assert sources["rocm-smi"] == "ok" and sources["amd-smi"] != "ok" and dropped == 0
    assert (one["driver_version"], one["firmware"]["vbios"]) == ("6.7.0", "113-M3000100-103")
    assert one["partition"] == {"compute": "SPX", "memory": None}


def test_a_hung_amd_driver_is_asked_once(tmp_path):
    host = host_with(tmp_path, {AMD: (None, ""), ROCM: (0, json.dumps(ROCM_CARDS))})
    sources, _dropped = vendor_tools.overlay(host, [device("0000:0c:00.0", vendor="1002", driver="amdgpu")])
    assert sources == {"amd-smi": "error: amd-smi gave no answer within 20 s", "amdgpu ras": "absent"}


def test_errors_that_amdgpu_counts_need_no_tool(tmp_path):
    base = "/sys/bus/pci/devices/0000:0c:00.0/ras/"
    host = host_with(tmp_path, {}, {
        base + "umc_err_count": "ue: 2\nce: 5\n", base + "gfx_err_count": "ue: 1\nce: 0\n", base + "features": "0x7\n",
        base + "gpu_vram_bad_pages": "0x00000001 : 0x00001000 : R\n0x00000002 : 0x00001000 : P\n"})
    one = device("0000:0c:00.0", vendor="1002", driver="amdgpu")
    sources, _dropped = vendor_tools.overlay(host, [one])
    assert sources["amdgpu ras"] == one["sources"]["amdgpu ras"] == "ok"
    assert one["health"] == {"ecc_uncorrected": 3, "bad_pages": {"reserved": 1, "pending": 1, "failed": 0}}


def test_xpu_smi(tmp_path):
    one = device("0000:4d:00.0", vendor="8086", driver="xe")
    sources, dropped = vendor_tools.overlay(host_with(tmp_path, {XPU: (0, json.dumps(XPU_LIST))}), [one])
    assert (sources, dropped) == ({"xpu-smi": "ok"}, 0)
    assert one["uuid"] == "00000000-0000-004d-0000-000056c08086"


@pytest.mark.parametrize("answer, words", [
    ((0, '{"error": "Level Zero Initialization Error", "errno": 15}'), "printed the error 'Level Zero"),
    ((1, '{"error": "Level Zero Initialization Error"}'), "error: xpu-smi ended with status 1"),
    ((0, '{"device_list": []}'), "printed no device"), ((0, '{"device_list": 7}'), "printed no device"),
    ((0, '{"device_list": [{"pci_bdf_address"'), "printed no device"), ((None, ""), "gave no answer within 20 s"),
])
def test_xpu_smi_without_a_device(tmp_path, answer, words):
    sources, dropped = vendor_tools.overlay(
        host_with(tmp_path, {XPU: answer}), [device("0000:4d:00.0", vendor="8086", driver="xe")])
    assert words in sources["xpu-smi"] and dropped == 0


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["bus", "bdf", "vbios", "driver", "asic", "partition", "gpu_data", "card0", "system", "PCI Bus", "version",
         "device_list", "pci_bdf_address", "error"]), inner, max_size=4), max_leaves=12)


@settings(deadline=None, max_examples=300)
@given(JSON, st.integers(0, 200))
def test_json_of_any_shape_and_cut_anywhere_raises_nothing(value, length):
    for text in (json.dumps(value), json.dumps(value, indent=4)[:length], json.dumps([AMD_GPU], indent=4)[:length]):
        for rows in (amd_smi.parse(text), amd_smi.parse_fallback(text), xpu_smi.parse(text)[0]):
            devices = [device("0000:0c:00.0", vendor="1002")]
            vendor_tools.lay(rows, devices, {"tool": "ok"})
            assert len(devices) == 1


@settings(deadline=None)
@given(st.text(), st.integers(0, len(TYPES)))
def test_any_text_raises_nothing(text, length):
    amd_smi.parse(text)
    amd_smi.parse_fallback(text)
    xpu_smi.parse(text)
    nvidia_smi_vgpu.parse(text)
    for types in nvidia_smi_vgpu.parse(TYPES[:length]).values():
        assert all(one["name"] and one["id"] for one in types)


def test_a_list_that_was_cut_off_is_not_its_first_element():
    assert amd_smi.parse(json.dumps([AMD_GPU, AMD_GPU], indent=4)[:-3]) == []
    assert tool_output.json_value("[" * 100000) is None
