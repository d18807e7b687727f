# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module documents, with the fragments of this collection, as ansible-doc lays them together."""

from __future__ import annotations

import importlib

import yaml

PLUGINS = "ansible_collections.sovereign.region.plugins."


def options(name):
    """Return the documented options of a module. What it says itself comes before what a fragment says."""
    document = yaml.safe_load(importlib.import_module(PLUGINS + "modules." + name).DOCUMENTATION)
    found = {}
    for fragment in document.get("extends_documentation_fragment", ()):
        file, _dot, part = fragment[len("sovereign.region."):].partition(".")
        owner = importlib.import_module(PLUGINS + "doc_fragments." + file).ModuleDocFragment
        found.update(yaml.safe_load(getattr(owner, part.upper() or "DOCUMENTATION")).get("options") or {})
    return dict(found, **document["options"])
