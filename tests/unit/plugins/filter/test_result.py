# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result that every verb hands on, and the verdicts on what is declared."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.filter.run_result import FilterModule as Result
from ansible_collections.sovereign.region.plugins.filter.tenancy_verdicts import FilterModule as Verdicts

run_result = Result().filters()["run_result"]
tenancy_verdicts = Verdicts().filters()["tenancy_verdicts"]
ONE = {"verb": "create", "kind": "project", "name": "a/b", "before": None, "after": {}, "interrupts": None,
       "deferred": None}
FIELDS = ["version", "verb", "region", "changed", "failed", "check_mode", "actions", "verdicts", "canary", "api_calls",
          "message"]
TIME = "2026-11-21T08:00:00Z"


def test_it_has_the_documented_fields_and_no_other():
    assert list(run_result([], "plan", "r")) == FIELDS


def test_actions_and_calls_are_those_of_all_modules_in_order():
    other = dict(ONE, name="a/c")
    result = run_result([{"actions": [ONE], "api_calls": 3}, {"actions": [other], "api_calls": 2}], "site", "r")
    assert result["actions"] == [ONE, other]
    assert (result["api_calls"], result["changed"], result["failed"]) == (5, True, False)
    assert result["message"] == "Done in region r: 2 changes: 2 projects"


def test_a_failed_module_counts_with_what_it_did():
    result = run_result([{"actions": [ONE], "failed": True}, {}], "site", "r", failure="could not")
    assert (result["failed"], result["actions"], result["message"]) == (True, [ONE], "could not")


def test_a_check_of_site_is_a_plan():
    assert run_result([{"actions": [ONE]}], "site", "r", check_mode=True)["message"].startswith("Plan for region r: 1")


def test_drift_that_verify_sees_is_no_change():
    assert run_result([{"actions": [ONE]}], "verify", "r")["changed"] is False


def test_as_declared_is_a_pass_with_evidence():
    (found,) = tenancy_verdicts({"projects": {"actions": [], "api_calls": 3}}, TIME)
    assert (found["rule"], found["status"]) == ("tenancy.declared", "pass")
    assert found["evidence"] == [
        {"source": "keystone GET /domains, /projects", "time": TIME, "status": "ok", "value": []}]


def test_drift_fails_and_says_what_site_would_do():
    (found,) = tenancy_verdicts({"projects": {"actions": [ONE] * 7}}, TIME)
    assert found["status"] == "fail"
    assert found["message"].startswith("site would create project a/b, ")
    assert found["message"].endswith(", and 2 more")


def test_what_was_not_asked_or_could_not_be_is_an_error_never_a_pass():
    results = {"projects": {}, "flavors": {"failed": True, "error": "Forbidden", "msg": "403", "actions": []}}
    assert [one["status"] for one in tenancy_verdicts(results, TIME)] == ["error", "error"]
    assert [one["evidence"][0]["value"] for one in tenancy_verdicts(results, TIME)] == [None, None]


def test_a_refusal_is_a_fail():
    (found,) = tenancy_verdicts({"projects": {"failed": True, "error": "Refused", "msg": "not ours"}}, TIME)
    assert (found["status"], found["message"]) == ("fail", "not ours")
