# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mutmut runs for each change that it makes to the engine: a part of Keystone's answers, in one process.

Lies beside copies of canonical.py and of the engine, see tools/mapping_mutation.py; nothing else collects it.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import canonical

PART = json.loads(Path(__file__).with_name("part.json").read_text(encoding="ascii"))


def fresh_engine():
    """The engine, imported anew: it makes tables while it is imported, and those are to be made by the mutant."""
    for name in [name for name in sys.modules if name.startswith("engine.")]:
        del sys.modules[name]
    return importlib.import_module("engine._identity.mapping_engine")


def test_cases():
    engine = fresh_engine()
    for version, rules, claims, (verdict, text) in PART["cases"]:
        evaluation = engine.evaluate(rules, version, claims)
        if evaluation.accepted:
            assert (verdict, text) == ("accepted", canonical.of_result(evaluation.result))
            assert evaluation.user is evaluation.result["user"]
        else:
            assert (verdict, text) == ("refused", canonical.exception_name(evaluation.exception))
            assert evaluation.accepted is False and evaluation.reason in engine.REFUSALS
            assert isinstance(evaluation.message, str) and evaluation.message


def test_structures():
    engine = fresh_engine()
    for version, rules, refused in PART["structures"]:
        problems = engine.structure_problems(rules, version)
        assert bool(problems) == refused
        for problem in problems:
            assert problem["message"] and isinstance(problem["message"], str)
            assert at({"rules": rules}, problem["path"]) is problem["value"]


def test_a_schema_that_no_keystone_has():
    (problem,) = fresh_engine().structure_problems([], "4.0")
    assert problem["message"] and isinstance(problem["message"], str)
    assert at({"schema_version": "4.0"}, problem["path"]) == problem["value"] == "4.0"


def at(value, path):
    """What stands at a path such as rules[0].local; a problem says where it is."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        value = value[int(index)] if index else value[key]
    return value
