# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the devices of which pool: Placement counts, Nova and Keystone give the names. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from .capacity_verdicts import judge
from .names import duplicates
from .providers import Stock, read, same_host, single_classes

_POOL = {
    "name": {"type": "str", "required": True},
    "site": {"type": "str"},
    "jurisdiction": {"type": "str"},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "model": {"type": "str"},
    "mode": {"type": "str"},
    "resource_class": {"type": "str", "required": True},
    "per_host": {"type": "int"},
    "total": {"type": "int"},
    "devices": {"type": "int"},
    "trait": {"type": "str"},
}
ARGUMENT_SPEC = {"pools": {"type": "list", "elements": "dict", "required": True, "options": _POOL}}


@dataclass(frozen=True)
class Observed:
    """What the services have.

    Attributes:
        stock: Stock.
        servers: mapping of id to Nova's server.
        projects: mapping of id to (name, name of the domain).
        classes: resource classes that are declared.
    """

    stock: Stock
    servers: dict
    projects: dict


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    pools = params["pools"]
    found = duplicates("pools", [pool["name"] for pool in pools])
    for index, pool in enumerate(pools):
        if not pool["hosts"]:
            found.append("pools[{0}].hosts: empty; a pool has at least one host".format(index))
        found += duplicates("pools[{0}].hosts".format(index), pool["hosts"])
        if expected(pool) is not None and expected(pool) < 0:
            found.append("pools[{0}]: {1} devices".format(index, expected(pool)))
    return found


def expected(pool):
    """Return how many devices a pool should have, or None when nobody said."""
    if pool.get("total") is not None:
        return pool["total"]
    if pool.get("devices") is not None:
        return pool["devices"]
    return None if pool.get("per_host") is None else pool["per_host"] * len(pool["hosts"])


def observe(cloud, params):
    """Return Observed. Names are asked for only when somebody holds a device."""
    pools = params["pools"]
    hosts = sorted({host for pool in pools for host in pool["hosts"]})
    classes = {pool["resource_class"] for pool in pools}
    stock = read(cloud, hosts, classes, single_classes(pools))
    if not any(provider.allocations for tree in stock.trees.values() for provider in tree):
        return Observed(stock, {}, {})
    rows = cloud.list("compute", "/servers/detail", "servers", {"all_tenants": "True"})
    domains = {row["id"]: row["name"] for row in cloud.list("identity", "/domains", "domains")}
    projects = {
        row["id"]: (row["name"], domains.get(row["domain_id"], row["domain_id"]))
        for row in cloud.list("identity", "/projects", "projects")
    }
    return Observed(stock, {row["id"]: row for row in rows}, projects)


def rows(pools, observed):
    """Return the pools as they are. Pure."""
    return [_pool(pool, observed) for pool in pools]


def _pool(pool, observed):
    hosts = [_host(pool, host, observed) for host in pool["hosts"]]
    found = {key: sum(host[key] or 0 for host in hosts) for key in ("total", "used", "reserved", "free")}
    return dict(
        found,
        name=pool["name"],
        site=pool["site"],
        resource_class=pool["resource_class"],
        expected=expected(pool),
        hosts=hosts,
        holders=_holders(hosts),
    )


def _host(pool, host, observed):
    tree = next((tree for name, tree in observed.stock.trees.items() if same_host(name, host)), None)
    devices = [
        _device(provider, pool["resource_class"], observed)
        for provider in tree or [] if pool["resource_class"] in provider.resources
    ]
    found = {key: sum(device[key] for device in devices) for key in ("total", "used", "reserved", "free")}
    known = tree is not None and pool["trait"]
    return dict(
        found,
        host=host,
        name=host,
        found=tree is not None,
        traits_ok=pool["trait"] in tree[0].traits if known else None,
        devices=devices,
    )


def _device(provider, name, observed):
    resource = provider.resources[name]
    used = resource["used"]
    holders = [
        dict(_holder(consumer, observed), amount=amounts[name])
        for consumer, amounts in sorted(provider.allocations.items()) if amounts.get(name)
    ]
    return {
        "name": provider.name,
        "total": resource["total"],
        "reserved": resource["reserved"],
        "used": used,
        # A device that is reserved for cleaning while a server still has it is not to be counted twice.
        "free": max(resource["total"] - max(resource["reserved"], 0) - used, 0),
        "holders": holders,
    }


def _holder(consumer, observed):
    server = observed.servers.get(consumer)
    project = (server or {}).get("tenant_id")
    name, domain = observed.projects.get(project, (project, None))
    return {
        "server": server["name"] if server else None,
        "server_id": consumer,
        "status": server["status"] if server else None,
        "project": name,
        "domain": domain,
    }


def _holders(hosts):
    """Return one row for each server and host, with the number of devices."""
    found = {}
    for host in hosts:
        for device in host["devices"]:
            for one in device["holders"]:
                row = found.setdefault((one["server_id"], host["host"]), dict(one, host=host["host"], devices=0))
                row.pop("amount", None)
                row["devices"] += one["amount"]
    return [found[key] for key in sorted(found)]


def execute(cloud, params, check_mode):
    """Return the module's result; it is the same in check mode."""
    observed = observe(cloud, params)
    pools = rows(params["pools"], observed)
    return {
        "pools": pools,
        "verdicts": judge(params["pools"], pools, observed.stock.time),
        "changed": False,
        "api_calls": cloud.calls,
    }
