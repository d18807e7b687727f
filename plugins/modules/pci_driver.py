#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: pci_driver
short_description: Hand PCI functions to VFIO or to another driver, and give them back
version_added: 0.1.0
description:
  - Binds PCI functions by their addresses through C(driver_override), so that two cards of one model can go different
    ways. A whole IOMMU group moves together, the audio, USB and UCSI functions of a card with it.
  - All overrides of a group are set, then all its functions are unbound, then all are bound, and the C(driver) link of
    each is read back. Success is what the kernel shows.
  - What is in use is never touched, neither a function that a process, a virtual machine, a mediated device or a
    network interface uses, nor one in a group with such a function. It is refused, and who holds it is said.
  - Refused as well are groups with a function of something else on a driver of the host, PFs whose VFs are enabled, VFs
    of NVIDIA GPUs (they stay on C(nvidia)), bridges and storage controllers. Where the IOMMU is off, nothing can go to
    VFIO; see M(sovereign.region.kernel_arguments).
  - A run that was killed is continued by the next one from what it finds.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  devices:
    description: The functions that are declared. Others, besides their siblings, are left as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: PCI address, such as V(0000:41:00.0), in quotes, since YAML reads some addresses as numbers.
        type: str
        required: true
      driver:
        description:
          - The driver that has to have it. V(vfio) is the best VFIO driver for the function, that is V(vfio-pci) or a
            variant driver such as V(nvgrace_gpu_vfio_pci) that the kernel's C(modules.alias) names for it.
          - V(default) gives it back, that is, no override, and the kernel chooses as it does at boot. A function that
            no driver wants then has none.
          - Any other text is the name of a driver, as in C(/sys/bus/pci/drivers).
        type: str
        default: vfio
  siblings:
    description:
      - Whether the other functions of the same card in the IOMMU group move too. To VFIO they go with the best VFIO
        driver for each of them; with any other driver they go back to their native ones.
      - When V(false) and such a sibling is on a native driver, handing the card to VFIO is refused.
    type: bool
    default: true
  persistent:
    description:
      - Whether it outlasts a reboot. V(true) writes C(/etc/driverctl.d/pci-<address>), as driverctl does, or removes it
        when the driver is V(default). V(false) removes it, or leaves it when the driver is V(default), so that the next
        boot hands the function out again.
      - Where driverctl is installed, its udev rule restores the driver at boot. Elsewhere this module writes a script,
        a systemd unit and a udev rule that do, and removes them with the last of these files.
      - Those would also apply what a driverctl that is gone left in C(/etc/driverctl.d) for other functions. Before
        they are first written such files are refused, each by its name.
    type: bool
    default: true
  allow_console_loss:
    description: Whether the display may be handed out on which the firmware shows the console of the host.
    type: bool
    default: false
  allow_pf_reset_risk:
    description:
      - Whether a whole MI300X or MI355X may be handed out. After the reset that VFIO makes, such a card can be gone
        until the host is rebooted (amd/MxGPU-Virtualization issue 25); its VFs have no such problem.
    type: bool
    default: false
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.kernel_arguments
  - module: sovereign.region.sriov_vfs
notes:
  - Needs root.
"""

EXAMPLES = r"""
- name: What would happen if two H200, with all that is on their cards, went to VFIO
  sovereign.region.pci_driver:
    devices:
      - address: "0000:41:00.0"
      - address: "0000:61:00.0"
  check_mode: true
  register: planned

- name: Hand them to VFIO, for now and for every boot
  sovereign.region.pci_driver:
    devices:
      - address: "0000:41:00.0"
      - address: "0000:61:00.0"
    allow_interruption: true
    expected_actions: "{{ planned.actions }}"

- name: Give one of them back to the host
  sovereign.region.pci_driver:
    devices:
      - address: "0000:61:00.0"
        driver: default
    allow_interruption: true

- name: Hand one VF of a network card to VFIO until the next reboot
  sovereign.region.pci_driver:
    devices:
      - address: "0000:21:10.0"
        driver: vfio-pci
    persistent: false
    allow_interruption: true
"""

RETURN = r"""
actions:
  description:
    - The writes to the host, in order; in check mode those that would be made, after a failure those that were.
    - The C(after) of a bind is the driver, or V(default) where the kernel chooses.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: set
      kind: driver override
      name: "0000:41:00.0"
      before: {driver_override: null}
      after: {driver_override: vfio-pci}
      interrupts: null
      deferred: null
    - verb: unbind
      kind: PCI function
      name: "0000:41:00.0"
      before: {driver: nvidia}
      after: {driver: null}
      interrupts: "nvidia loses 0000:41:00.0 (H200 SXM 141GB)"
      deferred: null
devices:
  description: The declared functions, and the siblings that move with them, as they are now.
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
    role:
      description: What it is, such as V(gpu), V(audio), V(usb), V(ucsi), V(nic) or V(nvswitch).
      type: str
      returned: always
    driver:
      description: The driver that has it; null when none has.
      type: str
      returned: always
    driver_override:
      description: Its C(driver_override); null when it is not set.
      type: str
      returned: always
    driver_at_boot:
      description: The driver in its file of C(/etc/driverctl.d); null without one.
      type: str
      returned: always
    iommu_group:
      description: Number of its IOMMU group.
      type: int
      returned: always
    viable:
      description: Whether VFIO opens the group for a guest, that is, no function of it is on a driver of the host.
      type: bool
      returned: always
    held_by:
      description: Who uses it, in words.
      type: list
      elements: str
      returned: always
error:
  description: Class of the error, such as V(Refused) or V(HostError).
  returned: failure
  type: str
failed_action:
  description: The write that failed, in the shape of the actions.
  returned: when a write failed
  type: dict
problems:
  description: Everything that is wrong with the declaration, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._accelerators import binding
from ..module_utils._core import host_module


def main():
    host_module.run(binding)


if __name__ == "__main__":
    main()
