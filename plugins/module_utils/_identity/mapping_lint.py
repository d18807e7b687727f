# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of federation mappings: what in them is dangerous, breaks logins, or does not do what it says. Pure.

It never raises, whatever was written: what is malformed is the engine's to tell (``structure_problems``).
Ids, severities and texts are in ``mapping_lint_table.py``; docs/mapping-findings.md explains each one.
"""

from __future__ import annotations

from . import (
    mapping_lint_claims,
    mapping_lint_domains,
    mapping_lint_groups,
    mapping_lint_projects,
    mapping_lint_providers,
    mapping_lint_rules,
    mapping_lint_users,
)
from .mapping_lint_context import Context
from .mapping_lint_model import rules_of
from .mapping_lint_table import SEVERITIES, found

DEFAULT_VERSION = "1.0"
VERSIONS = ("1.0", "2.0", "3.0")
# The first release that knows schema 3.0: Keystone 29.
_SCHEMA_3 = (2026, 1)


def findings(mapping, context=None):
    """Return what there is to say about one mapping and the identity providers that use it.

    Args:
        mapping: ``name`` (optional), ``rules``, ``schema_version`` (``1.0`` when not given).
        context: what is declared around it (see ``mapping_lint_context.Context``), or None.

    Returns:
        list of mappings with ``id``, ``severity``, ``path`` (from the mapping, such as ``rules[0].remote[1].type``),
        ``message`` and ``fix``; what is worst comes first.
    """
    known = Context(context)
    name = mapping.get("name") if isinstance(mapping, dict) else None
    around = mapping_lint_providers.findings(known, name) if isinstance(name, str) else []
    return _worst_first(_of_rules(mapping, known) + mapping_lint_providers.unused([("name", name)], known) + around)


def all_findings(mappings, context=None):
    """Return what there is to say about all mappings of a document, and about all that is declared around them.

    Args:
        mappings: list of mappings, as for ``findings``.
        context: what is declared around them; ``mappings`` in it are these when it does not say.

    Returns:
        list as of ``findings``; paths of rules begin with ``mappings[0].``.
    """
    rows = [one for one in mappings or [] if isinstance(one, dict)]
    given = dict(context) if isinstance(context, dict) else {}
    if given.get("mappings") is None:
        given["mappings"] = rows or None
    known = Context(given)
    found_here, names = [], []
    for index, mapping in enumerate(mappings or []):
        if isinstance(mapping, dict) and mapping.get("state") != "absent":
            prefix = "mappings[{0}].".format(index)
            found_here += [dict(one, path=prefix + one["path"]) for one in _of_rules(mapping, known)]
            names.append((prefix + "name", mapping.get("name") if isinstance(mapping.get("name"), str) else None))
    found_here += mapping_lint_providers.unused(names, known) + mapping_lint_providers.findings(known)
    return _worst_first(found_here)


def _of_rules(mapping, context):
    rules = rules_of(mapping)
    version = mapping.get("schema_version") if isinstance(mapping, dict) else None
    version = DEFAULT_VERSION if version is None else str(version)
    return (
        _version(version, context)
        + mapping_lint_claims.findings(rules, context)
        + mapping_lint_rules.findings(rules)
        + mapping_lint_users.findings(rules, context)
        + mapping_lint_domains.findings(rules, version, context)
        + mapping_lint_groups.findings(rules, context)
        + mapping_lint_projects.findings(rules, version, context)
    )


def _version(version, context):
    if version not in VERSIONS:
        return [found("unknown-schema-version", "schema_version", "{0!r} is no schema version".format(version))]
    if version == "3.0" and context.release is not None and context.release < _SCHEMA_3:
        return [found("schema-needs-release", "schema_version", "Keystone {0}.{1} has no schema 3.0".format(
            *context.release))]
    return []


def _worst_first(found_here):
    return sorted(found_here, key=lambda one: -SEVERITIES.index(one["severity"]))
