# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's markup and values, as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

# Words of the semantic markup whose content is shown as code, with what follows the first comma left out.
CODE = re.compile(r"\b[COVEP]\(((?:[^()\\]|\\.)*)\)|\bRV\(((?:[^()\\]|\\.)*)\)")


def text(markup: str | Iterable[str] | None) -> str:
    """A description in one paragraph."""
    if markup is None:
        return ""
    joined = markup if isinstance(markup, str) else " ".join(str(part) for part in markup)
    joined = re.sub(r"\bM\(([^)]*)\)", r"`\1`", joined)
    joined = re.sub(r"\b[BI]\(([^)]*)\)", r"*\1*", joined)
    joined = re.sub(r"\bU\(([^)]*)\)", r"<\1>", joined)
    joined = re.sub(r"\bL\(([^,)]*),\s*([^)]*)\)", r"[\1](\2)", joined)
    joined = CODE.sub(lambda found: f"`{(found[1] or found[2]).replace(chr(92), '')}`", joined)
    return " ".join(joined.split())


def cell(content: str) -> str:
    """Content that cannot break a table."""
    return content.replace("|", "\\|").replace("\n", " ")


def value(plain: object) -> str:
    """A default or a choice, as one writes it in YAML."""
    return f"`{json.dumps(plain, ensure_ascii=False)}`" if not isinstance(plain, str) or not plain else f"`{plain}`"


def kind(option: dict) -> str:
    """The type of an option."""
    name = option.get("type", "str")
    return f"list of {option['elements']}" if name == "list" and "elements" in option else name


def options(declared: dict, parents: tuple[str, ...] = ()) -> list[str]:
    """Rows of a table of options; what belongs to a mapping follows it, with its path."""
    rows = []
    for name, option in declared.items():
        path = ".".join((*parents, name))
        notes = [text(option.get("description"))]
        if option.get("choices"):
            notes.append("One of " + ", ".join(value(choice) for choice in option["choices"]) + ".")
        default = "" if option.get("default") is None else value(option["default"])
        default = "required" if option.get("required") else default
        rows.append(f"| `{path}` | {kind(option)} | {cell(default)} | {cell(' '.join(filter(None, notes)))} |")
        suffix = "[]" if option.get("type") == "list" else ""
        rows.extend(options(option.get("options") or option.get("suboptions") or {}, (*parents, name + suffix)))
    return rows


def table(declared: dict) -> list[str]:
    """The whole table of options."""
    if not declared:
        return ["It has no options."]
    return ["| name | type | default | meaning |", "|---|---|---|---|", *options(declared)]
