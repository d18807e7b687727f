#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: sriov_vfs
short_description: Make the VFs of PFs, put them on a driver, and bring them back at boot
version_added: 0.1.0
description:
  - Gives each declared PF its number of VFs. The kernel makes VFs only where there are none, so another number is
    written after 0, which removes those that exist; that has to be allowed with O(allow_interruption).
  - The order is probing of new VFs, number of VFs, then for each VF its C(driver_override) and C(drivers_probe). Each
    is one action, and each is read back.
  - VFs of NVIDIA's GPUs are made by C(/usr/lib/nvidia/sriov-manage). It is tried five times while it C(Cannot obtain
    unbindLock), and what it did is counted in C(sriov_numvfs) and in VFs, because its exit status lies at times. It
    takes the GPU off its driver for a moment, which destroys MIG instances and ends heterogeneous vGPU mode. Where the
    tool is not installed, C(sriov_numvfs) is written, and the action says so.
  - VFs of AMD's GPUs are parameters of the module C(gim) for all GPUs of the host at once. They are written to
    C(/etc/modprobe.d/sovereign-region-gim.conf), and C(gim) is loaded anew. GPUs that are not declared keep their
    number.
  - VFs in use are never removed and never unbound. Who has them is said. In use is what a process or a virtual machine
    has open, what carries a mediated device, and a network interface that is up.
  - A run that was killed is continued by the next one from what it finds, also after a C(sriov-manage) that was killed.
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
      vfs:
        description:
          - How many VFs it has; V(0) for none. At most C(sriov_totalvfs).
          - For NVIDIA's GPUs all or none, since C(sriov-manage) makes all.
        type: int
        required: true
      driver:
        description:
          - The driver that its VFs are on. V(vfio) is the best VFIO driver for them, that is C(vfio-pci) or a variant
            driver; V(default) is the kernel's own choice, for which the modules that know the VFs are loaded; V(none)
            leaves them without a driver; any other text is the name of a driver, as in C(/sys/bus/pci/drivers).
          - Left as it is when not given. VFs of NVIDIA's GPUs stay on C(nvidia), which hands vGPUs to VFIO itself.
          - At boot, new VFs are held back from probing while any of them has a file of M(sovereign.region.pci_driver)
            or of driverctl, so that nothing takes it before that is applied.
        type: str
      autoprobe:
        description:
          - Whether the kernel binds new VFs to a driver by itself (C(sriov_drivers_autoprobe)). When not given, it
            follows from O(devices[].driver), and without that it is left as it is.
        type: bool
      local_memory_mib:
        description: MiB of local memory of each VF of an Intel GPU, given out by C(xpu-smi) when the VFs are made.
        type: int
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
  - sovereign.region.host.slices
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.vgpu_profiles
  - module: sovereign.region.mig_layout
  - module: sovereign.region.pci_driver
notes:
  - Needs root.
  - Not run on hardware by this project are C(gim), C(xpu-smi) and C(sriov-manage); they are tested on simulated hosts.
"""

EXAMPLES = r"""
- name: What would change if a network card had 8 VFs on VFIO
  sovereign.region.sriov_vfs:
    devices:
      - address: "0000:21:00.0"
        vfs: 8
        driver: vfio
  check_mode: true
  register: planned

- name: Make them, for now and for every boot
  sovereign.region.sriov_vfs:
    devices:
      - address: "0000:21:00.0"
        vfs: 8
        driver: vfio
    expected_actions: "{{ planned.actions }}"

- name: All VFs of two L40S, before they get vGPU types
  sovereign.region.sriov_vfs:
    devices:
      - address: "0000:41:00.0"
        vfs: 32
      - address: "0000:61:00.0"
        vfs: 32
    allow_interruption: true

- name: Four VFs of an MI300X on VFIO, made by gim
  sovereign.region.sriov_vfs:
    devices:
      - address: "0000:c1:00.0"
        vfs: 4
        driver: vfio
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
      kind: VF count
      name: "0000:21:00.0"
      before: {vfs: 0}
      after: {vfs: 8}
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
    driver:
      description: The driver that the PF is on; null when on none.
      type: str
      returned: always
    total:
      description: How many VFs it offers at most.
      type: int
      returned: always
    vfs:
      description: Its VFs, each with C(address), C(index), C(driver) and C(iommu_group).
      type: list
      elements: dict
      returned: always
    restored:
      description: Whether its VFs come back at boot.
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

from ..module_utils._accelerators import vfs
from ..module_utils._core import host_module


def main():
    host_module.run(vfs)


if __name__ == "__main__":
    main()
