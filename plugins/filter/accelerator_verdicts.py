# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: accelerator_verdicts
short_description: Judge whether hosts are what their pools say, and whether their cards are well
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns a verdict of the rule C(accelerators.declared) and one of C(accelerators.health) for each host.
  - What would have to be changed is a C(fail), a host that was not reached is an C(error), and what nobody told is
    never a C(pass).
positional: _input
options:
  _input:
    description: What came out of each host, as the playbooks of this collection collect it.
    type: list
    elements: dict
    required: true
  time:
    description: When it was asked, in UTC, as ISO 8601.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Judge the hosts
  ansible.builtin.set_fact:
    verdicts: "{{ outcomes | sovereign.region.accelerator_verdicts(time='2026-11-21T08:00:00Z') }}"
"""

RETURN = r"""
_value:
  description: Verdicts.
  type: list
  elements: dict
"""

from ..module_utils._accelerators.host_verdicts import judge


class FilterModule:
    def filters(self):
        return {"accelerator_verdicts": judge}
