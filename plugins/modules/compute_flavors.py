#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: compute_flavors
short_description: Converge Nova flavors with extra specs and access, a whole list at a time
version_added: 0.1.0
description:
  - Creates, changes, takes over and removes the flavors of a list with one authentication, one list call for all
    flavors and their extra specs, and one call for each real change.
  - Reading the access of a private flavor costs one call for each, because Nova has no list of it.
  - Nova cannot change the size of a flavor, nor whether it is public. Such a difference is refused. Removing a flavor
    leaves the servers made from it as they are.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  flavors:
    description: Flavors that are declared.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the flavor.
        type: str
        required: true
      vcpus:
        description: Number of virtual CPUs. Required when present.
        type: int
      ram_mib:
        description: Memory in MiB. Required when present.
        type: int
      disk_gib:
        description: Root disk in GiB; V(0) takes the size of the image. Required when present.
        type: int
      description:
        description: What the flavor is for. Left as it is when not given.
        type: str
      public:
        description: Whether every project may use it.
        type: bool
        default: true
      access:
        description:
          - The projects that may use a private flavor, all of them, as C(domain/name), or C(name) in the domain
            C(Default). Left as it is when not given.
        type: list
        elements: str
      extra_specs:
        description: All extra specs of the flavor. Left as they are when not given.
        type: dict
      state:
        description: Whether the flavor is there.
        type: str
        choices: [present, absent]
        default: present
  pending:
    description:
      - Actions of earlier tasks whose objects do not exist yet. In check mode their projects count as existing, so
        that a plan for an empty region is complete. Without check mode they are ignored.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.ownership
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.attributes.actiongroup_openstack
seealso:
  - module: sovereign.region.identity_projects
"""

EXAMPLES = r"""
- name: A flavor with one GPU for two projects
  sovereign.region.compute_flavors:
    cloud: my-region-admin
    flavors:
      - name: gpu.h200.1
        vcpus: 16
        ram_mib: 245760
        disk_gib: 100
        public: false
        access: [research/climate, research/linguistics]
        extra_specs:
          pci_passthrough:alias: h200:1

- name: Remove flavors of ours that are declared no more
  sovereign.region.compute_flavors:
    cloud: my-region-admin
    flavors: "{{ my_flavors }}"
    purge: true
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: grant
      kind: flavor access
      name: gpu.h200.1 for research/climate
      before: null
      after: {project: research/climate}
      interrupts: null
      deferred: null
flavors:
  description: The declared flavors as Nova has them now.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      returned: always
    id:
      description: Nova's id.
      type: str
      returned: always
    vcpus:
      description: Number of virtual CPUs.
      type: int
      returned: always
    ram_mib:
      description: Memory in MiB.
      type: int
      returned: always
    disk_gib:
      description: Root disk in GiB.
      type: int
      returned: always
    public:
      description: Whether every project may use it.
      type: bool
      returned: always
    description:
      description: Description.
      type: str
      returned: always
    extra_specs:
      description: Extra specs, without the mark of the owner.
      type: dict
      returned: always
    access:
      description: Projects that may use it; null when that was not asked.
      type: list
      elements: str
      returned: always
    owned:
      description: Whether it bears the mark of the owner.
      type: bool
      returned: always
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 2
error:
  description: Class of the error, such as V(Refused).
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

from ..module_utils._core import cloud_module
from ..module_utils._tenancy import flavors


def main():
    cloud_module.run(flavors)


if __name__ == "__main__":
    main()
