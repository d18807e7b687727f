# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked, of Keystone and of us: generated cases and Keystone's own examples. Made once, kept by content."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import random
from dataclasses import dataclass
from pathlib import Path

from contract.mapping import corpus, keystones, upstream
from contract.mapping.claims import ClaimMaker

CLAIMS_FOR_AN_EXAMPLE = 8
SOURCES = ("material.py", "rules.py", "claims.py", "corpus.py", "upstream.py", "questions.py")


@dataclass(frozen=True)
class Questions:
    """structures: [schema version, rules]; cases: [number of the structure, claims], the generated ones first."""

    key: str
    structures: list
    cases: list
    generated: int
    examples: dict[str, int]
    unread: list

    def numbers(self, version: str, generated: bool) -> list[int]:
        """The cases of one schema version."""
        chosen = range(self.generated) if generated else range(self.generated, len(self.cases))
        return [number for number in chosen if self.structures[self.cases[number][0]][0] == version]

    def case(self, number: int) -> list:
        """[schema version, rules, claims]."""
        structure, claims = self.cases[number]
        return [*self.structures[structure], claims]


def gather() -> Questions:
    """Everything that is asked, always in the same order."""
    together = hashlib.sha256(upstream.LOCK.read_bytes())
    for name in SOURCES:
        together.update((Path(__file__).parent / name).read_bytes())
    together.update("\0".join(str(one.environment) for one in keystones.installed()).encode())
    key = f"{platform.python_version()}-{together.hexdigest()[:32]}"
    path = keystones.kept() / f"questions-{key}.json.gz"
    if not path.exists():
        keystones.keep(path, json.dumps(vars(_made(key))).encode("ascii"))
    os.utime(path)
    return Questions(**json.loads(gzip.decompress(path.read_bytes())))


def _made(key: str) -> Questions:
    generated = [case for version in corpus.VERSIONS for case in corpus.cases(version)]
    lists, assertions, counts, unread = _examples()
    cases = [*generated, *_cases_of_examples(lists, assertions)]
    more = [one for version in corpus.VERSIONS for one in corpus.structures(version)]
    more += [[version, rules] for version in corpus.VERSIONS for rules in lists]
    numbers, numbered, known = {}, [], {}
    for version, rules, claims in cases:
        # Cases share their rules, and text takes its time.
        if (version, id(rules)) not in known:
            known[version, id(rules)] = numbers.setdefault(_text([version, rules]), len(numbers))
        numbered.append([known[version, id(rules)], claims])
    for structure in more:
        numbers.setdefault(_text(structure), len(numbers))
    return Questions(key, [json.loads(text) for text in numbers], numbered, len(generated), counts, unread)


def _text(value) -> str:
    """As JSON has it: an object of Python in a claim, which is no text either way, is a number."""
    return json.dumps(value, sort_keys=True, default=lambda unused: 0)


def _different(rows: list) -> list:
    return [json.loads(text) for text in dict.fromkeys(map(_text, rows))]


def _examples() -> tuple[list, list, dict[str, int], list]:
    """Rules and assertions of every Keystone's unit tests and of the newest one's documentation."""
    lists, assertions, counts = [], [], {}
    for keystone in keystones.installed():
        named, named_assertions = upstream.fixtures(keystone)
        written, written_assertions = upstream.inline(keystone)
        lists += [mapping["rules"] for mapping in named.values()] + list(written.values())
        assertions += [*named_assertions.values(), *written_assertions.values()]
        counts["mappings of unit tests"] = len(named) + len(written)
        counts["assertions of unit tests"] = len(named_assertions) + len(written_assertions)
    pages = upstream.documents(keystones.installed()[-1])
    shown, shown_assertions, unread = upstream.examples(pages)
    counts["mappings of the documentation"] = len(shown)
    counts["assertions of the documentation"] = len(shown_assertions)
    lists, assertions = lists + list(shown.values()), assertions + list(shown_assertions.values())
    return _different(lists), _different(assertions), counts, unread


def _cases_of_examples(lists: list, assertions: list) -> list:
    """Every mapping with every assertion, and with claims that are made for it; Keystone judges what is well formed."""
    chance, cases = random.Random("examples"), []
    for rules in lists:
        claims = list(assertions)
        if isinstance(rules, list) and all(_can_be_met(rule) for rule in rules) and rules:
            claims += ClaimMaker(chance).sets_for(rules, "", CLAIMS_FOR_AN_EXAMPLE)
        cases += [[version, rules, one] for version in corpus.VERSIONS for one in _different(claims)]
    return cases


def _can_be_met(rule) -> bool:
    """Whether claims can be made for it: some of Keystone's examples are malformed on purpose."""
    return (isinstance(rule, dict) and isinstance(rule.get("remote"), list) and bool(rule["remote"]) and all(
        isinstance(one, dict) and isinstance(one.get("type"), str)
        and all(isinstance(one.get(operator, []), list) for operator in corpus.OPERATORS) for one in rule["remote"]))
