# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the region document: the one source of validation, defaults, and the schema for editors.

Patterns mean the same to Python and to editors: ASCII classes only, and ``$(?!\\n)`` for the end, because
Python's ``$`` also matches before a trailing line feed. ``patternErrorMessage`` is what editors show.
"""

from __future__ import annotations

from .._core.schema import Schema
from .schema_federation import (
    ASSERTION,
    EXPECT,
    IDENTITY_PROVIDER,
    LOCAL,
    MAPPING,
    PROTOCOL,
    REMOTE,
    RULE,
    SERVICE_PROVIDER,
)
from .schema_identity import ASSIGNMENT, GROUP, IDENTITY, SCOPE, USER
from .schema_tenancy import DOMAIN, FLAVOR, PROJECT, TENANCY

NAME = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_-]{0,62}$(?!\n)",
    "patternErrorMessage": "a name of a-z, 0-9, - and _, at most 63 characters, a letter first",
}
# YAML 1.1 reads NO as false: the message has to say so, for Norway's sake.
JURISDICTION = {
    "type": "string",
    "pattern": r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$(?!\n)",
    "patternErrorMessage":
        "a country of ISO 3166-1 such as DE, or a part of one such as DE-BE, in quotes if it is \"NO\"",
}
# YAML 1.1 reads 0000:10:00.0 as a number in base 60.
PCI_ADDRESS = {
    "type": "string",
    "pattern": r"^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$(?!\n)",
    "patternErrorMessage": "a PCI address such as \"0000:10:00.0\", in quotes (YAML reads some as numbers)",
}
HOST = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$(?!\n)",
    "patternErrorMessage": "the name of a host in the inventory and in Nova",
}

SITE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "jurisdiction"],
    "properties": {
        "name": dict(NAME, description="Name of the site. Becomes the trait CUSTOM_SITE_<NAME> of its hosts."),
        "jurisdiction": dict(JURISDICTION, description="Whose law the site is under: ISO 3166-1, such as DE or DE-BE."),
    },
}

POOL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "site", "hosts", "model", "mode", "devices"],
    "properties": {
        "name": dict(NAME, description="Name of the pool. Flavors refer to it; nothing outside is named after it."),
        "site": {"description": "Name of the site where all hosts of the pool stand.", "type": "string"},
        "hosts": {
            "description": "The hosts that hold the cards, as the inventory and Nova name them.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": HOST,
        },
        "model": {
            "description": "Model of the card, such as H200. Names of resource class and alias come from it.",
            "type": "string",
            "pattern": r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,62}$(?!\n)",
            "patternErrorMessage": "the model of a card, such as H200 or \"RTX PRO 6000\", at most 63 characters",
        },
        "mode": {
            "description": "How cards are used: whole (passthrough), as VFs, vGPUs or MIG instances, or by the host.",
            "enum": ["passthrough", "vf", "vgpu", "mig", "host"],
        },
        "consumer": {
            "description": "Who gets the devices: nova (servers) or kata (pods). Left out for mode host.",
            "enum": ["nova", "kata", None],
            "default": "nova",
        },
        "devices": {
            "description": "Cards of the pool in each host: how many, or their PCI addresses.",
            "type": ["integer", "array"],
            "minimum": 1,
            "maximum": 256,
            "minItems": 1,
            "uniqueItems": True,
            "items": PCI_ADDRESS,
        },
        "profile": {
            "description": "vGPU type or MIG profile by its name, such as L40S-12Q or 1g.18gb; optional for vf.",
            "type": ["string", "null"],
            "pattern": r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,62}$(?!\n)",
            "patternErrorMessage": "the name of a profile, such as L40S-12Q or 1g.18gb",
            "default": None,
        },
        "slices": {
            "description": "How many VFs, vGPUs or MIG instances one card is cut into. For vf, vgpu and mig.",
            "type": "integer",
            "minimum": 1,
            "maximum": 256,
            "default": 1,
        },
    },
}


def _reserved(subject):
    return {
        "description": "Reserved for {0}: any mapping is accepted, nothing in it is used yet.".format(subject),
        "type": ["object", "null"],
        "default": {},
    }


REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "name", "sites"],
    "properties": {
        "version": {
            "description": "Version of the document's own format: 1.",
            "type": "integer",
            "const": 1,
        },
        "name": {
            "description": "Name of the region, as Keystone knows it (region id).",
            "type": "string",
            "pattern": r"^[a-z][a-z0-9-]{0,62}$(?!\n)",
            "patternErrorMessage": "a name of a-z, 0-9 and -, at most 63 characters, a letter first",
        },
        "sites": {
            "description": "Where the region stands, and under whose law.",
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/site"},
        },
        "accelerators": {
            "description": "The accelerators of the region.",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "pools": {
                    "description": "Cards of one model, used one way, by one consumer, at one site.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/pool"},
                    "default": [],
                },
            },
            "default": {},
        },
        "isolation": _reserved("Kata Containers and container runtimes"),
        "identity": {"$ref": "#/$defs/identity", "description": "Who people are, and what they may do.", "default": {}},
        "tenancy": {"$ref": "#/$defs/tenancy", "description": "Who may use what.", "default": {}},
        "governance": _reserved("rules, evidence and reports"),
    },
}

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Variables that declare a region for the Ansible collection sovereign.region",
    "description": "Format version 1 of the region document. Other variables may stand beside it.",
    "type": "object",
    "required": ["sovereign_region"],
    "properties": {
        "sovereign_region": {"$ref": "#/$defs/region", "description": "The region document."},
    },
    "$defs": {
        "region": REGION,
        "site": SITE,
        "pool": POOL,
        "tenancy": TENANCY,
        "domain": DOMAIN,
        "project": PROJECT,
        "flavor": FLAVOR,
        "identity": IDENTITY,
        "group": GROUP,
        "user": USER,
        "assignment": ASSIGNMENT,
        "scope": SCOPE,
        "mapping": MAPPING,
        "rule": RULE,
        "rule_local": LOCAL,
        "rule_remote": REMOTE,
        "assertion": ASSERTION,
        "expectation": EXPECT,
        "identity_provider": IDENTITY_PROVIDER,
        "protocol": PROTOCOL,
        "service_provider": SERVICE_PROVIDER,
    },
}

VALIDATOR = Schema(SCHEMA)
