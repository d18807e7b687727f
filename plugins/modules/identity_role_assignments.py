#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_role_assignments
short_description: Converge Keystone role assignments, a whole list at a time
version_added: 0.1.0
description:
  - Grants and revokes roles of users and groups on projects, domains and the system with one authentication, one list
    call where everything is as declared, and one call for each real change.
  - An assignment has no place for a mark of an owner. What is not declared is revoked only in O(scopes) that say
    O(scopes[].purge=true), and nowhere else.
  - Assignments of the user that this runs with, or of a group that it is in, are never revoked, nor the last assignment
    of the role C(admin) on the system. Purging leaves alone what services' own users and federated users have, and
    returns it as RV(left).
  - Only what was granted directly is looked at. That C(member) implies C(reader) grants nothing here.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  assignments:
    description: Role assignments that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      role:
        description: Name of the role.
        type: str
        required: true
      user:
        description:
          - Who has it, as C(domain/name), or C(name) for one of domain C(Default). A local user, never a federated one.
          - One of O(assignments[].user) and O(assignments[].group) is given.
        type: str
      group:
        description: Which group has it, as C(domain/name), or C(name) for one of domain C(Default).
        type: str
      project:
        description:
          - Where it holds, as C(domain/name), or C(name) for one of domain C(Default).
          - One of O(assignments[].project), O(assignments[].domain) and O(assignments[].system) is given.
        type: str
      domain:
        description: The domain where it holds.
        type: str
      system:
        description: Whether it holds on the system.
        type: bool
        default: false
      inherited:
        description: Whether it holds in the projects below the project or domain, and not on itself.
        type: bool
        default: false
      state:
        description: Whether the assignment is there.
        type: str
        choices: [present, absent]
        default: present
  scopes:
    description: Projects, domains or the system, and whether what is not declared there is revoked.
    type: list
    elements: dict
    default: []
    suboptions:
      project:
        description: A project, as C(domain/name), or C(name) for one of domain C(Default).
        type: str
      domain:
        description: A domain. Its projects are scopes of their own.
        type: str
      system:
        description: The system.
        type: bool
        default: false
      purge:
        description: Revoke the assignments there that are not declared in O(assignments), inherited ones among them.
        type: bool
        default: false
  pending:
    description:
      - Actions of earlier modules that are planned and not yet carried out, such as those of
        M(sovereign.region.identity_projects) and M(sovereign.region.identity_users) in check mode. What they create may
        be named, and what they remove takes its assignments along.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.attributes.actiongroup_openstack
seealso:
  - module: sovereign.region.identity_projects
  - module: sovereign.region.identity_users
"""

EXAMPLES = r"""
- name: Who may do what, and nobody else in that project
  sovereign.region.identity_role_assignments:
    cloud: my-region-admin
    assignments:
      - role: member
        group: research/climate-users
        project: research/climate
      - role: manager
        group: research/managers
        domain: research
      - role: reader
        group: research/auditors
        system: true
      - role: reader
        group: research/auditors
        domain: research
        inherited: true
    scopes:
      - project: research/climate
        purge: true

- name: One role is taken away
  sovereign.region.identity_role_assignments:
    cloud: my-region-admin
    assignments:
      - role: admin
        user: alice
        project: research/climate
        state: absent
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: grant
      kind: role assignment
      name: member of group research/climate-users on project research/climate
      before: null
      after: {role: member, group: research/climate-users, project: research/climate, inherited: false}
      interrupts: null
      deferred: null
assignments:
  description: The declared assignments that are there now, with names as C(domain/name).
  returned: success
  type: list
  elements: dict
  sample:
    - {role: member, group: research/climate-users, project: research/climate, inherited: false}
left:
  description: What purging a scope left alone, each with a C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - {role: service, user: Default/nova, project: Default/service, inherited: false,
       reason: the user belongs to a service}
dangling:
  description: Assignments of users and groups that no longer exist, which are named by their ids.
  returned: success
  type: list
  elements: dict
  sample:
    - {role: member, user: 4a6f2c0e9d8b4b0c8f5e7a1d3c2b1a09, project: research/climate, inherited: false}
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 2
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
from ..module_utils._tenancy import role_assignments


def main():
    cloud_module.run(role_assignments)


if __name__ == "__main__":
    main()
