# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that a mapping names, or should. Pure.

Source of what Keystone does: ``keystone/federation/utils.py`` and ``keystone/auth/plugins/mapped.py``, 30.0.0.
"""

from __future__ import annotations

from .mapping_lint_context import domain_name
from .mapping_lint_model import domain_of, exclusive
from .mapping_lint_table import found, unknown


def findings(rules, version, context):
    """Return the findings about domains.

    Args:
        rules: list of Rule.
        version: the schema version.
        context: Context.
    """
    found_here = []
    for rule in rules:
        for path, part in rule.locals:
            found_here += _named(path, part, context)
            if version == "1.0":
                found_here += _ignored(path, part)
        found_here += _chosen(rule)
    if version != "1.0":
        found_here += _missing(rules) + list(_projects(rules))
    return found_here


def _domains(path, value):
    """Yield (path of the domain, what holds it) for every ``domain`` inside of a part of a rule."""
    if isinstance(value, dict):
        if "domain" in value:
            yield path + ".domain", value
        for key, inside in value.items():
            if key != "domain":
                yield from _domains("{0}.{1}".format(path, key), inside)
    elif isinstance(value, list):
        for place, inside in enumerate(value):
            yield from _domains("{0}[{1}]".format(path, place), inside)


def _named(path, part, context):
    for where, holder in _domains(path, part):
        if isinstance(holder["domain"], dict) and domain_of(holder) is None:
            yield found("empty-domain", where, "the domain has neither name nor id")
        name = domain_name(holder)
        if name is not None and context.domains is not None and name not in context.domains:
            yield unknown("unknown-domain", where, name, "domain", context.domains)


def _chosen(rule):
    """Yield a finding for each domain of groups or projects that a claim chooses."""
    parts = dict(rule.locals)
    for text in rule.texts:
        if text.keys[-2:-1] != ("domain",) or text.keys[0] == "user":
            continue
        part = parts[".".join(text.path.split(".")[:2])]
        if text.keys[0] == "domain" and not {"groups", "projects"} & set(part):
            continue
        claims = [source.claim for source in rule.sources(text) if source.operator != "whitelist" or source.regex]
        if claims:
            yield found("domain-from-claim", text.path, "{0} chooses the domain".format(", ".join(map(repr, claims))))


def _ignored(path, part):
    domain = domain_of(part)
    if domain is not None and "groups" not in part:
        yield found("ignored-domain", path + ".domain", "schema 1.0 ignores the domain {0!r} here".format(domain))


def _missing(rules):
    """The user's domain is its own, or that of the last element of the last rule that matches."""
    found_here = []
    for place, rule in enumerate(rules):
        if not rule.locals or domain_of(rule.locals[-1][1]) is not None:
            continue
        users = rule.users()
        bare = [path for path, user in users[:1] if domain_of(user) is None]
        for earlier in rules[:place]:
            if not exclusive(earlier, rule):
                bare += [path for path, user in earlier.users()[:1] if domain_of(user) is None]
        if bare:
            found_here.append(found("missing-domain", rule.locals[-1][0], (
                "{0} has no domain, and neither has this last element of local".format(bare[0]))))
    return found_here


def _projects(rules):
    for rule in rules:
        for path, part in rule.locals:
            projects = part.get("projects")
            if domain_of(part) is not None or not isinstance(projects, list):
                continue
            for place, project in enumerate(projects):
                if isinstance(project, dict) and domain_of(project) is None:
                    yield found("missing-domain", "{0}.projects[{1}]".format(path, place), (
                        "the project {0!r} has no domain, and neither has its element of local".format(
                            project.get("name"))))
