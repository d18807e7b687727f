# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenancy: domains that exist, names that Keystone keeps apart, residency that some site offers."""

from __future__ import annotations

from .._core.schema import Problem, child, close
from .checks_sites import country_problems, twice
from .jurisdictions import within
from .names import qualified
from .view import DEFAULT_DOMAIN

# They exist in every Keystone and belong to it: Default is named without being declared,
# Federated holds the users of identity providers.
RESERVED_DOMAINS = ("Default", "Federated")
# The control plane's own projects: a region that took them over could also remove them.
RESERVED_PROJECTS = ("Default/admin", "Default/service")
# Marks of ownership, in Keystone's tags and Nova's extra specs.
RESERVED_MARKS = ("managed-by:", "sovereign.region", "sovereign_region")


def problems(view):
    """Return the problems of domains and projects."""
    # Keystone on MySQL or MariaDB compares names without case.
    found = twice(view.names["domains"], "domain", str.casefold)
    for path, domain in view.domains:
        found += _reserved(child(path, "name"), domain["name"], domain["name"], RESERVED_DOMAINS)
        found += _tag_problems(path, domain["tags"])
    found += _projects_twice(view)
    domains = [DEFAULT_DOMAIN] + view.declared("domains")
    for path, project in view.projects:
        full = qualified(project["domain"], project["name"])
        if project["domain"] not in domains:
            found += view.unknown(child(path, "domain"), project["domain"], "domains", domains)
        found += _reserved(child(path, "name"), project["name"], full, RESERVED_PROJECTS)
        found += _tag_problems(path, project["tags"]) + _residency_problems(view, path, project)
    return found


def _reserved(path, value, name, reserved):
    if name.casefold() not in [one.casefold() for one in reserved]:
        return []
    expected = "another name; {0} belongs to the control plane and is not declared".format(name)
    return [Problem(path, value, expected, kind="meaning")]


def _tag_problems(path, tags):
    path = child(path, "tags")
    expected = "a tag that does not begin with {0}".format(" or ".join(RESERVED_MARKS))
    return [
        Problem(child(path, index), tag, expected, kind="meaning")
        for index, tag in enumerate(tags) if tag.startswith(RESERVED_MARKS)
    ]


def _projects_twice(view):
    by_domain = {}
    for path, project in view.projects:
        by_domain.setdefault(project["domain"].casefold(), []).append((path, project["name"]))
    return [problem for named in by_domain.values() for problem in twice(named, "project", str.casefold)]


def _residency_problems(view, path, project):
    residency = project["residency"]
    if residency is None:
        return []
    path = child(path, "residency")
    offered = sorted({site["jurisdiction"] for where, site in view.sites})
    if any(within(jurisdiction, residency) for jurisdiction in offered):
        return []
    unreal = country_problems(path, residency)
    if unreal:
        return unreal
    if not view.all_sound("sites"):
        # One that could not be read may offer it.
        return []
    expected = "a jurisdiction that a site offers ({0})".format(", ".join(offered))
    return [Problem(path, residency, expected, close(residency, offered), kind="reference")]
