# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Personas: who people are to a region, as one of Keystone's roles at one of its scopes. Pure.

Roles and their hierarchy (``admin`` implies ``manager`` implies ``member`` implies ``reader``) are those that
``keystone-manage bootstrap`` makes; ``manager`` since Keystone 25 (2024.1). Which persona may do what where is the
OpenStack goal "Consistent and Secure Default RBAC"; its auditor of a deployment is ``reader`` on the system.
"""

from __future__ import annotations

from types import MappingProxyType

SCOPES = ("system", "domain", "project")

# name -> role, scopes in which it makes sense, one sentence. In order of what they may do.
PERSONAS = MappingProxyType({
    "admin": {
        "role": "admin",
        "scopes": ("system", "domain", "project"),
        "description": "Operates the region; may do everything that a service offers in the scope.",
    },
    "manager": {
        "role": "manager",
        "scopes": ("domain", "project"),
        "description": "Looks after people and what they own; in a domain its users, groups, projects and assignments.",
    },
    "member": {
        "role": "member",
        "scopes": ("project",),
        "description": "Works in a project: creates, changes and deletes what the project owns.",
    },
    "reader": {
        "role": "reader",
        "scopes": ("domain", "project"),
        "description": "Sees what is in a project or domain and changes nothing.",
    },
    "auditor": {
        "role": "reader",
        "scopes": ("system",),
        "description": "Sees the whole region and changes nothing.",
    },
})


def role_of(persona):
    """Return the role of a persona. KeyError when there is no such persona."""
    return PERSONAS[persona]["role"]


def scopes_of(persona):
    """Return the scopes in which a persona makes sense, as a tuple of words of ``SCOPES``."""
    return PERSONAS[persona]["scopes"]


def personas_at(scope):
    """Return the names of the personas that make sense in a scope, in order."""
    return [name for name, persona in PERSONAS.items() if scope in persona["scopes"]]
