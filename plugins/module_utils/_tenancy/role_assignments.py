# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone role assignments, a whole list at a time.

An assignment is no object: it has no place for a mark. So what is not declared is revoked only in a scope that says so.
Source: Identity API v3, "Roles", "System role assignments" and "OS-INHERIT"; Keystone 30.0.0.
"""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import DeclarationError, Refused, unknown_name
from .role_assignments_observe import admins, look
from .role_assignments_rows import declared_grant, problems, scope_of
from .users_directory import coming

_SCOPE = {
    "project": {"type": "str"},
    "domain": {"type": "str"},
    "system": {"type": "bool", "default": False},
}
ARGUMENT_SPEC = {
    "assignments": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": dict(
            _SCOPE,
            role={"type": "str", "required": True},
            user={"type": "str"},
            group={"type": "str"},
            inherited={"type": "bool", "default": False},
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        ),
    },
    "scopes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": dict(_SCOPE, purge={"type": "bool", "default": False}),
    },
    "pending": {"type": "list", "elements": "dict", "default": []},
}


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return problems(params)


def declared(params, state="present"):
    """Return the Grants that are declared in one state, in order."""
    return [declared_grant(item) for item in params["assignments"] if item["state"] == state]


def observe(cloud, params):
    """Return Observed: one list call, and more only for what is new, would go, or names users."""
    return look(cloud, params, lambda observed: _surplus(params, observed))


def _there(params, observed):
    """Return the Grants that stay when an earlier part of the plan has removed what it removes."""
    gone = {kind: coming(params["pending"], kind)[1] for kind in ("user", "group", "project", "domain", "system")}
    return {
        grant for grant in observed.grants
        if grant.actor not in gone[grant.actor_kind] and grant.scope not in gone[grant.scope_kind]
    }


def _surplus(params, observed):
    """Return the Grants that are declared absent, or are in a purged scope and not declared."""
    there, wanted = _there(params, observed), set(declared(params))
    purged = {scope_of(item) for item in params["scopes"] if item["purge"]}
    found = there & set(declared(params, "absent"))
    return found | {grant for grant in there - wanted if (grant.scope_kind, grant.scope) in purged}


def decide(params, observed):
    """Return the plan: what is granted, then what is revoked, so that nobody is without a role in between. Pure.

    Raises:
        DeclarationError: a role, user, group, project or domain that neither exists nor is pending.
        Refused: it would take away what the user that this runs with needs, what a service needs, or the last
            administrator of the system.
    """
    there = _there(params, observed)
    unknown = _unknown(params, observed, there)
    if unknown:
        raise DeclarationError(unknown)
    named = set(declared(params, "absent"))
    surplus = _surplus(params, observed)
    guarded = {**{grant: why for grant, why in observed.left.items() if grant in named}, **observed.guarded}
    refusals = [
        "role assignment {0} is not revoked: {1}; {2}".format(
            grant, why, "leave it out" if grant in named else "declare it, or do not purge that scope")
        for grant, why in sorted(guarded.items())
        if grant in surplus
    ]
    revoked = sorted(surplus - set(guarded) - set(observed.left))
    granted = [grant for grant in declared(params) if grant not in there]
    living = {grant for grant in there if not observed.grants[grant]["gone"]}
    if admins(living) and not admins((living - set(revoked)) | set(granted)):
        refusals.append("nobody would have the role admin on the system any more; declare who should have it")
    if refusals:
        raise Refused("\n".join(refusals))
    return [Action("grant", "role assignment", str(one), None, one.fields(), details=one) for one in granted] + [
        Action("revoke", "role assignment", str(one), one.fields(), None, details=one) for one in revoked]


def _unknown(params, observed, there):
    """Return one sentence for each declared name that means nothing."""
    found = []
    for index, item in enumerate(params["assignments"]):
        if item["state"] == "absent":
            continue
        path, grant = "assignments[{0}]".format(index), declared_grant(item)
        if grant.actor in observed.federated and grant.actor_kind == "user":
            found.append(
                "{0}.user: {1!r} is a federated user, and anybody's identity provider may send that name; give the "
                "role to a group, and put people in it with the mapping".format(path, grant.actor))
        elif grant not in there:
            for key, kind, name in (("role", "role", grant.role), (grant.actor_kind, grant.actor_kind, grant.actor),
                                    (grant.scope_kind, grant.scope_kind, grant.scope)):
                found += _unknown_name("{0}.{1}".format(path, key), kind, name, params, observed)
    scopes = {(grant.scope_kind, grant.scope) for grant in there}
    for index, item in enumerate(params["scopes"]):
        kind, name = scope_of(item)
        if (kind, name) not in scopes:
            found += _unknown_name("scopes[{0}].{1}".format(index, kind), kind, name, params, observed)
    return found


def _unknown_name(path, kind, name, params, observed):
    made, gone = coming(params["pending"], kind)
    known = (set(observed.ids.get(kind) or {}) | made) - gone
    if kind == "system" or name in known:
        return []
    return [unknown_name(path, name, kind, known | (observed.names - gone) if kind == "user" else known)]


def performer(cloud, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        grant = action.details
        if action.verb == "grant":
            ids = {
                "role": observed.ids["role"][grant.role],
                "actor": observed.ids[grant.actor_kind][grant.actor],
                "scope": None if grant.scope_kind == "system" else observed.ids[grant.scope_kind][grant.scope],
            }
            cloud.put("identity", _path(grant, ids))
        else:
            cloud.delete("identity", _path(grant, observed.grants[grant]))

    return perform


def _path(grant, ids):
    where = "/system" if grant.scope_kind == "system" else "/{0}s/{1}".format(grant.scope_kind, ids["scope"])
    path = "{0}/{1}s/{2}/roles/{3}".format(where, grant.actor_kind, ids["actor"], ids["role"])
    return "/OS-INHERIT{0}/inherited_to_projects".format(path) if grant.inherited else path


def describe(params, observed):
    """Return the declared assignments that are there, what purging left alone, and what belongs to nobody."""
    return {
        "assignments": [grant.fields() for grant in declared(params) if grant in observed.grants],
        "left": [dict(grant.fields(), reason=why) for grant, why in sorted(observed.left.items())],
        "dangling": [grant.fields() for grant in sorted(observed.grants) if observed.grants[grant]["gone"]],
    }
