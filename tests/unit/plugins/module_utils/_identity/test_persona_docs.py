# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about personas says what the collection does: its table, its personas, its findings and its examples."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._identity import (
    persona_check,
    persona_policy,
    persona_text,
    policy_effective,
    policy_findings,
)
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_tables import TABLES
from ansible_collections.sovereign.region.plugins.module_utils._region.personas import PERSONAS

PAGE = (Path(__file__).parents[5] / "docs" / "personas.md").read_text(encoding="utf-8")
HYPERVISORS = {"nova": {"os_compute_api:os-hypervisors:list": "role:reader"}}


def check(**given):
    made = {name: option.get("default") for name, option in persona_check.ARGUMENT_SPEC.items()}
    empty = {"scope": None, "rule": None, "operation": None, "target": "own"}
    return persona_check.check(dict(made, expect=[dict(empty, **row) for row in given.pop("expect", [])], **given))


def test_the_table_is_current():
    rows = persona_policy.table({service: policy_effective.effective(service) for service in TABLES})
    shown = PAGE.partition("<!-- table: tools/policy_table.py -->\n")[2].partition("<!-- end of table -->")[0]
    assert shown == persona_text.of_table(rows)


def test_the_personas_are_those_of_the_region_document():
    shown = re.findall(r"^\| (\w+) \| `(\w+)` \| ([a-z, ]+) \| ", PAGE, re.M)
    assert shown == [(name, one["role"], ", ".join(one["scopes"])) for name, one in PERSONAS.items()]


def test_the_releases_are_those_of_the_tables():
    for service, table in TABLES.items():
        assert "{0} {1}".format(service.capitalize(), table.VERSION.partition(".")[0]) in PAGE


def test_every_finding_is_explained():
    source = inspect.getsource(policy_findings)
    known = set(re.findall(r'_finding\(\s*"(\w+)", "(\w+)"', source))
    assert len(known) > 10
    assert known == set(re.findall(r"^\| `(\w+)` \| (critical|warning|info) \|", PAGE, re.M))


def test_the_message_is_the_one_that_is_shown():
    (shown,) = [line for line in PAGE.splitlines() if line.startswith("widened: ")]
    assert shown in check(overrides=HYPERVISORS)["failures"]


def test_the_examples_are_right():
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]
    (task,) = blocks[0][0]["tasks"]
    assert set(task["sovereign.region.identity_persona_check"]) <= set(persona_check.ARGUMENT_SPEC)
    rows = blocks[1]["expect"]
    whole = [dict({"scope": None, "rule": None, "operation": None}, **row) for row in rows]
    assert persona_check.validate({"expect": whole, "overrides": {}}) == []
    assert [failure for failure in check(overrides=HYPERVISORS, expect=rows)["failures"] if "expect" in failure] == []


@pytest.mark.parametrize("value", ["", None])
def test_a_name_without_a_value_lets_everybody_in(value):
    result = check(overrides={"nova": {"os_compute_api:servers:index:get_all_tenants": value}})
    assert "reader" in {row["persona"] for row in result["widened"]}
