# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""identity_mapping_check as Ansible runs it: no cloud, no library of OpenStack, nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_check
from ansible_collections.sovereign.region.plugins.modules import identity_mapping_check as module

RULES = [{
    "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-groups", "whitelist": ["climate"]}],
    "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}],
}]
MAPPING = {"rules": RULES, "schema_version": 2.0}
ASSERTION = {"name": "a researcher", "claims": {"OIDC-sub": "8c1f", "OIDC-groups": ["climate", "choir"]},
             "expect": {"accepted": True, "user": {"name": "8c1f"}, "group_names": ["research/climate"]}}


@pytest.mark.parametrize("check", [True, False])
def test_an_assertion_that_holds(run_module, check):
    status, result, unused = run_module(
        "identity_mapping_check", {"mapping": MAPPING, "assertions": [ASSERTION]}, check=check)
    assert (status, result["changed"], result["findings"]) == (0, False, [])
    (row,) = result["results"]
    described = yaml.safe_load(module.RETURN)
    assert set(row) == set(described["results"]["contains"])
    assert (row["name"], row["accepted"], row["matched_rules"]) == ("a researcher", True, [0])


def test_one_that_does_not_and_a_finding_are_told_together(run_module):
    rules = [dict(RULES[0], remote=[{"type": "HTTP_OIDC_SUB"}, RULES[0]["remote"][1]])]
    status, result, unused = run_module("identity_mapping_check", {
        "fail_on": "critical",
        "mappings": [{"name": "eduid", "rules": rules, "schema_version": "2.0", "assertions": [ASSERTION]}]})
    assert (status, result["error"], result["changed"]) == (1, "MappingNotAsExpected", False)
    assert [one.split("\n")[0] for one in result["problems"]] == [
        "mapping 'eduid', assertion 'a researcher' does not hold",
        "mappings[0].rules[0].remote[0].type: 'HTTP_OIDC_SUB' is a request header, which a client can write "
        "(header-claim, critical): Map 'OIDC-sub', and set OIDCPassClaimsAs environment."]
    assert [row["reason"] for row in result["results"]] == ["no_rule_matched"]
    assert set(result["findings"][0]) == set(yaml.safe_load(module.RETURN)["findings"]["contains"])
    assert set(result) - {"invocation", "msg", "changed", "failed"} == set(yaml.safe_load(module.RETURN))


def test_malformed_rules_and_claims_are_told_with_their_path(run_module):
    status, result, unused = run_module("identity_mapping_check", {
        "mapping": {"rules": ["no rule"]}, "assertions": [{"name": "x", "claims": {"OIDC-age": 42}}]})
    assert (status, result["error"]) == (1, "DeclarationError")
    assert [one.split(":")[0] for one in result["problems"]] == ["rules[0]", "assertions[0].claims.OIDC-age"]


@pytest.mark.parametrize("options", [{}, {"mapping": MAPPING, "mappings": []}])
def test_one_of_mapping_and_mappings(run_module, options):
    status, result, unused = run_module("identity_mapping_check", options)
    assert status == 1 and "mapping" in result["msg"] and "mappings" in result["msg"]


def test_nothing_declared_is_nothing_to_say(run_module):
    status, result, unused = run_module("identity_mapping_check", {"mappings": []})
    assert (status, result["results"], result["findings"]) == (0, [], [])


def same(described, spec):
    assert set(described) == set(spec)
    for name, option in spec.items():
        for key, default in (("type", "str"), ("default", None), ("required", False), ("choices", None),
                             ("elements", None)):
            assert described[name].get(key, default) == option.get(key, default), (name, key)
        assert bool(option.get("options")) == bool(described[name].get("suboptions"))
        same(described[name].get("suboptions", {}), option.get("options", {}))


def test_the_page_and_the_options_are_the_same():
    same(yaml.safe_load(module.DOCUMENTATION)["options"], mapping_check.ARGUMENT_SPEC)


def test_the_example_holds():
    options = yaml.safe_load(module.EXAMPLES)[0]["sovereign.region.identity_mapping_check"]
    given = dict(dict.fromkeys(mapping_check.CONTEXT), mappings=None, fail_on="warning")
    told = mapping_check.check(dict(given, **options))
    assert [row["accepted"] for row in told["results"]] == [True, False]
    assert told["findings"] == []


def test_the_module_is_thin():
    text = Path(module.__file__).read_text(encoding="utf-8")
    assert text.rpartition('"""')[2].count("\n") < 30
