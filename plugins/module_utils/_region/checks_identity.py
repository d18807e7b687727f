# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and users: domains that exist, names that Keystone keeps apart, members and projects that are declared."""

from __future__ import annotations

from .._core.schema import Problem, child
from .checks_sites import twice
from .names import qualified
from .view import DEFAULT_DOMAIN

# Made by `keystone-manage bootstrap`: a region that took it over could lock everybody out.
RESERVED_USERS = ("default/admin",)


def problems(view):
    """Return the problems of groups and users."""
    found = _twice_in_a_domain(view.groups, "group") + _twice_in_a_domain(view.users, "user")
    for path, group in view.groups:
        found += domain_problems(view, path, group["domain"])
        found += _member_problems(view, child(path, "members"), group["members"] or [])
    for path, user in view.users:
        found += domain_problems(view, path, user["domain"])
        full = qualified(user["domain"], user["name"])
        if full.casefold() in RESERVED_USERS:
            expected = "another name; {0} belongs to the control plane and is not declared".format(full)
            found.append(Problem(child(path, "name"), user["name"], expected, kind="meaning"))
        if user["default_project"] is not None:
            found += view.refer(child(path, "default_project"), "projects", user["default_project"])[0]
    return found


def domain_problems(view, path, domain):
    """Return the problem of the domain of an item, when it is neither declared nor Default."""
    domains = [DEFAULT_DOMAIN] + view.declared("domains")
    return [] if domain in domains else view.unknown(child(path, "domain"), domain, "domains", domains)


def _twice_in_a_domain(items, word):
    """Return problems of names that are taken; Keystone on MySQL or MariaDB compares them without case."""
    by_domain = {}
    for path, item in items:
        by_domain.setdefault(item["domain"].casefold(), []).append((path, item["name"]))
    return [problem for named in by_domain.values() for problem in twice(named, word, str.casefold)]


def _member_problems(view, path, members):
    found, seen = [], set()
    for index, reference in enumerate(members):
        unknown, name = view.refer(child(path, index), "users", reference)
        found += unknown
        if name in seen:
            found.append(Problem(child(path, index), reference, "each user once", kind="meaning"))
        elif name:
            seen.add(name)
    return found
