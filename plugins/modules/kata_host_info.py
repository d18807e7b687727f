#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: kata_host_info
short_description: Say what a host can do for Kata Containers, and which runtime handlers it can offer
version_added: 0.1.0
description:
  - Reads what Kata Containers needs of a host, that is, the processor's flags, KVM, the nodes for vsock and networking,
    IOMMU groups of accelerators, IOMMUFD, confidential computing, container runtimes, and the syslog socket.
  - KVM is tried, in a child with a time limit, up to a small guest that runs in 64-bit mode with paging, takes an
    exception and uses the instructions with which a kernel of today unpacks itself. A C(/dev/kvm) that opens, and even
    creates virtual machines, proves nothing.
  - Says for each handler whether this host can offer it as it is now and, where not, every reason with what to do.
  - Changes nothing and loads no module. A node whose driver is not registered is not opened, since opening it is what
    makes the kernel load one. What is not known is null, and a handler is offered on what was seen only.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  root:
    description:
      - Directory that stands for C(/), for a host that is simulated or whose files are copied. Only files are read
        then; neither KVM nor any program is asked, since those would be this machine's.
    type: path
    default: /
  probe:
    description:
      - How far KVM is asked. V(present) only looks for C(/dev/kvm), V(openable) opens it and asks for its interface
        version, V(create_vm) makes a virtual machine and closes it, V(run) lets a guest run in it.
      - Below V(run) it is not known whether a guest runs, so no handler is offered on x86.
      - The guest exists for x86_64. On aarch64 the probe ends at V(create_vm), which says enough there, because KVM
        registers itself only where the kernel has the processor's hypervisor mode.
    type: str
    choices: [present, openable, create_vm, run]
    default: run
  timeout:
    description: How long the child that asks KVM may take, and each program that prints its version, in seconds.
    type: float
    default: 20
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
seealso:
  - module: sovereign.region.accelerator_info
  - module: sovereign.region.pci_driver
"""

EXAMPLES = r"""
- name: What this host can do for Kata Containers
  sovereign.region.kata_host_info:
  register: host

- name: Stop where the handler that is wanted is out, and say why
  ansible.builtin.assert:
    that: wanted.offered
    fail_msg: "{{ wanted.reasons | join('\n') }}"
  vars:
    wanted: "{{ host.handlers | selectattr('name', 'equalto', 'qemu-runtime-rs') | first }}"

- name: Every handler that this host can offer
  ansible.builtin.debug:
    msg: "{{ host.handlers | selectattr('offered') | map(attribute='handler') | list }}"

- name: Facts from files alone, without trying KVM
  sovereign.region.kata_host_info:
    probe: present
"""

RETURN = r"""
kata:
  description: The facts.
  returned: success
  type: dict
  contains:
    arch:
      description: Architecture of the kernel, or null. Also C(kernel), its release.
      type: str
      returned: success
      sample: x86_64
    cpu:
      description:
        - C(vendor), C(model), number of C(processors), and those of the C(flags) that matter to virtual machines (null
          where the kernel shows none).
        - C(virtualization) is V(svm), V(vmx) or null; C(nested_paging) is whether C(npt) or C(ept) is there;
          C(hypervisor) is whether this host is a virtual machine itself.
      type: dict
      returned: success
      sample:
        vendor: AuthenticAMD
        model: AMD EPYC 9654 96-Core Processor
        processors: 192
        flags: [svm, npt, nrip_save, bmi1, bmi2, avx2]
        virtualization: svm
        nested_paging: true
        hypervisor: false
    kvm:
      description:
        - C(present), C(openable), C(create_vm) and C(run), each true, false, or null where it was not asked. C(level)
          is the highest that is true, C(asked) is O(probe).
        - C(usable) is whether Kata can run on it, that is, a guest ran and the processor has its virtualization flag;
          null where that is not known. C(reasons) says why not, each with what to do.
        - C(api_version), the C(instructions) that the guest was given, C(detail) of what failed, C(nested) (whether
          guests can have virtual machines themselves, as the module's parameter says) and C(modules) that are loaded.
      type: dict
      returned: success
      sample:
        asked: run
        present: true
        openable: true
        create_vm: true
        run: true
        level: run
        usable: true
        reasons: []
        api_version: 12
        instructions: [long_mode, paging, exception, sse2, popcnt, bmi2, avx2]
        detail: null
        nested: true
        modules: [kvm, kvm_amd]
    nodes:
      description:
        - Device nodes C(vhost_vsock), C(vhost_net), C(tun), C(vfio), C(iommufd), C(sev) and C(sgx_enclave).
        - Each has C(path), C(node) (it is there), C(driver) (it is registered), C(loads) (the module that opening it
          would load), C(available) (opening it leads to a driver) and C(status).
      type: dict
      returned: success
      sample:
        vhost_vsock:
          path: /dev/vhost-vsock
          node: true
          driver: true
          loads: null
          available: true
          status: ok
    iommu:
      description: C(enabled), number of C(groups), C(interrupt_remapping) and C(translation).
      type: dict
      returned: success
    vfio:
      description: Whether VFIO's C(container) and C(iommufd) are there, and the names of VFIO devices in C(cdev).
      type: dict
      returned: success
      sample: {container: true, iommufd: false, cdev: []}
    accelerators:
      description:
        - GPUs and other accelerators with C(address), C(vendor_id), C(device_id), C(vendor), C(model), C(kind),
          C(driver), C(in_use), C(iommu_group) and C(members) of it.
        - C(viable) is whether VFIO could have the group, C(ready) whether a sandbox could have the device as it is,
          with the C(reason) where not. C(cdev) is its VFIO device, or null.
      type: list
      elements: dict
      returned: success
    confidential:
      description:
        - C(sev_snp), C(tdx) and C(sgx), each with C(enabled) as KVM's module says, or null without that module.
        - C(keys) by name, such as C(sev_es) (an SNP guest takes one) and C(tdx), with C(capacity) and C(used).
      type: dict
      returned: success
      sample:
        sev_snp: {enabled: true, sev: true, sev_es: true, node: true}
        tdx: {enabled: null}
        sgx: {enabled: null, node: false, epc_bytes: null}
        keys: {sev_es: {capacity: 99, used: 0}}
    cgroup:
      description: C(version) (2, 1 or null) and the C(controllers) of the root.
      type: dict
      returned: success
    runtimes:
      description:
        - C(containerd), C(crio) and C(docker), each with C(installed), C(version) and C(status).
        - C(config) of containerd has the C(file), its C(version) (1 where the file says none; that of the defaults
          where there is no file), the C(newest) version that this containerd writes, and C(imports).
      type: dict
      returned: success
      sample:
        containerd:
          installed: true
          version: 1.7.24
          status: ok
          config: {file: /etc/containerd/config.toml, version: 2, newest: 2, imports: [], status: ok}
    snapshotters:
      description: C(mkfs_erofs) (C(enough) is whether it is 1.8.2 or later), C(nydus_snapshotter) and C(nydusd) with
        C(installed), C(version) and C(status), and C(filesystems) that the kernel has now.
      type: dict
      returned: success
    syslog:
      description: C(path) of the socket that takes a Go program's log, or null, and whether anything is C(listening).
      type: dict
      returned: success
      sample: {path: /dev/log, listening: true}
    memory_kib:
      description: Memory of the host in KiB. Also C(dev_shm_kib), the size of C(/dev/shm).
      type: int
      returned: success
    sources:
      description: Status of each source, V(ok), V(absent), or what was wrong.
      type: dict
      returned: success
    counts:
      description: Files C(opened), directories C(listed) and processes C(started), and the C(seconds) that it took.
      type: dict
      returned: success
handlers:
  description:
    - Kata's handlers in a fixed order, by upstream's C(name) of the shim, with the C(handler) as it is wired.
    - C(offered) is whether this host can offer it as it is now; C(reasons) is empty exactly then. C(needs) is what
      depends on configuration, such as the snapshotter, and is not held against the host.
    - Also C(shim) (V(go) or V(runtime-rs)), the C(flavour) of the release that has it, the C(hypervisor), whether it
      is for a C(gpu) of NVIDIA, C(confidential) (V(snp), V(tdx) or null), and the addresses of C(accelerators) that it
      could hand out now.
  returned: success
  type: list
  elements: dict
  sample:
    - name: clh
      handler: kata-clh
      shim: go
      flavour: go-static
      hypervisor: cloud-hypervisor
      gpu: false
      confidential: null
      offered: false
      reasons:
        - "the Go shim ends when nothing takes its log: there is no socket /dev/log; start systemd-journald or another
          syslog, or use the handler with runtime-rs"
      needs: null
      accelerators: []
problems:
  description: Everything that is wrong with the options, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import errors, steps
from ..module_utils._core.host import Host
from ..module_utils._isolation import host_facts


def main():
    module = AnsibleModule(argument_spec=host_facts.ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**host_facts.execute(Host(module.params["root"]), module.params))
    except errors.RegionError as error:
        module.fail_json(**steps.failure(error))


if __name__ == "__main__":
    main()
