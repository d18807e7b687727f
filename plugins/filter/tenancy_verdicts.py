# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: tenancy_verdicts
short_description: Judge whether tenancy is as declared
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns one verdict of the rule C(tenancy.declared) for each module that was run in check mode. Any action that is
    left is a C(fail); a module that could not ask is an C(error); what was not asked is never a C(pass).
positional: _input
options:
  _input:
    description: What each module returned, by what it is about, such as C(projects).
    type: dict
    required: true
  time:
    description: When it was asked, in UTC, as ISO 8601.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Judge projects
  ansible.builtin.set_fact:
    verdicts: "{{ {'projects': checked} | sovereign.region.tenancy_verdicts(time='2026-11-21T08:00:00Z') }}"
"""

RETURN = r"""
_value:
  description: Verdicts.
  type: list
  elements: dict
"""

from ..module_utils._core.result import declared_verdicts


class FilterModule:
    def filters(self):
        return {"tenancy_verdicts": declared_verdicts}
