# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules behave, in the words that ansible-doc shows as attributes."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report the changes that it would make, without making them.
  diff_mode:
    description: Returns what differs between the present and the declared state when in diff mode.
  idempotent:
    description: When run twice with the same parameters, the second run changes nothing.
"""

    # For modules that only look.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: none
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
"""

    # For modules that follow observe, decide, apply and read back.
    CONVERGING_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The actions that are reported in check mode are those that a real run performs.
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    # For all modules that talk to the OpenStack API.
    ACTIONGROUP_OPENSTACK = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/sovereign.region.openstack) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - sovereign.region.openstack
"""
