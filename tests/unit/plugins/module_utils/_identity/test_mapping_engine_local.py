# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mapping engine makes of the local half of rules: users, groups and projects of every schema version."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import (
    evaluate,
    structure_problems,
)

CLAIMS = {"sub": "ada", "mail": "ada@corp.example"}
DOMAIN = {"name": "research"}
EPHEMERAL = {"type": "ephemeral"}


def rule(remote, *local):
    return {"remote": remote, "local": list(local)}


def user(**fields):
    return {"user": fields}


def outcome(rules, version="1.0", claims=CLAIMS):
    assert structure_problems(rules, version) == []
    return evaluate(rules, version, claims)


# (local items, what they become with {0} = ada and {1} = ada@corp.example), for schema 1.0
LOCAL_1_0 = {
    "nothing at all is a user too": ([{}], {"user": EPHEMERAL}),
    "user by name": ([user(name="{0}", email="{1}")], {"user": dict(EPHEMERAL, name="ada", email="ada@corp.example")}),
    "local user": ([user(id="{0}", type="local")], {"user": {"id": "ada", "type": "local"}}),
    "the first user wins": ([user(name="{0}"), user(name="b")], {"user": dict(EPHEMERAL, name="ada")}),
    "an empty user does not count as first": ([user(), user(name="b")], {"user": dict(EPHEMERAL, name="b")}),
    "an empty user stays empty": ([user(name="b"), user()], {"user": dict(EPHEMERAL, name="b")}),
    "no domain from beside the user": ([dict(user(name="b"), domain=DOMAIN)], {"user": dict(EPHEMERAL, name="b")}),
    "group by id": ([{"group": {"id": "g-{0}"}}, {"group": {"id": "g-ada"}}], {"group_ids": ["g-ada"]}),
    "group by name": (
        [{"group": {"name": "{0}", "domain": {"id": "d"}}}],
        {"group_names": [{"name": "ada", "domain": {"id": "d"}}]},
    ),
    "named groups repeat with each one more": (
        [{"group": {"name": "a", "domain": DOMAIN}}, {"group": {"name": "b", "domain": {"id": "d"}}}],
        {
            "group_names": [
                {"name": "a", "domain": DOMAIN},
                {"name": "a", "domain": DOMAIN},
                {"name": "b", "domain": {"id": "d"}},
            ]
        },
    ),
    "the same group again": (
        [{"group": {"name": "a", "domain": DOMAIN}}, {"group": {"name": "a", "domain": {"id": "research"}}}],
        {"group_names": [{"name": "a", "domain": DOMAIN}, {"name": "a", "domain": {"id": "research"}}]},
    ),
    "a domain's name counts more than its id": (
        [
            {"group": {"name": "a", "domain": {"name": "x", "id": "1"}}},
            {"group": {"name": "a", "domain": {"name": "x", "id": "2"}}},
        ],
        {
            "group_names": [
                {"name": "a", "domain": {"name": "x", "id": "1"}},
                {"name": "a", "domain": {"name": "x", "id": "2"}},
            ]
        },
    ),
    "one of many groups": ([{"groups": "{0}", "domain": DOMAIN}], {"group_names": [{"name": "ada", "domain": DOMAIN}]}),
    "a written list of groups": (
        [{"groups": "['a', 5]", "domain": DOMAIN}],
        {"group_names": [{"name": "a", "domain": DOMAIN}, {"name": 5, "domain": DOMAIN}]},
    ),
    "a literal that is no list is one name": (
        [{"groups": "('a', 'b')", "domain": DOMAIN}],
        {"group_names": [{"name": "('a', 'b')", "domain": DOMAIN}]},
    ),
    "groups that bring their domain": (
        [{"groups": 'JSON:{{"name": "{0}", "domain": {{"id": "d"}}}}'}],
        {"group_names": [{"name": "ada", "domain": {"id": "d"}}]},
    ),
    "letters that look like a group with domain": (
        [{"groups": "domain-names", "domain": DOMAIN}],
        {"group_names": ["domain-names"]},
    ),
    "many groups that bring their domain": (
        [{"groups": "['JSON:{{\"name\": 1, \"domain\": 2}}', 'domain']", "domain": DOMAIN}],
        {"group_names": [{"name": 1, "domain": 2}, "domain"]},
    ),
    "ids": ([{"group_ids": "{0}"}], {"group_ids": ["ada"]}),
    "a written list of ids": ([{"group_ids": "['a', 'b', 'a']"}, {"group": {"id": "b"}}], {"group_ids": ["a", "b"]}),
    "projects": (
        [{"projects": [{"name": "for {0}", "roles": [{"name": "member"}]}]}],
        {"projects": [{"name": "for ada", "roles": [{"name": "member"}]}]},
    ),
    "the last projects win": (
        [
            {"projects": [{"name": "a", "roles": []}]},
            {"projects": [{"name": "b", "roles": []}]},
            {"groups": "x", "domain": {}},
        ],
        {"projects": [{"name": "b", "roles": []}], "group_names": [{"name": "x", "domain": {}}]},
    ),
}
REMOTE = [{"type": "sub"}, {"type": "mail"}]
NOTHING = {"user": EPHEMERAL, "group_ids": [], "group_names": [], "projects": []}


@pytest.mark.parametrize("name", LOCAL_1_0)
def test_local_of_1_0(name):
    local, expected = LOCAL_1_0[name]
    found = outcome([rule(REMOTE, *local)])
    assert found.result == dict(NOTHING, **expected)
    assert (found.user, found.group_ids) == (found.result["user"], found.result["group_ids"])
    assert (found.group_names, found.projects) == (found.result["group_names"], found.result["projects"])
    assert (found.accepted, found.reason, found.message, found.exception) == (True, None, None, None)


# (local items, user's domain) from schema 2.0 on
USER_DOMAINS = {
    "its own": ([dict(user(domain={"id": "own"}), domain=DOMAIN)], {"id": "own"}),
    "the last item's": ([user(), {"domain": {"id": "x"}}, {"domain": DOMAIN}], DOMAIN),
    "an empty one does not count": ([dict(user(domain={}), domain=DOMAIN)], DOMAIN),
    "none, when the last item has none": ([dict(user(), domain=DOMAIN), {}], None),
}


@pytest.mark.parametrize("version", ["2.0", "3.0"])
@pytest.mark.parametrize("name", USER_DOMAINS)
def test_the_domain_of_a_user(name, version):
    local, expected = USER_DOMAINS[name]
    assert outcome([rule(REMOTE, *local)], version).user == dict(EPHEMERAL, domain=expected)


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_the_domain_of_a_project_is_its_own_or_that_of_its_item(version):
    projects = [{"name": "a", "roles": []}, {"name": "b", "roles": [], "domain": {"id": "x"}}]
    local = [{"projects": projects, "domain": DOMAIN}, {"domain": {"id": "other"}}]
    expected = [{"name": "a", "roles": [], "domain": DOMAIN}, {"name": "b", "roles": [], "domain": {"id": "x"}}]
    assert outcome([rule(REMOTE, *local)], version).projects == expected
    assert outcome([rule(REMOTE, {"projects": [projects[0]]})], version).projects == [dict(projects[0], domain=None)]


JSON = '[{"name": "p", "roles": [{"name": "member"}]}]'
FROM_JSON = {"name": "p", "roles": [{"name": "member"}], "domain": DOMAIN}
# (text, claim, names of the projects)
PROJECTS_JSON = {
    "with braces": ("{0}", JSON, ["p"]),
    "without braces": ("0", JSON, ["p"]),
    "what follows the number has no effect": ("{0} of {9}", JSON, ["p"]),
    "with leading zeros": ("{00}", JSON, ["p"]),
    "no projects": ("{0}", "[]", []),
}


@pytest.mark.parametrize("name", PROJECTS_JSON)
def test_projects_from_json(name):
    text, claim, names = PROJECTS_JSON[name]
    found = outcome([rule([{"type": "p"}], {"projects_json": text, "domain": DOMAIN})], "3.0", {"p": claim})
    assert [project["name"] for project in found.projects] == names
    assert found.projects in ([FROM_JSON], [])


def test_projects_from_json_come_after_the_written_ones():
    local = {"projects": [{"name": "{1}", "roles": []}], "projects_json": "{0}", "domain": DOMAIN}
    found = outcome([rule([{"type": "p"}, {"type": "q"}], local)], "3.0", {"p": JSON, "q": "x"})
    assert found.projects == [{"name": "x", "roles": [], "domain": DOMAIN}, FROM_JSON]


def test_projects_from_a_filtered_claim_that_kept_nothing():
    found = outcome([rule([{"type": "p", "whitelist": []}], {"projects_json": "{0}"})], "3.0", {"p": JSON})
    assert found.projects == []


def test_a_name_in_projects_is_filled_in_in_3_0_too():
    local = {"projects": [{"name": "0", "roles": [{"name": "{0}"}]}]}
    projects = outcome([rule(REMOTE, local)], "3.0").projects
    assert projects == [{"name": "0", "roles": [{"name": "ada"}], "domain": None}]


def test_the_result_shares_nothing_with_the_rules():
    rules = [
        rule(REMOTE, dict(user(name="x", domain={"id": "d"}), domain=DOMAIN, projects=[{"name": "p", "roles": []}]))
    ]
    before = copy.deepcopy(rules)
    found = outcome(rules, "2.0")
    found.user["domain"]["id"] = "other"
    found.projects[0]["roles"].append("other")
    found.projects[0]["domain"]["name"] = "other"
    found.trace[0].requirements[0]["values"].append("other")
    assert rules == before and outcome(rules, "2.0").user["domain"] == {"id": "d"}
