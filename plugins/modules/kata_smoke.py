#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: kata_smoke
short_description: Prove that a pod of a runtime handler runs in a virtual machine of its own
version_added: 0.1.0
description:
  - Starts a sandbox with the handler through the CRI, with a container that waits, and asks it what it sees. It then
    asserts that the release and the boot id of its kernel are not the host's, that a hypervisor runs whose command line
    has the id of the sandbox, and that the pod sees no device of the host, in C(/dev) or on the PCI bus.
  - A VFIO device that was asked for has to be in the pod, and nobody but its hypervisor may hold it.
  - The pod is removed in every case, after a failure too, when the time is over, and on SIGTERM, SIGINT and SIGHUP.
    That nothing of it is left is the last assertion, with sandbox, containers, processes, mounts, network namespaces
    and directories of the runtime. What a run that was killed with SIGKILL left is removed first by the next one.
  - Fails when an assertion does not hold. For a handler such as C(runc) or C(runsc) the message has the words C(not a
    virtual machine).
author:
  - The sovereign.region authors (@sovereign-region)
options:
  handler:
    description: The runtime handler, such as V(kata).
    type: str
    required: true
  image:
    description: An image with C(/bin/sh) and C(sleep) that is on the host. It is not pulled.
    type: str
    required: true
  runtime_endpoint:
    description: The socket of the container runtime.
    type: str
    default: unix:///run/containerd/containerd.sock
  crictl:
    description: The client of the CRI, as a path or as a name to look for.
    type: str
    default: crictl
  devices:
    description: PCI functions on a VFIO driver that the pod gets.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: PCI address, such as V(0000:41:00.0), in quotes, since YAML reads some addresses as numbers.
        type: str
        required: true
      cdi:
        description:
          - Name of the device in a CDI specification, such as V(nvidia.com/pgpu=0). Without one, the node of its IOMMU
            group below C(/dev/vfio) is given to the container.
        type: str
  annotations:
    description: Annotations of the sandbox, name and text.
    type: dict
    default: {}
  privileged:
    description:
      - Whether the container is privileged, which shows whether the handler has C(privileged_without_host_devices).
        Without that, a privileged container is given every device of the host.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds each request that starts or stops something may take.
      - Taking the pod away has so many, at least a minute, and half a minute more in all; after a signal it has one
        minute. What is left then is named in the last assertion.
    type: int
    default: 120
extends_documentation_fragment:
  - sovereign.region.attributes
attributes:
  check_mode:
    support: full
    details:
      - Starts nothing. It says what it would do, and what would keep it from that.
  diff_mode:
    support: none
    details:
      - Nothing is left changed.
  idempotent:
    support: full
    details:
      - It removes all that it starts, so it never reports a change.
notes:
  - Needs root, and a network that the runtime can give to a pod.
  - A host that is a virtual machine itself has QEMU's own chipset and virtio functions at the same addresses as its
    guests. These are left out of the comparison of the PCI buses.
seealso:
  - module: sovereign.region.pci_driver
"""

EXAMPLES = r"""
- name: Prove the handler that tenants get
  sovereign.region.kata_smoke:
    handler: kata
    image: registry.example.org/tools/busybox:1.37

- name: Prove that a GPU is in the pod and nowhere else
  sovereign.region.kata_smoke:
    handler: kata-qemu-nvidia-gpu-runtime-rs
    image: registry.example.org/tools/busybox:1.37
    devices:
      - address: "0000:41:00.0"
        cdi: nvidia.com/pgpu=0
    timeout: 600

- name: What would be done
  sovereign.region.kata_smoke:
    handler: kata
    image: registry.example.org/tools/busybox:1.37
  check_mode: true
"""

RETURN = r"""
passed:
  description: Whether every assertion holds; null in check mode.
  returned: when a pod was started, and in check mode
  type: bool
assertions:
  description: What was asserted, in order; empty in check mode.
  returned: when a pod was started, and in check mode
  type: list
  elements: dict
  contains:
    name:
      description: V(sandbox), V(kernel), V(boot id), V(hypervisor), V(host devices), V(device) with an address, or
        V(torn down). Without an answer from the pod there are only the first and the last.
      type: str
      returned: always
    passed:
      description: Whether it holds.
      type: bool
      returned: always
    message:
      description: What was seen, in one sentence.
      type: str
      returned: always
  sample:
    - name: kernel
      passed: true
      message: the kernel's release is 6.18.35 in the pod and 6.12.107+deb13-amd64 on the host
guest:
  description: What the pod sees, null when it could not be asked.
  returned: when a pod was started
  type: dict
  contains:
    release:
      description: Release of its kernel. Also C(boot_id).
      type: str
      returned: always
    pci:
      description: Its PCI functions with C(address), C(id) and C(subsystem).
      type: list
      elements: dict
      returned: always
    nodes:
      description: Its device nodes, each V(char) or V(block).
      type: dict
      returned: always
host:
  description: The C(release) and C(boot_id) of the host.
  returned: when a pod was started
  type: dict
hypervisors:
  description: Hypervisors whose command line has the id of the sandbox, each with C(pid), C(name), and C(kvm), whether
    it holds a virtual machine of KVM.
  returned: when a pod was started
  type: list
  elements: dict
sandbox:
  description: Id that the sandbox had, null when none was started.
  returned: when a pod was started
  type: str
removed:
  description: Ids of sandboxes of earlier runs that were killed, which were removed first.
  returned: when a pod was started
  type: list
  elements: str
would:
  description: What a run would do, a sentence each.
  returned: in check mode
  type: list
  elements: str
obstacles:
  description: What would keep a run from it now, a sentence each.
  returned: in check mode
  type: list
  elements: str
error:
  description: Class of the error, such as V(Refused), when no pod was started.
  returned: failure
  type: str
problems:
  description: Everything that is wrong with the options, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import errors, steps
from ..module_utils._core.host import Host
from ..module_utils._isolation import smoke


def main():
    module = AnsibleModule(argument_spec=smoke.ARGUMENT_SPEC, supports_check_mode=True)
    signals = smoke.Signals()
    signals.listen()
    try:
        result = smoke.execute(Host(), module.params, module.check_mode, module.tmpdir, signals)
    except errors.RegionError as error:
        module.fail_json(**steps.failure(error))
    if result["passed"] is False:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
