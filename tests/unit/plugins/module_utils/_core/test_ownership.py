# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deciding over named objects: what is not ours is safe from us."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, ownership
from ansible_collections.sovereign.region.plugins.module_utils._core.ownership import Existing
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.none() | st.integers(0, 2)
DECLARED = st.dictionaries(
    st.text(max_size=2),
    st.fixed_dictionaries(
        {"a": VALUES, "enabled": st.none() | st.booleans(), "state": st.sampled_from(["present", "absent"])}
    ),
    max_size=5,
)
THERE = st.dictionaries(
    st.text(max_size=2),
    st.builds(
        Existing,
        id=st.just("id"),
        owned=st.booleans(),
        in_use=st.sampled_from([(), ("it has servers",)]),
        fields=st.fixed_dictionaries({"a": st.integers(0, 2), "enabled": st.booleans()}),
    ),
    max_size=5,
)


@given(DECLARED, THERE, st.booleans(), st.booleans())
def test_every_decision_is_safe(declared, there, adopt, purge):
    decision = ownership.decide("thing", declared, there, adopt, purge)
    for action in decision.removals:
        assert there[action.name].owned and not there[action.name].in_use
        assert purge or declared[action.name]["state"] == "absent"
        assert declared.get(action.name, {}).get("state") != "present"
    for action in decision.changes:
        found = there.get(action.name)
        assert declared[action.name]["state"] == "present"
        assert "state" not in action.after and None not in action.after.values()
        assert (action.verb == "create") == (found is None)
        assert (action.verb == "adopt") == bool(found and not found.owned)
        if found:
            assert action.before == {key: found.fields[key] for key in action.after}
            assert all(found.fields[key] != value for key, value in action.after.items())
            assert action.after or action.verb == "adopt"
            assert action.verb != "adopt" or adopt
            stops = found.fields["enabled"] and action.after.get("enabled") is False
            assert bool(action.interrupts) == bool(stops)
    order = [action.name for action in decision.changes]
    assert order == [name for name in declared if name in order]


def test_turning_on_and_off_have_verbs_of_their_own():
    there = {"p": Existing("id", {"enabled": True, "a": 1}, True)}
    (action,) = ownership.decide("project", {"p": {"enabled": False, "a": None, "state": "present"}}, there).changes
    assert (action.verb, action.interrupts) == ("disable", "every token of the project stops working")
    (action,) = ownership.decide("project", {"p": {"enabled": False, "a": 2, "state": "present"}}, there).changes
    assert action.verb == "update" and action.interrupts


@pytest.mark.parametrize(
    "value, candidates, expected",
    [
        ("reserch", ["research", "ops"], "research"),
        ("X", ["x"], "x"),
        ("zzz", ["a"], None),
        (None, ["None"], "None"),
        ("a", [], None),
    ],
)
def test_the_nearest_name(value, candidates, expected):
    assert errors.nearest(value, candidates) == expected


def test_an_unknown_name_says_what_there_is():
    assert errors.unknown_name("p", "x", "domain", []) == "p: 'x' is no domain; there is none"
    assert errors.unknown_name("p", "x", "domain", "abcdefghij").endswith("known: a, b, c, d, e, f, g, h, …")


@pytest.mark.parametrize("adopt", [False, True])
def test_what_bears_another_owners_mark_is_not_taken_over(adopt):
    there = {"p": Existing("id", {"enabled": True}, False, other="sovereign.region:elsewhere")}
    decision = ownership.decide("project", {"p": {"enabled": False, "state": "present"}}, there, adopt=adopt)
    assert decision.changes == []
    assert "belongs to sovereign.region:elsewhere" in decision.refusals[0]
