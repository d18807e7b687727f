#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: capacity_info
short_description: Say who holds which GPUs of a region
version_added: 0.1.0
description:
  - Reads the devices of pools from Placement and the names of those who hold them from Nova and Keystone.
  - Judges whether Placement has what is declared, whether each host bears the trait of its site, and whether a
    device is held by nobody.
  - Needs a user who may read Placement and the servers of all projects.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  pools:
    description: Pools, as M(sovereign.region.region) returns them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the pool.
        type: str
        required: true
      hosts:
        description: Names of its hosts, as Nova calls them.
        type: list
        elements: str
        required: true
      resource_class:
        description: Resource class of its devices.
        type: str
        required: true
      site:
        description: Name of its site.
        type: str
      trait:
        description: Trait that the root provider of each host has to bear.
        type: str
      total:
        description: How many devices it should have on all hosts.
        type: int
      devices:
        description: The same as O(pools[].total).
        type: int
      per_host:
        description: How many devices it should have on each host.
        type: int
      mode:
        description: How the devices are used. With V(passthrough), each provider is one device, which saves calls.
        type: str
      model:
        description: Model of the devices. Not used.
        type: str
      jurisdiction:
        description: Jurisdiction of the site. Not used.
        type: str
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
  - sovereign.region.attributes.actiongroup_openstack
seealso:
  - module: sovereign.region.gpu_canary
"""

EXAMPLES = r"""
- name: Who holds the GPUs
  sovereign.region.capacity_info:
    cloud: my-region-admin
    pools:
      - name: h200
        site: site-a
        hosts: [gpu-a1, gpu-a2]
        resource_class: CUSTOM_GPU_H200
        mode: passthrough
        per_host: 8
        trait: CUSTOM_SITE_SITE_A
  register: capacity
"""

RETURN = r"""
pools:
  description: The pools as they are.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pool.
      type: str
      returned: success
    site:
      description: Name of its site.
      type: str
      returned: success
    resource_class:
      description: Resource class of its devices.
      type: str
      returned: success
    total:
      description: Devices that Placement has.
      type: int
      returned: success
    used:
      description: Devices that are held.
      type: int
      returned: success
    reserved:
      description: Devices that are kept back, such as one that has to be cleaned.
      type: int
      returned: success
    free:
      description: Devices that a server could get.
      type: int
      returned: success
    expected:
      description: Devices that are declared, or null.
      type: int
      returned: success
    hosts:
      description:
        - Its hosts with C(host), the same as C(name), C(found), C(total), C(used), C(reserved), C(free), C(traits_ok)
          and C(devices).
        - Each device has C(name), C(total), C(used), C(reserved), C(free) and C(holders), each holder
          with C(server), C(server_id), C(status), C(project), C(domain) and C(amount).
      type: list
      elements: dict
      returned: success
    holders:
      description:
        - Who holds devices, with C(server), C(server_id), C(status), C(project), C(domain), C(host) and the number of
          C(devices). A consumer that is no server has no name.
      type: list
      elements: dict
      returned: success
verdicts:
  description: >-
    Verdicts of the rules V(capacity.inventory), V(capacity.site) and V(capacity.leaks) on each pool, with their
    evidence.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: capacity.inventory
      subject: pool h200
      status: pass
      message: Placement has all 16 CUSTOM_GPU_H200
      evidence:
        - source: placement GET /resource_providers, /allocation_candidates
          time: "2026-11-21T08:00:00Z"
          status: ok
          value: {gpu-a1: 8, gpu-a2: 8}
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 4
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
from ..module_utils._tenancy import capacity


def main():
    cloud_module.run(capacity)


if __name__ == "__main__":
    main()
