# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The slice of a region document that the role and the modules for identity take. Pure."""

from __future__ import annotations

import copy

from .checks_assignments import WHERE, WHO, role, said
from .names import qualified

_LISTS = ("groups", "users", "service_providers")


def identity(document):
    """Return what is declared about identity, as options of the modules.

    Args:
        document: a normalised document.

    Returns:
        Mapping with ``keystone_release``, ``federation`` and ``policy`` as declared; ``groups``, ``users``,
        ``assignments`` (personas as the roles that they are), ``scopes``, ``mappings``, ``identity_providers`` and
        ``service_providers``, the items with ``state``; ``checks``, the mappings with their golden assertions;
        ``context``, what is declared around them.
    """
    section = copy.deepcopy(document["identity"])
    found = {key: section[key] for key in ("keystone_release", "federation", "policy")}
    found.update({key: [_present(item) for item in section[key]] for key in _LISTS})
    found["assignments"] = [_assignment(item) for item in section["assignments"]]
    found["scopes"] = [
        dict({key: one[key] for key in said(one, WHERE)}, purge=one["purge"]) for one in section["scopes"]
    ]
    found["mappings"] = [
        {"name": one["name"], "schema_version": one["schema_version"], "rules": one["rules"], "state": "present"}
        for one in section["mappings"]
    ]
    found["identity_providers"] = [_provider(item) for item in section["identity_providers"]]
    for kind, names in section["absent"].items():
        found[kind] += [{"name": name, "state": "absent"} for name in names]
    found["checks"] = [
        {key: one[key] for key in ("name", "schema_version", "rules", "assertions")} for one in section["mappings"]
    ]
    found["context"] = _context(document, found, section)
    return found


def _context(document, found, section):
    """Return what is declared around the mappings, as identity_mapping_check takes it."""
    tenancy = document["tenancy"]
    return dict(
        {key: section[key] for key in ("identity_providers", "service_providers", "federation", "keystone_release")},
        groups=[qualified(one["domain"], one["name"]) for one in section["groups"]],
        assignments=found["assignments"],
        projects=[qualified(one["domain"], one["name"]) for one in tenancy["projects"]],
        domains=[one["name"] for one in tenancy["domains"]],
    )


def _present(item):
    return dict(item, state="present")


def _provider(provider):
    ttl = provider["authorization_ttl"]
    # To the module null is "nothing declared"; a document that says nothing declares what [federation] has.
    return dict(_present(provider), authorization_ttl=-1 if ttl is None else ttl)


def _assignment(assignment):
    """Return an assignment as the module takes it: only what it says."""
    found = {"role": role(assignment)}
    found.update({key: assignment[key] for key in said(assignment, WHO) + said(assignment, WHERE)})
    return dict(found, inherited=assignment["inherited"], state="present")
