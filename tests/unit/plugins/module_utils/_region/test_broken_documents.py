# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken documents, one a file: what is wrong is said with path, words and nearest name, and nothing else is said."""

from __future__ import annotations

import jsonschema
import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._region.document import ROOT, InvalidDocument, load
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    BROKEN,
    published_schema,
)

SHAPE = jsonschema.Draft202012Validator(published_schema())


@pytest.fixture(params=BROKEN, ids=lambda path: path.stem)
def case(request):
    """One broken document with what has to be said about it."""
    return yaml.safe_load(request.param.read_text(encoding="utf-8"))


def test_there_are_enough():
    assert len(BROKEN) >= 40


def test_every_problem_is_said(case):
    with pytest.raises(InvalidDocument) as caught:
        load(case["document"])
    found = {problem.path: problem for problem in caught.value.found}
    assert sorted(problem.path for problem in caught.value.found) == sorted(one["path"] for one in case["problems"])
    for wanted in case["problems"]:
        problem = found[wanted["path"]]
        assert wanted["says"] in problem.sentence()
        assert problem.nearest == wanted["nearest"]


def test_jsonschema_rejects_what_is_broken_in_shape_only(case):
    assert SHAPE.is_valid({ROOT: case["document"]}) is not case["shape"]


def test_message_has_one_line_for_each_problem(case):
    with pytest.raises(InvalidDocument) as caught:
        load(case["document"])
    lines = caught.value.message().splitlines()
    assert len(lines) == 1 + len(case["problems"])
    assert all(line.startswith("  " + ROOT) for line in lines[1:])
