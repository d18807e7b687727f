# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: region
short_description: Validate the region document and cut it into slices
version_added: 0.1.0
description:
  - Validates the region document on the controller, before anything is touched, and returns it with its defaults.
  - Reports every problem at once, each with its path, its value, what was expected, and the nearest valid name.
  - Returns the slices that the other modules and roles take. None of them gets the whole document.
  - No connection is opened and no module is sent to any host.
author:
  - the sovereign.region authors (@sovereign-region)
options:
  document:
    description:
      - The region document.
      - Without it the variable C(sovereign_region) is taken. Then a variable in the document that is undefined is
        reported with its path, like every other problem; in this option it fails before the document is seen.
    type: dict
extends_documentation_fragment:
  - sovereign.region.attributes
attributes:
  check_mode:
    support: full
    details:
      - This action changes nothing.
  diff_mode:
    support: none
    details:
      - This action changes nothing.
  idempotent:
    support: full
    details:
      - This action changes nothing.
seealso:
  - module: sovereign.region.identity_projects
  - module: sovereign.region.compute_flavors
"""

EXAMPLES = r"""
- name: Validate the region document
  sovereign.region.region:
  register: declared

- name: Validate a document from another variable
  sovereign.region.region:
    document: "{{ another_region }}"
  register: declared

- name: Create the declared projects
  sovereign.region.identity_projects:
    cloud: "{{ region_cloud }}"
    owner: "{{ declared.region.owner }}"
    domains: "{{ declared.tenancy.domains }}"
    projects: "{{ declared.tenancy.projects }}"
"""

RETURN = r"""
region:
  description:
    - The document with every default filled in.
    - Beside its own keys it has those listed here.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the region.
      type: str
      returned: success
    owner:
      description: The mark of what this collection creates for the region.
      type: str
      returned: success
      sample: sovereign.region:region-a
    sites:
      description: The sites, with name and jurisdiction.
      type: list
      elements: dict
      returned: success
    pools:
      description:
        - The declared pools. Beside their own keys they have C(jurisdiction), C(cards_per_host), C(per_host),
          C(total), C(resource_class), C(alias) and C(trait).
      type: list
      elements: dict
      returned: success
    warnings:
      description: What is valid and probably not meant, one sentence each, such as a pool that has no flavor.
      type: list
      elements: str
      returned: success
tenancy:
  description: Lists of domains, projects and flavors, as the modules for them take them.
  returned: success
  type: dict
  contains:
    domains:
      description: For the option O(sovereign.region.identity_projects#module:domains).
      type: list
      elements: dict
      returned: success
    projects:
      description: For the option O(sovereign.region.identity_projects#module:projects).
      type: list
      elements: dict
      returned: success
    flavors:
      description: For the option O(sovereign.region.compute_flavors#module:flavors).
      type: list
      elements: dict
      returned: success
identity:
  description:
    - What is declared about identity, as the modules for it take it. Personas are the roles that they are, references
      have their domains.
  returned: success
  type: dict
  contains:
    groups:
      description: For the option C(groups) of M(sovereign.region.identity_users).
      type: list
      elements: dict
      returned: success
    users:
      description: For the option C(users) of M(sovereign.region.identity_users).
      type: list
      elements: dict
      returned: success
    assignments:
      description: For the option C(assignments) of M(sovereign.region.identity_role_assignments).
      type: list
      elements: dict
      returned: success
    scopes:
      description: For the option C(scopes) of M(sovereign.region.identity_role_assignments).
      type: list
      elements: dict
      returned: success
    mappings:
      description: For the option C(mappings) of M(sovereign.region.identity_federation).
      type: list
      elements: dict
      returned: success
    identity_providers:
      description: For the option C(identity_providers) of M(sovereign.region.identity_federation), protocols inside.
      type: list
      elements: dict
      returned: success
    service_providers:
      description: For the option C(service_providers) of M(sovereign.region.identity_federation).
      type: list
      elements: dict
      returned: success
    checks:
      description: For the option C(mappings) of M(sovereign.region.identity_mapping_check), assertions inside.
      type: list
      elements: dict
      returned: success
    context:
      description:
        - What is declared around the mappings, for the other options of M(sovereign.region.identity_mapping_check).
      type: dict
      returned: success
    keystone_release:
      description: Release of Keystone as it is declared, or null.
      type: str
      returned: success
    federation:
      description: Settings of the section C([federation]) of keystone.conf; what is null is left to Keystone.
      type: dict
      returned: success
    policy:
      description: What the policy files of the site say.
      type: dict
      returned: success
hosts:
  description:
    - For each host of a pool the pools that it holds cards of, as the roles for accelerators take them.
    - A host gets nothing of tenants, other hosts or other sites.
  returned: success
  type: dict
  sample:
    gpu-a1:
      - name: h200
        site: site-a
        model: H200
        mode: passthrough
        consumer: nova
        devices: 8
        cards_per_host: 8
        profile: null
        slices: 1
pools:
  description: The pools that Nova hands out, with hosts, resource class, devices and trait, as verify looks for them.
  returned: success
  type: list
  elements: dict
  sample:
    - name: h200
      site: site-a
      jurisdiction: DE
      hosts: [gpu-a1, gpu-a2]
      model: H200
      mode: passthrough
      resource_class: CUSTOM_GPU_H200
      per_host: 8
      total: 16
      trait: CUSTOM_SITE_SITE_A
canary:
  description: For each flavor what its canary has to find, and the enabled projects that may use it; null if all may.
  returned: success
  type: list
  elements: dict
  sample:
    - name: h200.1
      pool: h200
      gpus: 1
      resource_class: CUSTOM_GPU_H200
      projects: [research/genomics]
warnings:
  description: The same as C(region.warnings). Ansible shows them; since ansible-core 2.19 it is absent when empty.
  returned: success
  type: list
  elements: str
problems:
  description: Every problem of the document.
  returned: when the document is not valid
  type: list
  elements: dict
  sample:
    - path: sovereign_region.accelerators.pools[1].mode
      value: passthru
      expected: one of passthrough, vf, vgpu, mig, host
      nearest: passthrough
      kind: shape
      message: >-
        sovereign_region.accelerators.pools[1].mode: "passthru", expected one of passthrough, vf, vgpu, mig, host
        (nearest: 'passthrough')
"""
