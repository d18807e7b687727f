# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One role assignment: who has which role where. How it is declared, named, and read from Keystone's list. Pure.

Source: Identity API v3, "List role assignments" with ``include_names``; Keystone 30.0.0
``keystone/assignment/core.py``: a user or group that no longer exists has an empty name there, everything else that is
gone took its assignments along.
"""

from __future__ import annotations

from dataclasses import dataclass

from .names import duplicates, name_problems, project_name, qualified
from .users_names import LONGEST_NAME, reference_problems

ACTORS = ("user", "group")
SCOPES = ("project", "domain", "system")
SYSTEM = "all"


@dataclass(frozen=True, order=True)
class Grant:
    """A role assignment in names.

    Attributes:
        actor_kind: ``user`` or ``group``.
        actor: ``domain/name``; the id of a user or group that cannot be named so.
        role: name of the role; ``domain/name`` of a role that belongs to a domain.
        scope_kind: ``project``, ``domain`` or ``system``.
        scope: ``domain/name`` of a project, name of a domain, or ``all`` for the system.
        inherited: whether it holds in the projects below and not on the scope itself.
    """

    actor_kind: str
    actor: str
    role: str
    scope_kind: str
    scope: str
    inherited: bool = False

    def __str__(self):
        where = "the system" if self.scope_kind == "system" else "{0} {1}".format(self.scope_kind, self.scope)
        below = "the projects below " if self.inherited else ""
        return "{0} of {1} {2} on {3}{4}".format(self.role, self.actor_kind, self.actor, below, where)

    def fields(self):
        """Return it in the words of the declaration."""
        where = True if self.scope_kind == "system" else self.scope
        return {"role": self.role, self.actor_kind: self.actor, self.scope_kind: where, "inherited": self.inherited}


def declared_grant(item):
    """Return the Grant of one declared assignment."""
    actor_kind = "user" if item["user"] else "group"
    return Grant(actor_kind, qualified(item[actor_kind]), item["role"], *scope_of(item), bool(item["inherited"]))


def scope_of(item):
    """Return (kind, name) of the scope of a declared assignment or of a declared scope."""
    if item["system"]:
        return "system", SYSTEM
    if item["domain"]:
        return "domain", item["domain"]
    return "project", qualified(item["project"])


def read_row(row, local):
    """Return (Grant, ids by role, actor and scope) of a row of ``/role_assignments``.

    Args:
        row: with names.
        local: mapping of ``domain/name`` to the id of the local user of that name, for names that matter. Another user
            of such a name is federated, and is named by its id.
    """
    kind = "user" if "user" in row else "group"
    who, role, scope = row[kind], row["role"], row["scope"]
    actor = who["id"]
    if who.get("name"):
        name = project_name((who.get("domain") or {}).get("name") or "", who["name"])
        # Names with a slash cannot be declared, and could be taken for another one's.
        if name.count("/") == 1 and (kind == "group" or local.get(name, actor) == actor):
            actor = name
    role_name = role.get("name") or role["id"]
    if role.get("domain"):
        role_name = project_name(role["domain"].get("name") or role["domain"]["id"], role_name)
    place, place_id = _place(scope)
    grant = Grant(kind, actor, role_name, place[0], place[1], scope.get("OS-INHERIT:inherited_to") == "projects")
    return grant, {"role": role["id"], "actor": who["id"], "scope": place_id, "gone": "name" in who and not who["name"]}


def _place(scope):
    if "system" in scope:
        return ("system", SYSTEM), SYSTEM
    if "domain" in scope:
        one = scope["domain"]
        return ("domain", one.get("name") or one["id"]), one["id"]
    one = scope["project"]
    name = project_name((one.get("domain") or {}).get("name") or "", one["name"]) if one.get("name") else one["id"]
    return ("project", name), one["id"]


def problems(params):
    """Return one sentence for each thing about declared assignments and scopes that cannot be right."""
    found, seen = [], []
    for index, item in enumerate(params["assignments"]):
        path = "assignments[{0}]".format(index)
        wrong = name_problems(path + ".role", item["role"], LONGEST_NAME) + _one_of(path, item, ACTORS)
        wrong += _scope_problems(path, item)
        for key, what in (("user", "user"), ("group", "group")):
            if item[key]:
                wrong += reference_problems("{0}.{1}".format(path, key), item[key], what)
        if item["inherited"] and item["system"]:
            wrong.append("{0}.inherited: the system has no projects below it; leave it out".format(path))
        found += wrong
        seen.append(path if wrong else str(declared_grant(item)))
    for index, item in enumerate(params["scopes"]):
        found += _scope_problems("scopes[{0}]".format(index), item)
    return found + duplicates("assignments", seen)


def _scope_problems(path, item):
    found = _one_of(path, item, SCOPES)
    if item["project"]:
        found += reference_problems(path + ".project", item["project"], "project")
    return found


def _one_of(path, item, keys):
    given = [key for key in keys if item[key]]
    if len(given) == 1:
        return []
    return ["{0}: {1}; expected one of {2}".format(path, " and ".join(given) + " are given" if given else "nothing is "
                                                   "given to say " + ("who" if keys == ACTORS else "where"),
                                                   ", ".join(keys))]
