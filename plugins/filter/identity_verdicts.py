# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: identity_verdicts
short_description: Judge whether identity is as declared, and whether mappings do what they are meant to
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns a verdict of the rule C(identity.declared) for each module that was run in check mode, and one each of the
    rules C(identity.mapping_assertions) and C(identity.mapping_findings) for each declared mapping. Findings about
    identity providers and service providers are one more verdict of the latter.
  - A verdict of the rule C(identity.personas) says whether an override of a policy gives a persona more than it should.
  - What would have to be changed is a C(fail), and so is an assertion that does not hold or a critical finding. What
    could not be asked is an C(error). What is not declared has no verdict.
positional: _input
options:
  _input:
    description: What each module returned, by C(groups and users), C(assignments) and C(federation).
    type: dict
    required: true
  declared:
    description: What M(sovereign.region.region) returned as C(identity).
    type: dict
    required: true
  checked:
    description: What M(sovereign.region.identity_mapping_check) returned.
    type: dict
    required: true
  personas:
    description: What M(sovereign.region.identity_persona_check) returned.
    type: dict
    default: {}
  time:
    description: When it was asked, in UTC, as ISO 8601.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Judge identity
  ansible.builtin.set_fact:
    verdicts: >-
      {{ {'federation': compared} | sovereign.region.identity_verdicts(declared=declared.identity, checked=checked,
                                                                       time='2026-11-21T08:00:00Z') }}
"""

RETURN = r"""
_value:
  description: Verdicts.
  type: list
  elements: dict
"""

from ..module_utils._identity.verdicts import verdicts


class FilterModule:
    def filters(self):
        return {"identity_verdicts": verdicts}
