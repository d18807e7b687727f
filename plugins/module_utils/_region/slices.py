# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices of a region document, in the shape that modules and roles take: nobody gets the whole document. Pure."""

from __future__ import annotations

from .names import qualified
from .pools import describe

_OF_A_HOST = ("name", "site", "model", "mode", "consumer", "devices", "cards_per_host", "profile", "slices")


def tenancy(document):
    """Return ``domains``, ``projects`` and ``flavors`` as identity_projects and compute_flavors take them.

    Args:
        document: a normalised document.
    """
    pools = {pool["name"]: pool for pool in describe(document)}
    several_sites = len(document["sites"]) > 1
    section = document["tenancy"]
    return {
        "domains": [_identity(domain, ("name",)) for domain in section["domains"]],
        "projects": [_identity(project, ("name", "domain")) for project in section["projects"]],
        "flavors": [_flavor(flavor, pools[flavor["pool"]], several_sites) for flavor in section["flavors"]],
    }


def derived_specs(pool, gpus, several_sites):
    """Return the extra specs that make Nova place a flavor's devices from a pool.

    Args:
        pool: a described pool.
        gpus: how many devices a server gets.
        several_sites: whether the site has to be said, because the class may exist at another one.
    """
    if pool["alias"]:
        specs = {"pci_passthrough:alias": "{0}:{1}".format(pool["alias"], gpus)}
    else:
        specs = {"resources:" + pool["resource_class"]: str(gpus)}
    if several_sites:
        specs["trait:" + pool["trait"]] = "required"
    return specs


def expectations(document):
    """Return what ``verify`` looks for: ``pools`` of Nova, and one ``canary`` for each flavor.

    A canary boots in an enabled project that may use the flavor: ``projects`` lists them, None when all may.
    """
    pools = [pool for pool in describe(document) if pool["consumer"] == "nova"]
    by_name = {pool["name"]: pool for pool in pools}
    usable = _usable_projects(document)
    keys = ("name", "site", "jurisdiction", "hosts", "model", "mode", "resource_class", "per_host", "total", "trait")
    return {
        "pools": [{key: pool[key] for key in keys} for pool in pools],
        "canary": [_canary(flavor, by_name[flavor["pool"]], usable) for flavor in document["tenancy"]["flavors"]],
    }


def hosts(document):
    """Return what the roles for accelerators take: mapping of each host of a pool to its pools, in their order.

    A host gets nothing of the tenants, of other hosts or of other sites.
    """
    found = {}
    for pool in describe(document):
        for host in pool["hosts"]:
            found.setdefault(host, []).append({key: pool[key] for key in _OF_A_HOST})
    return found


def _usable_projects(document):
    """Return the full names of projects that are enabled, in a domain that is."""
    section = document["tenancy"]
    closed = {domain["name"] for domain in section["domains"] if not domain["enabled"]}
    return {
        qualified(project["domain"], project["name"]) for project in section["projects"]
        if project["enabled"] and project["domain"] not in closed
    }


def _identity(item, keys):
    found = {key: item[key] for key in keys}
    found.update(description=item["description"], enabled=item["enabled"], tags=item["tags"], state="present")
    return found


def _flavor(flavor, pool, several_sites):
    public = flavor["access"] is None
    return {
        "name": flavor["name"],
        "vcpus": flavor["vcpus"],
        "ram_mib": flavor["ram_mib"],
        "disk_gib": flavor["disk_gib"],
        "description": flavor["description"] or _words(flavor, pool),
        "public": public,
        "access": [] if public else flavor["access"],
        "extra_specs": dict(flavor["extra_specs"], **derived_specs(pool, flavor["gpus"], several_sites)),
        "state": "present",
    }


def _words(flavor, pool):
    what = pool["model"] if pool["profile"] is None else "{0} {1}".format(pool["model"], pool["profile"])
    return "{0} x {1} ({2}) at {3}".format(flavor["gpus"], what, pool["mode"], pool["site"])


def _canary(flavor, pool, usable):
    access = flavor["access"]
    return {
        "name": flavor["name"],
        "pool": pool["name"],
        "gpus": flavor["gpus"],
        "resource_class": pool["resource_class"],
        "projects": None if access is None else [name for name in access if name in usable],
    }
