#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: amd_partitions
short_description: Set compute and memory partitions of AMD Instinct GPUs, and bring them back at boot
version_added: 0.1.0
description:
  - Writes C(current_compute_partition) and C(current_memory_partition) of GPUs on C(amdgpu), where what the GPU offers
    is checked first.
  - A compute partition changes at once. A memory partition is a request that the driver carries out when it is loaded
    anew; it is reported as C(deferred) and asked for once in each boot. The compute partition follows when the memory
    partition is in effect.
  - A GPU on which something works, or that has VFs, is left as it is, and who works on it is said. Every change has to
    be allowed with O(allow_interruption), since the devices of the GPU are named anew.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  devices:
    description: The GPUs that are declared. Others are left as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: PCI address of the GPU, such as V(0000:c1:00.0), in quotes, since YAML reads some as numbers.
        type: str
        required: true
      compute:
        description: Compute partition, such as V(SPX), V(DPX), V(QPX) or V(CPX). Left as it is when not given.
        type: str
      memory:
        description: Memory partition, such as V(NPS1) or V(NPS4). Left as it is when not given.
        type: str
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
  - sovereign.region.host.slices
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.mig_layout
  - module: sovereign.region.sriov_vfs
notes:
  - Needs root, and the driver C(amdgpu).
  - Not run on hardware by this project; tested on simulated hosts.
"""

EXAMPLES = r"""
- name: Eight compute partitions on an MI300X, for now and for every boot
  sovereign.region.amd_partitions:
    devices:
      - address: "0000:c1:00.0"
        compute: CPX
    allow_interruption: true
"""

RETURN = r"""
actions:
  description: The writes to the host, in order; in check mode those that would be made, after a failure those that
    were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: set
      kind: compute partition
      name: "0000:c1:00.0"
      before: {compute: SPX}
      after: {compute: CPX}
      interrupts: 0000:c1:00.0 is divided anew, and its devices are named anew
      deferred: null
devices:
  description: The declared GPUs as they are now.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: PCI address.
      type: str
      returned: always
    model:
      description: Name of the model, where it is known.
      type: str
      returned: always
    compute:
      description: Compute partition.
      type: str
      returned: always
    compute_available:
      description: Compute partitions that the GPU offers.
      type: list
      elements: str
      returned: always
    memory:
      description: Memory partition.
      type: str
      returned: always
    memory_available:
      description: Memory partitions that the GPU offers.
      type: list
      elements: str
      returned: always
    deferred:
      description: Which of V(memory) and V(compute) still wait for the driver.
      type: list
      elements: str
      returned: always
error:
  description: Class of the error, such as V(Refused) or V(HostError).
  returned: failure
  type: str
failed_action:
  description: The action that failed, in the shape of the actions.
  returned: when an action failed
  type: dict
problems:
  description: Everything that is wrong with the declaration, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._accelerators import partitions
from ..module_utils._core import host_module


def main():
    host_module.run(partitions)


if __name__ == "__main__":
    main()
