# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every class of refusal of the mapping engine, with its sentence and the exception of Keystone."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import (
    REFUSALS,
    evaluate,
    structure_problems,
)

CLAIMS = {"sub": "ada", "mail": "ada@corp.example", "groups": "students;gpu-users;students"}
DOMAIN = {"name": "research"}
REMOTE = [{"type": "sub"}, {"type": "mail"}]
JSON = '[{"name": "p", "roles": [{"name": "member"}]}]'


def rule(remote, *local):
    return {"remote": remote, "local": list(local)}


def user(**fields):
    return {"user": fields}


def named(*remote, text="{0}"):
    """A rule that shows the remote values as the user's name."""
    return [rule(list(remote), user(name=text))]


def outcome(rules, version="1.0", claims=CLAIMS):
    assert structure_problems(rules, version) == []
    return evaluate(rules, version, claims)


NESTED = "(" * 5000 + ")" * 5000
DEEP = "[" * 100000
# reason: (rules, schema version, claims, message)
REFUSED = {
    "no_rule_matched": (named({"type": "x"}), "1.0", {}, "no rule matched: rules[0]: x is not among the claims"),
    "nothing_mapped": (
        [rule([{"type": "sub"}]), rule([{"type": "sub"}])],
        "1.0",
        CLAIMS,
        "rules 0, 1 matched, and their 'local' lists are empty",
    ),
    "no_such_value": (
        named({"type": "sub"}, text="{1}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '{1}' cannot be filled in: it refers to a remote value that does not exist; "
        "the last is {0}",
    ),
    "named_field": (
        named({"type": "sub"}, text="{sub}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '{sub}' cannot be filled in: remote values have numbers, as in {0}; "
        "there is none named 'sub'",
    ),
    "malformed_text": (
        named({"type": "sub"}, text="}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '}' cannot be filled in: <Python's words>",
    ),
    "unformattable": (
        named({"type": "groups"}, text="{0:>5}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '{0:>5}' cannot be filled in: <Python's words>",
    ),
    "attribute_in_text": (
        named({"type": "sub"}, text="{0.uid}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '{0.uid}' cannot be filled in: 'str' object has no attribute 'uid'",
    ),
    "oversized_text": (
        named({"type": "sub"}, text="{0:4097}"),
        "1.0",
        CLAIMS,
        "rules[0].local[0].user.name: '{0:4097}' cannot be filled in: '4097' pads to more than 4096 characters",
    ),
    "bad_expression": (
        named({"type": "sub", "any_one_of": ["["], "regex": True}),
        "1.0",
        CLAIMS,
        "'[', a regular expression for sub, cannot be used: <Python's words>",
    ),
    "oversized_expression": (
        named({"type": "sub", "any_one_of": ["a{99999999999}"], "regex": True}),
        "1.0",
        CLAIMS,
        "'a{99999999999}', a regular expression for sub, cannot be used: <Python's words>",
    ),
    "nested_expression": (
        named({"type": "sub", "any_one_of": [NESTED], "regex": True}),
        "1.0",
        CLAIMS,
        "'" + "(" * 37 + "..." + ")" * 38 + "', a regular expression for sub, cannot be used: <Python's words>",
    ),
    "expression_not_text": (
        named({"type": "sub", "any_one_of": [5], "regex": True}),
        "1.0",
        CLAIMS,
        "5, a regular expression for sub, cannot be used: <Python's words>",
    ),
    "unhashable_item": (
        named({"type": "sub", "any_one_of": [[]]}),
        "1.0",
        CLAIMS,
        "the list for sub has an item that is no text: unhashable type: 'list'; Keystone compares with texts",
    ),
    "groups_without_domain": (
        [rule(REMOTE, {"groups": "{0}"})],
        "1.0",
        CLAIMS,
        "rules[0].local[0].groups: 'ada' needs 'domain' beside 'groups', in the same item of local",
    ),
    "named_groups_without_domain": (
        [rule(REMOTE, {}, {"groups": "tournament", "domain": DOMAIN})],
        "1.0",
        CLAIMS,
        "rules[0].local[1].groups: 'tournament' contains the letters 'name', so Keystone expects groups as "
        "JSON:{\"name\": …, \"domain\": …}, and 'tournament' has no domain; a 'domain' beside 'groups' does not count "
        "then",
    ),
    "group_not_text": (
        [rule(REMOTE, {"groups": "['name', 5]"})],
        "1.0",
        CLAIMS,
        "rules[0].local[0].groups: 5 is no text, and Keystone looks whether it begins with JSON:",
    ),
    "bad_group_json": (
        [rule(REMOTE, {"groups": "JSON:name"})],
        "1.0",
        CLAIMS,
        "rules[0].local[0].groups: no JSON after JSON:: <Python's words>; it is 'name'",
    ),
    "group_json_not_object": (
        [rule(REMOTE, {"groups": "['JSON:5', 'name']"})],
        "1.0",
        CLAIMS,
        "rules[0].local[0].groups: 5 after JSON: is no object with name and domain: <Python's words>",
    ),
    "unhashable_literal": (
        [rule([{"type": "x"}], {"group_ids": "{0}"})],
        "1.0",
        {"x": "{[]}"},
        "rules[0].local[0].group_ids: '{[]}' cannot be read as a list: unhashable type: 'list'",
    ),
    "unhashable_group_id": (
        [rule(REMOTE, {"group_ids": "[[]]"})],
        "1.0",
        CLAIMS,
        "rules[0].local[0].group_ids: [[]] cannot be ids: unhashable type: 'list'",
    ),
    "nested_literal": (
        [rule([{"type": "x"}], {"projects_json": "{0}"})],
        "3.0",
        {"x": DEEP},
        "rules[0].local[0].projects_json: <Python's words>",
    ),
    "projects_json_text": (
        [rule(REMOTE, {"projects_json": "x {0}"})],
        "3.0",
        CLAIMS,
        "rules[0].local[0].projects_json: 'x {0}' does not begin with a number such as {0}",
    ),
    "projects_json_index": (
        [rule(REMOTE, {"projects_json": "{2}"})],
        "3.0",
        CLAIMS,
        "rules[0].local[0].projects_json: '{2}' refers to a remote value that does not exist; the rule hands on 2",
    ),
    "projects_json_not_json": (
        [rule(REMOTE, {"projects_json": "{0}"})],
        "3.0",
        CLAIMS,
        "rules[0].local[0].projects_json: the claim is no JSON text: <Python's words>; it is 'ada'",
    ),
    "projects_json_structure": (
        [rule([{"type": "x"}], {"projects_json": "{0}"})],
        "3.0",
        {"x": '[{"name": "a", "roles": [{"name": 5}]}]'},
        "rules[0].local[0].projects_json[0].roles[0].name: expected a string, not 5",
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_refusal_has_an_example(reason):
    rules, version, claims, message = REFUSED[reason]
    found = outcome(rules, version, claims)
    assert (found.accepted, found.reason, found.exception) == (False, reason, REFUSALS[reason][0])
    begin, words, end = message.partition("<Python's words>")
    assert found.message.startswith(begin) and found.message.endswith(end)
    assert len(found.message) > len(begin) + len(end) if words else found.message == message


def test_what_python_cannot_write_is_described():
    digits = "0x" + "f" * 5000
    found = outcome([rule([{"type": "x"}], {"groups": "{0}"})], claims={"x": "['name', " + digits + "]"})
    assert found.message == (
        "rules[0].local[0].groups: a number of too many digits is no text, and Keystone looks whether it begins "
        "with JSON:"
    )
    deep = "JSON:" + "[" * 800 + "]" * 800
    found = outcome([rule([{"type": "x"}], {"groups": "{0}"})], claims={"x": deep + ";name"})
    assert found.reason == "named_groups_without_domain" and len(found.message) < 400


def test_a_number_of_projects_json_that_python_cannot_read():
    found = outcome([rule(REMOTE, {"projects_json": "9" * 5000})], "3.0")
    assert (found.reason, found.exception) == ("malformed_text", "ValueError")
    assert found.message.startswith("rules[0].local[0].projects_json: Exceeds the limit")


# (local item, claims, reason, exception): the same reason with another exception of Python's
SPECIAL = {
    "a number of too many digits in a claim": (
        {"projects_json": "{0}"},
        "9" * 5000,
        "projects_json_not_json",
        "ValueError",
    ),
    "a number of too many digits in a group": (
        {"groups": "{0}"},
        "JSON:" + "9" * 5000 + "name",
        "bad_group_json",
        "ValueError",
    ),
    "deep JSON in a group": ({"groups": "{0}"}, "JSON:" + DEEP + "name", "nested_literal", "RecursionError"),
    "several JSON texts": ({"projects_json": "{0}"}, JSON + ";" + JSON, "projects_json_structure", "ValidationError"),
    "JSON that is no list": ({"projects_json": "{0}"}, "{}", "projects_json_structure", "ValidationError"),
    "a written list whose last group has no domain": (
        {"groups": "['JSON:{{\"domain\": 1}}', 'name']"},
        "",
        "named_groups_without_domain",
        "ValidationError",
    ),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_refusals_of_values(name):
    local, claim, reason, exception = SPECIAL[name]
    found = outcome([rule([{"type": "x"}], local)], "3.0", {"x": claim})
    assert (found.reason, found.exception) == (reason, exception)


def test_a_list_that_is_nested_too_deeply_is_refused_and_does_no_harm():
    for text in ("-" * 50000 + "1", "not " * 50000 + "1"):
        found = outcome([rule([{"type": "x"}], {"group_ids": "{0}"})], "1.0", {"x": text})
        assert found.reason == "nested_literal" and found.exception in ("RecursionError", "MemoryError")
