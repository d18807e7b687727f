#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_projects
short_description: Converge Keystone domains and projects, a whole list at a time
version_added: 0.1.0
description:
  - Creates, changes, takes over and removes the domains and projects of a list with one authentication, one list call
    for each kind of object, and one call for each real change.
  - What it creates bears a tag that names the O(owner). What does not bear it is never removed, and is changed only
    with O(adopt).
  - Nothing that holds servers, networks, images or volumes is removed.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  domains:
    description: Domains that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the domain.
        type: str
        required: true
      description:
        description: What the domain is for. Left as it is when not given.
        type: str
      enabled:
        description: Whether its users can log in. Left as it is when not given; Keystone enables new ones.
        type: bool
      tags:
        description: All tags of the domain besides the mark of the owner. Left as they are when not given.
        type: list
        elements: str
      state:
        description: Whether the domain is there.
        type: str
        choices: [present, absent]
        default: present
  projects:
    description: Projects that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the project.
        type: str
        required: true
      domain:
        description: Name of its domain, which exists or is declared in O(domains).
        type: str
        default: Default
      description:
        description: What the project is for. Left as it is when not given.
        type: str
      enabled:
        description: Whether it can be used. Left as it is when not given; Keystone enables new ones.
        type: bool
      tags:
        description: All tags of the project besides the mark of the owner. Left as they are when not given.
        type: list
        elements: str
      state:
        description: Whether the project is there.
        type: str
        choices: [present, absent]
        default: present
  pending:
    description:
      - Actions of earlier tasks that may not have been made yet. Users and groups that they remove do not keep their
        domain in use, so that a plan to empty a region is complete.
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
  - module: sovereign.region.compute_flavors
"""

EXAMPLES = r"""
- name: A domain and its projects
  sovereign.region.identity_projects:
    cloud: my-region-admin
    domains:
      - name: research
        description: Universities and institutes
    projects:
      - name: climate
        domain: research
        tags: [gpu, confidential]
      - name: linguistics
        domain: research
        enabled: false

- name: What would change if only these projects were to stay
  sovereign.region.identity_projects:
    cloud: my-region-admin
    projects: "{{ my_projects }}"
    purge: true
  check_mode: true
  diff: true
  register: planned
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: create
      kind: project
      name: research/climate
      before: null
      after: {tags: [gpu, confidential]}
      interrupts: null
      deferred: null
projects:
  description: The declared projects as Keystone has them now.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      returned: always
    domain:
      description: Name of its domain.
      type: str
      returned: always
    id:
      description: Keystone's id.
      type: str
      returned: always
    description:
      description: Description.
      type: str
      returned: always
    enabled:
      description: Whether it can be used.
      type: bool
      returned: always
    tags:
      description: Its tags, without the mark of the owner.
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
  sample: 3
error:
  description: Class of the error, such as V(Forbidden).
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
from ..module_utils._tenancy import projects


def main():
    cloud_module.run(projects)


if __name__ == "__main__":
    main()
