# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``local`` half of a mapping's rule: from texts and claims to one user, groups and projects.

Source: keystone/federation/utils.py, RuleProcessor._update_local_mapping and _transform, and what
RuleProcessorToHonorDomainOption (2.0) and RuleProcessorForProjectJsonAttribute (3.0) change (Keystone 30.0.0).
"""

from __future__ import annotations

import json
import re

from .mapping_groups import groups_of, ids_of
from .mapping_refusals import Refusal, brief, where
from .mapping_structure import project_list_problems
from .mapping_text import guarded, render, single

# Keystone looks at the beginning of the text only: what follows the number has no effect.
_NUMBER = re.compile(r"\{?(\d+)\}?")


def fill(path, local, direct):
    """Return the items of one matched rule's ``local`` with the remote values in them. Pure.

    Args:
        path: where the list is, as where() takes it.
        local: the list of items.
        direct: what match_rule() returned.

    Returns:
        A list of (path of the item, new dictionary).

    Raises:
        Refusal: a text cannot be filled in.
    """
    values = guarded(direct)
    return [(path + (index,), _filled(item, direct, values, path + (index,))) for index, item in enumerate(local)]


def _filled(value, direct, values, path):
    if isinstance(value, dict):
        return {key: _entry(key, one, direct, values, path + (key,)) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, direct, values, path + (index,)) for index, one in enumerate(value)]
    return render(value, values, path)


def _entry(key, value, direct, values, path):
    # Only schema 3.0 has this key.
    return _projects_json(value, direct, path) if key == "projects_json" else _filled(value, direct, values, path)


def _projects_json(text, direct, path):
    """Return the projects that a claim brings as JSON. The text names the claim's value, and is no text to fill in."""
    found = _NUMBER.match(text)
    if not found:
        message = "{0}: {1!r} does not begin with a number such as {{0}}".format(where(path), text)
        raise Refusal("projects_json_text", message)
    try:
        value = single(direct[int(found.group(1))])
    except IndexError:
        message = "{0}: {1!r} refers to a remote value that does not exist; the rule hands on {2}"
        raise Refusal("projects_json_index", message.format(where(path), text, len(direct)))
    except ValueError as error:
        raise Refusal("malformed_text", "{0}: {1}".format(where(path), error))
    if isinstance(value, str):
        value = _json(value, path)
    problems = project_list_problems(value, where(path))
    if problems:
        raise Refusal("projects_json_structure", "{path}: {message}".format(**problems[0]))
    return value


def _json(text, path):
    try:
        return json.loads(text)
    except ValueError as error:
        message = "{0}: the claim is no JSON text: {1}; it is {2}".format(where(path), error, brief(text))
        raise Refusal("projects_json_not_json", message, type(error).__name__)
    except RecursionError as error:
        raise Refusal("nested_literal", "{0}: {1}".format(where(path), error))


def combine(items, schema_version):
    """Return what Keystone's processor returns for the items of all rules that matched. Pure.

    Args:
        items: list of (path, dictionary) of all matched rules, in order; not empty.
        schema_version: "1.0", "2.0" or "3.0".

    Returns:
        A dictionary with ``user``, ``group_ids``, ``group_names`` and ``projects``.

    Raises:
        Refusal: groups or ids cannot be read.
    """
    user, group_ids, group_names, by_domain, projects = {}, [], [], {}, []
    for path, item in items:
        # The first user that says anything wins; Keystone ignores all others.
        user = user or item.get("user", {})
        group = item.get("group", {})
        if "id" in group:
            group_ids.append(group["id"])
        elif "name" in group:
            group_names += _again(group, by_domain)
        if "groups" in item:
            group_names += groups_of(path, item)
        if "group_ids" in item:
            group_ids += ids_of(path, item)
        if "projects" in item or "projects_json" in item:
            # The last item that has projects wins.
            projects = _projects(item, schema_version)
    user.setdefault("type", "ephemeral")
    if schema_version != "1.0" and not user.get("domain"):
        # Keystone takes the domain of the last item, whichever item the user is from; there may be none.
        user["domain"] = items[-1][1].get("domain")
    return {
        "user": user,
        # Keystone's order is that of a set, which changes from start to start.
        "group_ids": list(dict.fromkeys(group_ids)),
        "group_names": group_names,
        "projects": projects,
    }


def _again(group, by_domain):
    """Return all named groups up to this one: Keystone adds the earlier ones again with each, so they repeat."""
    domain = group["domain"].get("name") or group["domain"].get("id")
    by_domain.setdefault(domain, {})[group["name"]] = group
    return [one for groups in by_domain.values() for one in groups.values()]


def _projects(item, schema_version):
    projects = item.get("projects", []) + item.get("projects_json", [])
    if schema_version != "1.0":
        for project in projects:
            if not project.get("domain"):
                project["domain"] = item.get("domain")
    return projects
