# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kata_smoke as Ansible runs it. Nothing here can start a pod: there is no client, or what is declared cannot be."""

from __future__ import annotations

import yaml
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke
from ansible_collections.sovereign.region.plugins.modules import kata_smoke
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options

GIVEN = {"handler": "kata", "image": "busybox", "crictl": "/nonexistent/crictl"}


def test_what_cannot_be_right_is_told_with_its_path(run_module):
    status, result, unused = run_module("kata_smoke", dict(GIVEN, timeout=1, devices=[{"address": "41:00.0"}]))
    assert (status, result["error"], result["changed"]) == (1, "DeclarationError", False)
    assert [one.split(":")[0] for one in result["problems"]] == ["timeout", "devices[0].address"]


def test_without_a_client_nothing_is_started(run_module):
    status, result, unused = run_module("kata_smoke", GIVEN)
    assert (status, result["error"]) == (1, "Refused")
    assert "there is no program /nonexistent/crictl" in result["msg"] and "set crictl to the path" in result["msg"]


def test_check_mode_says_so_and_does_not_fail(run_module):
    status, result, unused = run_module("kata_smoke", GIVEN, check=True)
    assert (status, result["passed"], result["changed"]) == (0, None, False)
    assert result["would"] and "/nonexistent/crictl" in result["obstacles"][0]


def test_the_page_and_the_options_are_the_same():
    described = options("kata_smoke")
    assert set(described) == set(smoke.ARGUMENT_SPEC)
    for name, option in smoke.ARGUMENT_SPEC.items():
        assert described[name]["type"] == option["type"]
        assert described[name].get("default") == option.get("default")
        assert described[name].get("required", False) == option.get("required", False)
    assert set(described["devices"]["suboptions"]) == set(smoke.ARGUMENT_SPEC["devices"]["options"])


def test_the_examples_are_valid():
    for task in yaml.safe_load(kata_smoke.EXAMPLES):
        given = task["sovereign.region.kata_smoke"]
        defaults = {key: one.get("default") for key, one in smoke.ARGUMENT_SPEC.items()}
        assert smoke.validate(dict(defaults, **given)) == []
        assert set(given) <= set(smoke.ARGUMENT_SPEC)
