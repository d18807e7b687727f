# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Placement has of the devices of some pools, read with few calls.

Placement lists no inventories in bulk, but ``GET /allocation_candidates`` summarises every provider of each tree that
has something free. Only what is missing there (full trees, what a limit of candidates cut off, inventories that do not
follow from the summary) is asked for one by one. Source: Placement API 1.36.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .._core.errors import CloudError, NotFound

# One device is one provider in these modes, with a total of one: a capacity of one leaves nothing reserved.
_SINGLE = ("passthrough",)


@dataclass
class Provider:
    """One resource provider.

    Attributes:
        id, name: of the provider.
        root: id of the root of its tree.
        resources: mapping of resource class to {total, reserved, used}.
        allocations: mapping of consumer to {resource class: amount}.
        traits: set of its traits.
    """

    id: str
    name: str
    root: str
    resources: dict = field(default_factory=dict)
    allocations: dict = field(default_factory=dict)
    traits: set = field(default_factory=set)


@dataclass
class Stock:
    """What Placement has.

    Attributes:
        trees: mapping of the name of a root provider to the list of Provider of its tree, the root first.
        time: when it was read, by the server's clock, ISO 8601, or None.
    """

    trees: dict
    time: str | None = None


def read(cloud, hosts, classes, single=()):
    """Return the Stock of some hosts.

    Args:
        cloud: Cloud.
        hosts: names of hosts.
        classes: resource classes of interest.
        single: those among them of which every provider has one.
    """
    rows = cloud.list("placement", "/resource_providers", "resource_providers")
    roots = {row["uuid"]: row["name"] for row in rows if row["uuid"] == row["root_provider_uuid"]}
    wanted = {uuid for uuid, name in roots.items() if any(same_host(name, host) for host in hosts)}
    providers = {
        row["uuid"]: Provider(row["uuid"], row["name"], row["root_provider_uuid"])
        for row in rows if row["root_provider_uuid"] in wanted
    }
    summaries = {}
    for name in sorted(classes):
        summaries.update(summaries_of(cloud, {"resources": "{0}:1".format(name)}))
    for provider in providers.values():
        _fill(cloud, provider, summaries.get(provider.id), classes, single)
    trees = {}
    for provider in providers.values():
        trees.setdefault(roots[provider.root], []).append(provider)
    for tree in trees.values():
        tree.sort(key=lambda one: (one.id != one.root, one.name))
    now = cloud.server_time
    return Stock(trees, None if now is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)))


def summaries_of(cloud, query):
    """Return the provider summaries of the allocation candidates for a query; none for a class nobody has."""
    try:
        return cloud.get("placement", "/allocation_candidates", query)["provider_summaries"]
    except CloudError as error:
        # Placement calls a resource class that nobody has made yet a bad request.
        if error.status == 400:
            return {}
        raise


def _fill(cloud, provider, summary, classes, single):
    if summary is None:
        _inventories(cloud, provider, classes)
        if provider.id == provider.root:
            path = "/resource_providers/{0}/traits".format(provider.id)
            provider.traits = set(cloud.get("placement", path)["traits"])
    else:
        provider.traits = set(summary["traits"])
        resources = {name: row for name, row in summary["resources"].items() if name in classes}
        if all(name in single and row["capacity"] == 1 for name, row in resources.items()):
            provider.resources = {name: {"total": 1, "reserved": 0, "used": row["used"]}
                                  for name, row in resources.items()}
        else:
            _inventories(cloud, provider, classes)
    unused = summary is not None and not any(
        row["used"] for name, row in summary["resources"].items() if name in classes)
    if provider.resources and not unused:
        path = "/resource_providers/{0}/allocations".format(provider.id)
        found = cloud.get("placement", path)["allocations"]
        provider.allocations = {
            consumer: {name: amount for name, amount in row["resources"].items() if name in classes}
            for consumer, row in found.items() if set(row["resources"]) & set(classes)
        }
    for name, row in provider.resources.items():
        row["used"] = sum(amounts.get(name, 0) for amounts in provider.allocations.values())


def _inventories(cloud, provider, classes):
    try:
        found = cloud.get("placement", "/resource_providers/{0}/inventories".format(provider.id))["inventories"]
    except NotFound:
        return
    provider.resources = {
        name: {"total": row["total"], "reserved": row["reserved"], "used": 0}
        for name, row in found.items() if name in classes
    }


def allocations_of(cloud, consumer):
    """Return mapping of provider id to resources that a consumer holds."""
    found = cloud.get("placement", "/allocations/{0}".format(consumer))["allocations"]
    return {uuid: row["resources"] for uuid, row in found.items()}


def same_host(provider, host):
    """Whether a root provider is that host: Nova names it by hostname or by full name."""
    return provider == host or ("." in provider) != ("." in host) and provider.split(".")[0] == host.split(".")[0]


def single_classes(pools):
    """Return the resource classes of which every provider has one device."""
    return {pool["resource_class"] for pool in pools if pool.get("mode") in _SINGLE}
