# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy language: generated rules, well formed and not, mean to us what they mean to oslo.policy."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_decision import Question, answer
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_language import parse, text_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# One exchange with the oracle a list, so that thousands of rules cost seconds.
SETTINGS = settings(max_examples=60, deadline=None, database=None, derandomize=True,
                    suppress_health_check=list(HealthCheck))
CHECKS = st.sampled_from([
    "role:admin", "role:Reader", "role:%(wanted)s", "role:", "rule:first", "rule:second", "rule:nowhere", "@", "!",
    "project_id:%(project_id)s", "project_id:%(missing)s", "None:%(nothing)s", "'public':%(visibility)s",
    "True:%(flag)s", "1:%(number)s", "token.domain.id:%(domain)s", "token.roles.name:reader", "token.user:x",
    "system_scope:all", "user_id:own", "unknown:x", "a..b:c", "a-b:c", "role:100%", "role:%s", "role:%(number)d",
    "roles:reader", "nothing:None", "\"quoted\":%(visibility)s", "[1]:[1]", "x[:y", "nonsense", "'text'", "\"text\"",
    "%(visibility)s:public", ":", "::", "role:a:b", "None:None", "token:%(nothing)s", "{}:{}",
])
WORDS = st.one_of(CHECKS, st.sampled_from([
    "and", "or", "not", "AND", "Or", "(", ")", "((", "))", "()", ")(", "  ", "\t", "(role:admin", "role:reader)",
    "(not", "notrole:x", "and)", "\u00a0", "\n"]))


@st.composite
def expressions(draw, depth=3):
    """A rule that is well formed."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(CHECKS)
    kind = draw(st.sampled_from(["and", "or", "not", "()"]))
    first = draw(expressions(depth=depth - 1))
    if kind == "not":
        return "not " + first
    if kind == "()":
        return "({0})".format(first)
    return "{0} {1} {2}".format(first, kind, draw(expressions(depth=depth - 1)))


MALFORMED = st.one_of(
    st.lists(WORDS, max_size=9).map(" ".join), st.lists(WORDS, max_size=6).map("".join),
    st.text(alphabet="()@!:'\"%sandortrole \t\n\u2003é", max_size=30), st.text(max_size=15))
LISTS = st.lists(st.one_of(CHECKS, st.lists(st.one_of(CHECKS, CHECKS, st.integers(0, 3)), max_size=3)), max_size=4)
CREDENTIALS = {
    "roles": ["Admin", "reader"], "project_id": "own", "user_id": "own", "system_scope": None, "nothing": None,
    "token": {"domain": {"id": "own"}, "roles": [{"name": "reader"}, {"name": "member"}], "user": "x"},
}
TARGET = {"project_id": "own", "wanted": "reader", "nothing": None, "visibility": "public", "flag": True, "number": 1,
          "domain": "own"}


def understood(rule):
    """A rule as we read it, in oslo.policy's words."""
    tree = parse(rule).tree
    return "error" if tree is None else text_of(tree)


@pytest.mark.parametrize("rules", [expressions(), MALFORMED, LISTS], ids=["well formed", "malformed", "lists"])
def test_every_rule_is_read_alike(oracles, rules):
    counted = []

    @SETTINGS
    @given(st.lists(rules, min_size=20, max_size=60))
    def check(batch):
        theirs = oracles("none").ask("parse", rules=batch)
        ours = [understood(rule) for rule in batch]
        assert ours == theirs, [three for three in zip(batch, ours, theirs) if three[1] != three[2]][:3]
        counted.extend(theirs)

    check()
    assert len(counted) > 1000 and len(set(counted)) > 50


def test_every_rule_answers_alike(oracles):
    answers = []

    @settings(SETTINGS, max_examples=600)
    @given(st.dictionaries(st.sampled_from(["first", "second", "third", "default"]),
                           st.one_of(expressions(), expressions(), MALFORMED, LISTS), min_size=1))
    def check(rules):
        names = sorted(rules)
        trees = {name: parse(rule).tree for name, rule in rules.items()}
        if None in trees.values():
            return
        theirs = oracles("none").ask("evaluate", rules=rules, names=names, target=TARGET, credentials=CREDENTIALS)
        ours = [answer(trees[name], Question(trees, TARGET, CREDENTIALS, "none")) for name in names]
        assert [one if one is not None else "error" for one in ours] == theirs, (rules, ours, theirs)
        answers.extend(theirs)

    check()
    assert all(answers.count(one) > 20 for one in (True, False, "error")), len(answers)
