#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: kata_config
short_description: Configure shims of Kata Containers with drop-ins that they will take
version_added: 0.1.0
description:
  - Writes C(config.d/60-sovereign-region.toml) for a shim of an installed release, beside a copy of its packaged
    configuration in a directory of its own. The packaged file is never changed. Several shims are one plan.
  - Everything is checked against the keys that this very shim reads, in the tables of Kata 4.1 and 3.32, for the Go
    shim and for runtime-rs. A key of the other shim gets its new name, place and unit, an unknown one the nearest name.
    Wrong types, and values that the shim would refuse or silently replace, are refused.
  - A drop-in replaces lists and texts as a whole. What O(append) has is therefore added to what the packaged file and
    the drop-ins before it say, and the result is written.
  - The whole configuration as the shim sees it is checked before anything is written, and read back after it. A drop-in
    of somebody else that comes later and takes back what is declared is refused by its name, and so are files with
    which the shim would not start.
  - Running pods keep what they were started with. What is written counts for pods that start from then on.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  shim:
    description:
      - Name of the shim, as in C(configuration-<shim>.toml), such as V(qemu), V(qemu-runtime-rs) or
        V(qemu-nvidia-gpu-runtime-rs). Needed without O(shims).
    type: str
  release:
    description:
      - Directory of the release, such as V(/opt/kata-releases/4.1.0-static). Where it is a link, the directory that it
        leads to is used and named. Needed without O(shims).
    type: path
  settings:
    description: Sections, keys and values as in the shim's configuration file. A list replaces the packaged one.
    type: dict
    default: {}
  append:
    description:
      - Lists, and the texts C(kernel_params), C(cpu_features) and C(machine_accelerators), to be added to what the
        packaged file and earlier drop-ins have, in the shape of O(settings).
    type: dict
    default: {}
  sizing:
    description:
      - What one pod may get at most. Sets the PCIe root ports, the memory and the timeouts that it needs; what
        O(settings) says goes before it, and is refused when it is too little.
    type: dict
    suboptions:
      gpus:
        description: GPUs.
        type: int
        default: 0
      nvswitches:
        description: NVSwitches that go with them. From Kata 4.1 on.
        type: int
        default: 0
      other_devices:
        description: Other PCI functions through VFIO, such as VFs of network cards.
        type: int
        default: 0
      guest_memory:
        description: Memory in MiB of the machine of a pod without limits.
        type: int
  allow_debug:
    description:
      - Whether settings for debugging are allowed. They open guests to the host, and put what is in requests into logs.
        Without it they are refused wherever they are set, also in drop-ins of others.
    type: bool
    default: false
  allow_all_annotations:
    description: Whether C(enable_annotations) may have expressions that match every annotation.
    type: bool
    default: false
  kata_version:
    description: Version whose keys count. By default that of the release, from its file C(VERSION) or its name.
    type: str
  state:
    description:
      - V(absent) removes the drop-in, and the copy of the packaged file when nobody else has a drop-in there. Take the
        handlers away that use it first.
    type: str
    choices: [present, absent]
    default: present
  shims:
    description: Several shims in one plan, each with its options. No option of a single one stands beside it.
    type: list
    elements: dict
    suboptions:
      shim:
        description: Name of the shim.
        type: str
        required: true
      release:
        description: Directory of the release.
        type: path
        required: true
      settings:
        description: As O(settings).
        type: dict
        default: {}
      append:
        description: As O(append).
        type: dict
        default: {}
      sizing:
        description: What one pod may get at most, as O(sizing).
        type: dict
        suboptions:
          gpus:
            description: GPUs.
            type: int
            default: 0
          nvswitches:
            description: NVSwitches that go with them.
            type: int
            default: 0
          other_devices:
            description: Other PCI functions through VFIO.
            type: int
            default: 0
          guest_memory:
            description: Memory in MiB of the machine of a pod without limits.
            type: int
      allow_debug:
        description: As O(allow_debug).
        type: bool
        default: false
      allow_all_annotations:
        description: As O(allow_all_annotations).
        type: bool
        default: false
      kata_version:
        description: As O(kata_version).
        type: str
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
        default: present
  allow_interruption:
    description: Not needed. Running pods are not touched.
    type: bool
    default: false
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
notes:
  - Needs root.
  - Secrets such as C(jaeger_password) are refused, since options of modules end up in logs. Write them into a drop-in
    of your own.
"""

EXAMPLES = r"""
- name: Machines of 4 GiB, and one more kernel parameter than the packaged ones
  sovereign.region.kata_config:
    shim: qemu-runtime-rs
    release: /opt/kata-releases/4.1.0-static
    settings:
      hypervisor:
        qemu:
          default_memory: 4096
    append:
      hypervisor:
        qemu:
          kernel_params: mitigations=auto,nosmt
  register: kata_config

- name: A whole board with eight GPUs and four NVSwitches for one pod
  sovereign.region.kata_config:
    shim: qemu-nvidia-gpu-runtime-rs
    release: /opt/kata-releases/4.1.0-static
    sizing:
      gpus: 8
      nvswitches: 4
      guest_memory: 65536
  register: kata_gpu_config

- name: Both shims of a host
  sovereign.region.kata_config:
    shims:
      - shim: qemu-runtime-rs
        release: /opt/kata-releases/4.1.0-static
        settings:
          agent:
            kata:
              reconnect_timeout_ms: 600000
      - shim: qemu
        release: /opt/kata-releases/4.1.0-go-static
        settings:
          agent:
            kata:
              dial_timeout: 600

- name: As packaged again
  sovereign.region.kata_config:
    shim: qemu
    release: /opt/kata-releases/4.1.0-go-static
    state: absent
"""

RETURN = r"""
actions:
  description: The writes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: create
      kind: configuration drop-in
      name: /opt/kata/share/defaults/kata-containers/runtimes/qemu/config.d/60-sovereign-region.toml
      before: null
      after: {settings: {hypervisor: {qemu: {default_memory: 4096}}}}
      interrupts: null
      deferred: null
shim:
  description: Name of the shim.
  returned: when O(shim) is given
  type: str
runtime:
  description: Which program reads the configuration, V(go) or V(runtime-rs).
  returned: when O(shim) is given
  type: str
kata_version:
  description: Version of the release; null when it does not say.
  returned: when O(shim) is given
  type: str
known_keys:
  description: Version of the table of keys that was used.
  returned: when O(shim) is given
  type: str
config_path:
  description: The configuration that a runtime handler names, as C(ConfigPath) of containerd.
  returned: when O(shim) is given
  type: str
drop_in:
  description: Path of the drop-in.
  returned: when O(shim) is given
  type: str
effective:
  description:
    - The whole configuration as the shim sees it, without secrets. In check mode as it would be. Empty with
      O(state=absent).
  returned: when O(shim) is given
  type: dict
sizing:
  description: What others have to provide for a pod; null with O(state=absent).
  returned: when O(shim) is given
  type: dict
  contains:
    devices:
      description: Devices that a pod gets at most, of O(sizing).
      type: int
      returned: always
    pcie_root_port:
      description: PCIe root ports of its machine.
      type: int
      returned: always
    memory_mib:
      description:
        - Overhead of a pod for its RuntimeClass in MiB, that is, the share of the guest and that of the host. With
          devices it counts tables for the memory of the machine as configured.
      type: int
      returned: always
    cpus:
      description: Overhead of a pod in CPUs.
      type: float
      returned: always
    timeout:
      description: Seconds that the kubelet has to wait for a container at least (C(runtimeRequestTimeout)).
      type: int
      returned: always
advice:
  description: What has no effect or is probably not meant so; also shown as warnings.
  returned: when O(shim) is given
  type: list
  elements: str
shims:
  description: One for each shim, in the order of the declaration, each with what is returned for a single one.
  returned: success
  type: list
  elements: dict
  contains:
    shim:
      description: As C(shim).
      type: str
      returned: always
    runtime:
      description: As C(runtime).
      type: str
      returned: always
    kata_version:
      description: As C(kata_version).
      type: str
      returned: always
    known_keys:
      description: As C(known_keys).
      type: str
      returned: always
    config_path:
      description: As C(config_path).
      type: str
      returned: always
    drop_in:
      description: As C(drop_in).
      type: str
      returned: always
    effective:
      description: As C(effective).
      type: dict
      returned: always
    sizing:
      description: As C(sizing).
      type: dict
      returned: always
    advice:
      description: As C(advice).
      type: list
      elements: str
      returned: always
error:
  description: Class of the error, such as V(DeclarationError) or V(Refused).
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

from ..module_utils._core import host_module
from ..module_utils._isolation import config


def main():
    host_module.run(config.DOMAIN)


if __name__ == "__main__":
    main()
