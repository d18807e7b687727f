# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects and roles that a mapping gives. Pure.

Source of what Keystone does: ``keystone/auth/plugins/mapped.py`` (``handle_projects_from_mapping``), 30.0.0.
"""

from __future__ import annotations

from .mapping_lint_context import DEFAULT_DOMAIN, domain_name, shown
from .mapping_lint_model import exclusive
from .mapping_lint_table import found, unknown

_SYNC = "3.0"


def findings(rules, version, context):
    """Return the findings about projects and roles.

    Args:
        rules: list of Rule.
        version: the schema version.
        context: Context.
    """
    found_here = []
    for rule in rules:
        for text in rule.texts:
            if text.template.error:
                continue
            if text.keys == ("projects", "roles", "name"):
                found_here += _role(text, context)
            elif text.keys == ("projects", "name") and text.template.slots:
                found_here += _chosen(rule, text)
            elif text.keys == ("projects_json",):
                found_here.append(found("projects-from-claim", text.path, "{0} chooses projects and roles".format(
                    ", ".join(repr(one.claim) for one in rule.sources(text)) or "a claim")))
        for path, part in rule.locals:
            found_here += _unknown(path, part, version, context)
    return found_here + _overwritten(rules) + _kept(rules, version)


def _role(text, context):
    template = text.template
    if template.slots:
        yield found("role-from-claim", text.path, "{0!r} takes the role from a claim".format(template.text))
        return
    if template.text.casefold() in context.privileged_roles:
        yield found("admin-granted", text.path, "whoever matches gets the role {0!r}".format(template.text))
    if context.roles is not None and template.text not in context.roles:
        yield unknown("unknown-role", text.path, template.text, "role", context.roles)


def _chosen(rule, text):
    chosen = [source.claim for source in rule.sources(text) if source.operator != "whitelist"]
    if chosen:
        yield found("project-from-claim", text.path, "{0} chooses the project {1!r}".format(
            ", ".join(map(repr, chosen)), text.template.text))


def _unknown(path, part, version, context):
    projects = part.get("projects")
    if context.projects is None or not isinstance(projects, list):
        return
    for place, project in enumerate(projects):
        name = project.get("name") if isinstance(project, dict) else None
        if not isinstance(name, str) or "{" in name:
            continue
        where = "{0}.projects[{1}].name".format(path, place)
        domain = None if version == "1.0" else domain_name(project) or (
            None if "domain" in project else domain_name(part))
        # Schema 1.0 takes the identity provider's domain, and an id of a domain says no name.
        known = name in {short for unused, short in context.projects} if domain is None else (
            (domain, name) in context.projects)
        if not known:
            written = shown((domain, name)) if domain not in (None, DEFAULT_DOMAIN) else name
            names = [short if there == DEFAULT_DOMAIN or domain is None else shown((there, short))
                     for there, short in context.projects]
            yield unknown("unknown-project", where, written, "project", names)


def _with_projects(rule):
    return [(path + "." + key) for path, part in rule.locals for key in ("projects", "projects_json") if key in part]


def _elements(rule):
    return [path for path, part in rule.locals if "projects" in part or "projects_json" in part]


def _overwritten(rules):
    found_here = []
    for place, rule in enumerate(rules):
        mine = _elements(rule)
        later = [other for one in rules[place + 1:] if not exclusive(rule, one) for other in _elements(one)[:1]]
        for number, path in enumerate(mine):
            winners = mine[number + 1:] or later
            if winners:
                found_here.append(found("projects-overwritten", path, (
                    "{0} wins wherever both match, and these projects are dropped".format(winners[-1]))))
    return found_here


def _kept(rules, version):
    paths = [path for rule in rules for path in _with_projects(rule)]
    if version != _SYNC:
        return [found("grants-never-revoked", path, "roles in these projects stay when the claim is gone")
                for path in paths]
    if paths:
        return [found("sync-removes-grants", "schema_version", (
            "at each login every direct role in a project goes that the mapping does not name"))]
    if rules:
        return [found("sync-removes-all-grants", "schema_version", (
            "no rule gives projects, so at each login every direct role in a project goes"))]
    return []
