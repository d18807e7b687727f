# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that change a host."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of ``_core/host_module.py: HOST_SPEC``."""

    DOCUMENTATION = r"""
options:
  allow_interruption:
    description:
      - Whether work on the host may be interrupted. Without it, a plan that does so is only shown in check mode. What
        is in use is not touched even then.
    type: bool
    default: false
  expected_actions:
    description: The actions as they were planned before. When those of now differ, nothing is done.
    type: list
    elements: dict
"""

    # For modules that cut accelerators into slices, which build on each other and all vanish at a reboot.
    SLICES = r"""
options:
  persistent:
    description:
      - Whether it comes back at boot. V(true) writes a declaration below C(/etc/sovereign-region/accelerators.d), and a
        program with the systemd unit C(sovereign-region-accelerators.service), which makes what is missing, reads it
        back, removes nothing, and fails with a sentence for each device that did not come back.
      - V(false) removes the declaration of the device.
    type: bool
    default: true
  pending:
    description:
      - Actions that earlier modules of the same run will perform, so that all can be planned from one look at the host.
        What they will do counts as done. Only for planning; in a real run it has been done.
    type: list
    elements: dict
    default: []
"""
