# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at role assignments, at what names mean, and at what must not be taken away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .role_assignments_rows import declared_grant, read_row, scope_of
from .users_directory import is_federated, local_users, read, read_domains, read_projects

# How deployments call the project of the services' own users, and the role that they have.
SERVICE_PROJECTS = ("service", "services")
SERVICE_ROLE = "service"


@dataclass(frozen=True)
class Observed:
    """What Keystone has.

    Attributes:
        grants: mapping of Grant to its ids ``role``, ``actor`` and ``scope``, and ``gone`` for a user or group that no
            longer exists.
        ids: mapping of ``role``, ``user``, ``group``, ``project`` and ``domain`` to {name: id}. None for a kind about
            which nothing had to be asked, because what is declared is there.
        federated: those declared users of whom only federated ones bear the name.
        guarded: mapping of Grant to why it must not be taken away, for those that would be.
        left: mapping of Grant to why it is left alone in a scope that is purged.
        names: every ``domain/name`` that a user bears; empty when no user is declared.
    """

    grants: dict
    ids: dict = field(default_factory=dict)
    federated: frozenset = frozenset()
    guarded: dict = field(default_factory=dict)
    left: dict = field(default_factory=dict)
    names: frozenset = frozenset()


def look(cloud, params, surplus):
    """Return Observed: one list call when everything is there, and more only for what is new or would go.

    Args:
        cloud: Cloud.
        params: options of the module.
        surplus: function of an Observed that returns the Grants that would be revoked if nothing guarded them.
    """
    rows = cloud.list("identity", "/role_assignments", "role_assignments", {"include_names": "true"})
    declared = [declared_grant(item) for item in params["assignments"]]
    users = sorted({grant.actor for grant in declared if grant.actor_kind == "user"})
    domains, local, user_rows = None, None, {}
    if users:
        domains = read_domains(cloud)
        named = {name.rpartition("/")[0] for name in users}
        user_rows = read(cloud, "user", domains, named)
        local = local_users(cloud, user_rows, users)
    ids = {"user": {name: row["id"] for name, row in local.rows.items()}} if local else {}
    known = {**dict.fromkeys(local.federated if local else ()), **ids.get("user", {})}
    grants = {}
    for row in rows:
        grant, found = read_row(row, known)
        # A federated user may bear the name of a local one, and they are two all the same.
        grants[replace(grant, actor=found["actor"]) if grant in grants else grant] = found
    ids.update(_names(cloud, params, declared, grants, domains))
    federated = local.federated if local else frozenset()
    observed = Observed(grants, ids, federated, names=frozenset(user_rows) - federated)
    gone = surplus(observed)
    if not gone:
        return observed
    guarded, left = _guards(cloud, rows, grants, gone)
    return replace(observed, guarded=guarded, left=left)


def _names(cloud, params, declared, grants, domains):
    """Return mapping of kind to {name: id} for the kinds of which a name is not known from the assignments."""
    missing = [grant for grant, item in zip(declared, params["assignments"])
               if item["state"] == "present" and grant not in grants]
    there = {(grant.scope_kind, grant.scope) for grant in grants}
    scopes = {scope_of(item) for item in params["scopes"]} - there
    kinds = {grant.actor_kind for grant in missing} | {grant.scope_kind for grant in missing}
    kinds |= {kind for kind, unused in scopes}
    found = {}
    if kinds & {"project", "domain", "group"} and domains is None:
        domains = read_domains(cloud)
    if missing:
        roles = cloud.list("identity", "/roles", "roles")
        found["role"] = {row["name"]: row["id"] for row in roles if not row.get("domain_id")}
    if "group" in kinds:
        named = {grant.actor.rpartition("/")[0] for grant in missing if grant.actor_kind == "group"}
        groups = read(cloud, "group", domains, named)
        found["group"] = {name: rows[0]["id"] for name, rows in groups.items()}
    if "project" in kinds:
        found["project"] = read_projects(cloud, domains)
    if "domain" in kinds:
        found["domain"] = {name: domain_id for domain_id, name in domains.items()}
    return found


def _guards(cloud, rows, grants, gone):
    """Return (why a Grant must not be revoked, why one is left alone) for those that would go."""
    guarded, left = {}, {}
    services = _services(rows)
    caller, groups = cloud.user_id, None
    for grant in sorted(gone):
        actor = grants[grant]["actor"]
        if grant.actor_kind == "group":
            if groups is None:
                rows = cloud.list("identity", "/users/{0}/groups".format(caller), "groups")
                groups = {row["id"] for row in rows}
            if actor in groups:
                guarded[grant] = "the user that this runs with is in that group"
        elif actor == caller:
            guarded[grant] = "this runs with that user"
        elif actor in services:
            left[grant] = "the user belongs to a service"
        elif not grants[grant]["gone"] and is_federated(cloud, actor):
            left[grant] = "the user is federated: a mapping may have given it, and would at the next login"
    return guarded, left


def _services(rows):
    """Return the ids of the users that services run with."""
    found = set()
    for row in rows:
        project = (row["scope"].get("project") or {}).get("name")
        if "user" in row and (row["role"].get("name") == SERVICE_ROLE or project in SERVICE_PROJECTS):
            found.add(row["user"]["id"])
    return found


def admins(grants):
    """Return the Grants that give the role admin on the system."""
    return {one for one in grants if one.scope_kind == "system" and one.role == "admin"}
