# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which projects may use a private flavor. Nova lists that for one flavor at a time only."""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import unknown_name
from .names import CANARY_TAG, project_name, qualified


def observe_access(cloud, flavors, existing):
    """Return (mapping of flavor name to set of project ids, mapping of ``domain/name`` to id or None).

    Asks nothing when no declared flavor names a project. The access of a canary, which may be at work right now, is
    the canary's own business and is left out.

    Args:
        cloud: Cloud.
        flavors: declared flavors.
        existing: mapping of name to Existing.
    """
    managed = [flavor["name"] for flavor in flavors if flavor["access"] is not None and flavor["state"] == "present"]
    if not managed:
        return {}, None
    domains = {item["id"]: item["name"] for item in cloud.list("identity", "/domains", "domains")}
    rows = cloud.list("identity", "/projects", "projects")
    projects = {
        project_name(domains.get(item["domain_id"], item["domain_id"]), item["name"]): item["id"] for item in rows
    }
    passing = {item["id"] for item in rows if CANARY_TAG in (item.get("tags") or [])}
    access = {}
    for name in managed:
        found = existing.get(name)
        if found and not found.fields["public"]:
            path = "/flavors/{0}/os-flavor-access".format(found.id)
            access[name] = {row["tenant_id"] for row in cloud.list("compute", path, "flavor_access")} - passing
    return access, projects


def unknown_projects(params, projects):
    """Return one sentence for each declared access whose project neither exists nor is pending. Pure."""
    if projects is None:
        return []
    known = (set(projects) | _created(params)) - set(_removed(params).values())
    return [
        unknown_name("flavors[{0}].access[{1}]".format(index, place), name, "project", known)
        for index, flavor in enumerate(params["flavors"])
        for place, name in enumerate(flavor["access"] or [])
        if qualified(name) not in known and flavor["state"] == "present"
    ]


def _earlier(params, verb):
    """Return the actions about projects of an earlier part of the plan."""
    return [one for one in params["pending"] if one.get("kind") == "project" and one.get("verb") == verb]


def _created(params):
    """Return the names of projects that an earlier part of the plan will create."""
    return {action.get("name") for action in _earlier(params, "create")}


def _removed(params):
    """Return mapping of id to name of the projects that an earlier part removes, or has removed just now."""
    return {(action.get("before") or {}).get("id"): action.get("name") for action in _earlier(params, "delete")}


def access_actions(flavor, observed, params):
    """Return grants and revocations that make the access of a private flavor what is declared. Pure."""
    if flavor["access"] is None or flavor["public"]:
        return []
    name = flavor["name"]
    # Nova keeps the access of a project that is gone: without its name, site would speak of another thing than plan.
    names = dict(_removed(params), **{project: known for known, project in observed.projects.items()})
    has = {names.get(project, project): project for project in observed.access.get(name, ())}
    wanted = [qualified(project) for project in flavor["access"]]
    plan = [
        Action("grant", "flavor access", "{0} for {1}".format(name, project), None, {"project": project},
               details={"flavor": name, "project": project})
        for project in wanted
        if project not in has
    ]
    plan += [
        Action("revoke", "flavor access", "{0} for {1}".format(name, project), {"project": project}, None,
               details={"flavor": name, "id": has[project]})
        for project in sorted(set(has) - set(wanted))
    ]
    return plan
