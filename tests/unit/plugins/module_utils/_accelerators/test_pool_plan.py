# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From pools to modules: on simulated hosts the controller's plan is what the modules then do, and nothing is left."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import host_verdicts, pool_plan
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts

# The simulator lies beside the tests and not in the collection.
sys.path.append(str(Path(__file__).resolve().parents[4]))
from simulator import MemoryHost, Model, describe

GPUS = ["0000:18:00.0", "0000:2a:00.0"]


def pool(model, mode, devices, profile=None, slices=1, name="p"):
    count = len(devices) if isinstance(devices, list) else devices
    return {"name": name, "site": "s", "model": model, "mode": mode, "consumer": "nova", "devices": devices,
            "cards_per_host": count, "profile": profile, "slices": slices}


def look(host):
    """The facts as the controller gets them."""
    return json.loads(json.dumps(facts.collect(host)))


def carry_out(host, planned):
    """What the roles do: each module that has something to do, with what was planned as its promise."""
    done = {}
    for name, actions in planned["actions"].items():
        params = dict(planned["modules"][name], allow_interruption=True, expected_actions=actions)
        done[name] = host_module.converge(pool_plan.MODULES[name], host, params, False)["actions"]
    return done


@pytest.fixture
def hgx():
    return MemoryHost(Model(describe("hgx", gpus=2, switches=1)))


@pytest.mark.parametrize("devices", [2, GPUS, GPUS[:1]], ids=["count", "addresses", "one"])
def test_whole_cards(hgx, devices):
    pools = [pool("H200", "passthrough", devices)]
    planned = pool_plan.plan(look(hgx), pools, "passthrough")
    assert planned["problems"] == [] and not planned["iommu"]
    assert carry_out(hgx, planned) == planned["actions"] != {}
    again = pool_plan.plan(look(hgx), pools, "passthrough")
    assert again["actions"] == {} and again["problems"] == []
    assert pool_plan.plan(look(hgx), pools, "partitioning")["modules"] == {}


def test_a_host_that_is_not_as_declared_is_left_alone(hgx):
    planned = pool_plan.plan(look(hgx), [pool("H200", "passthrough", 8)], "passthrough")
    assert "declared are 8 x H200, and this host has 2" in planned["problems"][0]
    assert planned["actions"] == {} and planned["modules"] == {}


def test_a_card_for_the_host_is_not_handed_out(hgx):
    carry_out(hgx, pool_plan.plan(look(hgx), [pool("H200", "passthrough", 2)], "passthrough"))
    planned = pool_plan.plan(look(hgx), [pool("H200", "host", 2)], "passthrough")
    assert "0000:18:00.0 is on vfio-pci, and the host is to use it itself" in planned["problems"][0]


def test_the_iommu_comes_first():
    host = MemoryHost(Model(describe("hgx", gpus=1, iommu_default=False, arguments="root=/dev/sda1 ro")))
    seen = look(host)
    if seen["host"]["iommu"]["enabled"]:
        pytest.fail("the simulated host has its IOMMU on")
    planned = pool_plan.plan(seen, [pool("H200", "passthrough", 1)], "passthrough")
    assert planned["iommu"] and planned["actions"] == {} and planned["problems"] == []
    assert planned["deferred"] == ["0000:18:00.0: waits until the IOMMU is on: kernel arguments first, then a reboot"]


def test_what_a_module_refuses_is_a_problem_of_the_pool(hgx):
    hgx.model.hold("/dev/nvidia0")
    planned = pool_plan.plan(look(hgx), [pool("H200", "passthrough", 2)], "passthrough")
    assert planned["actions"] == {} and planned["problems"][0].startswith("pci_driver: ")


def outcome(host, **more):
    base = {"host": "gpu-1", "reached": True, "failure": "", "actions": [], "deferred": [],
            "accelerators": look(host)["accelerators"]}
    return dict(base, **more)


def judged(*outcomes):
    return [(one["rule"], one["status"], one["message"]) for one in host_verdicts.judge(outcomes, "t")]


def test_verdicts_of_a_host(hgx):
    declared, health = judged(outcome(hgx))
    assert declared[:2] == ("accelerators.declared", "pass") and "2 x " in declared[2]
    assert health[0] == "accelerators.health"


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"reached": False, "failure": "it could not be reached", "accelerators": []}, "error", "could not be reached"),
        ({"failure": "pool p: declared are 8"}, "fail", "declared are 8"),
        ({"failure": "root: none", "accelerators": []}, "error", "root: none"),
        ({"actions": [{"verb": "set", "kind": "driver override", "name": GPUS[0]}]}, "fail", "site would: set driver"),
        ({"deferred": ["0000:18:00.0: waits"]}, "fail", "site would: 0000:18:00.0: waits"),
    ],
)
def test_a_host_that_is_not_seen_or_not_as_declared_never_passes(hgx, more, status, words):
    declared, health = judged(outcome(hgx, **more))
    assert declared[1] == status and words in declared[2]
    assert health[1] != "pass" or "accelerators" not in more


def test_every_verdict_has_evidence(hgx):
    assert all(one["evidence"] for one in host_verdicts.judge([outcome(hgx)], "t"))


@pytest.mark.parametrize(
    ("description", "pools"),
    [
        (("l40s", {}), [pool("L40S", "vgpu", 2, "L40S-12Q", 4)]),
        (("l40s", {}), [pool("L40S", "vgpu", ["0000:41:00.0"], "L40S-24Q", 2)]),
        (("a100", {"vgpu": "none"}), [pool("A100", "mig", 2, "1g.5gb", 7)]),
        (("flex170", {}), [pool("Flex 170", "vf", 2, None, 4)]),
        (("l40s", {}), [pool("L40S", "vf", 2, "NVIDIA L40S-12Q", 4)]),
        (("hgx", {"vgpu": "vendor_vfio", "switches": 0, "gpus": 1}), [pool("H200", "vgpu", 1, "H200XM-1-18C", 7)]),
    ],
    ids=["vgpu", "vgpu-of-one-card", "mig", "vf", "vf-with-types", "mig-backed-vgpu"],
)
def test_slices(description, pools):
    host = MemoryHost(Model(describe(description[0], **description[1])))
    for _round in range(5):
        planned = pool_plan.plan(look(host), pools, "partitioning")
        assert planned["problems"] == []
        if not planned["actions"]:
            break
        first = next(iter(planned["actions"]))
        planned["actions"] = {first: planned["actions"][first]}
        assert carry_out(host, planned) == planned["actions"]
    assert planned["actions"] == {} and planned["modules"] != {}


def test_a_mode_that_waits_for_a_reset_is_not_as_declared():
    host, pools = MemoryHost(Model(describe("a100", vgpu="none", gpus=1))), [pool("A100", "mig", 1, "1g.5gb", 7)]
    planned = pool_plan.plan(look(host), pools, "partitioning")
    carry_out(host, planned)
    modes = {(one["mig"]["mode"], one["mig"]["pending"]) for one in look(host)["accelerators"] if one["mig"]}
    assert modes == {("disabled", "enabled")}
    again = pool_plan.plan(look(host), pools, "partitioning")
    assert again["actions"] == {} and "waits for a reset" in again["deferred"][0]
    assert judged(outcome(host, deferred=again["deferred"]))[0][1] == "fail"


MIG_BACKED = [pool("A100", "vgpu", 1, "GRID A100-1-5C", 7)]


def site(host, pools):
    """What the role does: it looks and plans again after the MIG mode and after VFs."""
    done = []
    for name in ("mig_mode", "sriov_vfs", "mig_layout", "vgpu_profiles"):
        planned = pool_plan.plan(look(host), pools, "partitioning")
        assert planned["problems"] == []
        planned["actions"] = {name: planned["actions"][name]} if name in planned["actions"] else {}
        done += carry_out(host, planned).get(name, [])
    return done, pool_plan.plan(look(host), pools, "partitioning")


def kinds(actions):
    return list(dict.fromkeys(action["kind"] for action in actions if not action["kind"].startswith("boot")))


def test_vgpus_in_mig_instances_come_from_the_pool_alone():
    host = MemoryHost(Model(describe("a100", gpus=1)))
    [card] = [one["address"] for one in look(host)["accelerators"] if one["kind"] == "gpu"]
    planned = pool_plan.plan(look(host), MIG_BACKED, "partitioning")
    order = ["MIG mode", "VF count", "MIG layout", "vGPU type"]
    assert planned["problems"] == [] and planned["deferred"] == []
    assert list(planned["actions"]) == ["mig_mode", "sriov_vfs", "mig_layout", "vgpu_profiles"]
    assert kinds(action for actions in planned["actions"].values() for action in actions) == order
    assert planned["actions"]["mig_layout"][-1]["after"] == {"profiles": {"1g.5gb": 7}}
    assert {action["deferred"] is None for name in ("sriov_vfs", "vgpu_profiles") for action in planned["actions"][name]
            if action["kind"] in order} == {False}
    # An A100 takes the mode by a reset: until then nothing more is done, and nothing more is planned.
    done, left = site(host, MIG_BACKED)
    assert kinds(done) == ["MIG mode"] and left["actions"] == {}
    assert left["deferred"][0].startswith("MIG mode of {0} waits for a reset".format(card))
    assert left["deferred"][0].endswith("its VFs, MIG instances and vGPU types come after it, by another run")
    assert host.run(["nvidia-smi", "--gpu-reset", "-i", card], 60, changes=True).ok
    done, left = site(host, MIG_BACKED)
    assert kinds(done) == order[1:] and left["actions"] == {} and left["deferred"] == []
    # Lost VFs take the instances with them; the same order brings all of it back.
    for vf in look(host)["accelerators"]:
        if (vf["sriov"] or {}).get("role") == "vf" and vf["vgpu"]["type_id"]:
            host.write_attribute("/sys/bus/pci/devices/{0}/nvidia/current_vgpu_type".format(vf["address"]), "0")
    host.run(["/usr/lib/nvidia/sriov-manage", "-d", card], 60, changes=True)
    done, left = site(host, MIG_BACKED)
    assert kinds(done) == order[1:] and left["actions"] == {}


def test_a_profile_that_does_not_follow_from_the_name_is_left_to_the_operator():
    names = pool_plan.pool_rows.vgpu_names
    found = {name: names.mig_profile(name) for name in (
        "GRID A100D-1-10C", "NVIDIA A100-1-5CME", "A100-7-40C", "DC-1-24QGFX", "L40S-12Q", "A100-5C")}
    assert found == {"GRID A100D-1-10C": "1g.10gb", "NVIDIA A100-1-5CME": "1g.5gb+me", "A100-7-40C": "7g.40gb",
                     "DC-1-24QGFX": None, "L40S-12Q": None, "A100-5C": None}
    host = MemoryHost(Model(describe("hgx", gpus=1, switches=0, vgpu="vendor_vfio")))
    planned = pool_plan.plan(look(host), [pool("H200", "vgpu", 1, "H200XM-1-18CGFX", 7)], "partitioning")
    assert planned["modules"]["mig_mode"]["devices"][0]["instances"] is None
    assert "mig_layout" not in planned["modules"]


def test_vfs_of_nvidia_are_handed_out_with_a_type():
    host = MemoryHost(Model(describe("l40s", gpus=1)))
    [said] = pool_plan.plan(look(host), [pool("L40S", "vf", 1, None, 4)], "partitioning")["problems"]
    assert said.startswith("pool p: mode vf without a profile, but the VFs of L40S cannot be bound to vfio-pci")
    assert "Write profile with the name of a type" in said
    planned = pool_plan.plan(look(host), [pool("L40S", "vf", 1, "L40S-12Q", 4)], "partitioning")
    assert list(planned["actions"]) == ["sriov_vfs", "vgpu_profiles"]


def test_other_vfs_have_no_profiles():
    host = MemoryHost(Model(describe("flex170", cards=1)))
    [said] = pool_plan.plan(look(host), [pool("Flex 170", "vf", 1, "half", 2)], "partitioning")["problems"]
    assert "profile 'half', but VFs of" in said and "leave profile out" in said


def test_mediated_devices_are_not_planned_before_there_are_vfs():
    old = {"vgpu": "mdev", "kernel": "6.1.0-28-amd64", "modules": ["nvidia_vgpu_vfio"]}
    host = MemoryHost(Model(describe("l40s", gpus=1, **old)))
    pools = [pool("L40S", "vgpu", 1, "L40S-24Q", 2)]
    planned = pool_plan.plan(look(host), pools, "partitioning")
    assert planned["problems"] == [] and list(planned["actions"]) == ["sriov_vfs"]
    done, left = site(host, pools)
    assert kinds(done) == ["VF count"] and left["actions"] == {} and left["problems"] == []
    [said] = pool_plan.plan(look(host), [dict(pools[0], mode="vf")], "partitioning")["problems"]
    assert "mediated devices on this host" in said and "write mode: vgpu with the same profile" in said


def test_a_module_is_loaded_once_however_many_cards_need_it():
    host = MemoryHost(Model(describe("flex170", cards=2)))
    planned = pool_plan.plan(look(host), [pool("Flex 170", "vf", 2, None, 2)], "partitioning")
    loads = [one["name"] for one in planned["actions"]["sriov_vfs"] if one["verb"] == "load"]
    assert len(loads) == len(set(loads)) == 1


def test_vfs_do_not_hide_how_the_card_is():
    host = MemoryHost(Model(describe("l40s", gpus=1)))
    pools = [pool("L40S", "vgpu", 1, "L40S-24Q", 2)]
    for _round in range(3):
        planned = pool_plan.plan(look(host), pools, "partitioning")
        planned["actions"] = dict(list(planned["actions"].items())[:1])
        carry_out(host, planned)
    assert any((one["sriov"] or {}).get("role") == "vf" for one in look(host)["accelerators"])
    assert judged(outcome(host))[1][:2] == ("accelerators.health", "pass")


def late(domain, host, params, then):
    """Decide, let something happen, and only then apply."""
    observed = domain.observe(host, params)
    plan = domain.decide(params, observed)
    assert plan
    then()
    perform = domain.performer(host, params, observed)
    for action in plan:
        perform(action)


def test_who_takes_a_vf_after_the_decision_keeps_it():
    host = MemoryHost(Model(describe("flex170", cards=1)))
    pools = [pool("Flex 170", "vf", 1, None, 2)]
    carry_out(host, pool_plan.plan(look(host), pools, "partitioning"))
    [card] = [one for one in look(host)["accelerators"] if (one["sriov"] or {}).get("role") == "pf"]
    params = dict(pool_plan.plan(look(host), pools, "partitioning")["modules"]["sriov_vfs"],
                  allow_interruption=True, expected_actions=None)
    params["devices"] = [dict(params["devices"][0], vfs=0, driver=None)]
    with pytest.raises(errors.Refused, match="by now something works on it"):
        late(pool_plan.vfs, host, params, lambda: host.model.virtual_machine(card["sriov"]["vfs"][0]))
    assert len(host.names("/sys/bus/pci/devices/{0}".format(card["sriov"]["vfs"][0]))) > 5


def test_who_opens_a_card_after_the_decision_keeps_it():
    host = MemoryHost(Model(describe("hgx", gpus=1, switches=0)))
    planned = pool_plan.plan(look(host), [pool("H200", "mig", 1, "1g.18gb", 7)], "partitioning")
    params = dict(planned["modules"]["mig_layout"], allow_interruption=True, expected_actions=None)
    with pytest.raises(errors.Refused, match="by now something works on it"):
        late(pool_plan.mig, host, params, lambda: host.model.hold("/dev/nvidia0"))


def test_one_card_is_in_one_pool(hgx):
    pools = [pool("H200", "passthrough", 2, name="one"), pool("H200 SXM", "passthrough", 2, name="two")]
    planned = pool_plan.plan(look(hgx), pools, "passthrough")
    assert planned["actions"] == {}
    assert any("belongs to pool one already" in one or "this host has none" in one for one in planned["problems"])


@pytest.mark.parametrize("profile", ["foo", "H200-1-18C"])
def test_a_profile_that_cannot_be_is_a_problem_and_no_traceback(profile):
    host = MemoryHost(Model(describe("hgx", gpus=1, switches=0)))
    planned = pool_plan.plan(look(host), [pool("H200", "mig", 1, profile, 2)], "partitioning")
    assert planned["actions"] == {} and planned["problems"][0].startswith("mig_layout: ")
    assert "unexpected" not in planned["problems"][0]


def test_cards_of_one_group_go_one_way():
    seen = look(MemoryHost(Model(describe("hgx", gpus=2, switches=0))))
    one, two = [device for device in seen["accelerators"] if device["kind"] == "gpu"]
    one["group"]["members"].append(dict(two["group"]["members"][0]))
    pools = [pool("H200", "passthrough", [one["address"]], name="a"),
             pool("H200", "mig", [two["address"]], "1g.18gb", 7, name="b")]
    problems = pool_plan.plan(seen, pools, "passthrough")["problems"]
    assert "is in one IOMMU group with 0000:2a:00.0 of pool b" in problems[0]
