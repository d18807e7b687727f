#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mig_layout
short_description: Set MIG mode and MIG instances of NVIDIA GPUs by PCI address, and bring them back at boot
version_added: 0.1.0
description:
  - Sets MIG mode and the MIG instances of each declared GPU through C(nvidia-smi), addressed by PCI address, since
    indexes change with every card that is added.
  - Instances are compared as a bag of profiles, with placements where they are declared. Those that are right stay; the
    others are destroyed, compute instance first, when nothing works on the GPU and O(allow_interruption) is set; what
    is missing is made by one command, large instances first. More instances beside those in use interrupt nothing.
  - Changing the mode interrupts, needs a GPU on which nothing works, and is refused beside VFs. From Hopper on it takes
    effect at once. On Ampere it may stay I(pending) until the GPU is reset or the host is rebooted; then it is reported
    as C(deferred), is not planned again, and the instances are made by the boot, or by a run after the reset.
  - What restores MIG at boot is written before anything else, because a pending mode may need that boot.
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
        description: PCI address of the GPU, such as V(0000:41:00.0), in quotes, since YAML reads some as numbers.
        type: str
        required: true
      mode:
        description: MIG mode. With V(disabled) all MIG instances are destroyed first.
        type: str
        choices: [enabled, disabled]
        default: enabled
      instances:
        description:
          - All MIG instances of the GPU; an empty list for none. Each is a GPU instance with one compute instance over
            all of it. Left as they are when not given.
        type: list
        elements: dict
        suboptions:
          profile:
            description: Name of the profile, such as V(1g.18gb), as C(nvidia-smi mig -lgip) lists it.
            type: str
            required: true
          count:
            description: How many of it.
            type: int
            default: 1
          placements:
            description: The first memory slice of each, as C(nvidia-smi mig -lgipp) lists them. Chosen by the driver
              when not given.
            type: list
            elements: int
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
  - sovereign.region.host.slices
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.vgpu_profiles
  - module: sovereign.region.amd_partitions
notes:
  - Needs root, and NVIDIA's driver with C(nvidia-smi).
  - With vGPUs the order is MIG mode, VFs, MIG instances, vGPU types; C(sriov-manage) destroys MIG instances.
  - Not run on hardware by this project; tested on simulated hosts.
"""

EXAMPLES = r"""
- name: Seven instances of an H200, for now and for every boot
  sovereign.region.mig_layout:
    devices:
      - address: "0000:41:00.0"
        instances:
          - profile: 1g.18gb
            count: 7
    allow_interruption: true

- name: A large one and three small ones, each at its place
  sovereign.region.mig_layout:
    devices:
      - address: "0000:61:00.0"
        instances:
          - profile: 3g.71gb
            placements: [4]
          - profile: 1g.18gb
            count: 3
            placements: [0, 1, 2]

- name: No MIG any more
  sovereign.region.mig_layout:
    devices:
      - address: "0000:41:00.0"
        mode: disabled
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
    - verb: create
      kind: MIG layout
      name: "0000:41:00.0"
      before: null
      after: {profiles: {1g.18gb: 7}}
      interrupts: null
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
    mode:
      description: MIG mode that is in effect; null on a GPU without MIG.
      type: str
      returned: always
    pending:
      description: MIG mode after the next reset of the GPU.
      type: str
      returned: always
    deferred:
      description: What the declared mode waits for; null when it is in effect.
      type: str
      returned: always
    instances:
      description: Its MIG instances, each with C(profile), C(gi_id), C(placement) and C(compute_instances).
      type: list
      elements: dict
      returned: always
    restored:
      description: Whether mode and instances come back at boot.
      type: bool
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

from ..module_utils._accelerators import mig
from ..module_utils._core import host_module


def main():
    host_module.run(mig)


if __name__ == "__main__":
    main()
