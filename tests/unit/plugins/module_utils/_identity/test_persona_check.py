# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What personas may do, and what overrides change about it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._identity import persona_check, policy_effective
from ansible_collections.sovereign.region.plugins.module_utils._identity.persona_check import PolicyNotAsExpected
from ansible_collections.sovereign.region.plugins.module_utils._identity.persona_operations import OPERATIONS
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_tables import TABLES
from hypothesis import given, settings
from hypothesis import strategies as st

HYPERVISORS = "os_compute_api:os-hypervisors:list"


def params(**given):
    made = {name: option.get("default") for name, option in persona_check.ARGUMENT_SPEC.items()}
    rows = [dict({"scope": None, "rule": None, "operation": None, "target": "own"}, **row)
            for row in given.pop("expect", [])]
    return dict(made, expect=rows, **given)


def answers(result, service, operation):
    (row,) = [row for row in result["table"] if (row["service"], row["operation"]) == (service, operation)]
    return {"{0} {1}".format(persona, scope): word
            for persona, by_scope in row["answers"].items() for scope, word in by_scope.items()}


def ids(result):
    return [one["id"] for one in result["findings"]]


@pytest.mark.parametrize("service", OPERATIONS)
def test_operations_ask_rules_that_there_are(service):
    names = [operation[0] for operation in OPERATIONS[service]]
    assert len(set(names)) == len(names) > 5
    for _name, title, rules, _reach, _values in OPERATIONS[service]:
        assert title[0].isupper() and set(rules) <= set(TABLES[service].RULES)


def test_the_defaults_widen_nothing():
    result = persona_check.run(params())
    assert not result["widened"] + result["narrowed"] + result["unknown"] + result["findings"]
    assert "unknown" not in json.dumps(result["table"])
    assert "failures" not in result and len(result["table"]) == sum(map(len, OPERATIONS.values()))


@pytest.mark.parametrize("service, operation, expected", [
    ("keystone", "create_user", {"admin system": "yes", "admin domain": "yes", "manager domain": "own",
                                 "manager project": "no", "member project": "no", "auditor system": "no"}),
    ("keystone", "grant_admin", {"admin project": "yes", "manager domain": "no"}),
    ("keystone", "grant_member", {"manager domain": "own", "manager project": "no"}),
    ("keystone", "list_users", {"admin domain": "own", "reader domain": "own", "auditor system": "yes"}),
    ("keystone", "create_domain", {"admin system": "yes", "admin domain": "no", "manager domain": "no"}),
    ("nova", "create_server", {"admin project": "own", "member project": "own", "reader project": "no"}),
    ("nova", "list_all_servers", {"admin system": "no", "admin project": "yes", "auditor system": "no"}),
    ("nova", "live_migrate", {"manager project": "own", "member project": "no"}),
    ("nova", "create_keypair", {"member project": "self", "manager domain": "no"}),
    ("placement", "list_providers", {"admin project": "yes", "auditor system": "no"}),
    ("glance", "create_public_image", {"admin project": "own", "member project": "no"}),
    # Neutron forgets scope types where an attribute has a rule of its own.
    ("neutron", "create_shared_network", {"admin system": "own", "admin domain": "own", "member project": "no"}),
    ("neutron", "create_rbac_policy", {"admin system": "yes", "member project": "own", "auditor system": "no"}),
    ("neutron", "share_with_all", {"admin project": "yes", "member project": "no"}),
    ("neutron", "show_network_quota", {"manager project": "yes", "member project": "no"}),
    ("neutron", "create_network", {"admin system": "no", "admin project": "yes", "member project": "own",
                                   "reader project": "no"}),
])
def test_what_personas_may(service, operation, expected):
    found = answers(persona_check.check(params()), service, operation)
    assert {name: found[name] for name in expected} == expected


def test_an_override_that_widens_is_named():
    with pytest.raises(PolicyNotAsExpected) as raised:
        persona_check.run(params(overrides={"nova": {HYPERVISORS: "role:reader"}}))
    assert [row["persona"] for row in raised.value.result["widened"]] == ["manager", "member", "reader"]
    assert raised.value.result["widened"][2] == {
        "service": "nova", "rule": HYPERVISORS, "persona": "reader", "scopes": ["project"],
        "targets": ["self", "own", "other"], "operations": ["GET /os-hypervisors"], "through": [HYPERVISORS]}
    assert "makes that reader may also: {0} (GET /os-hypervisors) with a token of a project".format(HYPERVISORS) in str(
        raised.value)
    failed = persona_check.failure(raised.value)
    assert failed["error"] == "PolicyNotAsExpected" and failed["widened"] and "failures" not in failed


def test_a_widening_that_is_declared_passes_and_one_in_part_does_not():
    rows = [{"persona": one, "service": "nova", "rule": HYPERVISORS, "target": "other", "allowed": True}
            for one in ("manager", "member", "reader")]
    overrides = {"nova": {HYPERVISORS: "role:reader"}}
    assert persona_check.run(params(overrides=overrides, expect=rows))["widened"]
    assert persona_check.run(params(overrides=overrides, fail_on_widened=False))["widened"]
    rows[2]["target"] = "own"
    with pytest.raises(PolicyNotAsExpected, match="reader may also"):
        persona_check.run(params(overrides=overrides, expect=rows))


def test_a_base_rule_widens_what_refers_to_it_and_is_named():
    result = persona_check.check(params(overrides={"nova": {"context_is_admin": "role:manager"}}))
    assert len(result["widened"]) > 50
    assert {row["persona"] for row in result["widened"]} == {"manager"}
    assert {tuple(row["through"]) for row in result["widened"]} == {("context_is_admin",)}
    assert len(result["failures"]) == 1 and "more" in result["failures"][0]


def test_a_narrowing_is_told_and_fails_nothing():
    result = persona_check.run(params(overrides={"glance": {"delete_image": "!"}}))
    assert {row["persona"] for row in result["narrowed"]} == {"admin", "manager", "member"}


def test_what_another_server_decides_is_never_allowed():
    result = persona_check.run(params(overrides={"nova": {HYPERVISORS + "-detail": "http://policy.example/check"}}))
    assert answers(result, "nova", "list_hypervisors")["reader project"] == "unknown"
    assert ids(result) == ["remote_check"] and result["unknown"] and not result["widened"]


@pytest.mark.parametrize("setting, named", [("enforce_scope", "auditor"), ("enforce_new_defaults", "reader")])
def test_a_setting_that_is_off_is_named(setting, named):
    result = persona_check.check(params(**{setting: False}))
    assert {tuple(row["through"]) for row in result["widened"]} == {(setting + ": false",)}
    assert named in {row["persona"] for row in result["widened"]}


def test_a_rule_under_its_old_name_is_still_in_effect():
    old, new = next((row[3][0], name) for name, row in TABLES["nova"].RULES.items()
                    if row[3] and row[3][0] != name and row[3][0] not in TABLES["nova"].RULES)
    policy = policy_effective.effective("nova", {old: "role:nobody"})
    assert policy.rules[new] == ("check", "role", "nobody")
    result = persona_check.check(params(overrides={"nova": {old: "role:nobody", new: "role:admin"}}))
    assert "renamed_rule" in ids(result) and "no effect on" in result["findings"][0]["message"]
    # Who only refers to the new name has overridden nothing.
    assert policy_effective.effective("nova", {old: "rule:" + new}).rules[new] != ("check", "rule", new)


@pytest.mark.parametrize("service, rules, expected", [
    ("nova", {"os_compute_api:servers:lst": "role:reader"}, ("unknown_rule", "os_compute_api:servers:")),
    ("nova", {HYPERVISORS: "rule:context_is_admin"}, ("same_as_default", "changes nothing")),
    ("nova", {"os_compute_api:servers:show": "rule:nowhere"}, ("undefined_reference", "refuses everybody")),
    ("nova", {"os_compute_api:servers:show": "role:reader and system_scope:all"}, ("scope_never_there", "never holds")),
    ("neutron", {"get_network": "tenant_id:%(tenant_id)s"}, ("unknown_attribute", "nearest is 'project_id'")),
    ("nova", {"os_compute_api:servers:show": None}, ("allows_everybody", "token of a project")),
    ("nova", {"os_compute_api:servers:show": "role:admin or"}, ("malformed", "refuses everybody")),
    ("nova", {"os_compute_api:servers:show": True}, ("unreadable", "bool")),
    ("nova", {"os_compute_api:servers:show": "role:100%"}, ("fails_at_request", "internal error")),
    ("nova", {"ours": "rule:ours", "os_compute_api:servers:show": "rule:ours"}, ("fails_at_request", "leads back")),
    ("neutron", {"get_network": "project_id:mine"}, ("refused_by_service", "does not start")),
    ("cinder", {"volume:create": "role:member"}, ("unknown_service", "not checked")),
    ("novva", {"x": "role:member"}, ("unknown_service", "'nova'")),
])
def test_what_is_wrong_with_an_override(service, rules, expected):
    result = persona_check.check(params(overrides={service: rules}))
    found = [one for one in result["findings"] if one["id"] == expected[0]]
    assert found and expected[1] in found[0]["message"], result["findings"]
    assert found[0]["path"].startswith("overrides." + service) and found[0]["fix"].endswith(".")
    assert bool([one for one in result["failures"] if one.startswith("overrides.")]) == (
        found[0]["severity"] == "critical")


def test_every_expectation_that_does_not_hold_is_told():
    rows = [
        {"persona": "member", "service": "nova", "operation": "create_server", "allowed": True},
        {"persona": "auditor", "service": "nova", "operation": "list_all_servers", "allowed": True},
        {"persona": "manager", "scope": "domain", "service": "keystone", "rule": "identity:create_user",
         "allowed": False},
        {"persona": "manager", "service": "keystone", "operation": "grant_admin", "allowed": True},
    ]
    sentences = persona_check.check(params(services=["glance"], expect=rows))["failures"]
    assert [sentence[:9] for sentence in sentences] == ["expect[1]", "expect[2]", "expect[3]"]
    assert "auditor may list_all_servers on nova (own), but it is refused" in sentences[0]
    assert "manager of the domain may not identity:create_user on keystone (own), but it is allowed" in sentences[1]


def test_what_cannot_be_right_is_told_with_the_nearest_name():
    with pytest.raises(DeclarationError) as raised:
        persona_check.run(params(overrides={"nova": "role:admin"}, expect=[
            {"persona": "auditor", "scope": "project", "service": "nova", "rule": HYPERVISORS, "allowed": True},
            {"persona": "member", "service": "nova", "rule": HYPERVISORS + "s", "allowed": True},
            {"persona": "member", "service": "nova", "operation": "create_sever", "allowed": True}]))
    assert [problem.split(":")[0] for problem in raised.value.problems] == [
        "overrides.nova", "expect[0].scope", "expect[1].rule", "expect[2].operation"]
    assert "'create_server'" in raised.value.problems[3]
    assert persona_check.failure(raised.value)["error"] == "DeclarationError"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TABLES["placement"].RULES)), st.one_of(st.text(max_size=20), st.none(), st.booleans(),
       st.lists(st.text(max_size=6), max_size=3), st.sampled_from(["role:reader", "role:admin", "@", "!", "http:x"])))
def test_no_override_makes_it_fail_and_none_that_narrows_widens(rule, said):
    result = persona_check.check(params(services=["placement"], overrides={"placement": {rule: said}}))
    for row in result["widened"]:
        assert row["through"] == [rule]
    if said == "!":
        assert not result["widened"]


@pytest.mark.parametrize("service", TABLES)
def test_a_policy_file_that_repeats_the_defaults_is_said_to_do_so_and_no_more(service):
    rules = {name: row[0] for name, row in TABLES[service].RULES.items()}
    result = persona_check.run(params(services=[service], overrides={service: rules}))
    assert set(ids(result)) <= {"same_as_default", "removed_rule"} and len(ids(result)) >= len(rules)
    assert not result["widened"] + result["narrowed"] + result["unknown"]
