# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary and the capacity against real Nova and Placement: what they find, and that they leave nothing behind."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import (
    CloudConfigError,
    CloudError,
    ServiceUnreachable,
)
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import canary, capacity
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.canary_project import TAG, CanaryProject
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.lock_machine import Machine
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.lock_record import encode

H200, L40S = "CUSTOM_GPU_H200", "CUSTOM_GPU_L40S"
POOLS = [
    {"name": "h200", "site": "site-a", "hosts": ["gpu-a1", "gpu-a2"], "resource_class": H200, "mode": "passthrough",
     "per_host": 8, "total": 16, "devices": None, "trait": "CUSTOM_SITE_SITE_A"},
    {"name": "l40s", "site": "site-b", "hosts": ["gpu-b1", "gpu-b2"], "resource_class": L40S, "mode": "passthrough",
     "per_host": 4, "total": 8, "devices": None, "trait": "CUSTOM_SITE_SITE_B"},
]


@pytest.fixture(scope="module")
def clouds(region):
    return yaml.safe_load((Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]


@pytest.fixture()
def admin(clouds):
    return connect({"cloud": clouds["embedded-admin"]})


@pytest.fixture()
def flavors(admin):
    """Private flavors of this test: alias of a pool and number to name. Removed afterwards."""
    made = {}

    def make(alias, count):
        name = "canary-test-{0}-{1}-{2}".format(alias, count, uuid.uuid4().hex[:6])
        body = {"name": name, "vcpus": 1, "ram": 64, "disk": 1, "os-flavor-access:is_public": False}
        made[name] = admin.created("compute", "/flavors", {"flavor": body}, "flavor")["id"]
        specs = {"pci_passthrough:alias": "{0}:{1}".format(alias, count)}
        admin.post("compute", "/flavors/{0}/os-extra_specs".format(made[name]), {"extra_specs": specs})
        return name

    make.ids = made
    yield make
    for key in made.values():
        admin.delete("compute", "/flavors/{0}".format(key))


def options(*flavors, **more):
    rows = [{"name": name, "gpus": gpus, "resource_class": kind} for name, gpus, kind in flavors]
    given = {"flavors": rows, "image": "gpu-canary", "network": "none", "project": TAG, "domain": "Default",
             "keep_free": 1, "boot_timeout": 90}
    return dict(given, **more)


def run(cloud, given, check_mode=False):
    found = canary.execute(cloud, given, check_mode)
    assert found["changed"] is False
    return found["canary"]


def left_behind(cloud):
    projects = cloud.list("identity", "/projects", "projects", {"name": TAG})
    servers = cloud.list("compute", "/servers/detail", "servers", {"all_tenants": "True"})
    return [row["name"] for row in projects] + [row["name"] for row in servers if row["name"].startswith("canary-")]


def test_boots_checks_and_leaves_nothing(admin, flavors):
    good, wrong, big = flavors("l40s", 1), flavors("l40s", 1), flavors("l40s", 2)
    found = run(admin, options((good, 1, L40S), (wrong, 2, L40S), (big, 2, L40S), ("no such flavor", 1, L40S)))
    assert [one["status"] for one in found] == ["pass", "fail", "pass", "fail"], found
    assert "gave it 1 CUSTOM_GPU_L40S instead of 2" in found[1]["message"]
    assert found[0]["evidence"][2]["value"] != {}
    assert left_behind(admin) == []
    for key in flavors.ids.values():
        assert admin.get("compute", "/flavors/{0}/os-flavor-access".format(key))["flavor_access"] == []
    assert all(pool["used"] == 0 for pool in capacity.execute(admin, {"pools": POOLS}, False)["pools"])


def test_a_network_without_an_agent_is_a_failure_that_leaves_nothing(admin, flavors):
    """No agent of Neutron runs in the embedded region: the port is made, cannot be bound, and is removed again."""
    name, word = flavors("l40s", 1), "canary-net-" + uuid.uuid4().hex[:6]
    network = admin.created("network", "/networks", {"network": {"name": word, "shared": True}}, "network")["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "192.0.2.0/24", "enable_dhcp": False}
    try:
        admin.created("network", "/subnets", {"subnet": subnet}, "subnet")
        groups = admin.list("network", "/security-groups", "security_groups")
        found = run(admin, options((name, 1, L40S), network=word))
        assert [one["status"] for one in found] == ["fail"] and "went to ERROR" in found[0]["message"]
        assert left_behind(admin) == []
        assert admin.list("network", "/ports", "ports", {"network_id": network}) == []
        assert admin.list("network", "/security-groups", "security_groups") == groups
    finally:
        admin.delete("network", "/networks/{0}".format(network))


def test_a_network_that_is_not_there_is_an_error(admin, flavors):
    with pytest.raises(CloudError, match="0 networks are named 'no-such'"):
        run(admin, options((flavors("l40s", 1), 1, L40S), network="no-such"))
    assert left_behind(admin) == []


def test_an_application_credential_is_refused_before_anything_is_made(admin, flavors, monkeypatch):
    def bound():
        raise CloudConfigError("an application credential is bound to its own project")

    monkeypatch.setattr(admin, "require_free_scope", bound)
    assert run(admin, options((flavors("l40s", 1), 1, L40S)))[0]["status"] == "error"
    assert left_behind(admin) == []


def test_check_mode_boots_nothing(admin, flavors):
    found = run(admin, options((flavors("l40s", 1), 1, L40S)), check_mode=True)
    assert found[0]["status"] == "not_applicable" and "would boot" in found[0]["message"]
    assert left_behind(admin) == []


def test_the_last_free_devices_are_for_tenants(admin, flavors):
    name = flavors("l40s", 1)
    assert run(admin, options((name, 1, L40S), keep_free=8))[0]["status"] == "not_applicable"
    assert "no host has 9" in run(admin, options((name, 9, L40S)))[0]["message"]
    assert left_behind(admin) == []


def test_a_fault_in_the_middle_leaves_nothing(admin, flavors, monkeypatch):
    name = flavors("l40s", 1)

    def cut(*unused):
        raise ServiceUnreachable("cut")

    monkeypatch.setattr("ansible_collections.sovereign.region.plugins.module_utils._tenancy.canary_boot"
                        ".allocations_of", cut)
    assert run(admin, options((name, 1, L40S)))[0]["status"] == "error"
    assert left_behind(admin) == []


def abandoned(admin, flavor_id, alive):
    """Leave what a canary leaves that was killed right after its server was created."""
    machine = Machine(Host(), "killed", required=False)
    project = CanaryProject(admin, options(), machine)
    project.open(flavor_id, False)
    image = admin.list("image", "/images", "images", {"name": "gpu-canary"})[0]["id"]
    body = {"name": "canary-left", "flavorRef": flavor_id, "imageRef": image, "networks": "none"}
    project.scoped.created("compute", "/servers", {"server": body}, "server")
    if not alive:
        text = encode("canary", machine.owner, "t", 1000.0, 1000.0, 2000.0)
        admin.patch("identity", "/projects/{0}".format(project._id), {"project": {"description": text}})
    return project


def test_what_a_killed_canary_left_is_removed_first(admin, flavors):
    name = flavors("l40s", 1)
    abandoned(admin, flavors.ids[name], alive=False)
    assert left_behind(admin) != []
    assert run(admin, options((name, 1, L40S)))[0]["status"] == "pass"
    assert left_behind(admin) == []


def test_a_canary_at_work_is_not_disturbed_and_its_devices_are_seen(admin, flavors):
    name = flavors("l40s", 1)
    project = abandoned(admin, flavors.ids[name], alive=True)
    try:
        found = run(admin, options((name, 1, L40S)))
        assert found[0]["status"] == "error" and "another canary is at work" in found[0]["message"]
        assert TAG in left_behind(admin)
        pool = wait_for_holder(admin)
        assert (pool["used"], pool["free"], len(pool["holders"])) == (1, 7, 1)
        holder = pool["holders"][0]
        assert (holder["server"], holder["project"], holder["domain"], holder["devices"]) == (
            "canary-left", TAG, "Default", 1)
    finally:
        assert project.remove([flavors.ids[name]]) is None
    assert left_behind(admin) == []


def wait_for_holder(admin):
    machine = Machine(Host(), "looker", required=False)
    end = machine.clock() + 60
    while machine.clock() < end:
        pool = capacity.execute(admin, {"pools": POOLS}, False)["pools"][1]
        if pool["used"]:
            return pool
        machine.sleep(0.5)
    raise AssertionError("the server got no device")


def test_capacity_of_an_empty_region(admin):
    found = capacity.execute(admin, {"pools": POOLS}, False)
    assert found["api_calls"] <= 6
    assert [(pool["total"], pool["free"], pool["expected"]) for pool in found["pools"]] == [(16, 16, 16), (8, 8, 8)]
    assert {one["status"] for one in found["verdicts"]} == {"pass"}


def test_capacity_tells_what_is_wrong(admin):
    wrong = dict(POOLS[0], hosts=["gpu-a1", "gpu-b1", "nowhere"], total=24)
    found = {one["rule"]: one for one in capacity.execute(admin, {"pools": [wrong]}, False)["verdicts"]}
    assert found["capacity.inventory"]["status"] == "fail" and "nowhere" in found["capacity.inventory"]["message"]
    assert found["capacity.site"]["status"] == "fail" and "gpu-b1" in found["capacity.site"]["message"]
    unknown = dict(POOLS[0], resource_class="CUSTOM_GPU_NEVER", trait=None)
    found = capacity.execute(admin, {"pools": [unknown]}, False)
    assert [one["status"] for one in found["verdicts"]] == ["fail", "not_applicable", "pass"]
    assert found["pools"][0]["total"] == 0
