# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of mappings and assertions, read from Keystone's own package and source archive when the tests run."""

from __future__ import annotations

import ast
import io
import json
import re
import runpy
import subprocess
import tarfile
import tempfile
from pathlib import Path

import cache
from contract.mapping.keystones import Keystone

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent
LOCK = CHECKOUT / "roles" / "embedded_region" / "files" / "requirements.txt"
OPERATORS = ("any_one_of", "not_any_of", "whitelist", "blacklist")
SPEAKS_OF_RULES = re.compile(r'"(remote|local|any_one_of|not_any_of|whitelist|blacklist|<other_condition>)"\s*:')
# Pages that show the form of rules rather than rules.
GRAMMAR = re.compile(r"<user>|\{\.\.\.\}|\{#\w+#\}|\[\.\.\.\]")
DOCUMENTS = ("doc/source/", "api-ref/source/")


def fixtures(keystone: Keystone) -> tuple[dict, dict]:
    """(mappings, assertions) of mapping_fixtures.py, by name. A mapping is whatever the file has under that name."""
    content = runpy.run_path(str(keystone.packages / "keystone/tests/unit/mapping_fixtures.py"))
    mappings = {name: value for name, value in content.items() if isinstance(value, dict) and "rules" in value}
    assertions = {name: value for name, value in content.items()
                  if "ASSERTION" in name and isinstance(value, dict)}
    return mappings, assertions


def inline(keystone: Keystone) -> tuple[dict, dict]:
    """(lists of rules, assertions) that Keystone's unit tests write into their own code, by file and line."""
    rules, assertions = {}, {}
    packages = keystone.packages
    known = runpy.run_path(str(packages / "keystone/tests/unit/mapping_fixtures.py"))
    for path in sorted((packages / "keystone/tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '"remote"' not in text and "'remote'" not in text and "assertion" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.List) and _are_rules(value := _plain(node, known)):
                rules[f"{path.relative_to(packages)}:{node.lineno}"] = value
            elif _is_assignment_of_an_assertion(node):
                assertions[f"{path.relative_to(packages)}:{node.lineno}"] = _plain(node.value, known)
    return rules, assertions


def _are_rules(value) -> bool:
    return isinstance(value, list) and bool(value) and all(
        isinstance(one, dict) and {"local", "remote"} <= set(one) for one in value)


def _is_assignment_of_an_assertion(node) -> bool:
    return (isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            and isinstance(node.targets[0], ast.Name) and "assertion" in node.targets[0].id)


def _plain(node, known: dict):
    """The value of an expression; what only a running test knows becomes a text that names it."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Dict):
        return {str(_plain(key, known)): _plain(value, known) for key, value in zip(node.keys, node.values) if key}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_plain(one, known) for one in node.elts]
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return known.get(name, f"made by {ast.unparse(node)}".replace("{", "(").replace("}", ")"))


def documents(keystone: Keystone) -> dict[str, str]:
    """{path: text} of the pages and samples of the documentation that speak of mappings."""
    root = _sources(keystone)
    found = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(root.rglob("*"))
             if path.suffix in (".rst", ".inc", ".json") and path.is_file()}
    return {path: text for path, text in found.items() if '"remote"' in text or '"local"' in text}


def examples(documents: dict[str, str]) -> tuple[dict[str, list], dict[str, dict], list[str]]:
    """(lists of rules by page and number, assertions likewise, blocks that speak of rules and could not be read)."""
    rules, assertions, unread = {}, {}, []
    for path, text in documents.items():
        for number, block in enumerate([text] if path.endswith(".json") else _blocks(text)):
            where = f"{path} #{number}"
            if SPEAKS_OF_RULES.search(block) and not GRAMMAR.search(block):
                read = [one for variant in _variants(block) for value in _values(variant) for one in _rules_in(value)]
                rules.update({f"{where}.{index}": one for index, one in enumerate(read)})
                if not read:
                    unread.append(f"{where}\n{block}")
            elif pairs := dict(re.findall(r"^\s*([A-Za-z][\w-]*): (\S.*)$", block, re.M)):
                assertions[where] = pairs
    return rules, assertions, unread


def _blocks(text: str) -> list[str]:
    """The indented blocks of a page: code is among them."""
    return re.findall(r"(?:^(?:[ \t]+\S.*|[ \t]*)\n)+", text, re.M)


def _variants(block: str) -> list[str]:
    """The pages write <other_condition> where one of two operators is meant."""
    if "<other_condition>" not in block:
        return [block]
    return [block.replace("<other_condition>", operator) for operator in OPERATORS]


def _values(block: str) -> list:
    """Every JSON text in a block, as people write it: with a comma too many, or with a brace forgotten at the end."""
    text, found, start = re.sub(r",(\s*[\]}])", r"\1", block), [], 0
    while match := re.compile(r"[\[{]").search(text, start):
        for closing in ("", "}", "]}", "]}]}"):
            try:
                value, end = json.JSONDecoder().raw_decode(text.rstrip() + closing, match.start())
            except ValueError:
                continue
            found.append(value)
            start = end
            break
        else:
            start = match.end()
    return found


def _rules_in(value) -> list[list]:
    """Every list of rules in it, however deep. A rule alone, or half of one, is made a list of one."""
    if _are_rules(value):
        return [value]
    if isinstance(value, dict):
        if {"local", "remote"} & set(value):
            other_half = {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "UserName"}, {"type": "Email"}]}
            return [[{**other_half, **value}]]
        if "type" in value and set(OPERATORS) & set(value):
            return [[{"local": [{"user": {"name": "a user"}, "group_ids": "{0}"}], "remote": [value]}]]
        return [rules for one in value.values() for rules in _rules_in(one)]
    if isinstance(value, list):
        return [rules for one in value for rules in _rules_in(one)]
    return []


def _sources(keystone: Keystone) -> Path:
    """The documentation of the release that the region runs: downloaded once, checked against the lock's hashes."""
    entry = re.search(r"^keystone==(\S+)(?: *\\\n +--hash=sha256:\w+)+", LOCK.read_text(encoding="utf-8"), re.M)
    target = cache.root() / "keystone-sources" / f"{entry[1]}-{re.findall('sha256:(.{16})', entry[0])[0]}"
    with cache.locked(target, "Keystone's documentation"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=target.parent) as work:
                _download(keystone, entry[0], Path(work))
                unpacked = Path(work, "unpacked")
                _unpack(next(Path(work).glob("*.tar.gz")), unpacked)
                unpacked.rename(target)
    return target


def _download(keystone: Keystone, entry: str, work: Path) -> None:
    (work / "lock.txt").write_text(entry + "\n", encoding="ascii")
    # pip reads the archive's metadata with its own build tools; the region's environment has them.
    done = subprocess.run(
        [keystone.python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:", "--no-build-isolation",
         "--require-hashes", "--disable-pip-version-check", "--dest", str(work), "-r", str(work / "lock.txt")],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"Keystone's source archive could not be had\n{done.stderr[-2000:]}")


def _unpack(archive: Path, target: Path) -> None:
    """Texts alone, so that nothing in the archive can place itself elsewhere."""
    with tarfile.open(archive) as package:
        for member in package:
            inside = member.name.partition("/")[2]
            if member.isfile() and inside.startswith(DOCUMENTS) and ".." not in inside:
                path = target / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(io.BytesIO(package.extractfile(member).read()).getvalue())
