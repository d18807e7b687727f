# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of users and groups: how they are written and checked. Pure.

Source of the limits: Keystone 30.0.0 ``keystone/identity/schema.py``.
"""

from __future__ import annotations

from .._core.secrets import SHORTEST
from .names import duplicates, name_problems, owner_problems, project_name, qualified

LONGEST_NAME = 255


def group_name(item):
    """Return ``domain/name`` of a declared group."""
    return project_name(item["domain"], item["name"])


def user_name(item):
    """Return ``domain/name`` of a declared user."""
    return project_name(item["domain"], item["name"])


def problems(params):
    """Return one sentence for each thing about declared groups and users that Keystone or we could not carry out."""
    found = owner_problems(params["owner"])
    for kind in ("groups", "users"):
        found += duplicates(kind, [project_name(item["domain"], item["name"]) for item in params[kind]])
        for index, item in enumerate(params[kind]):
            found += _item_problems("{0}[{1}]".format(kind, index), item)
    absent = {user_name(item) for item in params["users"] if item["state"] == "absent"}
    for index, item in enumerate(params["groups"]):
        found += _member_problems("groups[{0}].members".format(index), item, absent)
    for index, item in enumerate(params["users"]):
        found += _user_problems("users[{0}]".format(index), item)
    return found


def reference_problems(path, name, what):
    """Return sentences for a name that should be ``domain/name`` or ``name``."""
    if not name.strip() or name.count("/") > 1 or name.startswith("/") or name.endswith("/"):
        return ["{0}: {1!r}; expected a {2} as domain/name, or as name when it is in domain Default".format(
            path, name, what)]
    return []


def _item_problems(path, item):
    found = name_problems(path + ".name", item["name"], LONGEST_NAME) + name_problems(path + ".domain", item["domain"])
    for key in ("name", "domain"):
        if "/" in item[key]:
            found.append("{0}.{1}: {2!r} has a slash, which separates domain and name here".format(
                path, key, item[key]))
    return found


def _member_problems(path, item, absent):
    found, names = [], item["members"] or []
    for place, name in enumerate(names):
        where = "{0}[{1}]".format(path, place)
        found += reference_problems(where, name, "user")
        if qualified(name) in absent and item["state"] == "present":
            found.append("{0}: {1!r} is declared absent among the users; leave it out here".format(where, name))
    return found + duplicates(path, [qualified(name) for name in names])


def _user_problems(path, item):
    found = []
    if item["default_project"]:
        found += reference_problems(path + ".default_project", item["default_project"], "project")
    password = item["password"]
    if password is not None and len(password) < SHORTEST:
        # Its letters would be hidden wherever they occur, in names and in this sentence.
        found.append("{0}.password: fewer than {1} characters; Ansible would hide these letters in every result".format(
            path, SHORTEST))
    if item["update_password"] == "always" and not password:
        found.append("{0}.update_password: always needs a password".format(path))
    return found
