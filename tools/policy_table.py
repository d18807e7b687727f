#!/usr/bin/env python3
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the table of docs/personas.md, from what the collection itself says that personas may do."""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "personas.md"
BEGIN, END = "<!-- table: tools/policy_table.py -->\n", "<!-- end of table -->"


def table():
    """Return the table, imported without ansible-core: module_utils needs none of it."""
    package = types.ModuleType("module_utils")
    package.__path__ = [str(ROOT / "plugins" / "module_utils")]
    sys.modules["module_utils"] = package
    load = importlib.import_module
    policies = load("module_utils._identity.policy_effective")
    services = load("module_utils._identity.policy_tables").TABLES
    rows = load("module_utils._identity.persona_policy").table({
        service: policies.effective(service) for service in services})
    return load("module_utils._identity.persona_text").of_table(rows)


def with_table(page, text):
    """Return a page with the table between its marks."""
    before, _begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise SystemExit("the page lacks the marks {0!r} and {1!r}".format(BEGIN.strip(), END))
    return before + BEGIN + text + END + after


def main():
    """Write the table, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the table is out of date")
    parser.add_argument("--target", type=Path, default=TARGET, help=argparse.SUPPRESS)
    options = parser.parse_args()
    present = options.target.read_text(encoding="utf-8")
    wanted = with_table(present, table())
    if wanted == present:
        return 0
    if options.check:
        print(f"{options.target.name} is out of date; run tools/policy_table.py", file=sys.stderr)
        return 1
    options.target.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
