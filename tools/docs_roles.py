# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README of a role, from its argument specification and, if there is one, its meta/example.yml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docs_markup

GENERATED = "<!-- Generated from meta/argument_specs.yml by `make docs`; do not edit. -->"


def pages(known: dict, checkout: Path) -> dict[str, str]:
    """The README of each role in what ansible-doc returned."""
    return {
        name.rpartition(".")[2]: _page(name, role, checkout / "roles" / name.rpartition(".")[2])
        for name, role in known.items()
    }


def _page(name: str, role: dict, directory: Path) -> str:
    return "\n".join([f"# {name}", "", GENERATED, "", *_parts(name, role, directory)]).rstrip() + "\n"


def _parts(name: str, role: dict, directory: Path) -> Iterator[str]:
    entries = role["entry_points"]
    for entry, described in sorted(entries.items(), key=lambda item: (item[0] != "main", item[0])):
        if entry != "main":
            yield from (f"## Entry point `{entry}`", "")
        short = docs_markup.text(described.get("short_description"))
        if short:
            yield from (short.rstrip(".") + ".", "")
        paragraphs = described.get("description") or []
        for paragraph in [paragraphs] if isinstance(paragraphs, str) else paragraphs:
            yield from (docs_markup.text(paragraph), "")
        yield from ("### Variables" if entry != "main" else "## Variables", "")
        yield from (*docs_markup.table(described.get("options") or {}), "")
    yield from ("## Example", "", "```yaml", *_example(name, entries, directory), "```")


def _example(name: str, entries: dict, directory: Path) -> list[str]:
    """The role's own example, else the least that one has to write."""
    written = directory / "meta" / "example.yml"
    if written.is_file():
        return written.read_text(encoding="utf-8").strip().removeprefix("---\n").splitlines()
    main = entries.get("main") or next(iter(entries.values()))
    required = [option for option, spec in (main.get("options") or {}).items() if spec.get("required")]
    lines = ["- name: " + (docs_markup.text(main.get("short_description")) or name).rstrip("."),
             "  hosts: localhost", "  gather_facts: false", "  roles:", f"    - role: {name}"]
    if required:
        lines += ["      vars:", *(f'        {option}: "{{{{ my_{option} }}}}"' for option in required)]
    return lines
