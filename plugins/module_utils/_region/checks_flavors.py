# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flavors: pools that can serve them, projects that exist, residency that holds, extra specs that are theirs to set."""

from __future__ import annotations

import re

from .._core.schema import Problem, child
from .checks_sites import twice
from .checks_tenancy import RESERVED_MARKS
from .jurisdictions import within
from .names import qualified
from .pools import per_host

# Extra specs by which Nova places GPUs. Numbered groups (resources1, trait_x) count as well.
DERIVED_SPEC = re.compile(
    r"(?:pci_passthrough:alias|(?:resources|trait)[^:]*:(?:CUSTOM_(?:SITE|GPU|VGPU|MIG)_.*|VGPU))\Z"
)


def problems(view):
    """Return the problems of flavors."""
    # Nova on MySQL or MariaDB compares names without case.
    found = twice(view.names["flavors"], "flavor", str.casefold)
    names = view.declared("pools")
    for path, flavor in view.flavors:
        pool = view.pool_of.get(flavor["pool"])
        if flavor["pool"] not in names:
            found += view.unknown(child(path, "pool"), flavor["pool"], "pools", names)
        elif pool:
            found += _pool_problems(path, flavor, pool)
        unknown, projects = _access(view, path, flavor)
        found += unknown + _spec_problems(path, flavor)
        if pool and pool["site"] in view.site_of:
            found += _residency_problems(view, path, flavor, projects, view.site_of[pool["site"]])
    return found


def _pool_problems(path, flavor, pool):
    if pool["mode"] == "host" or pool["consumer"] != "nova":
        used = "left to the host" if pool["mode"] == "host" else "used by {0}".format(pool["consumer"])
        expected = "a pool whose devices Nova hands out; {0} is {1}".format(pool["name"], used)
        return [Problem(child(path, "pool"), flavor["pool"], expected, kind="meaning")]
    most = per_host(pool)
    if flavor["gpus"] > most:
        expected = "at most {0}, because a server lives on one host and each host of pool {1} has {0}".format(
            most, pool["name"])
        return [Problem(child(path, "gpus"), flavor["gpus"], expected, kind="meaning")]
    return []


def _access(view, path, flavor):
    """Return the problems of references, and mapping of the path of each good one to (as written, full name)."""
    path = child(path, "access")
    projects, seen, found = {}, set(), []
    for index, reference in enumerate(flavor["access"] or []):
        where = child(path, index)
        unknown, name = view.refer(where, "projects", reference)
        found += unknown
        if name in seen:
            found.append(Problem(where, reference, "each project once", kind="meaning"))
        elif name:
            seen.add(name)
            projects[where] = (reference, name)
    return found, projects


def _spec_problems(path, flavor):
    path = child(path, "extra_specs")
    found = []
    for key, value in flavor["extra_specs"].items():
        if DERIVED_SPEC.match(key):
            expected = "nothing here: {0} follows from the pool".format(key)
            found.append(Problem(child(path, key), value, expected, kind="meaning"))
        elif key.startswith(RESERVED_MARKS):
            expected = "nothing here: {0} marks what this collection created".format(key)
            found.append(Problem(child(path, key), value, expected, kind="meaning"))
    return found


def _residency_problems(view, path, flavor, projects, site):
    """Return problems of projects that could leave their jurisdiction with this flavor."""
    path = child(path, "access")
    found = []
    if flavor["access"] is None:
        # Everybody may use a public flavor, also those whose servers must not go there.
        bound = [
            qualified(project["domain"], project["name"]) for where, project in view.projects
            if project["residency"] and not within(site["jurisdiction"], project["residency"])
        ]
        if bound:
            expected = "a list of projects, because {0} must stay in another jurisdiction than {1} of site {2}".format(
                shortened(bound), site["jurisdiction"], site["name"])
            found.append(Problem(path, None, expected, kind="meaning", state="open to everybody"))
    for where, (written, name) in projects.items():
        project = view.project_of.get(name)
        if project and project["residency"] and not within(site["jurisdiction"], project["residency"]):
            expected = "a project that may leave {0}: pool {1} is at site {2} in {3}".format(
                project["residency"], flavor["pool"], site["name"], site["jurisdiction"])
            found.append(Problem(where, written, expected, kind="meaning"))
    return found


def shortened(names):
    """Return the first three names and how many more there are."""
    rest = len(names) - 3
    return ", ".join(names[:3]) + (" and {0} more".format(rest) if rest > 0 else "")
