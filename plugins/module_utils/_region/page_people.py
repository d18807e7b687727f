# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, as the page of a region shows it: from the document, in its own words. Pure."""

from __future__ import annotations

from .names import qualified


def people(section):
    """Return groups, then users, with what they are and who that is.

    Args:
        section: the section ``identity`` of a normalised document.
    """
    groups = [_row("group", one, section, _members(one)) for one in section["groups"]]
    return groups + [_row("user", one, section, ["a local user"]) for one in section["users"]]


def providers(section):
    """Return identity providers, each with its protocols and the mappings that these use."""
    return [
        {
            "name": one["name"],
            "description": one["description"],
            "domain": one["domain"],
            "enabled": one["enabled"],
            "ways": ["{0}, mapping {1}".format(way["name"], way["mapping"]) for way in one["protocols"]],
        }
        for one in section["identity_providers"]
    ]


def _row(kind, item, section, who):
    name = qualified(item["domain"], item["name"])
    found = [_is(one) for one in section["assignments"] if one[kind] == name]
    return {"name": name, "description": item["description"], "is": found, "who": who}


def _members(group):
    if group["members"] is None:
        return ["whom identity providers name"]
    return group["members"] or ["nobody"]


def _is(assignment):
    """Return a persona, or a role, with the place where it holds."""
    what = assignment["persona"] or "role {0}".format(assignment["role"])
    if assignment["system"]:
        return "{0} of the region".format(what)
    where = assignment["project"] or "domain {0}".format(assignment["domain"])
    return "{0} in {1}{2}".format(what, "all projects below " if assignment["inherited"] else "", where)
