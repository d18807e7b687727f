# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone groups, users and memberships, a whole list at a time.

What is created here bears an attribute that names its owner. A password is sent and never read: it is in no action.
Source: Identity API v3, "Users" and "Groups"; Keystone 30.0.0.
"""

from __future__ import annotations

from dataclasses import replace

from .._core import ownership
from .._core.change import Action
from .._core.errors import DeclarationError, Refused, unknown_name
from .._core.ownership import OWNERSHIP_SPEC
from .names import qualified
from .users_directory import MARK, coming
from .users_names import group_name, problems, user_name
from .users_observe import look

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
ARGUMENT_SPEC = dict(
    OWNERSHIP_SPEC,
    groups={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "domain": {"type": "str", "default": "Default"},
            "description": {"type": "str"},
            "members": {"type": "list", "elements": "str"},
            "state": _STATE,
        },
    },
    users={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "domain": {"type": "str", "default": "Default"},
            "description": {"type": "str"},
            "email": {"type": "str"},
            "enabled": {"type": "bool"},
            "default_project": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
            "state": _STATE,
        },
    },
    mappings={"type": "list", "elements": "dict", "default": []},
    pending={"type": "list", "elements": "dict", "default": []},
)
GROUP_FIELDS = ("description",)
USER_FIELDS = ("description", "email", "enabled", "default_project")


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return problems(params)


def declared_groups(params):
    """Return mapping of ``domain/name`` to declared fields."""
    return {
        group_name(item): dict({key: item[key] for key in GROUP_FIELDS}, state=item["state"])
        for item in params["groups"]
    }


def declared_users(params):
    """Return mapping of ``domain/name`` to declared fields; the password is none of them."""
    found = {}
    for item in params["users"]:
        fields = {key: item[key] for key in USER_FIELDS}
        if fields["default_project"]:
            fields["default_project"] = qualified(fields["default_project"])
        found[user_name(item)] = dict(fields, state=item["state"])
    return found


def declared_members(params):
    """Return mapping of the groups that manage their members to the list of their names."""
    return {
        group_name(item): [qualified(name) for name in item["members"]]
        for item in params["groups"]
        if item["members"] is not None and item["state"] == "present"
    }


def observe(cloud, params):
    """Return Observed: one list call for each kind of object, and one for the members of each group that manages them.

    What would be removed, and names that are not marked, are looked up one by one.
    """

    def leaving(observed):
        groups, users = _groups(params, observed, True), _users(params, observed, True)
        others = _memberships(params, observed, ())[1] or [
            action for action in users.changes if action.verb != "create" and action.after.get("enabled") is False]
        return [one.name for one in groups.removals], [one.name for one in users.removals], bool(others)

    return look(cloud, params, declared_members(params), leaving)


def _groups(params, observed, adopt):
    return ownership.decide("group", declared_groups(params), observed.groups, adopt, params["purge"])


def _users(params, observed, adopt):
    # A user that is only named as a member is not ours to purge.
    named = {name for members in declared_members(params).values() for name in members} - set(declared_users(params))
    there = {name: found for name, found in observed.users.items() if name not in named}
    return ownership.decide("user", declared_users(params), there, adopt, params["purge"])


def decide(params, observed):
    """Return the plan: groups, users, passwords, memberships, then removals. Pure.

    Raises:
        DeclarationError: a domain, member or project that neither exists nor is declared nor pending.
        Refused: something is not ours or is in use, or nobody could administer Keystone afterwards.
    """
    unknown = _unknown(params, observed)
    if unknown:
        raise DeclarationError(unknown)
    groups, users = _groups(params, observed, params["adopt"]), _users(params, observed, params["adopt"])
    granted, revoked = _memberships(params, observed, {action.name for action in users.removals})
    refusals = groups.refusals + users.refusals + _lockouts(groups, users, granted, revoked, observed)
    if refusals:
        raise Refused("\n".join(refusals))
    passwords = _passwords(params, {action.name for action in users.changes if action.verb == "create"})
    removals = [_telling(action) for action in users.removals + groups.removals]
    return groups.changes + users.changes + passwords + granted + revoked + removals


def _unknown(params, observed):
    """Return one sentence for each name that means nothing."""
    domains, projects, users = (coming(params["pending"], kind) for kind in ("domain", "project", "user"))
    known = (set(observed.domains) | domains[0]) - domains[1]
    found = [
        unknown_name("{0}[{1}].domain".format(kind, index), item["domain"], "domain", known)
        for kind in ("groups", "users")
        for index, item in enumerate(params[kind])
        if item["domain"] not in known and item["state"] == "present"
    ]
    declared = declared_users(params)
    present = {name for name, fields in declared.items() if fields["state"] == "present"}
    local = (set(observed.local) | present | users[0]) - users[1]
    nearby = (set(observed.names) | present | users[0]) - users[1]
    for index, item in enumerate(params["groups"]):
        for place, name in enumerate(item["members"] or [] if item["state"] == "present" else []):
            path, name = "groups[{0}].members[{1}]".format(index, place), qualified(name)
            if name in observed.federated and name not in present:
                found.append(
                    "{0}: {1!r} is a federated user, and anybody's identity provider may send that name; it gets its "
                    "groups from the mapping of its identity provider".format(path, name))
            elif name not in local:
                found.append(unknown_name(path, name, "user", nearby - observed.federated))
    if observed.projects is not None:
        places = (set(observed.projects) | projects[0]) - projects[1]
        found += [
            unknown_name("users[{0}].default_project".format(index), fields["default_project"], "project", places)
            for index, fields in enumerate(declared.values())
            if fields["default_project"] and fields["state"] == "present" and fields["default_project"] not in places
        ]
    return found


def _lockouts(groups, users, granted, revoked, observed):
    """Return why the removals and the like would lock people out."""
    found, out = [], set()
    for action in users.removals + users.changes:
        if action.verb != "delete" and (action.verb == "create" or action.after.get("enabled") is not False):
            continue
        user_id, word = observed.users[action.name].id, "removed" if action.verb == "delete" else "disabled"
        out.add(user_id)
        if user_id == observed.caller:
            found.append("user {0!r} cannot be {1}: this runs with it; do it with another account".format(
                action.name, word))
    found += [
        "user {0!r} cannot leave group {1!r}: this runs with that user, and may lose its own roles; do it with another "
        "account".format(action.details["name"], action.details["group"])
        for action in revoked
        if action.details["user"] == observed.caller
    ]
    if observed.admins and not _administered(groups, granted, revoked, observed, out):
        found.append(
            "nobody would have the role admin on the system any more; it is with {0}: keep one of them, or give "
            "the role to somebody else first".format(", ".join(sorted(set(observed.admins.values())))))
    return found


def _administered(groups, granted, revoked, observed, out):
    """Whether somebody has the role admin on the system afterwards: directly, or by a group that stays."""
    removed = {observed.groups[action.name].id for action in groups.removals}
    left = {(action.details["user"], observed.groups[action.details["group"]].id) for action in revoked}
    stay = {pair for pair in observed.admins if pair[0] not in out and pair[1] not in removed and pair not in left}
    by_group = {group for unused, group in observed.admins} - removed
    return bool(stay) or any(
        action.details["group"] in observed.groups and observed.groups[action.details["group"]].id in by_group
        for action in granted)


def _passwords(params, new):
    """Return an action for each password that is set at every run. Keystone cannot be asked whether it is the same."""
    return [
        Action("set", "user password", user_name(item), {}, {}, "every token of the user stops working")
        for item in params["users"]
        if item["state"] == "present" and item["password"] and item["update_password"] == "always"
        and user_name(item) not in new
    ]


def _memberships(params, observed, leaving):
    """Return (grants, revocations) that make the members of the groups what is declared."""
    granted, revoked = [], []
    for group, names in declared_members(params).items():
        there = observed.members.get(group, {})
        local = {name: observed.local.get(name) for name in names}
        granted += [
            Action("grant", "group membership", "{0} in {1}".format(name, group), None, {"user": name},
                   details={"group": group, "name": name})
            for name in names
            if local[name] not in there
        ]
        stay = set(local.values())
        for user_id, name in sorted(there.items(), key=lambda item: (item[1], item[0])):
            # Keystone ends the memberships of a user that is removed.
            gone = name in leaving and observed.users[name].id == user_id
            if user_id not in stay and not gone:
                revoked.append(
                    Action("revoke", "group membership", "{0} in {1}".format(name, group), {"user": name}, None,
                           details={"group": group, "name": name, "user": user_id}))
    return granted, revoked


def _telling(action):
    """Return a removal that says what goes with it."""
    roles = action.before.get("roles")
    if not roles:
        return action
    whose = "the user loses" if action.kind == "user" else "its members lose"
    return replace(action, interrupts="{0} {1}".format(whose, ", ".join(roles)))


def performer(cloud, params, observed):
    """Return a function that carries out one Action."""
    ids = {
        "group": {name: found.id for name, found in observed.groups.items()},
        "user": dict(observed.local, **{name: found.id for name, found in observed.users.items()}),
    }
    items = {user_name(item): item for item in params["users"]}
    domains, projects = observed.domains, observed.projects or {}

    def send(kind, verb, name, fields):
        """Create or change a user or group. Each request carries the mark: it is ours from the first moment."""
        body = dict(fields, **{MARK: params["owner"]})
        if "default_project" in body:
            body["default_project_id"] = projects.get(body.pop("default_project"))
        if verb != "create":
            cloud.patch("identity", "/{0}s/{1}".format(kind, ids[kind][name]), {kind: body})
            return
        domain, unused, body["name"] = name.rpartition("/")
        body["domain_id"] = domains[domain]
        if kind == "user" and items[name]["password"]:
            body["password"] = items[name]["password"]
            # It is set now; reading back must not ask for it again.
            items[name]["update_password"] = "on_create"
        ids[kind][name] = cloud.created("identity", "/{0}s".format(kind), {kind: body}, kind)["id"]

    def perform(action):
        kind, verb, name = action.kind, action.verb, action.name
        if kind == "group membership":
            user_id = action.details.get("user") or ids["user"][action.details["name"]]
            path = "/groups/{0}/users/{1}".format(ids["group"][action.details["group"]], user_id)
            if verb == "grant":
                cloud.put("identity", path)
            else:
                cloud.delete("identity", path)
        elif kind == "user password":
            send("user", verb, name, {"password": items[name]["password"]})
            items[name]["update_password"] = "on_create"
        elif verb == "delete":
            cloud.delete("identity", "/{0}s/{1}".format(kind, ids[kind][name]))
        else:
            send(kind, verb, name, action.after)

    return perform


def describe(params, observed):
    """Return the declared groups and users as they are now, for later tasks."""
    groups = _rows(declared_groups(params), observed.groups)
    for row in groups:
        members = observed.members.get(group_name(row))
        row["members"] = None if members is None else sorted(members.values())
    return {"groups": groups, "users": _rows(declared_users(params), observed.users)}


def _rows(declared, existing):
    rows = []
    for name, wanted in declared.items():
        found = existing.get(name)
        if found and wanted["state"] == "present":
            domain, unused, short = name.rpartition("/")
            rows.append(dict(found.fields, name=short, domain=domain, id=found.id, owned=found.owned))
    return rows
