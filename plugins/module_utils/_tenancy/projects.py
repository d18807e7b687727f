# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone domains and projects, a whole list at a time. The pattern for every module that changes a cloud.

What is created here bears a tag that names its owner. Source: Identity API v3, "Projects" and "Project tags".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._core import ownership
from .._core.change import Action
from .._core.errors import DeclarationError, Refused, unknown_name
from .._core.ownership import OWNERSHIP_SPEC, Existing
from .names import domain_problems, owner_problems, project_name, project_problems, tag_of
from .usage import domain_in_use, project_in_use

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_COMMON = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "enabled": {"type": "bool"},
    "tags": {"type": "list", "elements": "str"},
    "state": _STATE,
}
ARGUMENT_SPEC = dict(
    OWNERSHIP_SPEC,
    domains={"type": "list", "elements": "dict", "default": [], "options": _COMMON},
    projects={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": dict(_COMMON, domain={"type": "str", "default": "Default"}),
    },
    pending={"type": "list", "elements": "dict", "default": []},
)
FIELDS = ("description", "enabled", "tags")


@dataclass(frozen=True)
class Observed:
    """What Keystone has.

    Attributes:
        domains: mapping of name to Existing.
        projects: mapping of ``domain/name`` to Existing.
    """

    domains: dict
    projects: dict


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return (
        owner_problems(params["owner"])
        + domain_problems(params["domains"])
        + project_problems(params["projects"])
        + _absent_parents(params)
    )


def _absent_parents(params):
    gone = {domain["name"] for domain in params["domains"] if domain["state"] == "absent"}
    return [
        "projects[{0}].domain: {1!r} is declared absent; declare its project {2!r} absent too".format(
            index, project["domain"], project["name"]
        )
        for index, project in enumerate(params["projects"])
        if project["domain"] in gone and project["state"] == "present"
    ]


def observe(cloud, params):
    """Return Observed: one list call each for domains and projects, and what uses those that may be removed."""
    tag = tag_of(params["owner"])
    domains = {item["name"]: _existing(item, tag) for item in cloud.list("identity", "/domains", "domains")}
    names = {found.id: name for name, found in domains.items()}
    projects, inside = {}, {}
    for item in cloud.list("identity", "/projects", "projects"):
        name = project_name(names.get(item["domain_id"], item["domain_id"]), item["name"])
        inside.setdefault(item["domain_id"], []).append(name)
        if name.count("/") == 1:
            # Keystone allows slashes. Such a name cannot be declared, and could be taken for another one's.
            projects[name] = _existing(item, tag)
    observed = Observed(domains, projects)
    leaving = set(_removals(_projects(params, projects, True)))
    for name in sorted(leaving):
        projects[name] = _with_use(projects[name], project_in_use(cloud, projects[name].id))
    for name in _removals(_domains(params, domains, True)):
        staying = sorted(set(inside.get(domains[name].id, ())) - leaving)
        gone = {kind + "s": _leaving(params["pending"], kind, name) for kind in ("user", "group")}
        gone["identity_providers"] = [
            one["name"] for one in params["pending"]
            if one.get("kind") == "identity provider" and one.get("verb") == "delete"]
        domains[name] = _with_use(domains[name], domain_in_use(cloud, domains[name].id, staying, gone))
    return observed


def _leaving(pending, kind, domain):
    """Return the names of users or groups of a domain that an earlier part of the plan removes."""
    gone = [one["name"].partition("/") for one in pending if one.get("kind") == kind and one.get("verb") == "delete"]
    return [short for where, slash, short in gone if where == domain]


def _existing(item, tag):
    tags = sorted(item.get("tags") or [])
    fields = {
        "description": item.get("description") or "",
        "enabled": bool(item.get("enabled")),
        "tags": [one for one in tags if one != tag],
    }
    others = [one[len(tag_of("")):] for one in tags if one.startswith(tag_of("")) and one != tag]
    return Existing(item["id"], fields, tag in tags, other=others[0] if others else None)


def _with_use(found, in_use):
    return replace(found, in_use=tuple(in_use))


def _removals(decision):
    """Return the names that would be removed if nothing used them."""
    return [action.name for action in decision.removals]


def declared_domains(params):
    """Return mapping of name to declared fields."""
    return {domain["name"]: _declared(domain) for domain in params["domains"]}


def _only_named(params):
    """Return the domains that are not declared, but named by a declared project: they are not ours to purge."""
    named = {project["domain"] for project in params["projects"] if project["state"] == "present"}
    return named - {domain["name"] for domain in params["domains"]}


def _domains(params, observed, adopt):
    """Return the Decision about domains. Pure."""
    there = {name: found for name, found in observed.items() if name not in _only_named(params)}
    return ownership.decide("domain", declared_domains(params), there, adopt, params["purge"])


def _projects(params, observed, adopt):
    """Return the Decision about projects. Pure."""
    return ownership.decide("project", declared_projects(params), observed, adopt, params["purge"])


def declared_projects(params):
    """Return mapping of ``domain/name`` to declared fields."""
    return {project_name(project["domain"], project["name"]): _declared(project) for project in params["projects"]}


def _declared(item):
    fields = {name: item.get(name) for name in FIELDS}
    if fields["tags"] is not None:
        fields["tags"] = sorted(set(fields["tags"]))
    return dict(fields, state=item["state"])


def decide(params, observed):
    """Return the plan: domains, their projects, domains that are turned off, then removals from the inside out. Pure.

    Raises:
        DeclarationError: a project names a domain that neither exists nor is declared.
        Refused: something is not ours, is in use, or is in a domain that is and stays disabled.
    """
    declared = declared_domains(params)
    known = set(observed.domains) | {name for name, fields in declared.items() if fields["state"] == "present"}
    unknown = [
        unknown_name("projects[{0}].domain".format(index), project["domain"], "domain", known)
        for index, project in enumerate(params["projects"])
        if project["domain"] not in known and project["state"] == "present"
    ]
    if unknown:
        raise DeclarationError(unknown)
    domains = _domains(params, observed.domains, params["adopt"])
    projects = _projects(params, observed.projects, params["adopt"])
    refusals = domains.refusals + projects.refusals + _in_disabled(domains.changes, projects.changes, observed)
    if refusals:
        raise Refused("\n".join(refusals))
    first, last = _disabled_last(domains.changes, projects.changes)
    return first + projects.changes + last + projects.removals + _disabled_first(domains.removals)


def _needs_enabled(action):
    """Whether Keystone carries out the change of a project only while its domain is enabled."""
    return action.verb == "create" or action.after.get("enabled") is True


def _parent(action):
    return action.name.rpartition("/")[0]


def _in_disabled(domain_changes, project_changes, observed):
    enabling = {action.name for action in domain_changes if action.after.get("enabled") is True}
    disabled = {name for name, found in observed.domains.items() if not found.fields["enabled"]} - enabling
    return [
        "project {0!r} cannot be {1}: its domain is disabled, and Keystone refuses that; enable the domain, "
        "or leave the project out".format(action.name, "created" if action.verb == "create" else "enabled")
        for action in project_changes
        if _needs_enabled(action) and _parent(action) in disabled
    ]


def _disabled_last(domain_changes, project_changes):
    """Return (changes of domains before those of their projects, changes after them)."""
    busy = {_parent(action) for action in project_changes if _needs_enabled(action)}
    first, last = [], []
    for action in domain_changes:
        if action.after.get("enabled") is not False or (action.verb == "create" and action.name not in busy):
            first.append(action)
        elif action.verb == "create":
            first.append(Action("create", "domain", action.name, None, dict(action.after, enabled=True)))
            last.append(Action("disable", "domain", action.name, {"enabled": True}, {"enabled": False}))
        else:
            last.append(action)
    return first, last


def _disabled_first(removals):
    """Keystone deletes no domain that is enabled: one action more for each, since each action is one request."""
    plan = []
    for action in removals:
        if action.before["enabled"]:
            plan.append(Action("disable", "domain", action.name, {"enabled": True}, {"enabled": False}))
        plan.append(action)
    return plan


def performer(cloud, params, observed):
    """Return a function that carries out one Action."""
    tag = tag_of(params["owner"])
    ids = {
        "domain": {name: found.id for name, found in observed.domains.items()},
        "project": {name: found.id for name, found in observed.projects.items()},
    }
    tags = {
        "domain": {name: found.fields["tags"] for name, found in observed.domains.items()},
        "project": {name: found.fields["tags"] for name, found in observed.projects.items()},
    }

    def perform(action):
        kind = action.kind
        path = "/{0}s".format(kind)
        if action.verb == "create":
            body = _body(action.after, tag)
            if kind == "project":
                domain, unused, body["name"] = action.name.rpartition("/")
                body["domain_id"] = ids["domain"][domain]
            else:
                body["name"] = action.name
            tags[kind][action.name] = body["tags"]
            ids[kind][action.name] = cloud.created("identity", path, {kind: body}, kind)["id"]
            return
        path = "{0}/{1}".format(path, ids[kind][action.name])
        if action.verb == "delete":
            cloud.delete("identity", path)
            return
        body = _body(dict({"tags": tags[kind][action.name]}, **action.after), tag)
        cloud.patch("identity", path, {kind: body})

    return perform


def _body(fields, tag):
    """Return the request's fields, the owner's tag among them: Keystone replaces the whole list of tags."""
    return dict(fields, tags=sorted(set(fields.get("tags") or []) | {tag}))


def describe(params, observed):
    """Return the declared projects as they are now, for later tasks: name, domain, id, enabled, tags."""
    rows = []
    for name, wanted in declared_projects(params).items():
        found = observed.projects.get(name)
        if found and wanted["state"] == "present":
            domain, unused, short = name.rpartition("/")
            rows.append(dict(found.fields, name=short, domain=domain, id=found.id, owned=found.owned))
    return {"projects": rows}
