#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_arguments
short_description: Declare kernel arguments, and know whether a reboot is needed for them
version_added: 0.1.0
description:
  - Makes the boot configuration of a host hand the declared arguments to the kernel, and tells whether the running
    kernel has them already. It never reboots.
  - On Debian and Ubuntu it writes C(/etc/default/grub.d/90-sovereign-region.cfg), runs C(update-grub), and reads
    C(/boot/grub/grub.cfg) back; every normal boot entry must carry the arguments. What the operator has in other files
    there is recognised and never repeated or changed. What stands against the declaration there is refused, with path
    and line.
  - On Enterprise Linux and Fedora it calls C(grubby) for all boot entries at once, and reads back the entries in
    C(/boot/loader/entries) and what C(grubby --info=ALL) tells. There, values of the same name are replaced.
  - Other boot loaders (systemd-boot, unified kernel images, ostree and other images, proxmox-boot-tool, extlinux, Xen)
    are refused, with the reason and what to do by hand.
  - Only what is declared in O(arguments), O(absent) or O(iommu) is managed. Arguments that an earlier run declared stay
    until O(absent) names them.
  - A run that was killed is continued by the next one from what it finds, also between the drop-in and C(update-grub).
author:
  - The sovereign.region authors (@sovereign-region)
options:
  arguments:
    description:
      - Arguments that the kernel should be given, one C(name) or C(name=value) in each item, without quotes.
      - Their order is kept where it means something. V(console), V(crashkernel), V(rd.*) and other names of which each
        counts may be given several times; other values of them stay as they are.
      - V(default_hugepagesz), V(hugepagesz) and V(hugepages) mean something only as one list, and are managed as one.
      - The values of V(intel_iommu), V(amd_iommu), V(iommu) and V(pci) add up; V(intel_iommu=on) is there when
        V(intel_iommu=on,sm_on) is.
    type: list
    elements: str
    default: []
  absent:
    description:
      - Arguments that the kernel should not be given. A C(name) means all its values, C(name=value) only that one.
    type: list
    elements: str
    default: []
  iommu:
    description:
      - Also declares what the CPU of this host needs so that devices can be handed to virtual machines. For Intel that
        is V(intel_iommu=on) and V(iommu=pt). AMD's IOMMU is on by itself, so it is V(iommu=pt) alone. For arm64 it is
        nothing.
      - V(false) leaves these arguments as they are.
    type: bool
    default: false
  allow_interruption:
    description: Not needed. Nothing is interrupted, since arguments take effect with the next boot.
    type: bool
    default: false
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.pci_driver
notes:
  - Needs root.
  - A name that the kernel does not know is ignored by the kernel. One that looks like a misspelt one is a warning.
"""

EXAMPLES = r"""
- name: Switch on the IOMMU, whatever the CPU
  sovereign.region.kernel_arguments:
    iommu: true
  register: kernel_arguments

- name: Say why a reboot is needed
  ansible.builtin.debug:
    msg: "{{ kernel_arguments.reboot_reasons }}"
  when: kernel_arguments.reboot_needed

- name: Huge pages for guests, a serial console, and no more quiet boot
  sovereign.region.kernel_arguments:
    arguments:
      - hugepagesz=1G
      - hugepages=448
      - console=tty0
      - console=ttyS0,115200n8
    absent:
      - quiet
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: create
      kind: GRUB drop-in
      name: /etc/default/grub.d/90-sovereign-region.cfg
      before: null
      after: {arguments: [intel_iommu=on, iommu=pt]}
      interrupts: null
      deferred: takes effect after the next reboot
    - verb: run
      kind: boot menu
      name: /boot/grub/grub.cfg
      before: {entries: 3, missing: [intel_iommu=on, iommu=pt], unwanted: [], complete: true}
      after: {entries: 3, missing: [], unwanted: [], complete: true}
      interrupts: null
      deferred: takes effect after the next reboot
boot_loader:
  description: How the arguments are set, V(grub) or V(grubby); null when no boot loader that is known was found.
  returned: success
  type: str
arguments:
  description: The declared arguments, those of O(iommu) first.
  returned: success
  type: list
  elements: str
running:
  description: The arguments of the running kernel.
  returned: success
  type: list
  elements: str
reboot_needed:
  description: Whether the running kernel was started otherwise than declared, in check mode too.
  returned: success
  type: bool
reboot_reasons:
  description: Why, a sentence each.
  returned: success
  type: list
  elements: str
  sample: ["the running kernel was started without 'intel_iommu=on'"]
iommu:
  description: What the running kernel made of the IOMMU.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether there are IOMMU groups.
      type: bool
      returned: always
    groups:
      description: How many.
      type: int
      returned: always
    interrupt_remapping:
      description: Whether interrupts are remapped; null when the kernel does not show it.
      type: bool
      returned: always
    translation:
      description: Type of the default domain, V(identity) with V(iommu=pt); null when it is unknown.
      type: str
      returned: always
    advice:
      description: What to look at, such as the firmware setup, when there are no groups although there should be.
      type: list
      elements: str
      returned: always
advice:
  description: What is probably not meant so, such as a misspelt name; also shown as warnings.
  returned: success
  type: list
  elements: str
error:
  description: Class of the error, such as V(DeclarationError) or V(Refused).
  returned: failure
  type: str
failed_action:
  description: The change that failed, in the shape of the actions.
  returned: when a change failed
  type: dict
problems:
  description: Everything that is wrong with the declaration, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._accelerators import boot
from ..module_utils._core import host_module


def main():
    host_module.run(boot)


if __name__ == "__main__":
    main()
