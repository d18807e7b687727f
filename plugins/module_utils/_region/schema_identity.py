# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the section ``identity``: groups, users, assignments, and what federates, within Keystone's limits.

Lengths are those of Keystone's tables (keystone/identity/backends/sql_model.py, keystone/assignment/role_backends/
sql_model.py in Keystone 30.0.0).
"""

from __future__ import annotations

from .personas import PERSONAS, SCOPES
from .schema_federation import ABSENT, FEDERATION
from .schema_tenancy import ENABLED, KEYSTONE_NAME

# Releases that the mapping engine is held against, by the name that operators know; Keystone 27 to 30.
RELEASES = ("2025.1", "2025.2", "2026.1", "2026.2")

DOMAIN_OF = {
    "description": "Name of its domain: a declared one, or Default.",
    "type": "string",
    "default": "Default",
}
DESCRIPTION = {"description": "What it is for, in words.", "type": "string", "maxLength": 255, "default": ""}
REFERENCE = {"type": ["string", "null"], "minLength": 1, "default": None}

GROUP = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": dict(KEYSTONE_NAME, description="Name of the group."),
        "domain": DOMAIN_OF,
        "description": DESCRIPTION,
        "members": {
            "description": "All members, as user or domain/user. Left out: who is a member is nobody's business here.",
            "type": ["array", "null"],
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1},
            "default": None,
        },
    },
}

USER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": dict(KEYSTONE_NAME, maxLength=255, description="Name of the user, with which they log in."),
        "domain": DOMAIN_OF,
        "description": DESCRIPTION,
        "email": {
            "description": "Address that Keystone keeps beside the user; it sends nothing there.",
            "type": ["string", "null"],
            "maxLength": 255,
            "pattern": r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$(?!\n)",
            "patternErrorMessage": "an address such as alice@example.org",
            "default": None,
        },
        "enabled": ENABLED,
        "default_project": dict(REFERENCE, description="Project of a login that names none, as in assignments."),
    },
}

ASSIGNMENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "persona": {
            "description": "Who they are to the region; gives the role that goes with it. Or role.",
            "enum": [*PERSONAS, None],
            "default": None,
        },
        "role": {
            "description": "What they get: a role of Keystone by its name, such as creator. Or persona.",
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 255,
            "default": None,
        },
        "group": dict(REFERENCE, description="Who gets it: a declared group, as group or domain/group. Or user."),
        "user": dict(REFERENCE, description="Who gets it: a declared user, as user or domain/user. Or group."),
        "project": dict(REFERENCE, description="Where: a declared project, as project or domain/project."),
        "domain": dict(REFERENCE, description="Where: a declared domain, or Default."),
        "system": {
            "description": "Where: the whole region, outside of all domains.",
            "type": "boolean",
            "default": False,
        },
        "inherited": {
            "description": "Whether it holds for the projects below instead: all of the domain, or of the project.",
            "type": "boolean",
            "default": False,
        },
    },
}

SCOPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "project": dict(REFERENCE, description="A declared project, as project or domain/project."),
        "domain": dict(REFERENCE, description="A declared domain, or Default."),
        "system": {"description": "The whole region, outside of all domains.", "type": "boolean", "default": False},
        "purge": {
            "description": "Whether assignments there that are not declared are revoked.",
            "type": "boolean",
            "default": False,
        },
    },
}

EXPECTED_POLICY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["persona", "service", "allowed"],
    "properties": {
        "persona": {"description": "Name of the persona.", "enum": list(PERSONAS)},
        "scope": {"description": "Scope of its token; left out: any that it has.", "enum": [*SCOPES, None],
                  "default": None},
        "service": {"description": "The service that is asked, such as nova.", "type": "string", "minLength": 1},
        "rule": dict(REFERENCE, description="Name of a rule of the service. Or operation."),
        "operation": dict(REFERENCE, description="Name of an operation of docs/personas.md, such as live_migrate."),
        "target": {"description": "Whose thing it is: the user's own, of the own project or domain, or another's.",
                   "enum": ["self", "own", "other"], "default": "own"},
        "allowed": {"description": "Whether it has to be allowed or refused.", "type": "boolean"},
    },
}

POLICY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "overrides": {
            "description": "What the policy files of this site say, by service; checked against personas, not applied.",
            "type": "object",
            "propertyNames": {
                "pattern": r"^[a-z][a-z0-9-]{0,62}$(?!\n)",
                "patternErrorMessage": "the name of a service, such as nova",
            },
            "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
            "default": {},
        },
        "enforce_scope": {
            "description": "What [oslo_policy] enforce_scope is in the services.",
            "type": "boolean",
            "default": True,
        },
        "enforce_new_defaults": {
            "description": "What [oslo_policy] enforce_new_defaults is in the services.",
            "type": "boolean",
            "default": True,
        },
        "expect": {
            "description": "What personas may and may not do. Also lets an override give what is allowed here.",
            "type": "array",
            "items": EXPECTED_POLICY,
            "default": [],
        },
    },
}

IDENTITY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "keystone_release": {
            "description": "Release of Keystone, such as 2026.2. Mappings of schema 3.0 need 2026.1 or later.",
            "type": ["string", "null"],
            "enum": [*RELEASES, None],
            "patternErrorMessage": "a release in quotes, such as \"2026.2\" (YAML reads it as a number)",
            "default": None,
        },
        "groups": {
            "description": "Groups of Keystone that this collection creates.",
            "type": "array",
            "items": {"$ref": "#/$defs/group"},
            "default": [],
        },
        "users": {
            "description": "Local users of Keystone that this collection creates. Federated users need none.",
            "type": "array",
            "items": {"$ref": "#/$defs/user"},
            "default": [],
        },
        "assignments": {
            "description": "Who is what where.",
            "type": "array",
            "items": {"$ref": "#/$defs/assignment"},
            "default": [],
        },
        "scopes": {
            "description": "Where assignments that are not declared may be revoked.",
            "type": "array",
            "items": {"$ref": "#/$defs/scope"},
            "default": [],
        },
        "mappings": {
            "description": "How the claims of an identity provider become a user and groups.",
            "type": "array",
            "items": {"$ref": "#/$defs/mapping"},
            "default": [],
        },
        "identity_providers": {
            "description": "Who may vouch for users.",
            "type": "array",
            "items": {"$ref": "#/$defs/identity_provider"},
            "default": [],
        },
        "service_providers": {
            "description": "Other Keystones for whose users this one vouches.",
            "type": "array",
            "items": {"$ref": "#/$defs/service_provider"},
            "default": [],
        },
        "absent": dict(ABSENT, description="What shall not be there any more.", default={}),
        "federation": dict(FEDERATION, description="Settings of [federation] in keystone.conf.", default={}),
        "policy": dict(POLICY, description="What was changed about who may do what.", default={}),
    },
}
