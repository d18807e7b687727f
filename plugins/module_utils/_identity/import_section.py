# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section ``identity`` of a region document, made from what was found elsewhere. Pure.

What is as the document has it anyway is left out, and what the document cannot say is told as a note: nothing gets lost
in silence.
"""

from __future__ import annotations

from .._core.schema import Schema
from .._region.personas import PERSONAS
from .._region.schema import VALIDATOR
from .._region.schema_federation import IDENTITY_PROVIDER, MAPPING, PROTOCOL, SERVICE_PROVIDER
from .._region.schema_identity import ASSIGNMENT, GROUP, IDENTITY
from .federation_spec import SYNCHRONISING, SYNCHRONISING_SINCE

_SHAPE = Schema(dict(IDENTITY, **{"$defs": VALIDATOR.root["$defs"]}))
_KINDS = {
    "groups": GROUP,
    "assignments": ASSIGNMENT,
    "mappings": MAPPING,
    "identity_providers": IDENTITY_PROVIDER,
    "service_providers": SERVICE_PROVIDER,
}
DEFAULT_DOMAIN = "Default"


def section(found):
    """Return (the section, notes about what the document would refuse).

    Args:
        found: mapping of the section's lists (``groups``, ``assignments``, ``mappings``, ``identity_providers``,
            ``service_providers``) and of ``federation`` to what was found, with every field.
    """
    made = {}
    for key, shape in _KINDS.items():
        rows = [_short(row, shape) for row in found.get(key) or ()]
        if rows:
            made[key] = rows
    for provider in made.get("identity_providers", ()):
        if "protocols" in provider:
            provider["protocols"] = [_short(row, PROTOCOL) for row in provider["protocols"]]
    if found.get("federation"):
        made["federation"] = dict(found["federation"])
    newest = [row["name"] for row in made.get("mappings", ()) if row.get("schema_version") == SYNCHRONISING]
    if newest:
        # No API tells the release; without one the document takes no mapping of this schema.
        made["keystone_release"] = "{0}.{1}".format(*SYNCHRONISING_SINCE)
    notes = ["mapping {0} has schema {1}, which Keystone has from {2} on; correct keystone_release if it is a later "
             "one".format(name, SYNCHRONISING, made["keystone_release"]) for name in newest]
    return made, notes + ["the region document does not take {0}".format(problem.sentence())
                          for problem in _SHAPE.problems(made, "identity")]


def _short(row, shape):
    """Return a row without what its absence means as well, in the order of the schema."""
    required = shape.get("required", ())
    return {
        key: row[key]
        for key, part in shape["properties"].items()
        if key in row and (key in required or (row[key] is not None and row[key] != part.get("default")))
    }


def domains_of(made):
    """Return the names of the domains that the section needs and that the document has to declare."""
    names = {row["domain"] for row in made.get("identity_providers", ())}
    names |= {row.get("domain", DEFAULT_DOMAIN) for key in ("groups", "assignments") for row in made.get(key, ())}
    return sorted(names - {DEFAULT_DOMAIN})


def persona_or_role(role, scope):
    """Return ``{"persona": name}`` where a persona is that role in that scope, else ``{"role": role}``.

    Args:
        role: name of the role.
        scope: ``project``, ``domain`` or ``system``.
    """
    for name, persona in PERSONAS.items():
        if persona["role"] == role and scope in persona["scopes"]:
            return {"persona": name}
    return {"role": role}
