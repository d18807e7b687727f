#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: confidential_computing
short_description: Query and set the confidential-computing modes of NVIDIA GPUs
version_added: 0.1.0
description:
  - Sets the CC mode of single GPUs, and the PPCIe mode (protected PCIe) of all GPUs and NVSwitches of a host together,
    and reads both back. With neither O(cc_mode) nor O(ppcie_mode) it only asks.
  - It runs NVIDIA's own C(nvidia_gpu_tools.py) of U(https://github.com/NVIDIA/gpu-admin-tools), which the operator puts
    on the host. Nothing is downloaded, and nothing is run before its checksum was compared.
  - Each change resets the device. What is in use, has VFs or is on a driver of the host is refused, and not even asked,
    since NVIDIA's tool writes to a device to ask it. Release such a device with M(sovereign.region.pci_driver) first.
  - A mode that is set and waits for a reset, as a killed run leaves it, is seen and finished.
  - It has not been run on hardware yet.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  tool:
    description:
      - Path of the checkout of NVIDIA's gpu-admin-tools, or of one file made of it, such as a zipapp.
      - Links are refused. Only root should be able to write there.
    type: path
    required: true
  tool_sha256:
    description:
      - Its checksum, from a checkout that you trust. For one file, what C(sha256sum) prints. For a directory, what
        C(cd DIRECTORY && find . -type f -not -path './.git/*' -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum) prints.
    type: str
    required: true
  devices:
    description: Addresses of NVIDIA GPUs, in quotes; all of the host when empty.
    type: list
    elements: str
    default: []
  cc_mode:
    description:
      - CC mode of the devices. V(on) protects the memory and the bus of a GPU that is handed to a confidential guest,
        V(devtools) is the same with profiling allowed. Not managed when not given.
      - Needs PPCIe mode off.
    type: str
    choices: ["off", "on", "devtools"]
  ppcie_mode:
    description:
      - PPCIe mode of all GPUs and NVSwitches of the host, for a guest that is given all of them. Not managed when not
        given.
      - Needs CC mode off. Only Hopper and its NVSwitches have it.
    type: str
    choices: ["off", "on"]
  skip_in_use:
    description:
      - Whether devices in use are left out, instead of refusing all. Their mode stays unknown, and is returned as null.
    type: bool
    default: false
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
seealso:
  - module: sovereign.region.pci_driver
  - module: sovereign.region.accelerator_info
notes:
  - Needs root, Python 3 as C(python3), and a kernel that is not locked down, since the tool reaches the registers of a
    device through C(/sys/bus/pci/devices/*/resource0).
"""

EXAMPLES = r"""
- name: Which modes the GPUs have
  sovereign.region.confidential_computing:
    tool: /opt/gpu-admin-tools
    tool_sha256: "{{ gpu_admin_tools_sha256 }}"
  register: confidential

- name: CC mode for two GPUs that nobody uses
  sovereign.region.confidential_computing:
    tool: /opt/gpu-admin-tools
    tool_sha256: "{{ gpu_admin_tools_sha256 }}"
    devices: ["0000:41:00.0", "0000:61:00.0"]
    cc_mode: "on"
    allow_interruption: true

- name: PPCIe for a whole HGX H200
  sovereign.region.confidential_computing:
    tool: /opt/gpu-admin-tools
    tool_sha256: "{{ gpu_admin_tools_sha256 }}"
    cc_mode: "off"
    ppcie_mode: "on"
    allow_interruption: true
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: set
      kind: CC mode
      name: "0000:41:00.0"
      before: {mode: "off", after_reset: "off"}
      after: {mode: "on", after_reset: "on"}
      interrupts: "0000:41:00.0 (H200 SXM 141GB) is reset"
      deferred: null
modes:
  description: The declared GPUs as they are now; all GPUs and NVSwitches of the host when O(ppcie_mode) is given.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: PCI address.
      type: str
      returned: always
    kind:
      description: V(gpu) or V(nvswitch).
      type: str
      returned: always
    model:
      description: Name of the model, where it is known.
      type: str
      returned: always
    cc:
      description: CC mode in effect; V(unsupported) where there is none, null when it is not known.
      type: str
      returned: always
    cc_after_reset:
      description: CC mode after the next reset; null when it is not known.
      type: str
      returned: always
    ppcie:
      description: PPCIe mode in effect; V(unsupported) where there is none, null when it is not known.
      type: str
      returned: always
    ppcie_after_reset:
      description: PPCIe mode after the next reset; null when it is not known.
      type: str
      returned: always
    status:
      description: V(ok), or why something is not known.
      type: str
      returned: always
error:
  description: Class of the error, such as V(Refused) or V(HostError).
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

from ..module_utils._accelerators import confidential
from ..module_utils._core import host_module


def main():
    host_module.run(confidential)


if __name__ == "__main__":
    main()
