# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Habits of playbooks and roles that no linter holds for us."""

from __future__ import annotations

import pytest
from checkout import ROOT, files, load, name

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
TASK_FILES = files("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/*.yml", "playbooks/tasks/*.yml")
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/tasks/main.yml"))
BLOCKS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")


def tasks(items):
    """Every task and play of a file, however deep."""
    for item in items or []:
        yield item
        for key in BLOCKS:
            yield from tasks(item.get(key))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=name)
def test_nothing_asks_a_person(path):
    for item in tasks(load(path)):
        assert "vars_prompt" not in item
        assert not {"pause", "ansible.builtin.pause"} & set(item)


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_failures_are_not_hidden(path):
    for item in tasks(load(path)):
        assert not item.get("ignore_errors"), item.get("name")
        assert item.get("failed_when") not in (False, "false", "no"), item.get("name")


@pytest.mark.parametrize("path", TASK_FILES, ids=name)
def test_check_mode_is_not_given_where_ansible_ignores_it(path):
    for item in tasks(load(path)):
        if {"import_playbook", "ansible.builtin.import_playbook"} & set(item):
            assert "check_mode" not in item, "check_mode on import_playbook is silently ignored"


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_every_role_is_specified(role):
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert "main" in specs
    for entry, spec in specs.items():
        assert spec.get("short_description") and spec.get("description"), entry


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_defaults_equal_the_specification(role):
    options = {}
    for spec in load(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        options.update(spec.get("options") or {})
    specified = {option: spec["default"] for option, spec in options.items() if "default" in spec}
    path = role / "defaults" / "main.yml"
    given = (load(path) or {}) if path.is_file() else {}
    assert given == specified


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_variables_carry_the_name_of_the_role(role):
    for spec in load(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        for option in spec.get("options") or {}:
            assert option.startswith(f"{role.name}_"), option
