# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of tenancy objects: how they are written, marked and checked. Pure.

Source of the limits: Keystone 30.0.0 ``keystone/resource/schema.py``, Nova 34.0.0 ``flavors`` schema.
"""

from __future__ import annotations

LONGEST_NAME = 64
LONGEST_FLAVOR_NAME = 255
LONGEST_TAG = 255
MOST_TAGS = 80
DEFAULT_DOMAIN = "Default"
# Marks the project of a canary, which is gone when the canary ends.
CANARY_TAG = "sovereign-region-canary"


def tag_of(owner):
    """Return the project tag that marks an object as owned by ``owner``."""
    return "managed-by:{0}".format(owner)


def project_name(domain, name):
    """Return how an operator writes a project: ``domain/name``."""
    return "{0}/{1}".format(domain, name)


def qualified(reference):
    """Return ``domain/name`` for a project written with or without its domain."""
    return reference if "/" in reference else project_name(DEFAULT_DOMAIN, reference)


def domain_problems(domains):
    """Return sentences for names and tags of domains that Keystone would refuse."""
    found = duplicates("domains", [item["name"] for item in domains])
    for index, item in enumerate(domains):
        found += _item_problems("domains[{0}]".format(index), item)
    return found


def project_problems(projects):
    """Return sentences for names and tags of projects that Keystone would refuse."""
    found = duplicates("projects", [project_name(item["domain"], item["name"]) for item in projects])
    for index, item in enumerate(projects):
        path = "projects[{0}]".format(index)
        found += _item_problems(path, item)
        found += _slash_problems(path + ".domain", item["domain"])
    return found


def owner_problems(owner):
    """Return sentences for an owner whose mark would be no valid tag."""
    if not owner.strip() or "," in owner or "/" in owner or len(tag_of(owner)) > LONGEST_TAG:
        return [
            "owner: {0!r}; an owner has 1 to {1} characters and neither comma nor slash".format(
                owner, LONGEST_TAG - len(tag_of("")))
        ]
    return []


def name_problems(path, name, longest=LONGEST_NAME):
    """Return sentences for one name."""
    found = []
    if not name.strip():
        found.append("{0}: the name is empty".format(path))
    elif name != name.strip():
        found.append("{0}: {1!r} begins or ends with a space, which the service drops or refuses".format(path, name))
    if len(name) > longest:
        found.append("{0}: {1!r} has {2} characters; at most {3}".format(path, name, len(name), longest))
    return found


def _item_problems(path, item):
    found = name_problems(path + ".name", item["name"])
    found += _slash_problems(path + ".name", item["name"])
    tags = item.get("tags") or []
    for index, tag in enumerate(tags):
        where = "{0}.tags[{1}]".format(path, index)
        if not tag or len(tag) > LONGEST_TAG or "," in tag or "/" in tag:
            found.append(
                "{0}: {1!r}; a tag has 1 to {2} characters and neither comma nor slash".format(where, tag, LONGEST_TAG)
            )
        if tag.startswith(tag_of("")):
            found.append("{0}: {1!r} is the mark of an owner; set it with the option owner".format(where, tag))
    if len(set(tags)) >= MOST_TAGS:
        found.append(
            "{0}.tags: {1} tags; at most {2} beside the mark of the owner".format(path, len(tags), MOST_TAGS - 1)
        )
    return found


def _slash_problems(path, name):
    if "/" in name:
        return ["{0}: {1!r} has a slash, which separates domain and project here".format(path, name)]
    return []


def duplicates(path, names):
    """Return one sentence for each name that is declared twice."""
    seen, found = {}, []
    for index, name in enumerate(names):
        if name in seen:
            found.append("{0}[{1}]: {2!r} is declared already at {0}[{3}]".format(path, index, name, seen[name]))
        seen.setdefault(name, index)
    return found
