# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""identity_persona_check as Ansible runs it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("check", [False, True])
def test_what_it_returns(run_module, check):
    status, result, _ = run_module("identity_persona_check", {"services": ["placement"]}, check=check)
    assert (status, result["changed"], result["widened"], result["findings"]) == (0, False, [], [])
    assert {row["service"] for row in result["table"]} == {"placement"} and "### Placement" in result["text"]


def test_it_fails_with_everything_that_it_found(run_module):
    status, result, _ = run_module("identity_persona_check", {
        "services": ["placement"], "overrides": {"placement": {"placement:traits:list": "role:reader"}},
        "expect": [{"persona": "reader", "service": "placement", "operation": "list_traits", "allowed": False}]})
    assert (status, result["error"], len(result["problems"])) == (1, "PolicyNotAsExpected", 4)
    assert result["widened"] and result["table"]


@pytest.mark.parametrize("row, words", [
    ({"persona": "reader", "service": "nova", "allowed": True}, "one of the following is required: rule, operation"),
    ({"persona": "readers", "service": "nova", "rule": "x", "allowed": True}, "value of persona must be one of"),
    ({"persona": "reader", "service": "nova", "rule": "x", "allowed": True}, "'x' is no rule of nova"),
])
def test_options_that_cannot_be_right(run_module, row, words):
    status, result, _ = run_module("identity_persona_check", {"expect": [row]})
    assert status == 1 and words in result["msg"]
