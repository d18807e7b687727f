# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restores slices at boot: after a simulated reboot everything comes back, or it is said what did not."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import (
    boot_program,
    boot_units,
    mig,
    partitions,
    vfs,
    vgpu,
)
from ansible_collections.sovereign.region.plugins.module_utils._hardware import slicing
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import (
    Sliced,
    boot,
    converge,
)
from hypothesis import given
from hypothesis import strategies as st

NIC, GPU, AMD = "0000:21:00.0", "0000:41:00.0", "0000:c1:00.0"
STANDARD = {"collections", "json", "os", "re", "subprocess", "sys", "time"}


@pytest.fixture()
def host(tmp_path):
    return Sliced(tmp_path)


def test_the_program_needs_python_3_9_and_nothing_else():
    tree = ast.parse(boot_program.PROGRAM_TEXT, feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == STANDARD
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert max(len(line) for line in boot_program.PROGRAM_TEXT.splitlines()) <= 120


def test_the_program_starts_on_its_own(tmp_path):
    (tmp_path / slicing.FOLDER.strip("/")).mkdir(parents=True)
    (tmp_path / slicing.path_of("sriov", GPU).strip("/")).write_text('{"vfs": 4, "way": "sysfs"}')
    script = tmp_path / "restore"
    script.write_text(boot_program.PROGRAM_TEXT)
    done = subprocess.run([sys.executable, "-I", str(script), "--root", str(tmp_path), "--wait", "0.1"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "NOT restored: 0000:41:00.0: waited in vain until 0000:41:00.0 is on the bus" in done.stderr


def test_the_unit_comes_before_everything_that_hands_devices_out():
    assert "Type=oneshot" in boot_units.UNIT_TEXT
    before = " ".join(line for line in boot_units.UNIT_TEXT.splitlines() if line.startswith("Before="))
    for unit in ("libvirtd", "nova-compute", "docker"):
        assert unit + ".service" in before


def test_vfs_and_their_drivers_come_back(host):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    devices = [{"address": NIC, "vfs": 3, "driver": "vfio"}]
    converge(vfs, host, devices)
    host.reboot()
    assert host.vfs(NIC) == [] and converge(vfs, host, devices, check=True)["changed"]
    assert boot(host) == 0
    assert [host.driver(vf) for vf in host.vfs(NIC)] == ["vfio-pci"] * 3
    assert converge(vfs, host, devices)["changed"] is False
    assert boot(host) == 0


def test_mig_vfs_instances_and_vgpus_come_back_in_their_order(host):
    host.nvidia_gpu(GPU, mig="Disabled", types={700: "NVIDIA H100XM-1-10C"}, backed={700: 19})
    layout = [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 2}, {"profile": "3g.71gb"}]}]
    types = [{"address": GPU, "profile": "H100XM-1-10C", "count": 2}]
    converge(mig, host, [{"address": GPU}])
    converge(vfs, host, [{"address": GPU, "vfs": 4}])
    converge(mig, host, layout)
    converge(vgpu, host, types)
    host.reboot()
    host.done.clear()
    assert boot(host) == 0
    steps = ("-mig", "sriov-manage", "-cgi", "current_vgpu_type")
    order = [word for line in host.done for word in steps if word in line]
    assert order == ["-mig", "sriov-manage", "-cgi", "current_vgpu_type", "current_vgpu_type"]
    for domain, devices in ((mig, layout), (vfs, [{"address": GPU, "vfs": 4}]), (vgpu, types)):
        assert converge(domain, host, devices)["changed"] is False


def test_a_pending_mode_takes_effect_and_its_instances_are_made(host):
    host.nvidia_gpu(GPU, mig="Disabled", live=False)
    layout = [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 7}]}]
    converge(mig, host, layout)
    host.reboot()
    assert boot(host) == 0
    assert len(host.gpus[GPU]["instances"]) == 7
    assert converge(mig, host, layout)["changed"] is False


def test_heterogeneous_mode_comes_back_before_types(host):
    host.nvidia_gpu(GPU)
    converge(vfs, host, [{"address": GPU, "vfs": 4}])
    devices = [{"address": GPU, "profile": "L40S-12Q", "count": 4, "heterogeneous": True}]
    converge(vgpu, host, devices)
    host.reboot()
    assert boot(host) == 0
    assert converge(vgpu, host, devices)["changed"] is False


def test_vfs_of_gim_are_waited_for(host, capsys):
    host.card(AMD, "1002", "74a1", "120000", None, total=8)
    devices = [{"address": AMD, "vfs": 2, "driver": "vfio"}]
    converge(vfs, host, devices)
    host.reboot()
    (host.tree / "sys/bus/pci/devices" / AMD / "driver").unlink()
    assert boot(host) == 1
    assert "waited in vain until 0000:c1:00.0 is on driver of its own" in capsys.readouterr().err
    host.run(["modprobe", "gim"], 5, changes=True)
    assert boot(host) == 0
    assert converge(vfs, host, devices)["changed"] is False


def test_partitions_come_back(host):
    host.card(AMD, "1002", "74a1", "120000", "amdgpu", current_compute_partition="SPX",
              available_compute_partition="SPX, CPX", current_memory_partition="NPS1")
    converge(partitions, host, [{"address": AMD, "compute": "CPX"}])
    host.put("sys/bus/pci/devices/{0}/current_compute_partition".format(AMD), "SPX\n")
    assert boot(host) == 0
    assert host.here(AMD, "current_compute_partition") == "CPX"


def test_what_is_there_is_never_removed_and_one_device_does_not_stop_another(host, capsys):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    host.nvidia_gpu(GPU)
    converge(vfs, host, [{"address": NIC, "vfs": 3}, {"address": GPU, "vfs": 4}])
    host.reboot()
    host.numvfs(NIC, 2)
    host.put(slicing.FOLDER.strip("/") + "/vgpu-{0}.json".format(GPU), "half a file")
    assert boot(host) == 1
    said = capsys.readouterr()
    assert "0000:21:00.0: it has 2 VFs, 3 are declared; VFs that exist are never removed at boot" in said.err
    assert "vgpu-0000:41:00.0.json is no declaration; run the playbook again" in said.err
    assert "0000:41:00.0: restored sriov" in said.out and len(host.vfs(GPU)) == 4
    assert len(host.vfs(NIC)) == 2


def test_a_vf_on_another_driver_is_not_unbound_at_boot(host, capsys):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    converge(vfs, host, [{"address": NIC, "vfs": 1, "driver": "vfio"}])
    host.reboot()
    host.put("sys/bus/pci/devices/{0}/sriov_drivers_autoprobe".format(NIC), "1\n")
    host.numvfs(NIC, 1)
    assert boot(host) == 1
    assert "is on driver igbvf, declared is vfio-pci; nothing is unbound at boot" in capsys.readouterr().err


def test_the_tool_that_lies_is_found_out_at_boot_too(host, capsys, monkeypatch):
    host.nvidia_gpu(GPU)
    converge(vfs, host, [{"address": GPU, "vfs": 4}])
    host.reboot()
    host.lazy = True
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert boot(host) == 1
    assert "sriov-manage made no VFs" in capsys.readouterr().err


def test_a_declaration_that_cannot_be_read_is_written_anew(host):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    converge(vfs, host, [{"address": NIC, "vfs": 3}])
    path = slicing.path_of("sriov", NIC)
    host.put(path.strip("/"), "half a file")
    done = converge(vfs, host, [{"address": NIC, "vfs": 3}])
    assert [(one["verb"], one["name"]) for one in done["actions"]] == [("update", path)]
    assert json.loads((host.tree / path.strip("/")).read_text()) == {"vfs": 3, "way": "sysfs"}


def test_a_program_of_another_version_is_replaced(host):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    converge(vfs, host, [{"address": NIC, "vfs": 3}])
    host.put(slicing.PROGRAM.strip("/"), "#!/usr/bin/python3\n")
    done = converge(vfs, host, [{"address": NIC, "vfs": 3}])
    assert [(one["verb"], one["name"]) for one in done["actions"]] == [("update", slicing.PROGRAM)]


@given(st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.text(), inner), max_leaves=5).map(json.dumps))
def test_any_text_is_a_declaration_or_none(text):
    found = slicing.declaration(text)
    assert found is None or isinstance(found, dict)


def test_a_declaration_without_its_fields_costs_its_device_only(host, capsys):
    host.card(NIC, "8086", "10c9", "020000", "igb", total=7)
    converge(vfs, host, [{"address": NIC, "vfs": 3}])
    host.card(GPU)
    host.put(slicing.path_of("sriov", GPU).strip("/"), "{}")
    host.reboot()
    assert boot(host) == 1
    said = capsys.readouterr()
    assert "NOT restored: 0000:41:00.0: KeyError" in said.err and "0000:21:00.0: restored sriov" in said.out


def test_vgpu_types_are_waited_for(host, monkeypatch):
    host.nvidia_gpu(GPU)
    converge(vfs, host, [{"address": GPU, "vfs": 4}])
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])
    host.reboot()
    asked = []

    def later(path, text=host.text):
        if path.endswith("creatable_vgpu_types"):
            asked.append(path)
            return "ID    : vGPU Name" if len(asked) < 3 else text(path)
        return text(path)

    monkeypatch.setattr(host, "text", later)
    assert boot(host, "5") == 0 and len(asked) == 3
