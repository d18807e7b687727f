# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts about identity: drift, golden assertions, findings; and passwords that are kept elsewhere."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sovereign.region.plugins.filter.identity_verdicts import FilterModule as Verdicts
from ansible_collections.sovereign.region.plugins.filter.user_passwords import FilterModule as Passwords

identity_verdicts = Verdicts().filters()["identity_verdicts"]
user_passwords = Passwords().filters()["user_passwords"]
TIME = "2026-11-21T08:00:00Z"
GRANT = {"verb": "grant", "kind": "role assignment", "name": "member", "before": None, "after": {}}
DECLARED = {"groups": [{"name": "g"}], "users": [], "assignments": [{"role": "member"}], "mappings": [{"name": "m"}],
            "identity_providers": [], "service_providers": [], "checks": [
                {"name": "m", "assertions": [{"name": "a researcher", "expect": {"accepted": True}}]}]}
GOOD = {"mapping": "m", "name": "a researcher", "accepted": True, "matched_rules": [0]}
BAD = dict(GOOD, accepted=False, matched_rules=[])
WARNING = {"id": "unanchored", "severity": "warning", "path": "mappings[0].rules[0]", "message": "no end", "fix": ""}


def judged(results=None, checked=None, declared=DECLARED):
    """Return verdicts as {(rule, subject): verdict}."""
    modules = {"groups and users": {"actions": []}, "assignments": {"actions": []}, "federation": {"actions": []}}
    found = identity_verdicts(dict(modules, **(results or {})), declared, checked or {}, TIME)
    return {(one["rule"], one["subject"]): one for one in found}


def test_as_declared_and_as_expected_is_a_pass_with_evidence():
    found = judged(checked={"results": [GOOD], "findings": []})
    assert {key: one["status"] for key, one in found.items()} == {
        ("identity.declared", "groups and users"): "pass",
        ("identity.declared", "assignments"): "pass",
        ("identity.declared", "federation"): "pass",
        ("identity.mapping_assertions", "mapping m"): "pass",
        ("identity.mapping_findings", "mapping m"): "pass",
        ("identity.mapping_findings", "providers"): "pass",
    }
    assert all(one["evidence"][0]["status"] == "ok" for one in found.values())
    assert found["identity.mapping_assertions", "mapping m"]["message"] == "1 assertion as expected"


def test_drift_fails():
    found = judged({"assignments": {"actions": [GRANT]}})["identity.declared", "assignments"]
    assert (found["status"], found["message"]) == ("fail", "site would grant role assignment member")


def test_what_is_declared_and_was_not_asked_is_an_error():
    found = judged({"federation": {}, "assignments": {"skipped": True}})
    assert found["identity.declared", "federation"]["status"] == "error"
    assert found["identity.declared", "assignments"]["status"] == "error"
    for rule in ("identity.mapping_assertions", "identity.mapping_findings"):
        assert found[rule, "mapping m"]["status"] == "error"
        assert found[rule, "mapping m"]["evidence"][0]["status"] == "error"


def test_what_is_not_declared_has_no_verdict():
    empty = dict.fromkeys(DECLARED, [])
    skipped = dict.fromkeys(("groups and users", "assignments", "federation"), {"skipped": True})
    assert judged(skipped, declared=empty) == {}
    assert judged(dict.fromkeys(skipped, {}), declared={}) == {}


def test_what_is_removed_though_nothing_is_declared_is_drift():
    empty, action = dict.fromkeys(DECLARED, []), dict(GRANT, verb="delete", kind="group", name="Default/old")
    skipped = dict.fromkeys(("assignments", "federation"), {"skipped": True})
    (found,) = judged(dict(skipped, **{"groups and users": {"actions": [action]}}), declared=empty).values()
    assert (found["subject"], found["status"]) == ("groups and users", "fail")


def test_an_assertion_that_does_not_hold_fails_and_says_which():
    found = judged(checked={"failed": True, "msg": "…", "results": [BAD], "findings": []})
    found = found["identity.mapping_assertions", "mapping m"]
    assert found["status"] == "fail"
    assert found["message"] == "not as expected: a researcher (accepted: expected True, got False)"
    assert found["evidence"][0]["value"] == [{"name": "a researcher", "accepted": False, "matched_rules": []}]


def test_an_assertion_that_was_not_evaluated_is_an_error():
    found = judged(checked={"results": [], "findings": []})["identity.mapping_assertions", "mapping m"]
    assert (found["status"], found["message"]) == ("error", "not evaluated: a researcher")


@pytest.mark.parametrize(("personas", "status"), [
    ({"widened": []}, "pass"),
    ({"widened": [{"persona": "reader"}], "failed": True, "problems": ["reader may delete servers"]}, "fail"),
    ({"failed": True, "msg": "no such rule"}, "error"),
    ({}, "error"),
])
def test_an_override_that_widens_a_persona_fails(personas, status):
    declared = {"policy": {"overrides": {"nova": {"os_compute_api:servers:delete": "@"}}}}
    (found,) = identity_verdicts({}, declared, {}, TIME, personas)
    assert (found["rule"], found["status"]) == ("identity.personas", status)


def test_policies_that_are_not_overridden_have_no_verdict():
    for personas in ({}, {"skipped": True}):
        assert identity_verdicts({}, {"policy": {"overrides": {}, "expect": []}}, {}, TIME, personas) == []


def test_a_mapping_without_assertions_was_not_judged():
    declared = dict(DECLARED, checks=[{"name": "m", "assertions": []}])
    found = judged(checked={"results": [], "findings": []}, declared=declared)
    assert found["identity.mapping_assertions", "mapping m"]["status"] == "not_applicable"


def test_only_a_critical_finding_fails():
    found = judged(checked={"results": [GOOD], "findings": [WARNING]})["identity.mapping_findings", "mapping m"]
    assert (found["status"], found["message"]) == ("pass", "nothing critical; warning unanchored")
    critical = dict(WARNING, id="local-user", severity="critical")
    found = judged(checked={"results": [GOOD], "findings": [WARNING, critical]})
    assert found["identity.mapping_findings", "mapping m"]["status"] == "fail"
    assert found["identity.mapping_findings", "mapping m"]["message"] == "mappings[0].rules[0]: no end"
    assert found["identity.mapping_findings", "providers"]["status"] == "pass"


def test_findings_about_providers_are_theirs():
    about = dict(WARNING, id="empty-remote-ids", severity="critical", path="identity_providers[0].remote_ids")
    found = judged(checked={"results": [GOOD], "findings": [about]})
    assert found["identity.mapping_findings", "mapping m"]["status"] == "pass"
    assert found["identity.mapping_findings", "providers"]["status"] == "fail"


def test_passwords_join_their_users():
    users = [{"name": "a", "domain": "d"}, {"name": "b"}, {"name": "c"}]
    assert user_passwords(users, {"d/a": "one", "b": "two"}) == [
        {"name": "a", "domain": "d", "password": "one"}, {"name": "b", "password": "two"}, {"name": "c"}]
    assert user_passwords(users) == users


def test_a_password_of_nobody_is_told_without_it():
    with pytest.raises(AnsibleFilterError) as caught:
        user_passwords([{"name": "alice"}], {"alise": "hunter2"})
    assert "'Default/alise' is no declared user; the nearest is 'Default/alice'" in str(caught.value)
    assert "hunter2" not in str(caught.value)
