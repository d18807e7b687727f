# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of a region shows, from the document, Placement, Keystone and Nova. Pure."""

from __future__ import annotations

from .names import qualified
from .page_people import people, providers


def view(declared, capacity, projects, flavors, written, note=""):
    """Return the page's content.

    Args:
        declared: what the action ``sovereign.region.region`` returns.
        capacity: pools as capacity_info returns them.
        projects: projects as identity_projects returns them.
        flavors: flavors as compute_flavors returns them.
        written: when it was asked, in UTC.
        note: what has to be said beside the name, such as that the hardware is simulated.
    """
    region = declared["region"]
    measured = {pool["name"]: pool for pool in capacity}
    pools = {pool["name"]: _pool(pool, measured.get(pool["name"])) for pool in region["pools"]}
    wishes = {flavor["name"]: flavor for flavor in region["tenancy"]["flavors"]}
    rows = [_flavor(flavor, wishes.get(flavor["name"]), pools) for flavor in flavors]
    residency = {qualified(one["domain"], one["name"]): one.get("residency") for one in region["tenancy"]["projects"]}
    return {
        "region": region["name"],
        "note": note or "",
        "written": written,
        "sites": [
            {"name": site["name"], "jurisdiction": site["jurisdiction"],
             "pools": [pools[pool["name"]] for pool in region["pools"] if pool["site"] == site["name"]]}
            for site in region["sites"]
        ],
        "flavors": rows,
        "projects": [_project(project, rows, residency, pools) for project in projects],
        "people": people(region["identity"]),
        "providers": providers(region["identity"]),
    }


def _pool(pool, measured):
    found = measured or {}
    by_host = {host["name"]: host for host in found.get("hosts") or []}
    hosts = [_host(name, by_host.get(name), pool) for name in pool["hosts"]]
    devices = [device for host in hosts for device in host["devices"]]
    counts = {state: sum(1 for one in devices if one["state"] == state) for state in ("free", "used", "reserved")}
    return dict(
        counts,
        name=pool["name"],
        model=pool["model"],
        mode=pool["mode"],
        total=len(devices),
        known=bool(by_host),
        hosts=hosts,
        holders=_holders(devices),
    )


def _host(name, host, pool):
    if host is None:
        devices = [{"name": "device {0}".format(one + 1), "state": "unknown", "holder": ""}
                   for one in range(pool["per_host"])]
    else:
        devices = [device for found in host["devices"] for device in _squares(found)]
    return {"name": name, "devices": devices}


def _squares(device):
    """Return one square for each unit that a provider has: a card is one, a card cut in seven is seven."""
    holders = [holder for one in device["holders"] for holder in [_holder(one)] * one["amount"]]
    rest = max(device["total"] - len(holders) - device["reserved"], 0)
    states = [("used", holder) for holder in holders] + [("reserved", "")] * device["reserved"] + [("free", "")] * rest
    return [{"name": device["name"], "state": state, "holder": holder} for state, holder in states]


def _holder(one):
    """Return who holds a device: a project by its full name, else what Placement knows."""
    if one["domain"]:
        return qualified(one["domain"], one["project"])
    return one["project"] or "{0}, which is no server".format(one["server_id"])


def _holders(devices):
    found = {}
    for device in devices:
        if device["state"] == "used":
            found[device["holder"]] = found.get(device["holder"], 0) + 1
    return found


def _flavor(flavor, wish, pools):
    return {
        "name": flavor["name"],
        "gpus": wish["gpus"] if wish else 0,
        "model": pools[wish["pool"]]["model"] if wish else "",
        "vcpus": flavor["vcpus"],
        "ram_mib": flavor["ram_mib"],
        "disk_gib": flavor["disk_gib"],
        "public": flavor["public"],
        "access": flavor["access"] or [],
    }


def _project(project, flavors, residency, pools):
    name = qualified(project["domain"], project["name"])
    return {
        "name": name,
        "description": project["description"],
        "enabled": project["enabled"],
        "residency": residency.get(name),
        "flavors": [one["name"] for one in flavors if one["public"] or name in one["access"]],
        "holds": [
            {"devices": pool["holders"][name], "model": pool["model"]}
            for pool in pools.values() if name in pool["holders"]
        ],
    }
