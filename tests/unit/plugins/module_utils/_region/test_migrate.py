# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of the document: a table of pure steps, and clear words where there is none."""

from __future__ import annotations

import copy

from ansible_collections.sovereign.region.plugins.module_utils._region import migrate as module
from ansible_collections.sovereign.region.plugins.module_utils._region.migrate import CURRENT, migrate


def _one_to_two(document):
    document["sites"] = document.pop("places")
    return document


def _two_to_three(document):
    return dict(document, law=dict.fromkeys(document["sites"], "DE"))


STEPS = {1: _one_to_two, 2: _two_to_three}


def test_steps_are_taken_one_after_the_other():
    old = {"version": 1, "places": ["a"]}
    before = copy.deepcopy(old)
    assert migrate(old, STEPS, 3) == ({"version": 3, "sites": ["a"], "law": {"a": "DE"}}, [])
    assert old == before


def test_a_step_may_be_in_the_middle():
    assert migrate({"version": 2, "sites": []}, STEPS, 3) == ({"version": 3, "sites": [], "law": {}}, [])


def test_the_present_version_stays():
    document = {"version": CURRENT, "any": 1}
    assert migrate(document) == (document, [])


def test_unknown_versions():
    for version, why in ((0, "no release of sovereign.region knows it"), (4, "a newer release of sovereign.region")):
        (problem,) = migrate({"version": version}, STEPS, 3)[1]
        assert (problem.path, problem.value) == ("version", version)
        assert problem.expected.startswith("version 1, 2, 3; " + why)


def test_what_is_no_version_is_left_to_the_schema():
    for document in ({}, [], None, {"version": "1"}, {"version": True}, {"version": 1.5}):
        assert migrate(document) == (document, [])


def test_every_older_version_has_a_step():
    assert sorted(module.STEPS) == list(range(1, CURRENT))
