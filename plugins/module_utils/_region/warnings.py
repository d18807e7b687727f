# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is valid and probably not meant. Pure."""

from __future__ import annotations

from itertools import combinations

from .jurisdictions import within
from .pools import describe
from .warnings_identity import identity_warnings


def warnings(document):
    """Return one sentence for each doubt about a normalised document."""
    pools = describe(document)
    flavors = document["tenancy"]["flavors"]
    found = _idle_pools(pools, flavors) + _shared_classes(pools) + _unused(document, flavors) + _residency(document)
    return found + identity_warnings(document["identity"])


def _idle_pools(pools, flavors):
    used = {flavor["pool"] for flavor in flavors}
    return [
        "pool {0} has no flavor: no tenant can use its {1} devices".format(pool["name"], pool["total"])
        for pool in pools if pool["consumer"] == "nova" and pool["name"] not in used
    ]


def _shared_classes(pools):
    return [
        "pools {0} and {1} are the same resource class {2} at the same site: "
        "a flavor of one also takes devices of the other".format(one["name"], two["name"], one["resource_class"])
        for one, two in combinations(pools, 2)
        if one["resource_class"] and one["consumer"] == two["consumer"] == "nova"
        and (one["resource_class"], one["site"]) == (two["resource_class"], two["site"])
    ]


def _unused(document, flavors):
    found = [
        "flavor {0} has an empty access list: nobody can use it".format(flavor["name"])
        for flavor in flavors if flavor["access"] == []
    ]
    sites = {pool["site"] for pool in document["accelerators"]["pools"]}
    if sites:
        empty = [site["name"] for site in document["sites"] if site["name"] not in sites]
        found += ["site {0} has no pool".format(name) for name in empty]
    return found


def _residency(document):
    """Warn of residency that names a part of a country where a site says only the country."""
    return [
        "project {0} must stay in {1}; site {2} says only {3} and does not count".format(
            project["name"], project["residency"], site["name"], site["jurisdiction"])
        for project in document["tenancy"]["projects"] for site in document["sites"]
        if project["residency"] and not within(site["jurisdiction"], project["residency"])
        and within(project["residency"], site["jurisdiction"])
    ]
