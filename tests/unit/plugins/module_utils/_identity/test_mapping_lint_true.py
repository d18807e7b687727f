# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the linter says happens does happen: in the engine, which contract tests hold equal to Keystone's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import (
    evaluate,
    structure_problems,
)

EXAMPLES = yaml.safe_load(Path(__file__).with_name("mapping_findings.yml").read_text(encoding="utf-8"))


def seen(identifier, which="bad", **claims):
    """What becomes of claims with one of the examples."""
    document = yaml.safe_load(EXAMPLES[identifier][which])
    rules = [document] if "remote" in document else document["rules"]
    claims = {"OIDC-" + name: value for name, value in dict({"sub": "x"}, **claims).items()}
    return evaluate(rules, document.get("schema_version", "2.0"), claims)


def groups(result):
    return [(one["domain"].get("name"), one["name"]) for one in result.group_names]


@pytest.mark.parametrize("which", ["bad", "good"])
@pytest.mark.parametrize("identifier", EXAMPLES)
def test_keystone_accepts_the_example_as_a_mapping(identifier, which):
    document = yaml.safe_load(EXAMPLES[identifier][which])
    rules = [document] if "remote" in document else document.get("rules")
    version = document.get("schema_version", "2.0")
    if rules and version != "4.0":
        assert structure_problems(rules, version) == []


@pytest.mark.parametrize(("identifier", "claims"), [
    ("value-with-semicolon", {"groups": "climate;gpu"}),
    ("invalid-regex", {"groups": "gpu-users"}),
    ("impossible-rule", {"groups": "gpu"}),
    ("rule-without-effect", {}),
    ("index-out-of-range", {"groups": "gpu"}),
    ("invalid-template", {}),
    ("groups-without-domain", {"groups": "gpu"}),
    ("group-named-name", {"groups": "hostname-editors"}),
])
def test_logins_fail_and_the_mended_rule_lets_them_in(identifier, claims):
    assert not seen(identifier, **claims).accepted
    assert seen(identifier, "good", **claims).accepted


@pytest.mark.parametrize(("identifier", "claims"), [
    ("split-claim", {"nickname": "x;gpu-users", "groups": "students"}),
    ("value-not-text", {"guest": "true"}),
    ("empty-values", {"groups": "guests"}),
    ("unanchored-regex", {"upn": "eve@corp.example.evil.org"}),
    ("loose-dot", {"upn": "eve@corpXexample"}),
    ("filter-as-condition", {"groups": "students"}),
    ("catch-all", {"groups": "students"}),
])
def test_strangers_get_in_and_the_mended_rule_keeps_them_out(identifier, claims):
    assert seen(identifier, **claims).accepted
    assert not seen(identifier, "good", **claims).accepted


def test_more_is_excluded_than_is_written():
    assert not seen("unanchored-exclusion", groups="urban").accepted
    assert seen("unanchored-exclusion", "good", groups="urban").accepted


def test_groups_that_nobody_thought_of():
    assert groups(seen("blacklist-authorizes", groups="new")) == [("research", "new")]
    assert groups(seen("blacklist-authorizes", "good", groups="new")) == []


def test_a_group_in_json_leaves_its_domain():
    other = 'JSON:{"name": "admins", "domain": {"name": "Default"}}'
    assert groups(seen("unfiltered-groups", groups=other)) == [("Default", "admins")]
    assert groups(seen("unfiltered-groups", "good", groups=other)) == []


def test_numbers_that_are_shifted():
    assert seen("index-shift", groups="gpu", phone="112").user["name"] == "112"
    assert seen("index-shift", "good", groups="gpu", phone="112").user["name"] == "x"


def test_the_first_user_wins():
    assert seen("duplicate-user", groups="staff").user["name"] == "x"
    assert seen("duplicate-user", "good", groups="staff").user["name"] == "staff-x"


def test_the_last_projects_win():
    assert [one["name"] for one in seen("projects-overwritten", groups="climate").projects] == ["shared"]
    assert len(seen("projects-overwritten", "good", groups="climate").projects) == 2


@pytest.mark.parametrize("identifier", ["missing-domain", "ignored-domain", "empty-domain"])
def test_the_user_has_no_domain(identifier):
    assert not seen(identifier).user.get("domain")
    assert seen(identifier, "good").user["domain"] == {"name": "research"}


def test_a_name_of_keystones_own():
    assert not seen("no-user", email="a@b").user.get("name")


def test_a_claim_that_chooses_the_role():
    assert seen("role-from-claim", role="admin").projects[0]["roles"] == [{"name": "admin"}]


def test_a_regular_expression_in_a_list_without_regex_is_a_word():
    rule = {"remote": [{"type": "OIDC-sub"}, {"type": "OIDC-groups", "any_one_of": ["^gpu"]}],
            "local": [{"user": {"name": "{0}"}, "domain": {"name": "research"}}]}
    assert not evaluate([rule], "2.0", {"OIDC-sub": "x", "OIDC-groups": "gpu"}).accepted
