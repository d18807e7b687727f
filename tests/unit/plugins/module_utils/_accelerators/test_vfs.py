# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VFs of PFs: the kernel's rules, the vendors' tools, drivers of VFs, and what is never touched."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import vf_ways, vfs
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._hardware import slicing
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import (
    Sliced,
    converge,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

NIC, GPU, AMD = "0000:21:00.0", "0000:41:00.0", "0000:c1:00.0"


def nic_host(folder):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    return host


def gpu_host(folder):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    host.nvidia_gpu(GPU)
    return host


def amd_host(folder):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    for address in (AMD, "0000:c2:00.0"):
        host.card(address, "1002", "74a1", "120000", None, total=8)
    return host


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """Nobody waits for real; the seconds are noted."""
    slept = []
    monkeypatch.setattr(vf_ways.time, "sleep", slept.append)
    return slept


def test_a_check_tells_what_a_run_does_and_touches_nothing(tmp_path):
    host = nic_host(tmp_path / "h")
    before = host.state()
    checked = converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "vfio"}], check=True)
    assert (host.state(), host.done) == (before, [])
    done = converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "vfio"}], expected=checked["actions"])
    assert done["actions"] == checked["actions"]
    assert said(done) == [
        "set autoprobe setting 0000:21:00.0", "set VF count 0000:21:00.0",
        "set driver override 0000:21:00.0 VF 0", "bind VF 0000:21:00.0 VF 0",
        "set driver override 0000:21:00.0 VF 1", "bind VF 0000:21:00.0 VF 1"]
    assert [host.driver(vf) for vf in host.vfs(NIC)] == ["vfio-pci", "vfio-pci"]
    assert host.here(NIC, "sriov_drivers_autoprobe") == "0"
    assert converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "vfio"}])["changed"] is False
    assert [vf["driver"] for vf in done["devices"][0]["vfs"]] == ["vfio-pci", "vfio-pci"]
    assert done["devices"][0]["restored"] is True


def test_another_number_takes_0_first_and_has_to_be_allowed(tmp_path):
    host = nic_host(tmp_path / "h")
    host.numvfs(NIC, 4)
    with pytest.raises(errors.Refused, match="the 4 VFs of 0000:21:00.0 are removed; nothing was changed"):
        converge(vfs, host, [{"address": NIC, "vfs": 6}], allowed=False)
    assert host.done == []
    converge(vfs, host, [{"address": NIC, "vfs": 6}])
    writes = [one.split(" <- ")[1] for one in host.done if "sriov_numvfs" in one]
    assert writes == ["0", "6"]


@pytest.mark.parametrize("item, words", [
    ({"address": NIC, "vfs": 8}, r"devices\[0\].vfs: 8, but 0000:21:00.0 offers at most 7 \(sriov_totalvfs\)"),
    ({"address": "0000:21:00.1", "vfs": 1}, "the nearest is 0000:21:00.0"),
    ({"address": "0000:31:00.0", "vfs": 1}, r"has no SR-IOV; expected a PF, such as 0000:\d1:00.0"),
    ({"address": "21:00.0", "vfs": 1}, "expected a PCI address such as"),
    ({"address": NIC, "vfs": -1}, "expected the number of VFs, 0 for none"),
    ({"address": NIC, "vfs": 1, "driver": "VFIO"}, "expected 'vfio' in lower case"),
    ({"address": NIC, "vfs": 1, "driver": "vfio", "autoprobe": True}, "leave autoprobe out"),
    ({"address": NIC, "vfs": 1, "driver": "a b"}, "or the name of a driver"),
    ({"address": NIC, "vfs": 1, "local_memory_mib": 4}, "only Intel's GPUs|xpu-smi, which is not installed"),
    ({"address": GPU, "vfs": 2}, "sriov-manage makes all 4 VFs or none; write 4"),
    ({"address": GPU, "vfs": 4, "driver": "vfio"}, "VFs of NVIDIA's GPUs stay on nvidia"),
    ({"address": GPU, "vfs": 4, "autoprobe": False}, "NVIDIA's driver binds the VFs of its GPUs itself"),
])
def test_what_cannot_be_is_said_before_anything_is_touched(tmp_path, item, words):
    host = nic_host(tmp_path / "h")
    host.nvidia_gpu(GPU)
    host.card("0000:31:00.0", "144d", "a80a", "030000", None)
    with pytest.raises(errors.DeclarationError, match=words):
        converge(vfs, host, [item])
    assert host.done == []


def test_a_vf_is_told_from_its_pf(tmp_path):
    host = nic_host(tmp_path / "h")
    host.numvfs(NIC, 2)
    with pytest.raises(errors.DeclarationError, match="is VF 1 of 0000:21:00.0; VFs are declared at their PF"):
        converge(vfs, host, [{"address": host.vfs(NIC)[1], "vfs": 1}])


def test_vfs_in_use_are_never_removed(tmp_path):
    host = nic_host(tmp_path / "h")
    host.numvfs(NIC, 2)
    vf = host.vfs(NIC)[0]
    host.put("sys/bus/pci/devices/{0}/net/ens1v0/flags".format(vf), "0x1003\n")
    with pytest.raises(errors.Refused, match="{0}: network interface ens1v0 is up; stop that first".format(vf)):
        converge(vfs, host, [{"address": NIC, "vfs": 0}])
    with pytest.raises(errors.Refused, match="VF 0 .* stays on igbvf, because something works on it"):
        converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "vfio"}])
    assert host.done == []
    host.put("sys/bus/pci/devices/{0}/net/ens1v0/flags".format(vf), "0x1002\n")
    converge(vfs, host, [{"address": NIC, "vfs": 0}])
    assert host.vfs(NIC) == []


def test_without_a_look_at_all_processes_nothing_is_removed(tmp_path):
    host = nic_host(tmp_path / "h")
    host.numvfs(NIC, 2)
    observed = vfs.observe(host, {"devices": [{"address": NIC}]})
    observed["host"]["sources"]["holders"] = "partial: run as root"
    with pytest.raises(errors.Refused, match="cannot be told .partial: run as root."):
        vfs.decide({"devices": [dict(dict.fromkeys(vfs.ARGUMENT_SPEC["devices"]["options"]), address=NIC, vfs=0)],
                    "persistent": True, "pending": []}, observed)


def test_a_pf_needs_its_driver(tmp_path):
    host = nic_host(tmp_path / "h")
    host.bind(NIC, None)
    with pytest.raises(errors.Refused, match="has no driver, and only the driver of a PF can make VFs"):
        converge(vfs, host, [{"address": NIC, "vfs": 2}])
    host.bind(NIC, "vfio-pci")
    with pytest.raises(errors.Refused, match="is on vfio-pci: it is handed out as a whole"):
        converge(vfs, host, [{"address": NIC, "vfs": 2}])


def test_vfs_move_between_drivers_and_back(tmp_path):
    host = nic_host(tmp_path / "h")
    converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "default"}])
    assert {host.driver(vf) for vf in host.vfs(NIC)} == {"igbvf"}
    moved = converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "vfio-pci"}])
    assert [one["verb"] for one in moved["actions"] if one["kind"] == "VF"] == ["unbind", "bind"] * 2
    converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "default"}])
    assert {(host.driver(vf), host.here(vf, "driver_override")) for vf in host.vfs(NIC)} == {("igbvf", "(null)")}
    converge(vfs, host, [{"address": NIC, "vfs": 2, "driver": "none"}])
    assert {host.driver(vf) for vf in host.vfs(NIC)} == {None}


def test_an_override_of_driverctl_is_not_fought(tmp_path):
    host = nic_host(tmp_path / "h")
    host.numvfs(NIC, 1)
    vf = host.vfs(NIC)[0]
    host.put("etc/driverctl.d/pci-" + vf, "uio_pci_generic\n")
    with pytest.raises(errors.Refused, match="is kept on uio_pci_generic by /etc/driverctl.d/pci-" + vf):
        converge(vfs, host, [{"address": NIC, "vfs": 1, "driver": "vfio"}])


def test_nvidias_tool_is_tried_again_while_the_lock_is_busy(tmp_path, naps):
    host = gpu_host(tmp_path / "h")
    host.lock_busy = 3
    done = converge(vfs, host, [{"address": GPU, "vfs": 4}])
    assert naps == [1, 1, 1]
    assert done["actions"][0]["after"] == {"vfs": 4, "by": "sriov-manage"}
    assert {host.driver(vf) for vf in host.vfs(GPU)} == {"nvidia"}
    assert converge(vfs, host, [{"address": GPU, "vfs": 4}])["changed"] is False


def test_a_lock_that_stays_busy_names_who_holds_it_most_often(tmp_path, naps):
    host = gpu_host(tmp_path / "h")
    host.lock_busy = 9
    with pytest.raises(change.PartialFailure, match="unbindLock in 5 tries.*stop nvidia-dcgm and dcgm-exporter"):
        converge(vfs, host, [{"address": GPU, "vfs": 4}])
    assert len(naps) == 4


def test_a_tool_that_returns_0_and_does_nothing_is_found_out(tmp_path):
    host = gpu_host(tmp_path / "h")
    host.lazy = True
    with pytest.raises(change.PartialFailure, match="4 VFs were asked for, but sriov_numvfs is 0 and 0 VFs are there"):
        converge(vfs, host, [{"address": GPU, "vfs": 4}])


def test_without_nvidias_tool_the_write_says_why_it_is_made(tmp_path):
    host = Sliced(tmp_path)
    host.nvidia_gpu(GPU, tool=False)
    done = converge(vfs, host, [{"address": GPU, "vfs": 4}])
    assert "sriov-manage is not installed" in done["actions"][0]["after"]["by"]


def test_a_gpu_in_use_is_left_on_its_driver(tmp_path):
    host = gpu_host(tmp_path / "h")
    host.process(7, "python3", "/dev/nvidia0")
    host.put("proc/driver/nvidia/gpus/{0}/information".format(GPU), "Device Minor: \t 0\n")
    with pytest.raises(errors.Refused, match="process python3 .pid 7. has /dev/nvidia0 open"):
        converge(vfs, host, [{"address": GPU, "vfs": 4}])
    assert host.done == []


def test_the_persistence_daemon_is_no_user(tmp_path):
    host = gpu_host(tmp_path / "h")
    host.process(7, "nvidia-persiste", "/dev/nvidia0")
    host.put("proc/driver/nvidia/gpus/{0}/information".format(GPU), "Device Minor: \t 0\n")
    assert converge(vfs, host, [{"address": GPU, "vfs": 4}])["changed"]


def test_what_a_killed_tool_left_behind_is_repaired(tmp_path):
    host = gpu_host(tmp_path / "h")
    host.numvfs(GPU, 4)
    host.bind(GPU, "pci-pf-stub")
    host.bind(host.vfs(GPU)[2], None)
    done = converge(vfs, host, [{"address": GPU, "vfs": 4}])
    assert said(done) == ["unbind PF 0000:41:00.0", "bind PF 0000:41:00.0", "bind VF 0000:41:00.0 VF 2"]
    assert host.driver(GPU) == "nvidia" and {host.driver(vf) for vf in host.vfs(GPU)} == {"nvidia"}


def test_amd_numbers_are_one_option_for_all_cards(tmp_path):
    host = amd_host(tmp_path / "h")
    done = converge(vfs, host, [{"address": AMD, "vfs": 4, "driver": "vfio"}])
    assert said(done)[:2] == ["create module options file " + slicing.GIM_OPTIONS, "load kernel module gim"]
    assert (tmp_path / "h" / slicing.GIM_OPTIONS.strip("/")).read_text().endswith("options gim vf_num=4,0\n")
    assert {host.driver(vf) for vf in host.vfs(AMD)} == {"vfio-pci"}
    again = converge(vfs, host, [{"address": "0000:c2:00.0", "vfs": 2}])
    assert [one["verb"] for one in again["actions"]][:3] == ["update", "run", "load"]
    assert (len(host.vfs(AMD)), len(host.vfs("0000:c2:00.0"))) == (4, 2)


def test_amd_cards_on_amdgpu_are_not_taken(tmp_path):
    host = amd_host(tmp_path / "h")
    host.bind("0000:c2:00.0", "amdgpu")
    with pytest.raises(errors.Refused, match="0000:c2:00.0: on driver amdgpu.*modprobe.blacklist=amdgpu"):
        converge(vfs, host, [{"address": AMD, "vfs": 4}])


def test_intel_memory_is_shared_out_by_xpu_smi(tmp_path):
    host = Sliced(tmp_path)
    host.card(GPU, "8086", "56c0", "038000", "i915", total=31)
    host.programs.add("xpu-smi")
    done = converge(vfs, host, [{"address": GPU, "vfs": 2, "driver": "none", "local_memory_mib": 4096}])
    assert "xpu-smi vgpu -d 0000:41:00.0 -c -n 2 --lmem 4096" in host.done
    assert done["changed"] and not converge(
        vfs, host, [{"address": GPU, "vfs": 2, "driver": "none", "local_memory_mib": 4096}])["changed"]
    other = converge(vfs, host, [{"address": GPU, "vfs": 2, "driver": "none", "local_memory_mib": 2048}], check=True)
    assert said(other)[:2] == ["set VF count 0000:41:00.0", "set VF count 0000:41:00.0"]


@given(st.text(max_size=80))
def test_any_answer_of_the_precheck_is_taken(text):
    assert isinstance(vf_ways.failed_checks(text), list)


def test_a_precheck_that_failed_is_repeated():
    text = json.dumps({"iommu_status": False, "iommu_message": "IOMMU is off", "vmx_flag": True})
    assert vf_ways.failed_checks(text) == ["iommu: IOMMU is off"]


def test_declarations_are_removed_first_and_written_last(tmp_path):
    host = nic_host(tmp_path / "h")
    made = converge(vfs, host, [{"address": NIC, "vfs": 2}])
    path = slicing.path_of("sriov", NIC)
    assert [one["name"] for one in made["actions"]] == [NIC, slicing.PROGRAM, slicing.UNIT_PATH, slicing.UNIT, path]
    gone = converge(vfs, host, [{"address": NIC, "vfs": 0}])
    assert [(one["verb"], one["name"]) for one in gone["actions"]] == [("delete", path), ("set", NIC)]
    assert converge(vfs, host, [{"address": NIC, "vfs": 0}])["changed"] is False
    converge(vfs, host, [{"address": NIC, "vfs": 2}], persistent=False)
    assert not (tmp_path / "h" / path.strip("/")).exists()

