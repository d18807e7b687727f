# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of what federates: mappings with their assertions, identity providers, service providers, settings.

Lengths and patterns are those of Keystone's API (keystone/federation/schema.py, Keystone 30.0.0) and of its tables,
where these are narrower. Rules are looked at as deep as all schema versions agree; the mapping engine judges the rest.
"""

from __future__ import annotations

from .schema_tenancy import ENABLED

# It stands in paths of Keystone and of the web server in front of it.
ID = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._~@:+-]{0,63}$(?!\n)",
    "patternErrorMessage": "a name of letters, digits and . _ ~ @ : + -, at most 64 characters",
}
DESCRIPTION = {"description": "What it is for, in words.", "type": "string", "maxLength": 65535, "default": ""}
URL = {
    "type": "string",
    "pattern": r"^https?://[^\x00-\x20\x7f]{1,217}$(?!\n)",
    "patternErrorMessage": "a URL that begins with https:// (or http://), at most 225 characters",
}
ENVIRONMENT_NAME = {
    "type": ["string", "null"],
    "pattern": r"^[^\x00-\x20\x7f]{1,64}$(?!\n)",
    "patternErrorMessage": "the name of a claim as Keystone sees it, such as OIDC-iss, at most 64 characters",
    "default": None,
}
VALUES = {"type": "array"}

REMOTE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type"],
    "properties": {
        "type": {"description": "Name of the claim, such as OIDC-groups.", "type": "string"},
        "any_one_of": dict(VALUES, description="The rule holds when the claim has one of these values."),
        "not_any_of": dict(VALUES, description="The rule holds when the claim has none of these values."),
        "whitelist": dict(VALUES, description="Only these values of the claim are passed on."),
        "blacklist": dict(VALUES, description="All values of the claim but these are passed on."),
        "regex": {"description": "Whether the values are regular expressions.", "type": "boolean"},
    },
}

LOCAL = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "user": {"description": "The user: id, name, email, domain, type.", "type": "object"},
        "group": {"description": "A group by its id, or by name and domain.", "type": "object"},
        "groups": {"description": "Names of groups, such as {0}; their domain stands beside.", "type": "string"},
        "group_ids": {"description": "Ids of groups, such as {0}.", "type": "string"},
        "domain": {"description": "Domain of the groups, by its id or name.", "type": "object"},
        "projects": {"description": "Projects with roles that the user gets directly.", "type": "array"},
        "projects_json": {"description": "The same as JSON from a claim; schema 3.0 only.", "type": "string"},
    },
}

RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["local", "remote"],
    "properties": {
        "local": {
            "description": "What the claims become.",
            "type": "array",
            "items": {"$ref": "#/$defs/rule_local"},
        },
        "remote": {
            "description": "What is asked of the claims; all of it has to hold.",
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/rule_remote"},
        },
    },
}

EXPECT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "accepted": {"description": "Whether they may log in.", "type": "boolean"},
        "reason": {"description": "Why not, as identity_mapping_check names it.", "type": "string"},
        "exception": {"description": "The class of the exception that Keystone raises.", "type": "string"},
        "user": {"description": "Fields of the user that have to be so.", "type": "object"},
        "group_ids": {"description": "Ids of the groups.", "type": "array"},
        "group_names": {"description": "The groups by name and domain.", "type": "array"},
        "projects": {"description": "The projects with roles that the mapping itself gives.", "type": "array"},
        "roles": {"description": "The roles that this leads to, by what the mapping and the assignments give.",
                  "type": "array"},
        "matched_rules": {"description": "Which rules held, counted from 0.", "type": "array",
                          "items": {"type": "integer", "minimum": 0}},
    },
}

ASSERTION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "claims"],
    "properties": {
        "name": {"description": "Who this is, in words.", "type": "string", "minLength": 1, "maxLength": 255},
        "claims": {
            "description": "What the identity provider says: each claim with its value, or with a list of values.",
            "type": "object",
            "additionalProperties": {
                "type": ["string", "array"],
                "items": {"type": "string"},
                "patternErrorMessage": "text, or a list of texts; numbers in quotes",
            },
        },
        "expect": {
            "$ref": "#/$defs/expectation",
            "description": "What has to come out; only what is written is compared. Left out: shown, not judged.",
        },
    },
}

MAPPING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "rules"],
    "properties": {
        "name": dict(ID, description="Name of the mapping."),
        "schema_version": {
            "description": "Version of the schema of the rules: 1.0, 2.0 or 3.0.",
            "type": "string",
            "enum": ["1.0", "2.0", "3.0"],
            "patternErrorMessage": "1.0, 2.0 or 3.0 in quotes (YAML reads it as a number)",
            "default": "1.0",
        },
        "rules": {
            "description": "The rules, as Keystone takes them. All that hold are put together.",
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/rule"},
        },
        "assertions": {
            "description": "Golden assertions: claims, and what has to become of them. Checked without a cloud.",
            "type": "array",
            "items": {"$ref": "#/$defs/assertion"},
            "default": [],
        },
    },
}

PROTOCOL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "mapping"],
    "properties": {
        "name": dict(ID, description="Name of the protocol: a method of [auth] methods, such as openid or saml2."),
        "mapping": {"description": "Name of the mapping that it uses.", "type": "string"},
        "remote_id_attribute": dict(
            ENVIRONMENT_NAME, description="The claim that names the identity provider, such as OIDC-iss."),
    },
}

IDENTITY_PROVIDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "domain"],
    "properties": {
        "name": dict(ID, description="Name of the identity provider; it stands in the URLs of logins."),
        "domain": {
            "description": "Domain of its users: a declared one, or Default. It cannot be changed later.",
            "type": "string",
        },
        "description": DESCRIPTION,
        "enabled": ENABLED,
        "remote_ids": {
            "description": "How it names itself: issuers or entity ids. Empty: whoever comes in by its URL.",
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "string",
                "pattern": r"^[^\x00-\x20\x7f]{1,64}$(?!\n)",
                "patternErrorMessage":
                    "at most 64 characters without spaces, more Keystone's API does not take; for a longer issuer let "
                    "remote_id_attribute name a shorter claim, such as the tenant's id",
            },
            "default": [],
        },
        "authorization_ttl": {
            "description": "Minutes that membership of groups outlives a login. Left out: as [federation] has it.",
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 2147483647,
            "default": None,
        },
        "purge": {
            "description": "Whether protocols of it that are not declared are removed.",
            "type": "boolean",
            "default": False,
        },
        "protocols": {
            "description": "How its users come in, and which mapping then applies.",
            "type": "array",
            "items": {"$ref": "#/$defs/protocol"},
            "default": [],
        },
    },
}

SERVICE_PROVIDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "auth_url", "sp_url"],
    "properties": {
        "name": dict(ID, description="Name of the service provider."),
        "auth_url": dict(URL, description="Where users of this Keystone log in at the other one."),
        "sp_url": dict(URL, description="Where the other one takes assertions."),
        "description": DESCRIPTION,
        "enabled": ENABLED,
        "relay_state_prefix": {
            "description": "Prefix of RelayState. With mod_auth_mellon: the auth_url and ?rs=.",
            "type": ["string", "null"],
            "maxLength": 256,
            "default": None,
        },
    },
}


def _gone(what):
    return {
        "description": "Names of {0} that are removed.".format(what),
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "string", "minLength": 1, "maxLength": 64},
        "default": [],
    }


# Keystone has no place for a mark on them: nothing tells who made one, so what shall go is named.
ABSENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "mappings": _gone("mappings"),
        "identity_providers": _gone("identity providers"),
        "service_providers": _gone("service providers"),
    },
}

FEDERATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "trusted_dashboards": {
            "description": "URLs to which a browser may carry a token, such as https://dashboard/auth/websso/.",
            "type": "array",
            "uniqueItems": True,
            "items": URL,
            "default": [],
        },
        "assertion_prefix": dict(ENVIRONMENT_NAME, description="Only claims that begin with it are looked at."),
        "remote_id_attribute": dict(
            ENVIRONMENT_NAME, description="The claim that names the identity provider, where no protocol has its own."),
        "default_authorization_ttl": {
            "description": "Minutes that membership of groups outlives a login, where no provider has its own.",
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 2147483647,
            "default": None,
        },
        "sso_callback_template": {
            "description": "Path of the page that carries a token to a dashboard.",
            "type": ["string", "null"],
            "pattern": r"^/[^\x00-\x1f]*$(?!\n)",
            "patternErrorMessage": "an absolute path",
            "default": None,
        },
        "attribute_mapping_default_schema_version": {
            "description": "Schema of mappings that name none. This collection always names it.",
            "enum": ["1.0", "2.0", "3.0", None],
            "default": None,
        },
    },
}
