# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a finding begins and ends: next to each example of what is found stands what only looks like it."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint import findings
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint_regex import pattern_of
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint_templates import Template

SUB = {"type": "OIDC-sub"}
USER = {"user": {"name": "{0}"}, "domain": {"name": "research"}}


def ids(remote, local, version="2.0", context=None):
    rules = [{"remote": remote, "local": local}]
    return {one["id"] for one in findings({"rules": rules, "schema_version": version}, context)}


def of_rules(*rules, version="2.0", context=None):
    rules = [{"remote": remote, "local": local} for remote, local in rules]
    return [(one["id"], one["path"]) for one in findings({"rules": rules, "schema_version": version}, context)]


@pytest.mark.parametrize("text", ["@corp", "^a|b$", "^corp", "corp$", "gpu-.*", r"\bgpu\b", "[a-z]+", "", "^(a|b$)",
                                  "(?m)^a$", r"(?m)\Aa$", "(?im)^a$"])
def test_not_anchored(text):
    pattern = pattern_of(text)
    assert pattern.error is None and not (pattern.begins and pattern.ends)


@pytest.mark.parametrize("text", ["^a$", r"\Aa\Z", "^(a|b)$", "(^a$|^b$)", "^gpu-.*", ".*@corp$", "(?i)^a$", ".*",
                                  r"^[\s\S]*@corp$", "(?:^a$)", r"(?m)\Aa\Z"])
def test_anchored_or_open_on_purpose(text):
    pattern = pattern_of(text)
    assert pattern.begins and pattern.ends


@pytest.mark.parametrize(("text", "everything"), [(".*", True), (".+", True), ("^.*$", True), ("", True), ("^", True),
                                                  ("^$", False), ("a.*", False), (r"\b", False), ("[^@]*", False)])
def test_everything_matches(text, everything):
    assert pattern_of(text).everything is everything


@pytest.mark.parametrize("text", ["(a+)+", r"(\w+\w)+", "(.*a)*", "(a*b*)*", "((ab*)+)+$", "^([a-z]+)*$"])
def test_slow(text):
    assert pattern_of(text).slow


@pytest.mark.parametrize("text", [r"^([a-z]+\.)+example$", "a+", "(ab+)+", "(a|b)+", "(a+){1,3}", r"^(\d+-)*\d+$",
                                  r"^([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]+$", "(a+b)*"])
def test_not_slow(text):
    assert not pattern_of(text).slow


@pytest.mark.parametrize(("text", "loose"), [("corp.example", True), (r"corp\.example", False), ("a.*b", False),
                                             ("corp[.]example", False), (".example", False), ("(a.b)", True)])
def test_a_dot_between_letters(text, loose):
    assert pattern_of(text).loose_dot is loose


@pytest.mark.parametrize("text", ["(", "[a", "a**", "(?P<1>a)", "x{1,99999999999}", "\\"])
def test_no_regular_expression(text):
    assert pattern_of(text).error


@pytest.mark.parametrize(("text", "slots"), [("{0}", [0]), ("{1}-{0}-{1}", [1, 0]), ("{}{}", [0, 1]), ("{{0}}", []),
                                             ("{0:{1}}", [0, 1]), ("{0!r}", [0]), ("plain", [])])
def test_numbers_of_a_text(text, slots):
    assert (Template(text).slots, Template(text).error) == (slots, None)


@pytest.mark.parametrize("text", ["{", "}", "{sub}", "{-1}", "{}{0}", "{0!x}", "{0:{1:{2}}}", "{ 0}"])
def test_texts_that_cannot_be_filled(text):
    assert Template(text).error
    with pytest.raises((ValueError, KeyError)):
        text.format("a", "b", "c")


@pytest.mark.parametrize("text", ["{0.__class__}", "{0[0]}", "{.upper}"])
def test_texts_that_reach_into_the_value(text):
    assert Template(text).reaches and Template(text).error is None


@pytest.mark.parametrize(("claim", "found"), [("OIDC-sub", False), ("HTTPS", False), ("OIDC-HTTP_X", False),
                                              ("REMOTE_USER", False), ("HTTP_X", True), ("HTTP_OIDC_SUB", True)])
def test_request_headers(claim, found):
    assert ("header-claim" in ids([{"type": claim}], [USER])) is found


def test_a_rule_that_only_makes_a_user_is_for_everybody():
    assert ids([SUB], [USER]) == set()


@pytest.mark.parametrize(("remote", "found"), [
    ({"type": "OIDC-email"}, True),
    ({"type": "OIDC-groups", "any_one_of": [".*"], "regex": True}, True),
    ({"type": "OIDC-groups", "not_any_of": ["guests"]}, True),
    ({"type": "OIDC-groups", "any_one_of": ["gpu"]}, False),
    ({"type": "OIDC-gpu_contract"}, False),
])
def test_a_right_for_everybody(remote, found):
    local = [USER, {"group": {"name": "gpu", "domain": {"name": "research"}}}, {"domain": {"name": "research"}}]
    assert ("catch-all" in ids([SUB, remote], local)) is found


def test_a_whitelist_beside_a_fixed_right_is_no_condition():
    local = [USER, {"groups": "{1}", "domain": {"name": "research"}},
             {"group": {"name": "gpu", "domain": {"name": "research"}}, "domain": {"name": "research"}}]
    assert "catch-all" in ids([SUB, {"type": "OIDC-groups", "whitelist": ["climate"]}], local)


def test_the_same_user_in_two_rules_is_no_rivalry():
    second = [SUB, {"type": "OIDC-groups", "any_one_of": ["staff"]}]
    moved = [{"type": "OIDC-email"}, SUB]
    other = [{"user": {"name": "{1}"}, "domain": {"name": "research"}}]
    assert [one for one in of_rules(([SUB], [USER]), (second, [USER])) if one[0] == "duplicate-user"] == []
    assert [one for one in of_rules(([SUB], [USER]), (moved, other)) if one[0] == "duplicate-user"] == []


def test_two_users_in_one_rule_are():
    assert ("duplicate-user", "rules[0].local[1].user") in of_rules(([SUB], [
        {"user": {"name": "{0}"}}, {"user": {"name": "b-{0}"}, "domain": {"name": "research"}}]))


@pytest.mark.parametrize(("claim", "found"), [("OIDC-groups", True), ("OIDC-iss", False)])
def test_rules_for_different_values_of_a_claim_that_is_single_exclude_each_other(claim, found):
    rules = [([{"type": claim, "any_one_of": [name]}, SUB], [
        {"user": {"name": name + "-{0}"}, "domain": {"name": "research"}}]) for name in ("one", "two")]
    assert ("duplicate-user" in [one[0] for one in of_rules(*rules)]) is found


def test_a_programs_account_may_have_a_name_of_its_own():
    local = [{"user": {"name": "pipeline"}, "domain": {"name": "research"}}]
    assert ids([{"type": "OIDC-client_id", "any_one_of": ["pipeline"]}], local) == set()


def test_the_last_rule_that_matches_gives_the_domain():
    groups = [{"group": {"name": "gpu", "domain": {"name": "research"}}}]
    wanted = [{"type": "OIDC-groups", "any_one_of": ["gpu"]}]
    assert ("missing-domain", "rules[1].local[0]") in of_rules(([SUB], [USER]), (wanted, groups))
    own = [{"user": {"name": "{0}", "domain": {"name": "research"}}}]
    assert of_rules(([SUB], own), (wanted, groups)) == []
    assert "missing-domain" not in [one[0] for one in of_rules(([SUB], [USER]), (wanted, groups), version="1.0")]


def test_a_projects_domain():
    projects = {"projects": [{"name": "climate", "roles": [{"name": "member"}]}]}
    remote = [SUB, {"type": "OIDC-groups", "any_one_of": ["gpu"]}]
    assert ("missing-domain", "rules[0].local[0].projects[0]") in of_rules((remote, [projects, USER]))
    assert "missing-domain" not in ids(remote, [dict(projects, domain={"name": "research"}), USER])


def test_groups_in_json_bring_their_domain():
    value = 'JSON:{"name": "gpu", "domain": {"name": "research"}}'
    remote = [SUB, {"type": "OIDC-groups", "whitelist": [value]}]
    assert ids(remote, [{"groups": "{1}"}, USER]) == set()


def test_admin_by_way_of_a_group():
    context = {"assignments": [{"persona": "admin", "group": "research/ops", "system": True},
                               {"role": "reader", "group": "research/readers", "project": "x"}]}
    for name, found in (("ops", True), ("readers", False)):
        remote = [SUB, {"type": "OIDC-groups", "whitelist": [name]}]
        local = [USER, {"groups": "{1}", "domain": {"name": "research"}}]
        assert ("admin-granted" in ids(remote, local, context=context)) is found


@pytest.mark.parametrize(("remote", "found"), [
    ({}, True), ({"blacklist": ["choir"]}, True), ({"blacklist": ["ops"]}, False), ({"whitelist": ["choir"]}, False),
    ({"whitelist": ["^o.*$"], "regex": True}, True), ({"whitelist": ["^choir$"], "regex": True}, False),
    ({"blacklist": ["^o"], "regex": True}, False), ({"whitelist": ["(o+)+s$", "["], "regex": True}, False),
])
def test_admin_by_way_of_a_group_that_a_claim_can_name(remote, found):
    around = {"assignments": [{"role": "admin", "group": "research/ops", "project": "research/p"}]}
    for local in ({"groups": "{1}", "domain": {"name": "research"}},
                  {"group": {"name": "{1}", "domain": {"name": "research"}}}):
        seen = ids([SUB, dict({"type": "OIDC-groups"}, **remote)], [USER, local], context=around)
        assert ("admin-granted" in seen) is found
    elsewhere = [USER, {"groups": "{1}", "domain": {"name": "other"}}]
    assert "admin-granted" not in ids([SUB, dict({"type": "OIDC-groups"}, **remote)], elsewhere, context=around)


@pytest.mark.parametrize(("domain", "admin", "chosen"), [
    ({"name": "{1}"}, True, True), ({"id": "{1}"}, True, True), ({"name": "research"}, True, False),
    ({"name": "other"}, False, False), ({"id": "4711"}, False, False), ({"name": "{2}"}, True, False),
])
def test_a_domain_that_a_claim_chooses_may_be_any(domain, admin, chosen):
    around = {"assignments": [{"role": "admin", "group": "research/ops", "project": "research/p"}]}
    remote = [SUB, {"type": "OIDC-hd"}, {"type": "OIDC-hd", "whitelist": ["research"]},
              {"type": "OIDC-groups", "whitelist": ["ops"]}]
    for local in ({"groups": "{3}", "domain": domain}, {"group": {"name": "ops", "domain": domain}}):
        seen = ids(remote, [local, USER], context=around)
        assert (("admin-granted" in seen), ("domain-from-claim" in seen)) == (admin, chosen)
    project = {"projects": [{"name": "p", "roles": [{"name": "member"}], "domain": domain}]}
    assert ("domain-from-claim" in ids(remote, [project, USER])) is chosen
    own = {"user": {"name": "{0}", "domain": domain}}
    assert "domain-from-claim" not in ids(remote, [own])


def test_projects_of_rules_that_both_match_overwrite_each_other():
    def rule(group, project):
        return ([SUB, {"type": "OIDC-groups", "any_one_of": [group]}], [
            dict(USER, projects=[{"name": project, "roles": [{"name": "member"}]}])])

    assert ("projects-overwritten", "rules[0].local[0]") in of_rules(rule("a", "p"), rule("b", "q"), version="3.0")


def test_projects_of_schema_1_are_in_the_identity_providers_domain():
    local = [{"user": {"name": "{0}"}, "projects": [{"name": "climate", "roles": [{"name": "member"}]}]}]
    remote = [SUB, {"type": "OIDC-groups", "any_one_of": ["gpu"]}]
    assert "unknown-project" not in ids(remote, local, "1.0", {"projects": ["research/climate"]})
    assert "unknown-project" in ids(remote, local, "1.0", {"projects": ["research/other"]})


def test_the_domain_that_is_there_from_the_start_is_known():
    local = [{"user": {"name": "{0}", "domain": {"id": "default"}}}]
    assert ids([SUB], local, context={"domains": []}) == set()
    assert ids([SUB], [{"user": {"name": "{0}", "domain": {"id": "0f3a"}}}], context={"domains": []}) == set()


def test_numbers_that_were_counted_right_are_not_told():
    remote = [{"type": "OIDC-groups", "any_one_of": ["gpu"]}, SUB, {"type": "OIDC-email"}]
    local = [{"user": {"name": "{0}", "email": "{1}"}, "domain": {"name": "research"}}]
    assert ids(remote, local) == set()


def test_projects_json_may_leave_out_the_braces():
    local = [dict(USER, projects_json="1")]
    assert ids([SUB, {"type": "OIDC-projects"}], local, "3.0") == {"projects-from-claim", "sync-removes-grants"}
    assert "index-out-of-range" in ids([SUB, {"type": "OIDC-projects"}], [dict(USER, projects_json="{2}")], "3.0")


@pytest.mark.parametrize("groups", [
    ["research/gpu"],
    {"research/gpu": {}},
    [{"name": "gpu", "domain": "research"}],
    [{"name": "research/gpu"}, {"name": "gone", "state": "absent"}],
])
def test_groups_may_be_declared_in_many_ways(groups):
    remote = [SUB, {"type": "OIDC-groups", "whitelist": ["gpu", "gone"]}]
    local = [USER, {"groups": "{1}", "domain": {"name": "research"}}]
    rules = [{"remote": remote, "local": local}]
    found = findings({"rules": rules, "schema_version": "2.0"}, {"groups": groups})
    assert [(one["id"], one["path"]) for one in found] == [("unknown-group", "rules[0].remote[1].whitelist[1]")]
    assert "'research/gone' is no group" in found[0]["message"]


def test_what_cannot_be_read_around_a_mapping_is_not_looked_at():
    nonsense = {"groups": 7, "roles": 7, "projects": "x", "domains": 1.5, "privileged_users": 3, "federation": [],
                "identity_providers": 9, "keystone_release": "next"}
    assert ids([SUB], [USER], context=nonsense) == set()


def test_more_users_and_roles_can_be_privileged():
    context = {"privileged_users": ["Breakglass"], "privileged_roles": ["operator"]}
    local = [{"user": {"name": "breakglass"}, "domain": {"name": "research"},
              "projects": [{"name": "p", "roles": [{"name": "Operator"}]}]}]
    found = ids([{"type": "OIDC-groups", "any_one_of": ["a"]}], local, context=context)
    assert {"privileged-user", "admin-granted"} <= found
