# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter: every problem with path, value, expectation and nearest name; defaults; unknown keywords."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.schema import Problem, Schema, child, same

THING = Schema(
    {
        "$ref": "#/$defs/thing",
        "$defs": {
            "thing": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": r"^[a-z]*$(?!\n)"},
                    "mode": {"enum": ["fast", "slow", None]},
                    "count": {"type": "integer", "minimum": 1, "maximum": 9},
                    "always": {"const": 1},
                    "tags": {"type": "array", "minItems": 1, "maxItems": 3, "uniqueItems": True, "items": {}},
                    "specs": {
                        "type": "object",
                        "propertyNames": {"pattern": "^[a-z]+$"},
                        "additionalProperties": {"type": ["string", "integer"]},
                    },
                    "part": {"$ref": "#/$defs/thing", "default": {"name": "part"}},
                    "empty": {"type": "object", "default": {}},
                },
            },
        },
    }
)


def only(value):
    """Return the one problem of a value."""
    (problem,) = THING.problems(value, "it")
    return problem


@pytest.mark.parametrize(
    ("value", "path", "expected", "nearest"),
    [
        (7, "it", "a mapping", None),
        ({}, "it.name", "a value", None),
        ({"name": 1}, "it.name", "text", None),
        ({"name": "a"}, "it.name", "at least 2 characters", None),
        ({"name": "abcde"}, "it.name", "at most 4 characters, these are 5", None),
        ({"name": "ab\n"}, "it.name", r"text like ^[a-z]*$(?!\n)", None),
        ({"name": "ab", "mode": "fats"}, "it.mode", "one of fast, slow, null", "fast"),
        ({"name": "ab", "count": 0}, "it.count", "1 or more", None),
        ({"name": "ab", "count": 10}, "it.count", "9 or less", None),
        ({"name": "ab", "count": True}, "it.count", "a whole number", None),
        ({"name": "ab", "count": 1.5}, "it.count", "a whole number", None),
        ({"name": "ab", "always": True}, "it.always", "1", None),
        ({"name": "ab", "tags": []}, "it.tags", "at least 1", None),
        ({"name": "ab", "tags": [1, 2, 3, 4]}, "it.tags", "at most 3", None),
        ({"name": "ab", "tags": [1, 1.0]}, "it.tags[1]", "each item once, this one is it.tags[0] already", None),
        ({"name": "ab", "tags": ["a", "a"]}, "it.tags[1]", "each item once, this one is it.tags[0] already", None),
        ({"name": "ab", "specs": {"A:b": "x"}}, 'it.specs["A:b"]', "text like ^[a-z]+$", None),
        ({"name": "ab", "specs": {"a": 1.5}}, "it.specs.a", "text or a whole number", None),
        ({"name": "ab", "part": {"name": "c"}}, "it.part.name", "at least 2 characters", None),
    ],
)
def test_one_problem(value, path, expected, nearest):
    problem = only(value)
    assert (problem.path, problem.expected, problem.nearest) == (path, expected, nearest)


def test_unknown_key_names_a_key_that_is_still_free():
    # "name" is nearer, but it is there already.
    problem = only({"name": "ab", "nodes": "fast"})
    assert (problem.value, problem.state, problem.nearest) == ("nodes", "unknown key", "mode")


def test_all_problems_at_once_in_the_order_of_the_document():
    found = THING.problems({"tags": [1, 1], "count": 0, "mode": "x", "part": {"name": "c"}}, "it")
    assert [problem.path for problem in found] == ["it.name", "it.tags[1]", "it.count", "it.mode", "it.part.name"]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "ab", "count": 2.0},
        # At the limits.
        {"name": "ab", "count": 1, "tags": [1]},
        {"name": "abcd", "count": 9, "tags": [1, 2, 3]},
        {"name": "ab", "always": 1.0},
        {"name": "ab", "mode": None},
        {"name": "ab", "tags": [1, True]},
        {"name": "ab", "tags": [{"a": 1}, {"a": True}, [1]]},
    ],
)
def test_valid(value):
    assert THING.problems(value) == []


def test_complete_fills_defaults_at_every_depth_and_leaves_its_argument():
    value = {"name": "ab", "count": 2.0, "specs": {"a": 1}}
    done = Schema(dict(THING.root, **{"$ref": "#/$defs/outer", "$defs": {"outer": {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "section": {"type": "object", "default": {}, "properties": {"items": {"type": "array", "default": []}}},
        },
    }}})).complete(value)
    assert done == {"name": "ab", "count": 2, "specs": {"a": 1}, "section": {"items": []}}
    assert type(done["count"]) is int
    done["specs"]["a"] = 2
    assert value == {"name": "ab", "count": 2.0, "specs": {"a": 1}}


def test_defaults_are_not_shared():
    schema = Schema({"type": "object", "properties": {"tags": {"default": []}}})
    schema.complete({})["tags"].append("x")
    assert schema.complete({}) == {"tags": []}


@pytest.mark.parametrize("schema", [{"anyOf": []}, {"properties": {"a": {"format": "date"}}}, {"items": {"if": {}}}])
def test_a_keyword_that_is_not_interpreted_is_refused(schema):
    with pytest.raises(ValueError, match="no such keyword here"):
        Schema(schema)


def test_same_is_equality_of_json():
    assert same({"a": [1, "x"]}, {"a": [1.0, "x"]})
    assert not same({"a": 1}, {"a": True})
    assert not same([0], [False])
    assert not same({"a": 1}, {"b": 1})


def test_paths_quote_what_is_no_plain_key():
    assert child("a", "hw:cpu") == 'a["hw:cpu"]'
    assert child("", "a") == "a"
    assert child("a", 0) == "a[0]"


def test_sentence_shortens_what_is_long():
    assert Problem("a", "x" * 500, "less").sentence() == 'a: "{0}...", expected less'.format("x" * 75)
    assert Problem("a", [1, 2], "text").sentence() == "a: a list of 2, expected text"
    assert Problem("a", {}, "text", "b").sentence() == "a: an empty mapping, expected text (nearest: 'b')"
