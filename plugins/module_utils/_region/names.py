# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that other systems get, derived here only, so that flavors, limits and nova.conf cannot diverge.

They come from model and mode and never from the name of a pool: a pool can be renamed without touching
Placement, and the same model at two sites is one resource class.
"""

from __future__ import annotations

import re

# Modes that Nova hands out as PCI devices, through an alias.
ALIAS_MODES = ("passthrough", "vf")

OWNER_PREFIX = "sovereign.region:"
SITE_TRAIT_PREFIX = "CUSTOM_SITE_"


def resource_class(model, mode, profile=None):
    """Return the resource class of a pool, or None where Nova hands nothing out.

    Args:
        model: such as ``H200``.
        mode: passthrough, vf, vgpu, mig or host.
        profile: of vgpu and mig, optional for vf.
    """
    if mode == "passthrough":
        return "CUSTOM_GPU_" + _upper(model)
    if mode == "vf":
        # Two profiles of one model must not be one class: a tenant would get either of them.
        return "CUSTOM_GPU_" + _upper(model) + "_VF" + ("_" + _upper(profile) if profile else "")
    if mode == "vgpu":
        return "CUSTOM_VGPU_" + _upper(profile)
    if mode == "mig":
        return "CUSTOM_MIG_" + _upper(model) + "_" + _upper(profile)
    return None


def alias(model, mode, profile=None):
    """Return the PCI alias of a pool, or None where flavors name the resource class itself."""
    if mode not in ALIAS_MODES:
        return None
    parts = [model] if mode == "passthrough" else [model, "vf", profile]
    return "-".join(_lower(part) for part in parts if part)


def site_trait(site):
    """Return the trait that the root provider of every host of a site carries."""
    return SITE_TRAIT_PREFIX + _upper(site)


def owner(region):
    """Return the mark of what this collection creates for a region."""
    return OWNER_PREFIX + region


def qualified(domain, project):
    """Return the name by which a project is known in a document, in actions and in messages."""
    return domain + "/" + project


def _upper(text):
    return re.sub("[^A-Z0-9]+", "_", text.upper()).strip("_")


def _lower(text):
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
