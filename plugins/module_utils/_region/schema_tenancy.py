# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the section ``tenancy``: domains, projects and flavors, within the limits of Keystone and Nova."""

from __future__ import annotations

# Keystone: 64 characters. The slash is ours: "domain/project" has to mean one thing.
KEYSTONE_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^[^\x00-\x20/]([^\x00-\x1f/]*[^\x00-\x20/])?$(?!\n)",
    "patternErrorMessage": "a name without / and line breaks, not beginning or ending with a space",
}
# Nova: 255 printable characters, no space at either end.
FLAVOR_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[^\x00-\x20]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$(?!\n)",
    "patternErrorMessage": "a name without line breaks, not beginning or ending with a space",
}
TAGS = {
    "description": "Tags in Keystone, beside the one that marks what this collection created.",
    "type": "array",
    # Keystone takes 80, and one is the mark of the owner.
    "maxItems": 79,
    "uniqueItems": True,
    "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": r"^[^,/\x00-\x1f]*$(?!\n)",
        "patternErrorMessage": "a tag without commas, slashes and line breaks",
    },
    "default": [],
}
ENABLED = {"description": "Whether it can be used; false locks everybody out.", "type": "boolean", "default": True}


def _description(limit):
    return {"description": "What it is for, in words.", "type": "string", "maxLength": limit, "default": ""}


DOMAIN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": dict(KEYSTONE_NAME, description="Name of the domain. Default exists everywhere and is not declared."),
        "description": _description(255),
        "enabled": ENABLED,
        "tags": TAGS,
    },
}

PROJECT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": dict(KEYSTONE_NAME, description="Name of the project."),
        "domain": {
            "description": "Name of its domain: a declared one, or Default.",
            "type": "string",
            "default": "Default",
        },
        "description": _description(255),
        "enabled": ENABLED,
        "tags": TAGS,
        "residency": {
            "description": "Jurisdiction that the project's servers stay in: DE, or DE-BE. Some site has to offer it.",
            "type": ["string", "null"],
            "pattern": r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$(?!\n)",
            "patternErrorMessage":
                "a country of ISO 3166-1 such as DE, or a part of one such as DE-BE, in quotes if it is \"NO\"",
            "default": None,
        },
    },
}

FLAVOR = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "pool", "vcpus", "ram_mib", "disk_gib"],
    "properties": {
        "name": dict(FLAVOR_NAME, description="Name of the flavor."),
        "pool": {
            "description": "Name of the pool that the flavor's devices come from.",
            "type": "string",
        },
        "gpus": {
            "description": "Devices of the pool that a server gets: cards, VFs, vGPUs or MIG instances.",
            "type": "integer",
            "minimum": 1,
            "default": 1,
        },
        "vcpus": {"description": "Virtual CPUs.", "type": "integer", "minimum": 1, "maximum": 2147483647},
        "ram_mib": {"description": "Memory in MiB.", "type": "integer", "minimum": 1, "maximum": 2147483647},
        "disk_gib": {
            "description": "Root disk in GiB; 0 means the size of the image, or a volume.",
            "type": "integer",
            "minimum": 0,
            "maximum": 2147483647,
        },
        "description": _description(255),
        "access": {
            "description": "Projects that may use it, as project or domain/project. Left out: everybody may.",
            "type": ["array", "null"],
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1},
            "default": None,
        },
        "extra_specs": {
            "description": "Further extra specs. Those that follow from the pool are derived and not written here.",
            "type": "object",
            "propertyNames": {
                "pattern": r"^[a-zA-Z0-9_:. -]{1,255}$(?!\n)",
                "patternErrorMessage": "a key of letters, digits, space and _ : . - (at most 255 characters)",
            },
            "additionalProperties": {"type": ["string", "integer"], "maxLength": 255},
            "default": {},
        },
    },
}

TENANCY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "domains": {
            "description": "Domains of Keystone that this collection creates.",
            "type": "array",
            "items": {"$ref": "#/$defs/domain"},
            "default": [],
        },
        "projects": {
            "description": "Projects of Keystone that this collection creates.",
            "type": "array",
            "items": {"$ref": "#/$defs/project"},
            "default": [],
        },
        "flavors": {
            "description": "Flavors of Nova that hand out the devices of a pool.",
            "type": "array",
            "items": {"$ref": "#/$defs/flavor"},
            "default": [],
        },
    },
}
