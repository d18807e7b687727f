#!/usr/bin/env python3
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/region.schema.json for editors, from the schema that the collection itself validates with."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "region.schema.json"


def schema():
    """Return the schema, imported without ansible-core: module_utils needs none of it."""
    package = types.ModuleType("module_utils")
    package.__path__ = [str(ROOT / "plugins" / "module_utils")]
    sys.modules["module_utils"] = package
    return importlib.import_module("module_utils._region.schema").SCHEMA


def main():
    """Write the file, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")
    parser.add_argument("--target", type=Path, default=TARGET, help=argparse.SUPPRESS)
    options = parser.parse_args()
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    present = options.target.read_text(encoding="utf-8") if options.target.exists() else None
    if present == text:
        return 0
    if options.check:
        print(f"{options.target.name} is out of date; run tools/region_schema.py", file=sys.stderr)
        return 1
    options.target.write_text(text, encoding="utf-8")
    print(f"wrote {options.target.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
