# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of modules, from the documentation in them."""

from __future__ import annotations

from collections.abc import Iterator

import docs_markup

GENERATED = "<!-- Generated from the module's documentation by `make docs`; do not edit. -->"


def pages(known: dict) -> dict[str, str]:
    """A page for each module in what ansible-doc returned, and one that lists them."""
    made = {f"{name.rpartition('.')[2]}.md": _page(name, module) for name, module in known.items()}
    if made:
        made["README.md"] = _index(known)
    return made


def _index(known: dict) -> str:
    rows = []
    for name, module in sorted(known.items()):
        short = name.rpartition(".")[2]
        what = docs_markup.cell(docs_markup.text(module["doc"]["short_description"]))
        rows.append(f"| [{short}]({short}.md) | {what} |")
    return "\n".join(["# Modules", "", GENERATED, "", "| module | what it does |", "|---|---|", *rows]) + "\n"


def _page(name: str, module: dict) -> str:
    return "\n".join([f"# {name}", "", GENERATED, "", *_parts(module)]).rstrip() + "\n"


def _parts(module: dict) -> Iterator[str]:
    doc = module["doc"]
    yield from (docs_markup.text(doc["short_description"]).rstrip(".") + ".", "")
    for paragraph in _list(doc.get("description")):
        yield from (docs_markup.text(paragraph), "")
    yield from ("## Options", "", *docs_markup.table(doc.get("options") or {}), "")
    if doc.get("attributes"):
        yield from ("## Behaviour", "", "| attribute | support | meaning |", "|---|---|---|")
        for attribute, described in sorted(doc["attributes"].items()):
            meaning = " ".join(docs_markup.text(described.get(key)) for key in ("description", "details"))
            yield f"| {attribute} | {described.get('support', '')} | {docs_markup.cell(meaning.strip())} |"
        yield ""
    for note in _list(doc.get("notes")):
        yield f"- {docs_markup.text(note)}"
    if doc.get("requirements"):
        yield from ("", "Needs " + ", ".join(docs_markup.text(need) for need in doc["requirements"]) + ".")
    if module.get("examples"):
        yield from ("", "## Examples", "", "```yaml", *module["examples"].strip().splitlines(), "```")
    if module.get("return"):
        yield from ("", "## Return values", "", "| name | type | returned | meaning |", "|---|---|---|---|")
        yield from _returned(module["return"])


def _returned(values: dict, parents: tuple[str, ...] = ()) -> Iterator[str]:
    for name, value in values.items():
        path = ".".join((*parents, name))
        meaning = docs_markup.cell(docs_markup.text(value.get("description")))
        returned = docs_markup.cell(docs_markup.text(value.get("returned")))
        yield f"| `{path}` | {docs_markup.kind(value)} | {returned} | {meaning} |"
        suffix = "[]" if value.get("type") == "list" else ""
        yield from _returned(value.get("contains") or {}, (*parents, name + suffix))


def _list(content: object) -> list:
    return [] if content is None else [content] if isinstance(content, str) else list(content)
