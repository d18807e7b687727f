# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the answers of Placement and Nova; how few calls suffice."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import capacity
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.providers import same_host

GPU = "CUSTOM_GPU_H200"
POOL = {"name": "h", "site": "s", "hosts": ["n1", "n2"], "resource_class": GPU, "mode": "passthrough", "per_host": 2,
        "total": 4, "devices": None, "trait": "SITE"}


class FakePlacement:
    """Two hosts with two devices each; ``used`` maps a device to its consumer; ``reserved`` names devices."""

    server_time = 0.0

    def __init__(self, used=None, reserved=(), servers=(), traits=("SITE",), summarised=("n1", "n2")):
        self.used, self.reserved, self.servers = dict(used or {}), set(reserved), list(servers)
        self.traits, self.summarised, self.calls = list(traits), summarised, 0

    def devices(self, root):
        return ["{0}-{1}".format(root, number) for number in (1, 2)]

    def list(self, service, path, key, query=None):
        self.calls += 1
        if key == "resource_providers":
            return [{"uuid": one, "name": one, "root_provider_uuid": root}
                    for root in ("n1", "n2", "n3") for one in [root, *self.devices(root)]]
        return {"servers": self.servers, "domains": [{"id": "d", "name": "Default"}],
                "projects": [{"id": "p", "name": "research", "domain_id": "d"}]}[key]

    def get(self, service, path, query=None):
        self.calls += 1
        if path == "/allocation_candidates":
            return {"provider_summaries": {
                one: {"traits": self.traits if one == root else [], "root_provider_uuid": root,
                      "resources": {} if one == root else {
                          GPU: {"capacity": 0 if one in self.reserved else 1, "used": int(one in self.used)}}}
                for root in self.summarised for one in [root, *self.devices(root)]}}
        one, what = path.split("/")[2:]
        if what == "traits":
            return {"traits": self.traits}
        if what == "inventories":
            return {"inventories": {} if "-" not in one else {
                GPU: {"total": 1, "reserved": int(one in self.reserved)}}}
        assert what == "allocations"
        return {"allocations": {self.used[one]: {"resources": {GPU: 1}}} if one in self.used else {}}


def look(cloud, *pools):
    found = capacity.execute(cloud, {"pools": list(pools or [POOL])}, False)
    return found["pools"][0], {one["rule"].partition(".")[2]: one for one in found["verdicts"]}


def test_an_empty_region_takes_two_calls():
    cloud = FakePlacement()
    pool, verdicts = look(cloud)
    assert cloud.calls == 2
    assert (pool["total"], pool["used"], pool["reserved"], pool["free"], pool["expected"]) == (4, 0, 0, 4, 4)
    assert [host["traits_ok"] for host in pool["hosts"]] == [True, True]
    assert {one["status"] for one in verdicts.values()} == {"pass"}


def test_holders_have_names():
    server = {"id": "s1", "name": "train", "status": "ACTIVE", "tenant_id": "p"}
    pool, verdicts = look(FakePlacement({"n1-1": "s1", "n1-2": "s1"}, servers=[server]))
    assert pool["holders"] == [{"server": "train", "server_id": "s1", "status": "ACTIVE", "project": "research",
                                "domain": "Default", "host": "n1", "devices": 2}]
    assert (pool["used"], pool["free"]) == (2, 2)
    assert verdicts["leaks"]["status"] == "pass"


@pytest.mark.parametrize("servers", [[], [{"id": "s1", "name": "x", "status": "ERROR", "tenant_id": "p"}]])
def test_devices_that_nobody_can_use_are_leaks(servers):
    pool, verdicts = look(FakePlacement({"n2-1": "s1"}, servers=servers))
    assert verdicts["leaks"]["status"] == "fail" and "1 device on n2" in verdicts["leaks"]["message"]


def test_reserved_devices_are_there_and_not_free():
    pool, verdicts = look(FakePlacement(reserved=["n1-1"]))
    assert (pool["total"], pool["reserved"], pool["free"]) == (4, 1, 3)
    assert verdicts["inventory"]["status"] == "pass"


def test_a_device_that_is_used_and_reserved_counts_once():
    pool, verdicts = look(FakePlacement({"n1-1": "s1"}, reserved=["n1-1"]))
    assert (pool["used"], pool["reserved"], pool["free"]) == (1, 1, 3)


@pytest.mark.parametrize("summarised", [(), ("n2",)])
def test_hosts_that_no_candidate_summarises_are_asked_one_by_one(summarised):
    pool, verdicts = look(FakePlacement({"n1-1": "s1", "n1-2": "s2"}, summarised=summarised))
    assert (pool["total"], pool["used"], pool["free"]) == (4, 2, 2)
    assert verdicts["site"]["status"] == "pass"


@pytest.mark.parametrize(
    ("more", "rule", "status", "words"),
    [
        ({"hosts": ["n1", "n9"]}, "inventory", "fail", "no host n9"),
        ({"hosts": ["n1", "n9"]}, "site", "error", "no host n9"),
        ({"hosts": ["n9"], "per_host": 0, "total": 0}, "leaks", "error", "none of its hosts"),
        ({"per_host": 3, "total": 6}, "inventory", "fail", "n1 has 2 of 3"),
        ({"per_host": None, "total": 5}, "inventory", "fail", "declared are 5"),
        ({"per_host": None, "total": None}, "inventory", "not_applicable", "not declared"),
        ({"trait": "OTHER"}, "site", "fail", "OTHER is missing on n1, n2"),
        ({"trait": None}, "site", "not_applicable", "no trait"),
        ({"resource_class": "CUSTOM_NEVER"}, "inventory", "fail", "n1 has 0 of 2"),
    ],
)
def test_what_is_wrong_is_said(more, rule, status, words):
    found = look(FakePlacement(), dict(POOL, **more))[1][rule]
    assert (found["status"], words in found["message"]) == (status, True), found
    assert found["evidence"]


@pytest.mark.parametrize(("provider", "host", "same"), [
    ("a", "a", True), ("a.example", "a", True), ("a", "a.example", True), ("a.one", "a.two", False),
    ("ab", "a", False)])
def test_names_of_hosts(provider, host, same):
    assert same_host(provider, host) is same


@pytest.mark.parametrize("more", [{"hosts": []}, {"hosts": ["a", "a"]}, {"total": -1}])
def test_options_that_cannot_be_right(more):
    assert capacity.validate({"pools": [POOL]}) == []
    assert len(capacity.validate({"pools": [dict(POOL, **more)]})) == 1
    assert len(capacity.validate({"pools": [POOL, POOL]})) == 1
