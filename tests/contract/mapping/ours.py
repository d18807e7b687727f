# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own answers, in the form of Keystone's."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_engine
from contract.mapping import canonical


def answer(case: list) -> list:
    """["accepted", text of the result] or ["refused", exception, reason]."""
    version, rules, claims = case
    evaluation = mapping_engine.evaluate(rules, version, claims)
    if evaluation.accepted:
        return ["accepted", canonical.of_result(evaluation.result)]
    return ["refused", canonical.exception_name(evaluation.exception), evaluation.reason]
