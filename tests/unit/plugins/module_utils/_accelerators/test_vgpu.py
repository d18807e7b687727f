# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vGPU types by name on NVIDIA's VFIO framework, the order that MIG imposes, and hosts with mdev."""

from __future__ import annotations

import shutil

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import (
    mig,
    vfs,
    vgpu,
    vgpu_names,
    vgpu_vfs,
)
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._hardware import slicing
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators import sliced_smi
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import (
    Sliced,
    converge,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

GPU = "0000:41:00.0"
BACKED = {700: "NVIDIA H100XM-1-10C", 701: "NVIDIA H100XM-20C"}


def gpu_host(folder, vfs_made=4, **more):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    host.nvidia_gpu(GPU, **more)
    host.numvfs(GPU, vfs_made)
    return host


def types(host):
    return [int(host.here(vf, "nvidia/current_vgpu_type")) for vf in host.vfs(GPU)]


def test_a_profile_is_made_by_its_name(tmp_path):
    host = gpu_host(tmp_path)
    wanted = [{"address": GPU, "profile": "L40S-12Q", "count": 3}]
    checked = converge(vgpu, host, wanted, check=True)
    assert types(host) == [0, 0, 0, 0]
    done = converge(vgpu, host, wanted, allowed=False, expected=checked["actions"])
    assert types(host) == [1155, 1155, 1155, 0]
    assert said(done) == ["set vGPU type 0000:41:00.0 VF {0}".format(index) for index in range(3)]
    assert done["actions"][0]["after"] == {"type": "L40S-12Q"}
    assert converge(vgpu, host, wanted)["changed"] is False
    assert [vf["type"] for vf in done["devices"][0]["vfs"]] == ["NVIDIA L40S-12Q"] * 3 + [None]


def test_numbers_of_another_driver_release_are_still_the_same_names(tmp_path):
    host = gpu_host(tmp_path, types={2211: "NVIDIA L40S-12Q", 115: "NVIDIA L40S-1Q"})
    converge(vgpu, host, [{"address": GPU, "profile": "NVIDIA L40S-12Q", "count": 1}])
    assert types(host)[0] == 2211


def test_a_part_of_a_name_is_no_name(tmp_path):
    host = gpu_host(tmp_path)
    with pytest.raises(errors.DeclarationError, match="'L40S-1' is no vGPU type of this GPU; the nearest is 'L40S-1B'"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-1", "count": 1}])


@pytest.mark.parametrize("devices, words", [
    ([{"profile": "L40S-12Q", "count": 1}, {"profile": "L40S-24Q", "count": 1}], "one PF has one profile, because"),
    ([{"profile": "L40S-12Q"}], "expected how many VFs get L40S-12Q"),
    ([{"count": 2}], "with the profile beside it"),
    ([{"profile": " ", "count": 1}], "it is empty"),
    ([{"profile": "L40S-12Q", "count": 5}], "has 4 VFs, and each VF takes one vGPU"),
    ([{"address": "0000:51:00.0", "profile": "x", "count": 1}], "vGPU types are NVIDIA's"),
    ([{"address": "0000:41:10.0", "profile": "x", "count": 1}], "is a VF of 0000:41:00.0; one PF has one profile"),
    ([{"address": "0000:99:00.0", "profile": "x", "count": 1}], "no PCI function of this host"),
])
def test_what_cannot_be(tmp_path, devices, words):
    host = gpu_host(tmp_path)
    host.card("0000:51:00.0", "1002", "74a1", "120000", None)
    with pytest.raises(errors.DeclarationError, match=words):
        converge(vgpu, host, [dict({"address": GPU}, **one) for one in devices])


def test_too_many_for_the_card(tmp_path):
    host = gpu_host(tmp_path, most=2)
    with pytest.raises(errors.DeclarationError, match="takes at most 2 of L40S-12Q"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 3}])


def test_a_full_framebuffer_is_explained(tmp_path):
    host = gpu_host(tmp_path, framebuffer=24)
    with pytest.raises(change.PartialFailure, match="L40S-24Q cannot be made now") as caught:
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-24Q", "count": 2}])
    assert len(caught.value.done) == 1


def test_an_io_error_names_what_can_be_made(tmp_path, monkeypatch):
    host = gpu_host(tmp_path)
    monkeypatch.setattr(host, "vgpu", lambda vf, number: 5)
    with pytest.raises(change.PartialFailure, match="EIO: not creatable now.*creatable now: L40S-1B, L40S-12Q"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])


def test_other_types_go_first_and_only_when_allowed(tmp_path):
    host = gpu_host(tmp_path)
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-24Q", "count": 2}])
    wanted = [{"address": GPU, "profile": "L40S-12Q", "count": 4}]
    with pytest.raises(errors.Refused, match="vGPU NVIDIA L40S-24Q on 0000:41:00.0 VF 0 is taken away; vGPU"):
        converge(vgpu, host, wanted, allowed=False)
    converge(vgpu, host, wanted)
    assert types(host) == [1155] * 4
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])
    assert types(host) == [1155, 0, 0, 0]
    converge(vgpu, host, [{"address": GPU}])
    assert types(host) == [0, 0, 0, 0]
    assert not (tmp_path / slicing.path_of("vgpu", GPU).strip("/")).exists()


def held(host, index):
    """A server has a VF: QEMU holds its VFIO node."""
    vf = host.vfs(GPU)[index]
    host.put("sys/bus/pci/devices/{0}/vfio-dev/vfio3/dev".format(vf), "511:3\n")
    host.process(77, "qemu-system-x86", "/dev/vfio/devices/vfio3")
    return vf


def test_a_vgpu_that_a_server_has_is_never_touched(tmp_path):
    host = gpu_host(tmp_path)
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 3}])
    vf = held(host, 2)
    with pytest.raises(errors.Refused, match=vf + " keeps vGPU NVIDIA L40S-12Q.*qemu-system-x86 .pid 77."):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-24Q", "count": 1}])
    # Fewer of the same: the one in use is the one that stays.
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])
    assert types(host) == [0, 0, 1155, 0]
    with pytest.raises(errors.Refused, match="something works on them"):
        converge(vfs, host, [{"address": GPU, "vfs": 0}])


def test_a_number_without_a_name_is_not_guessed_at(tmp_path):
    host = gpu_host(tmp_path)
    host.vgpu(host.vfs(GPU)[0], 1160)
    host.gpus[GPU]["types"] = {1155: "NVIDIA L40S-12Q"}
    host.offer(GPU)
    with pytest.raises(errors.Refused, match="type 1160, and nobody tells the name of that number"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])


def test_vfs_come_first(tmp_path):
    host = gpu_host(tmp_path, vfs_made=0)
    wanted = [{"address": GPU, "profile": "L40S-12Q", "count": 2}]
    with pytest.raises(errors.Refused, match="has no VFs, .* make them first .sriov_vfs with vfs: 4."):
        converge(vgpu, host, wanted)
    earlier = converge(vfs, host, [{"address": GPU, "vfs": 4}], check=True)["actions"]
    planned = converge(vgpu, host, wanted, check=True, pending=earlier)["actions"]
    converge(vfs, host, [{"address": GPU, "vfs": 4}], expected=earlier)
    converge(vgpu, host, wanted, expected=planned)
    assert types(host) == [1155, 1155, 0, 0]


def test_all_steps_can_be_planned_from_one_look_at_the_host(tmp_path):
    host = gpu_host(tmp_path, vfs_made=0, types=BACKED, backed={700: 19}, mig="Disabled")
    steps = [(mig, {}), (vfs, {"vfs": 4}), (mig, {"instances": [{"profile": "1g.18gb", "count": 2}]}),
             (vgpu, {"profile": "H100XM-1-10C", "count": 2})]
    plans, earlier = [], []
    for domain, item in steps:
        plans.append(converge(domain, host, [dict(item, address=GPU)], check=True, pending=earlier)["actions"])
        earlier = earlier + plans[-1]
    assert host.done == []
    for (domain, item), plan in zip(steps, plans):
        converge(domain, host, [dict(item, address=GPU)], expected=plan)
    assert types(host) == [700, 700, 0, 0]
    for domain, item in steps:
        assert converge(domain, host, [dict(item, address=GPU)])["changed"] is False


def test_heterogeneous_mode_is_set_while_there_are_no_vgpus(tmp_path):
    host = gpu_host(tmp_path)
    converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])
    done = converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1, "heterogeneous": True}])
    assert [(one["kind"], one["after"]) for one in done["actions"] if not one["kind"].startswith("boot")] == [
        ("vGPU type", {"type": None}), ("heterogeneous vGPU mode", {"heterogeneous": True}),
        ("vGPU type", {"type": "L40S-12Q"})]
    assert host.gpus[GPU]["heterogeneous"] is True and types(host)[0] == 1155


def test_mig_backed_types_need_their_instances(tmp_path):
    host = gpu_host(tmp_path, types=BACKED, backed={700: 19}, mig="Disabled")
    wanted = [{"address": GPU, "profile": "H100XM-1-10C", "count": 2}]
    with pytest.raises(errors.Refused, match="the order is MIG mode, VFs, MIG instances, vGPU types"):
        converge(vgpu, host, wanted)
    host.gpus[GPU]["mig"] = "Enabled"
    with pytest.raises(errors.Refused, match="need 2 GPU instances of profile id 19, and 0 are there; declare"):
        converge(vgpu, host, wanted)
    sliced_smi.change(host, ["nvidia-smi", "mig", "-i", GPU, "-cgi", "1g.18gb,1g.18gb", "-C"])
    converge(vgpu, host, wanted)
    assert types(host) == [700, 700, 0, 0]
    with pytest.raises(errors.Refused, match="is in MIG mode, and H100XM-20C is a time-sliced type"):
        converge(vgpu, host, [{"address": GPU, "profile": "H100XM-20C", "count": 1}])


def test_a_driver_without_vgpus_is_told(tmp_path):
    host = gpu_host(tmp_path)
    for vf in host.vfs(GPU):
        shutil.rmtree(tmp_path / "sys/bus/pci/devices" / vf / "nvidia")
    with pytest.raises(errors.Refused, match="take no vGPU types: .* They are on: nvidia"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])
    host.bind(GPU, "vfio-pci")
    with pytest.raises(errors.Refused, match="0000:41:00.0 is on driver vfio-pci; vGPUs are made by NVIDIA's vGPU"):
        converge(vgpu, host, [{"address": GPU, "profile": "L40S-12Q", "count": 1}])


def mdev_host(folder, available="3"):
    host = Sliced(folder)
    host.card(GPU, device="2235")
    for name, label, left in (("nvidia-558", "NVIDIA A40-2Q", available), ("nvidia-559", "NVIDIA A40-4Q", "1")):
        base = "sys/bus/pci/devices/{0}/mdev_supported_types/{1}/".format(GPU, name)
        host.put(base + "name", label + "\n")
        host.put(base + "available_instances", left + "\n")
        (folder / base / "devices").mkdir()
    host.put("sys/class/mdev_bus/" + GPU, "")
    return host


def test_mdev_hosts_are_only_looked_at(tmp_path):
    host = mdev_host(tmp_path)
    done = converge(vgpu, host, [{"address": GPU, "profile": "A40-2Q", "count": 3}])
    assert (done["changed"], host.done) == (False, [])
    assert done["devices"][0]["mdev"] == {"type": "nvidia-558", "available": 3, "made": 0, "parents": [GPU]}
    with pytest.raises(errors.DeclarationError, match="can have 3 of A40-2Q: 0 are there and .* Nova makes vGPUs"):
        converge(vgpu, host, [{"address": GPU, "profile": "A40-2Q", "count": 4}])
    with pytest.raises(errors.DeclarationError, match="'A40-2B' is no vGPU type of this GPU; the nearest is 'A40-2Q'"):
        converge(vgpu, host, [{"address": GPU, "profile": "A40-2B", "count": 1}])



NAME = st.text(st.sampled_from("L40S-12QBCNVIDA "), min_size=1, max_size=20)


@given(NAME, NAME)
def test_names_are_the_same_only_as_a_whole(one, other):
    assert vgpu_names.same(one, other) == (vgpu_names.short(one) == vgpu_names.short(other))
    assert vgpu_names.same("NVIDIA " + one, one) or not one.strip() or vgpu_names.short(one) != " ".join(one.split())


KINDS = [None, 1155, 1157]
FACTS = {"host": {"sources": {"holders": "ok"}}}


def a_vf(index, kind, held):
    return {"address": "0000:41:10.{0}".format(index), "holders": [
        {"kind": "vgpu", "pid": 9, "command": "qemu-kvm", "what": "/dev/vfio/devices/vfio1"}] if held else [],
        "in_use": held, "vgpu": {"framework": "vendor_vfio", "type_id": kind, "type": kind and "NVIDIA " + TYPES[kind],
                                 "creatable": [{"id": number, "name": name} for number, name in TYPES.items()]}}


TYPES = {1155: "L40S-12Q", 1157: "L40S-24Q"}


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), min_size=1, max_size=6), st.integers(0, 6))
def test_the_plan_gives_exactly_what_was_declared_or_is_refused(there, count):
    count = min(count, len(there))
    vfs_there = [(index, a_vf(index, kind, held and kind is not None)) for index, (kind, held) in enumerate(there)]
    item = {"profile": "L40S-12Q" if count else None, "count": count, "heterogeneous": None}
    device = {"address": GPU, "driver": "nvidia", "sriov": {"num": len(there)}, "vgpu": {}}
    plan, refusals = vgpu_vfs.decide(item, device, vfs_there, FACTS)
    state = {index: vf["vgpu"]["type"] and vgpu_names.short(vf["vgpu"]["type"]) for index, vf in vfs_there}
    touched = set()
    for action in plan:
        index = int(action.name.rsplit(" ", 1)[1])
        assert state[index] == action.before["type"]
        # Nothing is written over: a VF is freed first.
        assert state[index] is None or action.after["type"] is None
        state[index] = action.after["type"]
        touched.add(index)
    held = {index for index, vf in vfs_there if vf["in_use"]}
    assert sorted(filter(None, state.values())) == ["L40S-12Q"] * count
    assert bool(touched & held) == bool(refusals)
