# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: run_result
short_description: The result of a verb as data
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns the dictionary that every playbook of this collection hands on as C(sovereign_region_result).
positional: _input
options:
  _input:
    description: What the modules returned, in the order in which they ran. A failed one counts with what it did.
    type: list
    elements: dict
    required: true
  verb:
    description: The playbook.
    type: str
    required: true
  region:
    description: Name of the region; none when the document could not be read.
    type: str
  check_mode:
    description: Whether nothing was changed.
    type: bool
    default: false
  failure:
    description: The message of what failed. Empty when nothing did.
    type: str
    default: ""
  verdicts:
    description: What C(verify) found.
    type: list
    elements: dict
    default: []
  canary:
    description: What booting one server for each flavor found.
    type: list
    elements: dict
    default: []
  message:
    description: What to say instead of the headline of the actions.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Hand on what was planned
  ansible.builtin.set_stats:
    data:
      sovereign_region_result: "{{ [projects, flavors] | sovereign.region.run_result(verb='plan', region='region-a') }}"
    per_host: false
"""

RETURN = r"""
_value:
  description: The result, with C(version), C(verb), C(region), C(changed), C(failed), C(check_mode), C(actions),
    C(verdicts), C(canary), C(api_calls) and C(message).
  type: dict
"""

from ..module_utils._core.result import run_result


class FilterModule:
    def filters(self):
        return {"run_result": run_result}
