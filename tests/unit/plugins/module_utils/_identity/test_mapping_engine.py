# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mapping engine makes of claims: every operator, claims as they come, and answers to anything."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_engine
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import (
    REFUSALS,
    SCHEMA_VERSIONS,
    evaluate,
    join_claims,
    structure_problems,
)
from hypothesis import given, settings
from hypothesis import strategies as st

CLAIMS = {"sub": "ada", "mail": "ada@corp.example", "groups": "students;gpu-users;students"}
DOMAIN = {"name": "research"}
EPHEMERAL = {"type": "ephemeral"}


def rule(remote, *local):
    return {"remote": remote, "local": list(local)}


def user(**fields):
    return {"user": fields}


def named(*remote, text="{0}"):
    """A rule that shows the remote values as the user's name."""
    return [rule(list(remote), user(name=text))]


def asking(operator, *wanted, **more):
    return dict({"type": "groups", operator: list(wanted)}, **more)


def outcome(rules, version="1.0", claims=CLAIMS):
    assert structure_problems(rules, version) == []
    return evaluate(rules, version, claims)


# (requirement, what {0} of the claims above becomes, or None where the rule does not match)
OPERATORS = {
    "present": ({"type": "sub"}, "ada"),
    "present with many values": ({"type": "groups"}, "['students', 'gpu-users', 'students']"),
    "present and missing": ({"type": "phone"}, None),
    "names of claims have case": ({"type": "SUB"}, None),
    "whitelist": (asking("whitelist", "gpu-users"), "gpu-users"),
    "whitelist keeps a value once, in the claim's order": (
        asking("whitelist", "gpu-users", "students"),
        "['students', 'gpu-users']",
    ),
    "whitelist that keeps nothing lets the rule match": (asking("whitelist", "staff"), "[]"),
    "empty whitelist": (asking("whitelist"), "[]"),
    "whitelist compares whole values": (asking("whitelist", "gpu"), "[]"),
    "whitelist without expressions": (asking("whitelist", "^gpu", regex=False), "[]"),
    "whitelist with expressions": (asking("whitelist", "^gpu", regex=True), "gpu-users"),
    "whitelist with expressions keeps duplicates": (
        asking("whitelist", "^stu", regex=True),
        "['students', 'students']",
    ),
    "expressions are found anywhere": (asking("whitelist", "-use", regex=True), "gpu-users"),
    "any of the expressions": (asking("whitelist", "x", "-", regex=True), "gpu-users"),
    "blacklist": (asking("blacklist", "students"), "gpu-users"),
    "blacklist drops duplicates of what it leaves": (asking("blacklist", "gpu-users"), "students"),
    "empty blacklist": (asking("blacklist"), "['students', 'gpu-users']"),
    "blacklist that leaves nothing lets the rule match": (asking("blacklist", "students", "gpu-users"), "[]"),
    "blacklist with expressions": (asking("blacklist", "^stu", regex=True), "gpu-users"),
    "whitelist and a claim that is missing": ({"type": "phone", "whitelist": ["1"]}, None),
    "blacklist and a claim that is missing": ({"type": "phone", "blacklist": ["1"]}, None),
    "items that are no texts equal no value": (asking("whitelist", 1, None, "gpu-users"), "gpu-users"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_what_a_requirement_hands_on(name):
    requirement, expected = OPERATORS[name]
    assert outcome(named(requirement)).user.get("name") == expected


# (requirement, whether the rule matches). These operators hand no value on.
CONDITIONS = {
    "any_one_of": (asking("any_one_of", "staff", "gpu-users"), True),
    "any_one_of and none": (asking("any_one_of", "staff"), False),
    "any_one_of nothing": (asking("any_one_of"), False),
    "any_one_of with expressions": (asking("any_one_of", "^gpu", regex=True), True),
    "any_one_of with expressions and none": (asking("any_one_of", "^users", regex=True), False),
    "not_any_of": (asking("not_any_of", "staff"), True),
    "not_any_of and one": (asking("not_any_of", "staff", "students"), False),
    "not_any_of nothing": (asking("not_any_of"), True),
    "not_any_of with expressions": (asking("not_any_of", "^users", regex=True), True),
    "not_any_of with expressions and one": (asking("not_any_of", "users$", regex=True), False),
    "not_any_of and a claim that is missing": ({"type": "phone", "not_any_of": ["1"]}, False),
    "any_one_of and a claim that is missing": ({"type": "phone", "any_one_of": ["1"]}, False),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_takes_no_number(name):
    requirement, expected = CONDITIONS[name]
    found = outcome(named(requirement, {"type": "sub"}))
    assert (found.accepted, found.user.get("name")) == (expected, "ada" if expected else None)


def test_rules_add_up():
    rules = [
        rule([{"type": "sub"}], user(name="{0}")),
        rule([asking("any_one_of", "staff")], {"group": {"id": "staff"}}),
        rule([asking("whitelist", "students")], {"groups": "{0}", "domain": DOMAIN}),
    ]
    found = outcome(rules)
    assert found.result == {
        "user": dict(EPHEMERAL, name="ada"),
        "group_ids": [],
        "group_names": [{"name": "students", "domain": DOMAIN}],
        "projects": [],
    }
    assert found.matched_rules == [0, 2]


def test_an_empty_claim_is_a_value_and_separators_make_more():
    assert outcome(named({"type": "sub"}), claims={"sub": ""}).user["name"] == ""
    assert outcome(named({"type": "sub"}), claims={"sub": ";a"}).user["name"] == "['', 'a']"


def test_what_is_no_text_is_not_there():
    for value in (None, 5, True, b"ada", ["ada"]):
        assert outcome(named({"type": "sub"}), claims={"sub": value}).reason == "no_rule_matched"


def test_a_text_of_a_class_of_its_own_becomes_a_plain_one():
    class Marked(str):
        def split(self, *unused):
            raise AssertionError("the class's own method was called")

    found = outcome(named({"type": "sub"}), claims={"sub": Marked("ada")})
    assert type(found.user["name"]) is str


def test_lists_of_claims_are_joined():
    claims = {
        "a": "x",
        "b": ["x", "y"],
        "c": True,
        "d": [False, 5],
        "e": None,
        "f": ("x", None),
        "g": {"ä": [1]},
        "h": [],
        "i": 0.5,
    }
    assert join_claims(claims) == {
        "a": "x",
        "b": "x;y",
        "c": "1",
        "d": "0;5",
        "f": "x",
        "g": '{"ä": [1]}',
        "h": "",
        "i": "0.500000",
    }


PLAIN = st.sampled_from(["a", "b", "name", "domain", "a;b", "", "研究", "[", "JSON:", "{0}", "['a']", "\udcff", "\x00"])
TEXT = st.sampled_from(["{0}", "{1}", "x", "{", "{}{}", "{0[0]}", "{0.x}", "{0!r:>9}", "{0:{1}}", "name"]) | st.text(
    max_size=6
)
EXPRESSION = st.sampled_from(["a", "^b$", ".*", "(", "[", ""]) | st.text(max_size=4)
REQUIREMENT = st.builds(
    lambda name, operator, wanted, regex: dict(
        {"type": name}, **({operator: wanted, "regex": regex} if operator else {})
    ),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([None, "any_one_of", "not_any_of", "blacklist", "whitelist"]),
    st.lists(EXPRESSION | st.integers() | st.lists(PLAIN, max_size=1), max_size=3),
    st.booleans(),
)
DOMAINS = st.fixed_dictionaries({}, optional={"id": TEXT, "name": TEXT})
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "user": st.fixed_dictionaries({}, optional={"id": TEXT, "name": TEXT, "domain": DOMAINS}),
        "group": st.fixed_dictionaries({"id": TEXT}) | st.fixed_dictionaries({"name": TEXT, "domain": DOMAINS}),
        "groups": TEXT,
        "group_ids": TEXT,
        "domain": DOMAINS,
        "projects": st.lists(
            st.fixed_dictionaries({"name": TEXT, "roles": st.lists(st.fixed_dictionaries({"name": TEXT}), max_size=1)}),
            max_size=2,
        ),
        "projects_json": TEXT,
    },
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"remote": st.lists(REQUIREMENT, min_size=1, max_size=3), "local": st.lists(ITEM, max_size=3)}
    ),
    min_size=1,
    max_size=3,
)
VALUES = (
    st.lists(PLAIN | st.text(max_size=8), max_size=3).map(";".join) | st.none() | st.integers() | st.binary(max_size=3)
)


@settings(max_examples=300, deadline=None)
@given(rules=RULES, claims=st.dictionaries(st.sampled_from(["a", "b", "c"]) | st.text(max_size=3), VALUES))
def test_any_claims_have_an_answer_that_is_always_the_same_and_changes_nothing(rules, claims):
    version = "3.0"
    assert structure_problems(rules, version) == []
    before = copy.deepcopy((rules, claims))
    found = evaluate(rules, version, claims)
    assert (rules, claims) == before
    assert evaluate(copy.deepcopy(rules), version, dict(claims)) == found
    assert [one.index for one in found.trace] == list(range(len(rules)))
    assert found.matched_rules == [one.index for one in found.trace if one.matched]
    assert found.accepted == (found.reason is None) == (found.message is None) == (found.exception is None)
    assert found.accepted or found.reason in REFUSALS
    for one in found.trace:
        assert not one.matched or all(step["passed"] for step in one.requirements)
        assert all(step["passed"] for step in one.requirements[:-1])
        assert all(step["why"] for step in one.requirements)


ANY = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), ANY | st.lists(ANY | st.lists(ANY, max_size=2), max_size=3)))
def test_joined_claims_are_texts_and_joining_them_again_changes_nothing(claims):
    joined = join_claims(claims)
    assert all(isinstance(value, str) for value in joined.values())
    assert join_claims(joined) == joined


def test_the_versions_are_those_of_the_schema():
    assert SCHEMA_VERSIONS == ("1.0", "2.0", "3.0")
    assert set(mapping_engine.__all__) <= set(vars(mapping_engine))
