# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: their order, their story, and what is told when one stops in the middle."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.change import Action

PLAN = [Action("create", "project", name, None, {"enabled": True}) for name in ("Default/a", "Default/b", "Default/c")]


def test_an_action_has_seven_public_fields_and_keeps_its_details_to_itself():
    action = Action("delete", "flavor", "f", {"vcpus": 1}, None, details={"id": "secret-id"})
    assert action.as_dict() == {
        "verb": "delete",
        "kind": "flavor",
        "name": "f",
        "before": {"vcpus": 1},
        "after": None,
        "interrupts": None,
        "deferred": None,
    }
    assert "secret-id" not in repr(action)


def test_a_verb_that_does_not_exist():
    with pytest.raises(ValueError, match="'destroy' is none of create, update"):
        Action("destroy", "project", "p")


@pytest.mark.parametrize("stop", range(3))
@pytest.mark.parametrize("error", [errors.Forbidden("no", 403), KeyError("id"), ZeroDivisionError()])
def test_whatever_fails_what_was_done_is_told(stop, error):
    tried = []

    def perform(action):
        tried.append(action)
        if len(tried) == stop + 1:
            raise error

    with pytest.raises(change.PartialFailure) as caught:
        change.apply(PLAN, perform)
    assert tried == PLAN[: stop + 1]
    assert caught.value.done == PLAN[:stop]
    assert caught.value.failed == PLAN[stop]
    assert caught.value.left == 2 - stop
    assert isinstance(caught.value.cause, errors.RegionError)
    words = "no" if isinstance(error, errors.RegionError) else "unexpected " + type(error).__name__
    assert words in str(caught.value)


def test_an_interruption_by_the_user_is_not_swallowed():
    def perform(action):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change.apply(PLAN, perform)


def test_a_diff_names_each_object():
    (entry,) = change.diff([Action("create", "project", "Default/a", None, {"enabled": True})])
    assert entry == {
        "before_header": "project Default/a",
        "after_header": "project Default/a (create)",
        "before": {},
        "after": {"enabled": True},
    }


def test_only_what_is_declared_differs():
    assert change.differing({"a": 1, "b": 2, "c": 3}, {"a": None, "b": 2, "c": 4, "d": 5}) == (
        {"c": 3, "d": None},
        {"c": 4, "d": 5},
    )
    assert change.differing({"enabled": True, "text": "x"}, {"enabled": False, "text": ""}) == (
        {"enabled": True, "text": "x"},
        {"enabled": False, "text": ""},
    )
