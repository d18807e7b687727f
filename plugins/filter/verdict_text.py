# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: verdict_text
short_description: Verdicts as lines that can be read aloud
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns one line for each verdict, and a last one that counts them.
positional: _input
options:
  _input:
    description: Verdicts.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Read out what was found
  ansible.builtin.debug:
    msg: "{{ capacity.verdicts | sovereign.region.verdict_text }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - "pass: tenancy.declared, projects: as declared"
    - "1 verdict: 1 pass"
"""

from ..module_utils._core.words import verdict_lines


class FilterModule:
    def filters(self):
        return {"verdict_text": verdict_lines}
