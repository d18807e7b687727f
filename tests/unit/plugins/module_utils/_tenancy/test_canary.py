# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a canary may start, and what it makes of what Placement says."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import canary
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.canary_boot import judge_allocation
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.canary_project import CanaryProject
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.canary_stock import free_by_host, judge_room

GPU = "CUSTOM_GPU_H200"


def flavor(gpus):
    return {"name": "f", "gpus": gpus, "resource_class": GPU}


def tree(root, used, traits=()):
    """Provider summaries of a host with one device for each of ``used``."""
    processors = {"VCPU": {"capacity": 9, "used": 0}}
    found = {root: {"root_provider_uuid": root, "traits": list(traits), "resources": processors}}
    for index, one in enumerate(used):
        found["{0}-{1}".format(root, index)] = {
            "root_provider_uuid": root, "traits": [], "resources": {GPU: {"capacity": 1, "used": one}}}
    return found


@pytest.mark.parametrize(
    ("gpus", "hosts", "keep", "expected"),
    [
        (1, {"a": 2}, 1, None),
        (1, {"a": 1}, 1, "the last ones are for tenants"),
        (1, {"a": 1}, 0, None),
        (4, {"a": 3, "b": 3}, 1, "no host has 4"),
        (8, {"a": 8}, 1, "the canary needs 8 and leaves 1"),
        (8, {"a": 8, "b": 1}, 1, None),
        (1, {}, 0, "none is free"),
        (1, {"a": 0}, 0, "none is free"),
    ],
)
def test_room(gpus, hosts, keep, expected):
    reason = judge_room(flavor(gpus), hosts, keep)
    assert reason is None if expected is None else expected in reason


def test_only_hosts_that_the_flavor_may_use_count():
    hosts = dict(tree("a", [0, 0, 1], ["SITE_A"]), **tree("b", [0], ["SITE_B"]))
    hosts.update(tree("c", [0, 0], ["SITE_A", "COMPUTE_STATUS_DISABLED"]))
    assert free_by_host(hosts, GPU, {"SITE_A"}) == {"a": 2}
    assert free_by_host(hosts, GPU, (), {"SITE_A"}) == {"b": 1}
    assert free_by_host(hosts, GPU) == {"a": 2, "b": 1}
    assert free_by_host(hosts, "CUSTOM_OTHER") == {}


@pytest.mark.parametrize(
    ("names", "roots", "status"),
    [
        ({"x": 1, "y": 1}, {"r"}, "pass"),
        ({"x": 1}, {"r"}, "fail"),
        ({"x": 2, "y": 1}, {"r"}, "fail"),
        ({}, set(), "fail"),
        ({"x": 1, "y": 1}, {"r", "s"}, "fail"),
    ],
)
def test_what_a_server_got(names, roots, status):
    assert judge_allocation(flavor(2), names, roots, "host")[0] == status


@pytest.mark.parametrize("more", [{"keep_free": -1}, {"boot_timeout": 0}, {"project": ""}, {"flavors": [flavor(0)]},
                                  {"flavors": [flavor(1), flavor(2)]}])
def test_options_that_cannot_be_right(more):
    given = {"flavors": [flavor(1)], "keep_free": 1, "boot_timeout": 300, "project": "p"}
    assert canary.validate(given) == []
    assert len(canary.validate(dict(given, **more))) == 1


class Network:
    """A cloud with a network service, or without one, and with security groups of several projects."""

    def __init__(self, there):
        self.there, self.deleted = there, []

    def has(self, service):
        return self.there

    def list(self, service, path, key, query):
        assert self.there and query == {"project_id": "mine"}
        # A service that does not know the filter lists all.
        return [{"id": "g1", "project_id": "mine"}, {"id": "g2", "project_id": "theirs"}, {"id": "g3"}]

    def delete(self, service, path):
        self.deleted.append((service, path))


@pytest.mark.parametrize(("there", "deleted"), [(True, [("network", "/security-groups/g1")]), (False, [])])
def test_only_security_groups_of_the_canary_go_with_it(there, deleted):
    cloud = Network(there)
    CanaryProject(cloud, {}, None)._ports_left("mine")
    assert cloud.deleted == deleted
