# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden assertions: what holds, what does not, and what is said then."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_check
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_check import (
    MappingNotAsExpected,
    check,
    differences,
)

RULES = [
    {
        "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-groups", "whitelist": ["climate", "gpu"]},
                   {"type": "OIDC-affiliation", "any_one_of": ["staff", "member"]}],
        "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}],
    },
    {
        "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-affiliation", "any_one_of": ["guest"]}],
        "local": [{"user": {"name": "{0}"}, "domain": {"name": "research"}}],
    },
]
CLAIMS = {"OIDC-sub": "8c1f", "OIDC-groups": ["climate", "choir", "gpu"], "OIDC-affiliation": "staff"}


def params(*assertions, **others):
    mapping = {"name": "eduid", "rules": RULES, "schema_version": "2.0"}
    given = dict(dict.fromkeys(mapping_check.CONTEXT), mapping=mapping, mappings=None, fail_on="critical",
                 assertions=[dict({"name": "one", "claims": CLAIMS, "expect": None}, **one) for one in assertions])
    return dict(given, **others)


def test_what_comes_out_is_returned():
    result = check(params({}))
    assert result["changed"] is False and result["findings"] == []
    row = result["results"][0]
    assert {key: row[key] for key in ("mapping", "name", "accepted", "reason", "group_ids", "matched_rules")} == {
        "mapping": "eduid", "name": "one", "accepted": True, "reason": None, "group_ids": [], "matched_rules": [0]}
    assert row["user"] == {"name": "8c1f", "type": "ephemeral", "domain": {"name": "research"}}
    assert [group["name"] for group in row["group_names"]] == ["climate", "gpu"]
    assert [step["matched"] for step in row["trace"]] == [True, False]
    assert row["trace"][1]["requirements"][-1]["path"] == "rules[1].remote[1]"


@pytest.mark.parametrize("expect", [
    {},
    {"accepted": True},
    {"accepted": "True"},
    {"user": {"name": "8c1f"}},
    {"user": {"domain": {"name": "research"}}, "matched_rules": [0], "group_ids": [], "projects": [], "reason": None},
    {"group_names": ["gpu", "climate"]},
    {"group_names": ["research/gpu", {"name": "climate"}]},
    {"group_names": [{"name": "gpu", "domain": {"name": "research"}}, "climate"]},
    {"matched_rules": ["0"]},
])
def test_what_holds(expect):
    check(params({"expect": expect}))


@pytest.mark.parametrize(("expect", "said"), [
    ({"accepted": False}, "accepted: expected False, got True"),
    ({"reason": "no_rule_matched"}, "reason: expected 'no_rule_matched', got None"),
    ({"user": {"name": "other"}}, "user.name: expected 'other', got '8c1f'"),
    ({"user": {"email": "a@b"}}, "user.email: expected 'a@b', got None"),
    ({"group_names": ["climate"]}, "group_names: 'research/gpu' was not expected"),
    ({"group_names": ["climate", "gpu", "choir"]}, "group_names: 'choir' is missing"),
    ({"group_names": ["climate", "other/gpu"]}, "group_names: 'other/gpu' is missing"),
    ({"group_names": "climate"}, "group_names: expected 'climate', got ['research/climate', 'research/gpu']"),
    ({"matched_rules": [0, 1]}, "matched_rules: 1 is missing"),
    ({"projects": ["climate"]}, "projects: 'climate' is missing"),
])
def test_what_does_not_hold(expect, said):
    with pytest.raises(MappingNotAsExpected) as raised:
        check(params({"expect": expect}))
    text = str(raised.value)
    assert text.startswith("mapping 'eduid', assertion 'one' does not hold\n")
    assert "  {0}\n".format(said) in text
    assert "\n  the claims are accepted\n  rules[0] matched\n  rules[1] did not match: rules[1].remote[1]: " in text


def test_everything_is_evaluated_before_it_fails():
    refused = {"name": "two", "claims": {"OIDC-sub": "x"}, "expect": {"accepted": True}}
    fine = {"name": "three", "claims": {"OIDC-sub": "x"}, "expect": {"accepted": False, "reason": "no_rule_matched"}}
    with pytest.raises(MappingNotAsExpected) as raised:
        check(params({"expect": {"accepted": False}}, refused, fine))
    error = raised.value
    assert len(error.problems) == 2
    assert "the claims are refused (no_rule_matched): " in error.problems[1]
    assert "OIDC-groups is not among the claims" in error.problems[1]
    assert [row["accepted"] for row in error.result["results"]] == [True, False, False]
    told = mapping_check.failure(error)
    assert (told["error"], told["changed"], told["problems"]) == ("MappingNotAsExpected", False, error.problems)
    assert told["results"] == error.result["results"] and told["findings"] == []


def test_roles_of_projects_are_compared_as_a_set_too():
    got = {"projects": [{"name": "climate", "domain": {"name": "research"}, "roles": [{"name": "a"}, {"name": "b"}]}]}
    assert differences({"projects": ["research/climate"]}, got) == []
    assert differences({"projects": [{"name": "climate", "roles": ["b", "a"]}]}, got) == []
    assert differences({"projects": [{"name": "climate", "roles": ["a"]}]}, got) == [
        "projects: 'climate' with roles [a] is missing",
        "projects: 'research/climate' with roles [a, b] was not expected"]


def test_repetitions_of_keystone_are_no_difference():
    group = {"name": "gpu", "domain": {"id": "default"}}
    assert differences({"group_names": ["default/gpu"]}, {"group_names": [group, group]}) == []


@pytest.mark.parametrize(("assertion", "said"), [
    ({"claims": {"OIDC-age": 42}}, "assertions[0].claims.OIDC-age: 42 is no text, and claims are text; write it in"),
    ({"claims": {"OIDC-ok": True}}, "assertions[0].claims.OIDC-ok: True is no text"),
    ({"claims": {"OIDC-g": ["a", 1]}}, "assertions[0].claims.OIDC-g[1]: 1 is no text"),
    ({"claims": {"OIDC-g": {"a": 1}}}, "assertions[0].claims.OIDC-g: {'a': 1} is no text"),
    ({"claims": {"OIDC-g": None}}, "assertions[0].claims.OIDC-g: a claim is text or a list of texts; leave it out"),
    ({"expect": {"acepted": True}}, "assertions[0].expect: 'acepted' is no part of a result; the nearest is "),
])
def test_assertions_that_cannot_be_right(assertion, said):
    with pytest.raises(DeclarationError) as raised:
        check(params(assertion))
    assert str(raised.value).startswith(said)


def test_two_assertions_of_one_name():
    with pytest.raises(DeclarationError, match=r"assertions\[1\].name: 'one' is the name of an earlier assertion"):
        check(params({}, {}))


def test_rules_that_keystone_refuses_fail_first():
    rules = [{"remote": [{"type": "OIDC-sub"}], "local": [{"usr": {"name": "{0}"}}]}]
    mapping = {"name": None, "rules": rules, "schema_version": "2.0"}
    wrong = dict(params({"expect": {"accepted": False}}), mapping=mapping)
    with pytest.raises(DeclarationError) as raised:
        check(wrong)
    assert raised.value.problems == [
        "rules[0].local[0].usr: 'usr' is no key that Keystone knows here; the nearest is 'user'"]
    listed = dict(wrong, mapping=None, mappings=[dict(wrong["mapping"], assertions=[], state="present")])
    with pytest.raises(DeclarationError, match=r"^mappings\[0\].rules\[0\].local\[0\].usr: "):
        check(listed)


def bad(fail_on, **others):
    rules = [{"remote": [{"type": "HTTP_OIDC_SUB"}, {"type": "OIDC-groups"}],
              "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}]}]
    row = {"name": "m", "rules": rules, "schema_version": "2.0", "assertions": [], "state": "present"}
    return dict(params(), mapping=None, mappings=[row], fail_on=fail_on, **others)


def test_findings_fail_from_a_severity_on():
    result = check(bad("never"))
    assert [one["id"] for one in result["findings"]] == ["header-claim", "unfiltered-groups"]
    for fail_on, many in (("critical", 1), ("warning", 2), ("info", 2)):
        with pytest.raises(MappingNotAsExpected) as raised:
            check(bad(fail_on))
        assert len(raised.value.problems) == many
        assert raised.value.result["findings"] == result["findings"]
    assert raised.value.problems[0] == (
        "mappings[0].rules[0].remote[0].type: 'HTTP_OIDC_SUB' is a request header, which a client can write "
        "(header-claim, critical): Map 'OIDC-sub', and set OIDCPassClaimsAs environment.")


def test_what_is_declared_around_it_is_used():
    provider = {"name": "x", "remote_ids": [], "authorization_ttl": 60}
    found = check(bad("never", identity_providers=[provider]))["findings"]
    assert [one["path"] for one in found if one["id"] == "empty-remote-ids"] == ["identity_providers[0].remote_ids"]
    assert "mapping-unused" in [one["id"] for one in found]
    operators = [{"role": "admin", "group": "research/gpu", "project": "x"}]
    alone = check(params({}, fail_on="never", assignments=operators))["findings"]
    assert [(one["id"], one["path"]) for one in alone] == [("admin-granted", "rules[0].remote[1].whitelist[1]")]


def test_a_mapping_that_is_absent_is_not_looked_at():
    gone = dict(bad("critical"), mappings=[{"name": "m", "rules": None, "schema_version": "1.0", "assertions": [],
                                            "state": "absent"}])
    assert check(gone) == {"results": [], "findings": [], "changed": False}


def test_options_stay_as_they_were():
    given = params({"expect": {"accepted": True}})
    before = repr(given)
    check(given)
    assert repr(given) == before


def test_a_rule_that_was_not_reached_is_told():
    broken = {"remote": [{"type": "OIDC-sub"}], "local": [{"user": {"name": "{sub}"}, "domain": {"name": "a"}}]}
    with pytest.raises(MappingNotAsExpected) as raised:
        check(dict(params({"expect": {"accepted": True}}, fail_on="never"),
                   mapping={"name": None, "rules": [broken, RULES[0]], "schema_version": "2.0"}))
    lines = str(raised.value).splitlines()
    assert lines[0] == "assertion 'one' does not hold"
    assert lines[-2:] == ["  rules[0] matched", "  rules[1] was not reached"]


def test_what_json_cannot_carry_is_told_as_text():
    rules = [{"remote": [{"type": "OIDC-sub"}, {"type": "OIDC-ids"}],
              "local": [{"user": {"name": "{0}"}}, {"group_ids": "{1}"}]}]
    mapping = {"name": "odd", "rules": rules, "schema_version": "1.0"}
    claims = {"OIDC-sub": "a", "OIDC-ids": "[1j, b'x', 'id']"}
    row = check(params({"claims": claims}, mapping=mapping, fail_on="never"))["results"][0]
    assert row["group_ids"] == ["1j", "b'x'", "id"]
    json.dumps(row)


def test_a_login_that_fails_after_the_mapping_is_told():
    mapping = {"name": "odd", "schema_version": "2.0",
               "rules": [{"remote": [{"type": "OIDC-sub"}], "local": [{"user": {"name": "{0}"}}]}]}
    row = check(params({"claims": {"OIDC-sub": "a"}}, mapping=mapping, fail_on="never"))["results"][0]
    assert row["accepted"] and [one["id"] for one in row["login_problems"]] == ["user_domain_missing"]
    assertion = {"claims": {"OIDC-sub": "a"}, "expect": {"accepted": True}}
    with pytest.raises(MappingNotAsExpected, match="nobody can log in"):
        check(params(assertion, mapping=mapping, fail_on="never"))
    mapping["rules"][0]["local"][0]["user"] = {"email": "{0}"}  # the web server may still give a name
    mapping["rules"][0]["local"][0]["domain"] = {"name": "research"}
    row = check(params(assertion, mapping=mapping, fail_on="never"))["results"][0]
    assert [one["certain"] for one in row["login_problems"]] == [False]


def test_roles_are_asserted_by_what_is_declared():
    declared = [{"role": "member", "group": "research/climate", "project": "research/models"}]
    wanted = [{"role": "member", "project": "research/models"}]
    assert check(params({"expect": {"roles": wanted}}, assignments=declared))["results"][0]["roles"] == [
        {"role": "member", "project": "research/models", "group": "research/climate"}]
    with pytest.raises(MappingNotAsExpected) as error:
        check(params({"expect": {"roles": []}}, assignments=declared))
    assert "roles: role member, project research/models, group research/climate was not expected" in str(error.value)
