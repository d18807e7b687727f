# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated corpus: the same for everybody, made from a seed, some thousand rule sets with claims for each."""

from __future__ import annotations

import copy
import json
import random

from contract.mapping import material
from contract.mapping.claims import ClaimMaker
from contract.mapping.rules import OPERATORS, RuleMaker

VERSIONS = ("1.0", "2.0", "3.0")
# So many that at least 10,000 different pairs remain.
RULE_SETS, CLAIMS_EACH, STRUCTURES = 2700, 4, 2000


def cases(version: str) -> list[list]:
    """[schema version, rules, claims], all different; the rules are well formed unless the test finds otherwise."""
    chance = random.Random(f"mapping {version}")
    maker, claimant = RuleMaker(version, chance), ClaimMaker(chance)
    made = {}
    for _ in range(RULE_SETS):
        rules = maker.rule_set()
        for claims in claimant.sets_for(rules, maker.flaw, CLAIMS_EACH):
            case = [version, rules, claims]
            made.setdefault(json.dumps(case, sort_keys=True), case)
    return list(made.values())


def structures(version: str) -> list[list]:
    """[schema version, rules]: well-formed rules after one to three changes to their structure."""
    chance = random.Random(f"structure {version}")
    maker = RuleMaker(version, chance)
    made = {}
    for _ in range(STRUCTURES):
        rules = copy.deepcopy(maker.rule_set())
        for _ in range(chance.choice((1, 1, 2, 3))):
            rules = _changed(rules, chance)
        one = [version, rules]
        made.setdefault(json.dumps(one, sort_keys=True), one)
    return list(made.values())


REPLACEMENTS = (None, True, 1, "text", "", [], {}, ["a"], [{}], {"name": "a"}, {"id": "a", "name": "b"}, {"id": 1},
                [{"type": "a"}], [{"name": "a"}], "local", {"name": "a", "domain": {}}, {"name": "a", "domain": "b"})
KEYS = ("id", "name", "domain", "email", "type", "regex", "roles", "projects", "projects_json", "group", "groups",
        "group_ids", "user", "local", "remote", "other", "schema_version", *OPERATORS)


def _changed(tree, chance: random.Random):
    """The same with one place of it replaced, removed, added to or doubled."""
    places = list(_places(tree))
    container, key = chance.choice(places)
    if container is None:
        return chance.choice(REPLACEMENTS) if chance.randrange(5) == 0 else tree
    how = chance.randrange(4)
    if how == 0:
        container[key] = copy.deepcopy(chance.choice(REPLACEMENTS))
    elif how == 1:
        del container[key]
    elif how == 2 and isinstance(container, dict):
        container[chance.choice(KEYS)] = copy.deepcopy(chance.choice((*REPLACEMENTS, *container.values())))
    elif isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    else:
        container[chance.choice(KEYS)] = container.pop(key)
    return tree


def _places(tree, container=None, key=None):
    """Every place of a tree, as the container and the key there; the root has neither."""
    yield container, key
    if isinstance(tree, dict):
        for name in list(tree):
            yield from _places(tree[name], tree, name)
    elif isinstance(tree, list):
        for index in range(len(tree)):
            yield from _places(tree[index], tree, index)


def tags(case: list) -> set[str]:
    """What a case has in it, for the proof that the corpus covers what it should."""
    _version, rules, claims = case
    found = set()
    for rule in rules:
        for requirement in rule["remote"]:
            found |= _requirement_tags(requirement, claims)
        for local in rule["local"]:
            found |= {f"local {key}" for key in local}
            found |= {f"user type {local['user']['type']}" for _ in (1,) if "type" in local.get("user", {})}
        found |= {"no local part"} if not rule["local"] else set()
    found |= {"several rules"} if len(rules) > 1 else set()
    return found


def _requirement_tags(requirement: dict, claims: dict) -> set[str]:
    operator = next((name for name in OPERATORS if name in requirement), "plain")
    regex = bool(requirement.get("regex"))
    found = {f"{operator} by regex" if regex else operator}
    values = requirement.get(operator, [])
    if operator != "plain" and not values:
        found.add(f"{operator} of nothing")
    if regex and any(value in material.BROKEN_PATTERNS for value in values if isinstance(value, str)):
        found.add("invalid regex")
    elif regex:
        found.add("valid regex")
    claim = claims.get(requirement["type"])
    if claim is None:
        found.add("missing claim")
    elif not isinstance(claim, str):
        found.add("claim that is no text")
    else:
        found |= {name for name, there in (
            ("empty claim", claim == ""), ("several values", ";" in claim), ("non-ASCII value", not claim.isascii()),
            ("empty value among others", ";" in claim and "" in claim.split(";")),
            ("value twice", len(set(claim.split(";"))) < len(claim.split(";")))) if there}
    if not requirement["type"].isascii():
        found.add("non-ASCII claim name")
    return found
