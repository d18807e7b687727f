# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever was written, the linter answers: for rules that Keystone accepts, and for everything else."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint import all_findings, findings
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_lint_table import KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = st.sampled_from([
    "OIDC-sub", "OIDC-groups", "HTTP_OIDC_SUB", "", "{0}", "{1}", "{9}", "{}", "{0.a}", "{x}", "{", "admin", "name",
    "JSON:{}", "a;b", "^a$", "(a+)+", "(", ".*", "ä", "default", "local", "2.0", "https://id.example",
]) | st.text(max_size=6)
PLAIN = st.none() | st.booleans() | st.integers() | WORDS
KEYS = st.sampled_from([
    "rules", "remote", "local", "type", "any_one_of", "not_any_of", "whitelist", "blacklist", "regex", "user", "name",
    "id", "email", "domain", "group", "groups", "group_ids", "projects", "projects_json", "roles", "schema_version",
    "identity_providers", "service_providers", "protocols", "mapping", "mappings", "remote_ids", "assignments",
    "remote_id_attribute", "authorization_ttl", "federation", "assertion_prefix", "keystone_release", "domains",
    "privileged_users", "state", "persona",
])
ANYTHING = st.recursive(PLAIN, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4)
                        | st.dictionaries(st.integers(), inside, max_size=2), max_leaves=12)

DOMAIN = st.fixed_dictionaries({}, optional={"name": WORDS, "id": WORDS})
REMOTE = st.fixed_dictionaries({"type": WORDS}, optional={"regex": st.booleans()}).flatmap(
    lambda one: st.sampled_from([None, "any_one_of", "not_any_of", "whitelist", "blacklist"]).flatmap(
        lambda operator: st.just(one) if operator is None else st.lists(WORDS, max_size=3).map(
            lambda values: dict(one, **{operator: values}))))
PROJECT = st.fixed_dictionaries(
    {"name": WORDS, "roles": st.lists(st.fixed_dictionaries({"name": WORDS}), max_size=2)}, optional={"domain": DOMAIN})
LOCAL = st.fixed_dictionaries({}, optional={
    "user": st.fixed_dictionaries({}, optional={
        "id": WORDS, "name": WORDS, "email": WORDS, "domain": DOMAIN, "type": st.sampled_from(["local", "ephemeral"])}),
    "group": st.fixed_dictionaries({"id": WORDS}) | st.fixed_dictionaries({"name": WORDS, "domain": DOMAIN}),
    "groups": WORDS,
    "group_ids": WORDS,
    "domain": DOMAIN,
    "projects": st.lists(PROJECT, max_size=2),
    "projects_json": WORDS,
})
RULES = st.lists(
    st.fixed_dictionaries({"remote": st.lists(REMOTE, min_size=1, max_size=3), "local": st.lists(LOCAL, max_size=3)}),
    min_size=1, max_size=3)
CONTEXT = st.fixed_dictionaries({}, optional={
    **{part: st.lists(WORDS, max_size=3) for part in ("groups", "roles", "projects", "domains")},
    "keystone_release": st.sampled_from(["2025.1", "2026.2", "x"]),
})


def proper(found):
    for one in found:
        assert one["severity"] == KINDS[one["id"]].severity
        assert one["path"] and one["message"] and one["fix"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=RULES, version=st.sampled_from(["1.0", "2.0", "3.0"]), context=CONTEXT)
def test_rules_that_keystone_accepts(rules, version, context):
    mapping = {"name": "m", "rules": rules, "schema_version": version}
    proper(findings(mapping, context))
    # What is said does not depend on who asks: twice the same, in a document the same with its path.
    alone = findings(mapping, context)
    together = all_findings([mapping], context)
    assert [dict(one, path="mappings[0]." + one["path"]) for one in alone] == together


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mapping=ANYTHING, context=ANYTHING)
def test_anything_at_all(mapping, context):
    proper(findings(mapping, context))
    proper(all_findings([mapping], context))
    proper(all_findings(mapping if isinstance(mapping, list) else None, context))
    proper(findings({"name": "m", "rules": mapping, "schema_version": "2.0"}, context))
    proper(findings({"rules": [{"remote": mapping, "local": context}]}, {"identity_providers": mapping}))
