# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at groups, users and memberships, and at what goes with those that may be removed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .._core.ownership import Existing
from .names import project_name, qualified
from .users_directory import MARK, is_federated, local_users, read, read_domains, read_projects
from .users_names import group_name, user_name


@dataclass(frozen=True)
class Observed:
    """What Keystone has.

    Attributes:
        domains: mapping of name to id.
        groups: mapping of ``domain/name`` to Existing.
        users: mapping of ``domain/name`` to Existing, without federated ones.
        members: mapping of group to {user id: ``domain/name``}, for groups that manage their members. Memberships that
            expire are no part of it: they come from an identity provider, and end by themselves.
        local: mapping of the names of local users that are declared, or named as members, to their ids.
        federated: those of these names that only federated users bear.
        names: every ``domain/name`` that a user bears.
        projects: mapping of ``domain/name`` to id; None when no declared user has a default project.
        caller: id of the user this runs with.
        admins: mapping of (id of a user, id of the group by which it is so, or None) to the name, for the enabled users
            who have the role admin on the system; empty when nobody is to leave.
    """

    domains: dict
    groups: dict
    users: dict
    members: dict = field(default_factory=dict)
    local: dict = field(default_factory=dict)
    federated: frozenset = frozenset()
    names: frozenset = frozenset()
    projects: dict | None = None
    caller: str | None = None
    admins: dict = field(default_factory=dict)


def look(cloud, params, members, leaving):
    """Return Observed.

    Args:
        cloud: Cloud.
        params: options of the module.
        members: mapping of the groups that manage their members to names of users.
        leaving: function of an Observed that returns (names of groups to remove, names of users to remove, whether
            others may lose what they are allowed to do).
    """
    domains = read_domains(cloud)
    named = {name for names in members.values() for name in names}
    declared = [user_name(item) for item in params["users"]]
    groups = [group_name(item) for item in params["groups"]]
    group_rows = read(cloud, "group", domains, None if params["purge"] else _domains_of(groups))
    user_rows = read(cloud, "user", domains, None if params["purge"] else _domains_of(declared + sorted(named)))
    projects = None
    if any(item["default_project"] is not None for item in params["users"]):
        projects = read_projects(cloud, domains)
    found = _members(cloud, group_rows, members, domains)
    inside = {user_id for one in found.values() for user_id in one}
    mine = local_users(cloud, user_rows, declared)
    others = local_users(cloud, user_rows, named - set(declared), inside)
    rows = dict(mine.rows, **others.rows)
    for name, candidates in user_rows.items():
        for row in candidates:
            if row.get(MARK) and name not in rows:
                rows[name] = row
    observed = Observed(
        {name: domain_id for domain_id, name in domains.items()},
        {name: _group(candidates[0], params["owner"]) for name, candidates in group_rows.items()},
        {name: _user(row, params["owner"], projects) for name, row in rows.items()},
        found,
        {name: rows[name]["id"] for name in named | set(declared) if name in rows},
        mine.federated | others.federated,
        frozenset(user_rows),
        projects,
        cloud.user_id,
    )
    idle = {row["id"] for candidates in user_rows.values() for row in candidates if row.get("enabled") is False}
    return _with_use(cloud, params, observed, idle, *leaving(observed))


def _domains_of(names):
    return {qualified(name).rpartition("/")[0] for name in names}


def _members(cloud, group_rows, members, domains):
    found = {}
    for group in members:
        for row in group_rows.get(group, ()):
            users = cloud.list("identity", "/groups/{0}/users".format(row["id"]), "users")
            found[group] = {
                user["id"]: project_name(domains.get(user["domain_id"], user["domain_id"]), user.get("name") or "")
                for user in users
            }
    return found


def _group(row, owner):
    return _existing(row, owner, {"description": row.get("description") or ""})


def _user(row, owner, projects):
    fields = {
        "description": row.get("description") or "",
        "email": row.get("email") or "",
        "enabled": bool(row.get("enabled")),
    }
    if projects is not None:
        names = {project: name for name, project in projects.items()}
        place = row.get("default_project_id") or ""
        fields["default_project"] = names.get(place, place)
    return _existing(row, owner, fields)


def _existing(row, owner, fields):
    mark = row.get(MARK)
    return Existing(row["id"], fields, mark == owner, other=mark if mark and mark != owner else None)


def _with_use(cloud, params, observed, idle, groups, users, others):
    """Return Observed with what uses those that may leave, and with who administers Keystone."""
    if not (groups or users or others):
        return observed
    roles = cloud.list("identity", "/role_assignments", "role_assignments", {"include_names": "true"}) if (
        groups or users) else []
    there = dict(observed.users)
    for name in users:
        found = there[name]
        used = _user_in_use(cloud, found.id)
        fields = dict(found.fields, roles=_roles(roles, "user", name, found.id, params["pending"]))
        there[name] = replace(found, in_use=tuple(used), fields=fields)
    kept = dict(observed.groups)
    mappings = _mappings(cloud, params["mappings"]) if groups else {}
    for name in groups:
        found = kept[name]
        inside = cloud.list("identity", "/groups/{0}/users".format(found.id), "users")
        fields = dict(found.fields, roles=_roles(roles, "group", name, found.id, params["pending"]), members=sorted(
            user.get("name") or user["id"] for user in inside))
        used = ["mapping {0} puts people in it".format(mapping) for mapping, rules in sorted(mappings.items())
                if _names_group(rules, name, found.id, observed.domains)]
        if fields["roles"] and observed.caller in [user["id"] for user in inside]:
            used.append("it gives roles to the user that this runs with")
        kept[name] = replace(found, fields=fields, in_use=tuple(used))
    return replace(observed, users=there, groups=kept, admins=_admins(cloud, idle))


def _user_in_use(cloud, user_id):
    """Return what would be lost or left behind with a user, in words."""
    if is_federated(cloud, user_id):
        return ["it is a federated user"]
    asked = (
        ("application credentials", "identity", "/users/{0}/application_credentials".format(user_id),
         "application_credentials", {}),
        ("trusts", "identity", "/OS-TRUST/trusts", "trusts", {"trustor_user_id": user_id}),
        ("credentials, such as those for EC2", "identity", "/credentials", "credentials", {"user_id": user_id}),
        ("servers", "compute", "/servers", "servers", {"all_tenants": "1", "limit": "1", "user_id": user_id}),
    )
    return [
        "it has {0}".format(what)
        for what, service, path, key, query in asked
        if cloud.has(service) and cloud.any(service, path, key, query)
    ]


def _roles(rows, kind, name, key, pending):
    """Return the roles of one user or group, in words, without those that an earlier part of the plan revokes."""
    revoked = set()
    for one in pending:
        gone = one.get("before") or {}
        if one.get("kind") == "role assignment" and one.get("verb") == "revoke" and gone.get(kind) == name:
            where = "system" if gone.get("system") else "{0} {1}".format(
                *next((scope, gone[scope]) for scope in ("project", "domain") if gone.get(scope)))
            revoked.add(_role(gone["role"], where, gone.get("inherited")))
    found = {
        _role(row["role"].get("name") or row["role"]["id"], scope_of(row["scope"]),
              "OS-INHERIT:inherited_to" in row["scope"])
        for row in rows if (row.get(kind) or {}).get("id") == key
    }
    return sorted(found - revoked)


def _role(role, where, inherited):
    return "{0} on {1}{2}".format(role, "the projects below " if inherited else "", where)


def scope_of(scope):
    """Return the scope of a row of ``/role_assignments`` as people write it."""
    if "system" in scope:
        return "system"
    if "domain" in scope:
        return "domain {0}".format(scope["domain"].get("name") or scope["domain"]["id"])
    project = scope["project"]
    if not project.get("name"):
        return "project {0}".format(project["id"])
    return "project {0}".format(project_name(project["domain"]["name"], project["name"]))


def _admins(cloud, idle):
    """Return mapping of (id, id of a group or None) to name of those who have the role admin on the system.

    Keystone leaves the system out of effective lists, so the members of groups are asked for one by one (Keystone
    30.0.0, ``assignment/core.py``, ``_list_effective_role_assignments``).

    Args:
        cloud: Cloud.
        idle: ids of users that are disabled.
    """
    rows = cloud.list("identity", "/role_assignments", "role_assignments", {
        "include_names": "true", "scope.system": "all"})
    found = {}
    for row in rows:
        who = row.get("user") or row.get("group") or {}
        if "system" not in row["scope"] or row["role"].get("name") != "admin" or not who.get("name"):
            continue
        if "user" in row:
            found[who["id"], None] = project_name(who["domain"]["name"], who["name"])
            continue
        for user in cloud.list("identity", "/groups/{0}/users".format(who["id"]), "users"):
            if user.get("enabled") is not False:
                group = project_name(who["domain"]["name"], who["name"])
                found[user["id"], who["id"]] = "{0} in {1}".format(user.get("name") or user["id"], group)
    return {key: name for key, name in found.items() if key[0] not in idle}


def _mappings(cloud, declared):
    """Return mapping of name to rules, as they will be: what is declared counts, and else what Keystone has."""
    found = {row["id"]: row.get("rules") or [] for row in cloud.list("identity", "/OS-FEDERATION/mappings", "mappings")}
    for mapping in declared:
        found[mapping.get("name")] = [] if mapping.get("state") == "absent" else mapping.get("rules") or []
    return found


def _names_group(rules, name, group_id, domains):
    """Whether rules put people in a group that they name; one that comes from a claim cannot be known."""
    domain, unused, short = name.rpartition("/")
    for rule in rules:
        for local in rule.get("local") or []:
            group = local.get("group") or {}
            where = group.get("domain") or {}
            here = not where or where.get("name") == domain or where.get("id") == domains.get(domain)
            if group.get("id") == group_id or (group.get("name") == short and here):
                return True
    return False
