# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules Keystone accepts as a mapping: every key of every version, and a sentence for what is refused."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import structure_problems
from hypothesis import given, settings
from hypothesis import strategies as st

DOMAIN = {"id": "d", "name": "research"}
PROJECT = {"name": "p", "roles": [{"name": "member"}]}
FULL = [
    {
        "local": [
            {
                "user": {"id": "i", "name": "n", "email": "e", "domain": DOMAIN, "type": "local"},
                "projects": [PROJECT],
                "group": {"id": "g"},
                "groups": "{0}",
                "group_ids": "{0}",
                "domain": DOMAIN,
            },
            {"user": {"type": "ephemeral"}, "group": {"name": "g", "domain": {}}, "domain": {"name": "x"}},
            {"user": {"domain": {"id": "d"}}, "projects": []},
            {},
        ],
        "remote": [
            {"type": "a"},
            {"type": "a", "any_one_of": ["x", 5, None, []]},
            {"type": "a", "not_any_of": [], "regex": True},
            {"type": "a", "blacklist": ["x"], "regex": False},
            {"type": "a", "whitelist": ["x"]},
        ],
    },
    {"local": [], "remote": [{"type": "a"}]},
]
VERSIONS = ["1.0", "2.0", "3.0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_all_versions_know(version):
    assert structure_problems(FULL, version) == []


# (key of local, value, versions that accept it, path of the problem, its message)
VERSIONED = {
    "domain of a project": (
        {"projects": [dict(PROJECT, domain=DOMAIN)]},
        ("2.0", "3.0"),
        "rules[0].local[0].projects[0].domain",
        "'domain' is no key that Keystone knows here; known: name, roles",
    ),
    "projects_json": (
        {"projects_json": "{0}"},
        ("3.0",),
        "rules[0].local[0].projects_json",
        "'projects_json' is no key that Keystone knows here; the nearest is 'projects'",
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VERSIONED)
def test_what_only_some_versions_know(name, version):
    local, versions, path, message = VERSIONED[name]
    found = structure_problems([{"local": [local], "remote": [{"type": "a"}]}], version)
    assert [(one["path"], one["message"]) for one in found] == ([] if version in versions else [(path, message)])


def rules(local=None, remote=None):
    one = {"local": [{}], "remote": [{"type": "a"}]}
    if local is not None:
        one["local"] = [local]
    if remote is not None:
        one["remote"] = [remote]
    return [one]


LOCAL, REMOTE = "rules[0].local[0]", "rules[0].remote[0]"
OPERATORS = "any_one_of, not_any_of, blacklist, whitelist"
KNOWN = "is no key that Keystone knows here; "
# (rules, list of (path, value, message))
REFUSED = {
    "no list": ({}, [("rules", {}, "expected a list, not {}")]),
    "no rules": ([], [("rules", [], "expected at least 1 item, and it is empty")]),
    "a rule that is none": (["x"], [("rules[0]", "x", "expected a dictionary, not 'x'")]),
    "both halves are missing": (
        [{}],
        [("rules[0]", {}, "'local' is missing"), ("rules[0]", {}, "'remote' is missing")],
    ),
    "an unknown half": (
        [dict(rules()[0], remotes=[])],
        [("rules[0].remotes", [], "'remotes' " + KNOWN + "the nearest is 'remote'")],
    ),
    "local is no list": (
        [{"local": {}, "remote": [{"type": "a"}]}],
        [("rules[0].local", {}, "expected a list, not {}")],
    ),
    "remote is empty": (
        [{"local": [], "remote": []}],
        [("rules[0].remote", [], "expected at least 1 item, and it is empty")],
    ),
    "an item of local is no dictionary": (
        [{"local": ["x"], "remote": [{"type": "a"}]}],
        [(LOCAL, "x", "expected a dictionary, not 'x'")],
    ),
    "an unknown key of local": (
        rules({"usr": {}}),
        [(LOCAL + ".usr", {}, "'usr' " + KNOWN + "the nearest is 'user'")],
    ),
    "a key of local that resembles none": (
        rules({"zzz": 1}),
        [(LOCAL + ".zzz", 1, "'zzz' " + KNOWN + "known: user, projects, group, groups, group_ids, domain")],
    ),
    "user is no dictionary": (rules({"user": "x"}), [(LOCAL + ".user", "x", "expected a dictionary, not 'x'")]),
    "an unknown key of user": (
        rules({"user": {"mail": "x"}}),
        [(LOCAL + ".user.mail", "x", "'mail' " + KNOWN + "the nearest is 'email'")],
    ),
    "texts of user": (
        rules({"user": {"id": 1, "name": None, "email": True}}),
        [
            (LOCAL + ".user.id", 1, "expected a string, not 1"),
            (LOCAL + ".user.name", None, "expected a string, not None"),
            (LOCAL + ".user.email", True, "expected a string, not True"),
        ],
    ),
    "an unknown type of user": (
        rules({"user": {"type": "Local"}}),
        [(LOCAL + ".user.type", "Local", "'Local' is none of ephemeral, local")],
    ),
    "a type of user that is no text": (
        rules({"user": {"type": []}}),
        [(LOCAL + ".user.type", [], "expected a string, not []")],
    ),
    "domain of a user": (
        rules({"user": {"domain": "d"}}),
        [(LOCAL + ".user.domain", "d", "expected a dictionary, not 'd'")],
    ),
    "domain": (
        rules({"domain": {"id": 1, "name": 2, "ids": 3}}),
        [
            (LOCAL + ".domain.id", 1, "expected a string, not 1"),
            (LOCAL + ".domain.name", 2, "expected a string, not 2"),
            (LOCAL + ".domain.ids", 3, "'ids' " + KNOWN + "the nearest is 'id'"),
        ],
    ),
    "lists where texts are expected": (
        rules({"groups": ["a"], "group_ids": ["b"]}),
        [
            (LOCAL + ".groups", ["a"], "expected a string, not ['a']"),
            (LOCAL + ".group_ids", ["b"], "expected a string, not ['b']"),
        ],
    ),
    "group is no dictionary": (rules({"group": "g"}), [(LOCAL + ".group", "g", "expected a dictionary, not 'g'")]),
    "an empty group": (
        rules({"group": {}}),
        [(LOCAL + ".group", {}, "'name' is missing"), (LOCAL + ".group", {}, "'domain' is missing")],
    ),
    "a group without domain": (
        rules({"group": {"name": "g"}}),
        [(LOCAL + ".group", {"name": "g"}, "'domain' is missing")],
    ),
    "a group by both": (
        rules({"group": {"id": "i", "name": "g"}}),
        [(LOCAL + ".group", {"id": "i", "name": "g"}, "a group has an 'id', or a 'name' and a 'domain', not both")],
    ),
    "a group by id and domain": (
        rules({"group": {"id": "i", "domain": {}}}),
        [(LOCAL + ".group", {"id": "i", "domain": {}}, "a group has an 'id', or a 'name' and a 'domain', not both")],
    ),
    "an id that is no text": (rules({"group": {"id": 1}}), [(LOCAL + ".group.id", 1, "expected a string, not 1")]),
    "an id and more": (
        rules({"group": {"id": "i", "type": "t"}}),
        [(LOCAL + ".group.type", "t", "'type' " + KNOWN + "known: id")],
    ),
    "a named group": (
        rules({"group": {"name": 1, "domain": {"id": 2}, "x": 3}}),
        [
            (LOCAL + ".group.name", 1, "expected a string, not 1"),
            (LOCAL + ".group.domain.id", 2, "expected a string, not 2"),
            (LOCAL + ".group.x", 3, "'x' " + KNOWN + "known: name, domain"),
        ],
    ),
    "projects are no list": (rules({"projects": {}}), [(LOCAL + ".projects", {}, "expected a list, not {}")]),
    "projects without name and roles": (
        rules({"projects": [{}]}),
        [(LOCAL + ".projects[0]", {}, "'name' is missing"), (LOCAL + ".projects[0]", {}, "'roles' is missing")],
    ),
    "roles of projects": (
        rules({"projects": [PROJECT, {"name": 1, "roles": ["x", {}, {"name": 2, "id": 3}]}]}),
        [
            (LOCAL + ".projects[1].name", 1, "expected a string, not 1"),
            (LOCAL + ".projects[1].roles[0]", "x", "expected a dictionary, not 'x'"),
            (LOCAL + ".projects[1].roles[1]", {}, "'name' is missing"),
            (LOCAL + ".projects[1].roles[2].name", 2, "expected a string, not 2"),
            (LOCAL + ".projects[1].roles[2].id", 3, "'id' " + KNOWN + "known: name"),
        ],
    ),
    "a requirement that is none": (rules(remote="a"), [(REMOTE, "a", "expected a dictionary, not 'a'")]),
    "a requirement without type": (rules(remote={}), [(REMOTE, {}, "'type' is missing")]),
    "a type that is no text": (rules(remote={"type": 1}), [(REMOTE + ".type", 1, "expected a string, not 1")]),
    "an unknown operator": (
        rules(remote={"type": "a", "any_of": []}),
        [(REMOTE + ".any_of", [], "'any_of' " + KNOWN + "the nearest is 'not_any_of'")],
    ),
    "two operators": (
        rules(remote={"type": "a", "whitelist": [], "any_one_of": []}),
        [
            (
                REMOTE,
                {"type": "a", "whitelist": [], "any_one_of": []},
                "a requirement has one operator, not any_one_of and whitelist; write one requirement for each",
            )
        ],
    ),
    "regex alone": (
        rules(remote={"type": "a", "regex": True}),
        [(REMOTE, {"type": "a", "regex": True}, "'regex' needs an operator beside it: " + OPERATORS)],
    ),
    "regex that is no boolean": (
        rules(remote={"type": "a", "whitelist": [], "regex": 1}),
        [(REMOTE + ".regex", 1, "expected true or false, not 1")],
    ),
    "an operator without a list": (
        rules(remote={"type": "a", "whitelist": "x"}),
        [(REMOTE + ".whitelist", "x", "expected a list, not 'x'")],
    ),
    "a long value is shortened": (
        rules({"domain": "x" * 100}),
        [(LOCAL + ".domain", "x" * 100, "expected a dictionary, not '" + "x" * 37 + "..." + "x" * 38 + "'")],
    ),
    "a value of 80 characters is not": (
        rules({"domain": "x" * 78}),
        [(LOCAL + ".domain", "x" * 78, "expected a dictionary, not '" + "x" * 78 + "'")],
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, version):
    refused, expected = REFUSED[name]
    if version == "3.0" and name == "a key of local that resembles none":
        expected = [expected[0][:2] + (expected[0][2] + ", projects_json",)]
    found = structure_problems(refused, version)
    assert [(one["path"], one["value"], one["message"]) for one in found] == expected


def test_every_rule_is_looked_at():
    found = structure_problems(rules() + rules({"x": 1}) + rules(remote={}), "1.0")
    assert [one["path"] for one in found] == ["rules[1].local[0].x", "rules[2].remote[0]"]


def test_a_key_that_is_no_text_is_unknown():
    found = structure_problems(rules({5: 1}), "1.0")
    assert found[0]["path"] == LOCAL + ".5"
    assert found[0]["message"].startswith("5 is no key that Keystone knows here; known: ")


@pytest.mark.parametrize("version", ["4.0", "", "1", 2.0, None, []])
def test_an_unknown_version(version):
    found = structure_problems(FULL, version)
    message = "{0!r} is no version of the mapping schema that is known here; known: 1.0, 2.0, 3.0".format(version)
    assert found == [{"path": "schema_version", "value": version, "message": message}]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "local", "{0}"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "name", "id", "domain", "roles", "regex", "whitelist", "user", "group"])
            | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(junk=JUNK, version=st.sampled_from(VERSIONS), half=st.sampled_from(["local", "remote", None]))
def test_anything_has_an_answer_with_paths_and_values(junk, version, half):
    candidate = [dict(rules()[0], **{half: [junk]})] if half else junk
    before = copy.deepcopy(candidate)
    for problem in structure_problems(candidate, version):
        assert sorted(problem) == ["message", "path", "value"]
        assert problem["path"].startswith("rules") and problem["message"]
    assert candidate == before
