# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding has an example that shows it, and one without it. What is good is not complained about."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint import all_findings, findings
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint_table import (
    KINDS,
    SEVERITIES,
    at_least,
)

EXAMPLES = yaml.safe_load(Path(__file__).with_name("mapping_findings.yml").read_text(encoding="utf-8"))
GOOD = {
    "name": "eduid",
    "schema_version": "2.0",
    "rules": [{
        "remote": [
            {"type": "OIDC-sub"},
            {"type": "OIDC-email"},
            {"type": "OIDC-groups", "whitelist": ["climate-users", "gpu-users"]},
        ],
        "local": [
            {"user": {"name": "{0}", "email": "{1}"}},
            {"groups": "{2}", "domain": {"name": "research"}},
        ],
    }],
}
AROUND = {
    "identity_providers": [{
        "name": "eduid",
        "remote_ids": ["https://id.example"],
        "authorization_ttl": 60,
        "protocols": [{"name": "openid", "mapping": "eduid", "remote_id_attribute": "OIDC-iss"}],
    }],
    "groups": {"research/climate-users": {}, "research/gpu-users": {}},
    "roles": ["member", "reader"],
    "projects": ["research/climate"],
    "domains": ["research"],
    "federation": {"assertion_prefix": "OIDC-"},
    "keystone_release": "2026.2",
}


def linted(text):
    """The findings of one example."""
    document = yaml.safe_load(text)
    if "remote" in document:
        document = {"rules": [document]}
    mapping = {"name": document.get("name", "example"), "rules": document.pop("rules", []),
               "schema_version": document.pop("schema_version", "2.0")}
    if mapping["rules"]:
        return findings(mapping, document)
    return all_findings([], document)


def ids(found):
    return [one["id"] for one in found]


@pytest.mark.parametrize("identifier", KINDS)
def test_the_example_shows_it(identifier):
    found = [one for one in linted(EXAMPLES[identifier]["bad"]) if one["id"] == identifier]
    assert found
    for one in found:
        assert set(one) == {"id", "severity", "path", "message", "fix"}
        assert one["severity"] == KINDS[identifier].severity
        assert one["fix"].endswith(".") and not one["message"].endswith(".")


@pytest.mark.parametrize("identifier", KINDS)
def test_the_mended_example_does_not(identifier):
    found = linted(EXAMPLES[identifier]["good"])
    assert identifier not in ids(found)
    assert [one for one in found if one["severity"] == "critical"] == []


def test_there_is_an_example_of_each_and_of_nothing_else():
    assert list(EXAMPLES) == list(KINDS)


@pytest.mark.parametrize("context", [None, {}, AROUND], ids=["nothing", "empty", "everything"])
def test_the_good_mapping_has_no_finding(context):
    assert findings(GOOD, context) == []
    assert all_findings([GOOD], context) == []


def test_what_the_field_notes_call_good_is_good_for_keystone_to_keystone_too():
    remote = [{"type": "MELLON_openstack_user"}, {"type": "MELLON_openstack_roles", "any_one_of": ["member"]}]
    rule = {"remote": remote, "local": [{"user": {"name": "{0}"}, "domain": {"name": "peers"}}]}
    assert findings({"rules": [rule], "schema_version": "2.0"}) == []


def test_the_worst_comes_first():
    rules = [{"remote": [{"type": "HTTP_OIDC_EMAIL"}], "local": [{"user": {"name": "{0}"}, "domain": {"name": "a"}}]}]
    found = findings({"rules": rules, "schema_version": "2.0"})
    assert [one["severity"] for one in found] == sorted(
        (one["severity"] for one in found), key=SEVERITIES.index, reverse=True)
    assert found[0]["path"] == "rules[0].remote[0].type"
    assert "'OIDC-email'" in found[0]["fix"]


def test_a_document_names_the_mapping_and_tells_of_providers_once():
    loose = dict(GOOD, name="other", rules=[dict(GOOD["rules"][0], remote=[{"type": "OIDC-sub"}] * 3)])
    around = {"identity_providers": [{"name": "x", "protocols": [{"name": "openid", "mapping": "eduid"},
                                                                 {"name": "saml2", "mapping": "other"}]}]}
    found = all_findings([GOOD, loose], around)
    open_groups = [one["path"] for one in found if one["id"] == "unfiltered-groups"]
    assert open_groups == ["mappings[1].rules[0].local[1].groups"]
    assert ids(found).count("empty-remote-ids") == ids(found).count("no-ttl") == 1
    assert ids(findings(GOOD, around)).count("empty-remote-ids") == 1


def test_what_is_declared_absent_is_not_looked_at():
    gone = {"identity_providers": [{"name": "x", "state": "absent"}],
            "service_providers": [{"name": "y", "state": "absent"}]}
    assert all_findings([dict(GOOD, rules=[], state="absent")], gone) == []


def test_severities_have_an_order():
    assert at_least("critical", "warning") and at_least("info", "info") and not at_least("warning", "critical")
