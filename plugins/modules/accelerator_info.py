#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: accelerator_info
short_description: Say which accelerators a host has, who holds them, and what stands in the way of a VM
version_added: 0.1.0
description:
  - Reads every accelerator of a host from sysfs and procfs, that is, every PCI function of the classes 0300, 0302, 0380
    and 1200, with its IOMMU group, its VFs, its vGPU types and those who hold it, and what the host itself has.
  - Vendors' tools that are installed add what only they know, by PCI address. They never add a device, and one that is
    absent, prints nonsense or hangs is a status and no more.
  - Changes nothing and loads no module. What is not known is null; nothing is guessed.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  root:
    description:
      - Directory that stands for C(/), for a host that is simulated or whose files are copied. Everything is read
        below it from C(sys), C(proc), C(dev), C(etc), C(run) and C(lib/modules).
      - Vendors' tools still run from the E(PATH) of this host; a row of theirs whose address is not on the bus below
        O(root) is dropped and counted.
    type: path
    default: /
  addresses:
    description:
      - Addresses of further PCI functions to describe, such as a NIC whose VFs are handed out. In quotes, since YAML
        takes them for numbers otherwise.
      - One that the host does not have is in RV(not_found).
    type: list
    elements: str
    default: []
  vendor_tools:
    description: Whether C(nvidia-smi), C(amd-smi), C(rocm-smi) and C(xpu-smi) are asked, where there is a device of
      that vendor.
    type: bool
    default: true
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
seealso:
  - module: sovereign.region.capacity_info
"""

EXAMPLES = r"""
- name: What this host has
  sovereign.region.accelerator_info:
  register: hardware

- name: Name each GPU whose IOMMU group a VM could not have, and why
  ansible.builtin.debug:
    msg: "{{ item.address }} {{ item.model }}: {{ item.group.reason }}"
  loop: "{{ hardware.accelerators | selectattr('kind', 'equalto', 'gpu') | selectattr('group') | list }}"
  loop_control:
    label: "{{ item.address }}"
  when: not item.group.viable

- name: The GPUs and a NIC, from files alone
  sovereign.region.accelerator_info:
    addresses: ["0000:17:00.0"]
    vendor_tools: false
"""

RETURN = r"""
accelerators:
  description: Every function of the classes 0300, 0302, 0380 and 1200, VFs included, in the order of their addresses.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: PCI address as sysfs writes it.
      type: str
      returned: success
      sample: "0000:41:00.0"
    vendor_id:
      description: Vendor in hexadecimal; likewise C(device_id), C(subsystem_vendor_id), C(subsystem_device_id) and
        C(revision).
      type: str
      returned: success
      sample: 10de
    vendor:
      description: Name of the vendor, or null.
      type: str
      returned: success
      sample: NVIDIA
    model:
      description: Model, from the catalogue, or null.
      type: str
      returned: success
      sample: H200 SXM 141GB
    models:
      description: Names under which a pool may call it.
      type: list
      elements: str
      returned: success
      sample: [H200, H200 SXM]
    known:
      description: Whether the id is in the catalogue. An unknown one is listed all the same.
      type: bool
      returned: success
    class:
      description: PCI class, and C(class_name) in words.
      type: str
      returned: success
      sample: "0302"
    kind:
      description: V(gpu), V(display) (a console, such as that of a management controller), V(nic), V(audio), V(usb),
        V(ucsi), V(nvswitch), V(bridge) or V(other).
      type: str
      returned: success
    numa_node:
      description: NUMA node, or null.
      type: int
      returned: success
    link:
      description: Speed in GT/s and width, now and at best; C(degraded) is by width only, since an idle GPU slows down.
      type: dict
      returned: success
      sample: {speed_gts: 32.0, width: 16, max_speed_gts: 32.0, max_width: 16, degraded: false}
    bars:
      description: Memory BARs with C(index), C(size) in bytes, C(prefetchable) and C(bits).
      type: list
      elements: dict
      returned: success
    reset_methods:
      description: How the kernel can reset it, best first. Also C(modalias).
      type: list
      elements: str
      returned: success
      sample: [flr, bus]
    driver:
      description: Driver in use, or null. Also C(driver_version) and C(driver_override).
      type: str
      returned: success
      sample: vfio-pci
    vfio_driver:
      description: Driver that VFIO should have for it, V(vfio-pci) or the best variant driver of the running kernel.
      type: str
      returned: success
    device_links:
      description: Functions that the kernel ties to it, in C(consumers) and C(suppliers).
      type: dict
      returned: success
    iommu_group:
      description: Number of its IOMMU group, or null where the IOMMU is off.
      type: int
      returned: success
    group:
      description:
        - Its IOMMU group, or null, with C(viable) (whether a VM could have it as it is), C(reason) in words, and
          C(members).
        - Each member has C(address), C(vendor_id), C(device_id), C(class), C(driver), C(driver_override) and C(role).
        - The role is V(gpu), V(audio), V(usb), V(ucsi), V(nvswitch), V(bridge), V(vf), V(nic) or V(other) for what is
          of this device, and V(foreign) for what is not.
      type: dict
      returned: success
    sriov:
      description: Null, or C(role) V(pf) with C(total), C(num), C(vf_device_id), C(autoprobe) and C(vfs), or C(role)
        V(vf) with C(pf) and C(index).
      type: dict
      returned: success
    vgpu:
      description: C(framework) (V(none), V(mdev) or V(vendor_vfio)), C(type) and C(type_id) of a VF, types that are
        C(creatable) now, and C(mdevs) that are there.
      type: dict
      returned: success
    mig:
      description: Null, or C(mode), C(pending) and C(instances) with C(profile), C(gi_id) and C(placement).
      type: dict
      returned: success
    partition:
      description: Null, or the compute and memory partition of an AMD card and those that it could have.
      type: dict
      returned: success
    in_use:
      description: Whether a process holds it. Also C(interfaces_up), network interfaces of it that are up, and
        C(boot_vga), whether the console is on it.
      type: bool
      returned: success
    holders:
      description: Who holds it, each with C(kind) (V(process), V(vfio), V(mdev) or V(vgpu)), C(pid), C(command) and
        C(what). Who holds only its driver, such as the node C(nvidiactl), is in C(driver_holders).
      type: list
      elements: dict
      returned: success
    health:
      description: C(status) (V(ok), V(degraded), V(failed) or V(unknown)), C(reasons), C(ecc_uncorrected),
        C(remapped_rows), C(recovery_action) and C(xids) of the kernel log.
      type: dict
      returned: success
    firmware:
      description: Versions of C(vbios) and C(gsp), or null. Also C(uuid). Serial numbers are not read.
      type: dict
      returned: success
    sources:
      description: Status of each vendor's tool for this device, and V(sysfs) when the kernel gives no answer about it.
      type: dict
      returned: success
others:
  description: The functions of O(addresses) that are no accelerators, in the same shape as RV(accelerators).
  returned: success
  type: list
  elements: dict
not_found:
  description: Those of O(addresses) that this host does not have, with C(address) and C(status).
  returned: success
  type: list
  elements: dict
  sample:
    - address: "0000:42:00.0"
      status: no PCI function of this host has this address; the nearest is 0000:41:00.0
host:
  description: The host as a whole.
  returned: success
  type: dict
  contains:
    kernel:
      description: C(release) and C(arguments) of the running kernel.
      type: dict
      returned: success
    iommu:
      description: C(enabled) (the kernel made groups), number of C(groups), C(interrupt_remapping) (null where the
        kernel does not show it) and C(translation) of the groups.
      type: dict
      returned: success
    secure_boot:
      description: Whether Secure Boot is on, or null. Also C(lockdown).
      type: bool
      returned: success
    modules:
      description: Modules that matter to accelerators, with C(loaded) and C(refcnt). Also C(vfio_drivers), those
        registered for PCI.
      type: dict
      returned: success
    nvidia:
      description: NVIDIA's driver, running and installed, open or not, its signer, and Fabric Manager; or null.
      type: dict
      returned: success
    hugepages:
      description: Hugepages with C(size_kib), C(node), C(total) and C(free). Also C(memory_kib) and C(cpus).
      type: list
      elements: dict
      returned: success
    driver_overrides:
      description: Overrides that driverctl restores at boot, drivers by address. Also C(boot_drivers) and C(slicing),
        what this collection restores at boot.
      type: dict
      returned: success
    os:
      description: C(id), C(id_like) and C(version_id) of os-release.
      type: dict
      returned: success
    sources:
      description: Status of each source, V(ok), V(absent), or what was wrong.
      type: dict
      returned: success
    dropped_rows:
      description: Rows of vendors' tools whose address is not on the bus.
      type: int
      returned: success
    counts:
      description: Files C(opened), directories C(listed) and processes C(started).
      type: dict
      returned: success
    seconds:
      description: Time that C(files) and C(tools) took.
      type: dict
      returned: success
problems:
  description: Everything that is wrong with the options, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import errors, steps
from ..module_utils._core.host import Host
from ..module_utils._hardware import facts


def main():
    module = AnsibleModule(argument_spec=facts.ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**facts.execute(Host(module.params["root"]), module.params))
    except errors.RegionError as error:
        module.fail_json(**steps.failure(error))


if __name__ == "__main__":
    main()
