#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_canary
short_description: Boot, check and delete one server for each GPU flavor
version_added: 0.1.0
description:
  - Boots a server of each flavor, one at a time, in a project of its own. It waits until the server is active, checks
    in Placement that it holds exactly its devices on one host, deletes it, and checks that the devices are free again.
  - Servers, project, role and access to flavors are removed at the end, also after a failure. What a killed run left is
    removed first.
  - A pool without room for the canary and O(keep_free) more is not applicable, not failed.
  - Needs an administrator who may work in another project, so no application credential.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  flavors:
    description: Flavors, as M(sovereign.region.region) returns them as C(canary).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the flavor.
        type: str
        required: true
      gpus:
        description: How many devices a server gets.
        type: int
        required: true
      resource_class:
        description: Resource class of the devices.
        type: str
        required: true
      pool:
        description: Name of the pool. Not used.
        type: str
      projects:
        description: Projects that may use the flavor. Not used, since the canary has its own.
        type: list
        elements: str
  image:
    description: Name of an image in Glance.
    type: str
    required: true
  network:
    description: Name of a network for the servers, or V(none).
    type: str
    default: none
  project:
    description: Name of the project that is made and removed.
    type: str
    default: sovereign-region-canary
  domain:
    description: Name of its domain.
    type: str
    default: Default
  keep_free:
    description: How many devices of a flavor's resource class stay free for tenants while a canary runs.
    type: int
    default: 1
  boot_timeout:
    description: How many seconds a server may take to become active, and again to be gone.
    type: int
    default: 300
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.attributes
  - sovereign.region.attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
    details:
      - Boots nothing. It says for which flavors there is room.
  diff_mode:
    support: none
    details:
      - Nothing is left changed.
  idempotent:
    support: full
    details:
      - It removes all that it made, so it never reports a change.
seealso:
  - module: sovereign.region.capacity_info
"""

EXAMPLES = r"""
- name: Boot a server of one flavor
  sovereign.region.gpu_canary:
    cloud: my-region-admin
    image: gpu-canary
    flavors:
      - name: h200.1
        gpus: 1
        resource_class: CUSTOM_GPU_H200
"""

RETURN = r"""
canary:
  description: One verdict of the rule V(canary.boot) for each flavor, with its evidence.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: canary.boot
      subject: h200.1
      status: pass
      message: "active on gpu-a1 with gpu-a1_0000:10:00.0; deleted, and its devices are free again"
      evidence:
        - source: placement GET /allocations
          time: "2026-11-21T08:00:00Z"
          status: ok
          value: {"gpu-a1_0000:10:00.0": 1}
actions:
  description: Always empty.
  returned: always
  type: list
  elements: dict
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 30
error:
  description: Class of the error, such as V(Forbidden).
  returned: failure
  type: str
problems:
  description: Everything that is wrong with the options, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._core import cloud_module
from ..module_utils._tenancy import canary


def main():
    cloud_module.run(canary)


if __name__ == "__main__":
    main()
