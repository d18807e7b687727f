# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: plan_text
short_description: A plan in sentences that can be read aloud
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns a headline that counts the changes, one numbered sentence for each action, and the warnings.
positional: _input
options:
  _input:
    description: Actions, as modules of this collection return them.
    type: list
    elements: dict
    required: true
  region:
    description: Name of the region.
    type: str
    required: true
  verb:
    description: What the actions are of. It decides how the headline begins.
    type: str
    default: plan
  warnings:
    description: What is valid and probably not meant.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Read out what would change
  ansible.builtin.debug:
    msg: "{{ planned.actions | sovereign.region.plan_text(region='region-a') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - "Plan for region region-a: 1 change: 1 project"
    - "1. create project research/climate (tags gpu)"
"""

from ..module_utils._core.words import plan_lines


class FilterModule:
    def filters(self):
        return {"plan_text": plan_lines}
