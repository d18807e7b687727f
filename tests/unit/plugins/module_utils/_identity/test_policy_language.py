# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy language, read and answered. That oslo.policy agrees is held in tests/contract/policy."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity import policy_decision, policy_language
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_decision import Question
from hypothesis import given
from hypothesis import strategies as st

PERSON = {"roles": ["Member", "reader"], "project_id": "mine", "user_id": "me", "system_scope": None, "is_admin": False,
          "token": {"domain": {"id": "home"}, "roles": [{"name": "member"}, {"name": "reader"}]}, "service_roles": []}
THING = {"project_id": "mine", "target.project.id": "theirs", "nothing": None, "kind": "public", "role": "member"}


def said(rule, service="nova", **rules):
    """What a rule answers."""
    trees = {name: policy_language.parse(text).tree for name, text in rules.items()}
    return policy_decision.answer(policy_language.parse(rule).tree, Question(trees, THING, PERSON, service))


@pytest.mark.parametrize("rule, meaning", [
    ("role:a or role:b and role:c", "(role:a or (role:b and role:c))"),
    ("role:a and role:b or role:c", "((role:a and role:b) or role:c)"),
    ("not role:a and role:b", "(not role:a and role:b)"),
    ("not (role:a or role:b)", "not (role:a or role:b)"),
    ("(role:a) AND ( role:b )", "(role:a and role:b)"),
    ("role:a or (role:b and role:c) and role:d", "(role:a or (role:b and role:c and role:d))"),
    ("project_id:%(project_id)s", "project_id:%(project_id)s"),
    ("", "@"), (None, "@"), ([], "@"), ("@", "@"), ("!", "!"),
    ([["role:a", "role:b"], "role:c"], "((role:a and role:b) or role:c)"),
    ([[], ["role:a"]], "role:a"), ([[]], "!"),
    # What cannot be understood refuses everybody.
    ("role:a role:b", "!"), ("role:a or", "!"), ("(role:a", "!"), ("nonsense", "!"), ("'text'", "!"), ("   ", "!"),
    ("not not role:a", "not not role:a"), ("()", "!"), ([[5]], "!"),
])
def test_what_a_rule_means(rule, meaning):
    assert policy_language.text_of(policy_language.parse(rule).tree) == meaning


@pytest.mark.parametrize("rule, words", [
    ("nonsense", "no colon"), ("role:a or", "as a whole"), (True, "bool"), ({"a": 1}, "dict"), ([7], "no text"),
])
def test_what_is_not_meant_so_is_said(rule, words):
    assert words in " ".join(policy_language.parse(rule).problems)


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(rule):
    parsed = policy_language.parse(rule)
    assert policy_language.parse(policy_language.text_of(parsed.tree)).tree is not None


@pytest.mark.parametrize("rule, expected", [
    ("role:member", True), ("role:MEMBER", True), ("role:admin", False), ("role:%(role)s", True),
    ("role:%(none)s", False),
    ("project_id:%(project_id)s", True), ("project_id:%(target.project.id)s", False), ("None:%(nothing)s", True),
    ("'public':%(kind)s", True), ("system_scope:all", False), ("system_scope:None", True),
    ("token.domain.id:home", True),
    ("token.roles.name:reader", True), ("token.roles.name:admin", False), ("service_roles:service", False),
    ("nowhere:x", False), ("is_admin:True", False), ("is_admin:False", True),
    # What only the running service can know is not allowed, and what does not depend on it is.
    ("http://policy.example/x", None), ("not https://policy.example/x", None), ("@ or http://policy.example/x", True),
    ("! and http://policy.example/x", False), ("http://policy.example/x or @", True), ("role:member and http:x", None),
    # What makes the service fail.
    ("role:100%", None), ("role:%(kind)d", None), ("token.domain.id.more:x", None), ("a..b$:x", None),
])
def test_what_a_rule_answers(rule, expected):
    assert said(rule) is expected


def test_rules_refer_to_rules():
    assert said("rule:a", a="rule:b", b="role:member") is True
    assert said("rule:nowhere") is False
    assert said("rule:nowhere", default="@") is True
    assert said("rule:a", a="rule:b", b="rule:a") is None
    assert said("rule:a", a=True) is None and said(True) is None


@pytest.mark.parametrize("rule, expected", [
    ("project_id:%(project_id)s", True), ("tenant_id:%(project_id)s", False), ("project_id:%(port:project_id)s", None),
    ("project_id:mine", None), ("field:networks:shared=True", False), ("field:port:kind=~^pub", True),
    ("field:port:kind=public", True), ("field:networks", None),
])
def test_neutron_has_checks_of_its_own(rule, expected):
    assert said(rule, service="neutron") is expected


def test_a_flag_of_neutron_is_compared_as_one():
    for value, expected in (("True", True), ("true", True), ("1", True), ("False", False)):
        tree = policy_language.parse("field:networks:shared=" + value).tree
        assert policy_decision.answer(tree, Question({}, {"shared": True}, PERSON, "neutron")) is expected
