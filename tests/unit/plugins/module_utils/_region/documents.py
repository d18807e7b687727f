# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that the tests of this folder share."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).parents[5]
BROKEN = sorted((CHECKOUT / "tests" / "unit" / "broken_documents").glob("*.yml"))
INVENTORIES = ("embedded", "example")


def inventory(name):
    """Return the region document of an inventory of this checkout."""
    path = CHECKOUT / "inventories" / name / "group_vars" / "all" / "region.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["sovereign_region"]


def published_schema():
    """Return the schema that editors use."""
    return json.loads((CHECKOUT / "docs" / "region.schema.json").read_text(encoding="utf-8"))
