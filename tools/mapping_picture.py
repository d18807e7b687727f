#!/usr/bin/env python3
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/images/mapping-trace.svg: how an example mapping makes a project role of a claim set.

    tools/mapping_picture.py           writes it when it differs
    tools/mapping_picture.py --check   writes nothing and fails when it differs
    tools/mapping_picture.py --text    shows the same in the terminal
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "mapping-trace.svg"
TITLE = "From a claim set to a project role"
RULES = [
    {
        "remote": [
            {"type": "OIDC-sub"},
            {"type": "OIDC-groups", "whitelist": ["climate-users", "gpu-users"]},
            {"type": "OIDC-affiliation", "any_one_of": ["staff", "member"]},
        ],
        "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}],
    },
    {
        "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-affiliation", "any_one_of": ["guest"]}],
        "local": [{"user": {"name": "{0}"}, "domain": {"name": "research"}}],
    },
]
CLAIMS = {"OIDC-sub": "8c1f", "OIDC-groups": ["climate-users", "choir"], "OIDC-affiliation": "staff"}
ASSIGNMENTS = [
    {"persona": "member", "group": "research/climate-users", "project": "research/climate"},
    {"persona": "reader", "group": "research/climate-users", "project": "research/datasets"},
    {"persona": "member", "group": "research/gpu-users", "project": "research/gpu"},
]


def pictures() -> tuple[str, str]:
    """Return the picture as (SVG, text)."""
    package = types.ModuleType("module_utils")
    package.__path__ = [str(ROOT / "plugins" / "module_utils")]
    sys.modules["module_utils"] = package
    engine = importlib.import_module("module_utils._identity.mapping_engine")
    picture = importlib.import_module("module_utils._identity.mapping_picture")
    claims = engine.join_claims(CLAIMS)
    seen = engine.evaluate(RULES, "2.0", claims)
    return picture.svg(seen, claims, TITLE, ASSIGNMENTS), picture.text(seen, claims, TITLE, ASSIGNMENTS)


def main() -> int:
    """Write, compare or show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the picture is out of date")
    parser.add_argument("--text", action="store_true", help="show it in the terminal, and write nothing")
    parser.add_argument("--target", type=Path, default=TARGET, help=argparse.SUPPRESS)
    options = parser.parse_args()
    drawn, told = pictures()
    if options.text:
        print(told, end="")
        return 0
    present = options.target.read_text(encoding="utf-8") if options.target.exists() else None
    if present == drawn:
        return 0
    if options.check:
        print(f"{options.target.name} is out of date; run tools/mapping_picture.py", file=sys.stderr)
        return 1
    options.target.parent.mkdir(parents=True, exist_ok=True)
    options.target.write_text(drawn, encoding="utf-8")
    print(f"wrote {options.target.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
