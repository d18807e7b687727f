# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: accelerator_plan
short_description: What has to be done on a host for its pools of accelerators
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Compares the pools of a host with what M(sovereign.region.accelerator_info) found there, and returns the options of
    the modules that make the host what is declared, and their plan where facts are enough to make it.
  - It decides as the modules do, and asks no host anything.
positional: _input
options:
  _input:
    description: What M(sovereign.region.accelerator_info) returned.
    type: dict
    required: true
  pools:
    description: All pools of the host, as M(sovereign.region.region) returns them in C(hosts).
    type: list
    elements: dict
    required: true
  part:
    description: Which pools are looked after. V(passthrough) are whole cards, V(partitioning) are VFs, vGPUs and MIG.
    type: str
    choices: [passthrough, partitioning]
    required: true
  options:
    description: Further options of M(sovereign.region.pci_driver).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Compare this host with its pools
  ansible.builtin.set_fact:
    planned: "{{ found | sovereign.region.accelerator_plan(pools=my_pools, part='passthrough') }}"
"""

RETURN = r"""
_value:
  description:
    - Mapping with C(cards) (PCI addresses by pool), C(problems) (sentences; when there is one, the host is not as its
      pools say and nothing may be done), C(iommu) (whether the IOMMU has to be turned on first), C(modules) (options by
      module), C(actions) (by module what it would do) and C(deferred) (what waits for a reboot).
  type: dict
"""

from ..module_utils._accelerators.pool_plan import plan


class FilterModule:
    def filters(self):
        return {"accelerator_plan": plan}
