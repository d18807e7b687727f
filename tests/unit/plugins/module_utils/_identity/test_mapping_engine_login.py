# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails at a login although the mapping accepted it."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import evaluate
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_login import (
    LOGIN_PROBLEMS,
    login_problems,
)

DOMAIN = {"name": "research"}
OWN = {"user": {"name": "a"}, "domain": DOMAIN}
PROJECT = {"name": "p", "roles": []}

# (items of local, schema version, ids of the problems)
LOGINS = {
    "fine": ([OWN], "2.0", []),
    "fine with an id only": ([{"user": {"id": "a"}, "domain": DOMAIN}], "2.0", []),
    "fine without a domain in 1.0": ([{"user": {"name": "a"}}], "1.0", []),
    "fine by a domain's id": ([{"user": {"name": "a", "domain": {"id": "d"}}}], "1.0", []),
    "projects in 1.0": ([{"user": {"name": "a"}, "projects": [PROJECT]}], "1.0", []),
    "projects": ([dict(OWN, projects=[PROJECT])], "2.0", []),
    "groups": ([dict(OWN, groups="g", group={"name": "h", "domain": {"id": "d"}})], "2.0", []),
    "a group that is a text": ([dict(OWN, groups="domain-names")], "2.0", ["group_not_object"]),
    "a group that is a list": ([dict(OWN, groups='JSON:["domain", "name"]')], "2.0", ["group_not_object"]),
    "a group without name": ([dict(OWN, groups='JSON:{{"domain": {{"id": "name"}}}}')], "2.0", ["group_without_name"]),
    "a group in a text": (
        [dict(OWN, groups='JSON:{{"domain": "d", "name": "g"}}')],
        "2.0",
        ["group_domain_not_object"],
    ),
    "a group in no domain": ([dict(OWN, group={"name": "g", "domain": {}})], "2.0", ["group_domain_empty"]),
    "a group in an empty domain": (
        [dict(OWN, group={"name": "g", "domain": {"id": "", "name": ""}})],
        "2.0",
        ["group_domain_empty"],
    ),
    "nobody": ([{"domain": DOMAIN}], "2.0", ["user_without_name"]),
    "an empty name": ([{"user": {"name": "", "id": ""}, "domain": DOMAIN}], "2.0", ["user_without_name"]),
    "no domain": ([{"user": {"name": "a"}}], "2.0", ["user_domain_missing"]),
    "an empty domain in 1.0": ([{"user": {"name": "a", "domain": {}}}], "1.0", ["user_domain_empty"]),
    "a project in no domain": ([{"projects": [PROJECT]}, OWN], "2.0", ["project_domain_missing"]),
    "a project in an empty domain": ([{"projects": [PROJECT], "domain": {}}, OWN], "2.0", ["project_domain_empty"]),
    "each project": ([{"projects": [PROJECT, PROJECT]}, OWN], "2.0", ["project_domain_missing"] * 2),
    "local by id": ([{"user": {"type": "local", "id": "a"}}], "2.0", []),
    "local by name": ([{"user": {"type": "local", "name": "a", "domain": DOMAIN}}], "2.0", []),
    "local by name and a domain's id": ([{"user": {"type": "local", "name": "a", "domain": {"id": "d"}}}], "1.0", []),
    "local and nobody": ([{"user": {"type": "local"}}], "1.0", ["local_user_without_name"]),
    "local in no domain in 1.0": ([{"user": {"type": "local", "name": "a"}}], "1.0", ["local_user_without_domain"]),
    "local in no domain": ([{"user": {"type": "local", "name": "a"}}], "2.0", ["local_user_domain_missing"]),
    "local in an empty domain": (
        [{"user": {"type": "local", "name": "a", "domain": {}}}],
        "1.0",
        ["local_user_without_domain"],
    ),
    "projects of a local user are not looked at": (
        [{"user": {"type": "local", "id": "a"}, "projects": [PROJECT]}],
        "2.0",
        [],
    ),
    "in Keystone's order": (
        [{"projects": [PROJECT], "group": {"name": "g", "domain": {}}}, {}],
        "2.0",
        ["group_domain_empty", "user_without_name", "user_domain_missing", "project_domain_missing"],
    ),
}


def evaluated(local, version):
    return evaluate([{"remote": [{"type": "sub"}], "local": local}], version, {"sub": "ada"})


@pytest.mark.parametrize("name", LOGINS)
def test_what_a_login_ends_with(name):
    local, version, expected = LOGINS[name]
    evaluation = evaluated(local, version)
    assert evaluation.accepted
    found = login_problems(evaluation)
    assert [one["id"] for one in found] == expected
    for one in found:
        exception, advice = LOGIN_PROBLEMS[one["id"]]
        assert one["exception"] == exception and one["message"].endswith(
            ": the login ends with {0}; {1}".format(exception, advice)
        )
        assert one["certain"] == (one["id"] != "user_without_name")


def test_every_problem_has_an_example():
    assert {one for unused, unused_too, ids in LOGINS.values() for one in ids} == set(LOGIN_PROBLEMS)


def test_the_message_shows_what_it_is_about():
    message = login_problems(evaluated([{"user": {"name": "a"}}], "2.0"))[0]["message"]
    assert message.startswith("{'name': 'a', 'type': 'ephemeral', 'domain': None}: the login ends with TypeError; ")


def test_a_refusal_has_no_login():
    assert login_problems(evaluate([{"remote": [{"type": "x"}], "local": []}], "2.0", {})) == []
