#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vgpu_profiles
short_description: Give VFs of NVIDIA GPUs their vGPU types by name, and bring them back at boot
version_added: 0.1.0
description:
  - On NVIDIA's own VFIO framework (kernel 6.8 and later) a vGPU is made by writing the number of its type to a VF's
    C(nvidia/current_vgpu_type). The numbers change between driver releases, so the name is declared and written down,
    and the number is looked up when it is written.
  - A PF has one profile, because Nova refuses VFs of one PF in different resource classes and C(nova-compute) does not
    start then. Another mix is refused before anything is touched.
  - What is wrong is taken away before anything is made, since types share the framebuffer. A vGPU that a server has is
    never touched; of several right ones those in use stay. Taking a vGPU away has to be allowed with
    O(allow_interruption).
  - The order is MIG mode, VFs, heterogeneous mode, MIG instances, vGPU types, since each step undoes the later ones.
    What is missing of the earlier ones is said, with the module that makes it.
  - On mdev hosts (older kernels) Nova makes and removes vGPUs itself. There this module only checks that the type
    exists and that C(available_instances) is enough, and returns the directory of the type for C(nova.conf).
author:
  - The sovereign.region authors (@sovereign-region)
options:
  devices:
    description: The PFs that are declared. Others are left as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: PCI address of the PF, such as V(0000:41:00.0), in quotes, since YAML reads some as numbers.
        type: str
        required: true
      profile:
        description:
          - Name of the vGPU type, such as V(L40S-12Q) or V(NVIDIA L40S-12Q), as C(nvidia-smi vgpu -s) lists it. It is
            compared as a whole. Without it all vGPU types are taken away.
        type: str
      count:
        description: How many VFs of the PF get it.
        type: int
        default: 0
      heterogeneous:
        description:
          - Whether the GPU takes types of different sizes (C(nvidia-smi vgpu -shm)). It can only change without vGPUs,
            so those that nobody uses are taken away and made again. Left as it is when not given.
        type: bool
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
  - sovereign.region.host.slices
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.sriov_vfs
  - module: sovereign.region.mig_layout
notes:
  - Needs root, and NVIDIA's vGPU host driver.
  - Not run on hardware by this project; tested on simulated hosts.
"""

EXAMPLES = r"""
- name: Four L40S-12Q on each of two cards
  sovereign.region.vgpu_profiles:
    devices:
      - address: "0000:41:00.0"
        profile: L40S-12Q
        count: 4
      - address: "0000:61:00.0"
        profile: L40S-12Q
        count: 4

- name: Take all vGPU types away that no server uses
  sovereign.region.vgpu_profiles:
    devices:
      - address: "0000:41:00.0"
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
      kind: vGPU type
      name: "0000:41:00.0 VF 0"
      before: {type: null}
      after: {type: L40S-12Q}
      interrupts: null
      deferred: null
devices:
  description: The declared PFs as they are now.
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
    framework:
      description: V(vendor_vfio), V(mdev) or V(none).
      type: str
      returned: always
    vfs:
      description: Its VFs, each with C(address), C(index), C(type) (null without a vGPU) and C(in_use).
      type: list
      elements: dict
      returned: always
    mdev:
      description: On mdev hosts C(type), such as V(nvidia-558), C(available), C(made) and C(parents); null elsewhere.
      type: dict
      returned: always
    restored:
      description: Whether its vGPU types come back at boot.
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

from ..module_utils._accelerators import vgpu
from ..module_utils._core import host_module


def main():
    host_module.run(vgpu)


if __name__ == "__main__":
    main()
