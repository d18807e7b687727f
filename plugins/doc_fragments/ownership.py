# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module whose objects have an owner."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of ``_core/ownership.py: OWNERSHIP_SPEC``."""

    DOCUMENTATION = r"""
options:
  owner:
    description:
      - Who owns what is created here. The mark is written at creation and read at every later run.
      - Give each region its own when several share one Keystone.
    type: str
    default: sovereign.region
  adopt:
    description: Take over declared objects that exist and do not bear the mark. Without it they are refused.
    type: bool
    default: false
  purge:
    description: Remove objects that bear the mark of the O(owner) and are not declared.
    type: bool
    default: false
"""
