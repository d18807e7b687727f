#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_users
short_description: Converge Keystone groups, local users and memberships, a whole list at a time
version_added: 0.1.0
description:
  - Creates, changes, takes over and removes the groups and local users of a list with one authentication, one list call
    for each kind of object, one for the members of each group that manages them, and one call for each real change.
  - What it creates bears an attribute that names the O(owner). What does not bear it is never removed, and is changed
    only with O(adopt).
  - Federated users are never changed, removed or taken for a local user of the same name, and memberships that an
    identity provider gave for a time are left alone.
  - A user with application credentials, trusts, other credentials or servers is not removed, a group that a mapping
    names is not removed, and neither the user that this runs with nor the last administrator of the system is removed
    or disabled.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  groups:
    description: Groups that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      domain:
        description: Name of its domain.
        type: str
        default: Default
      description:
        description: What the group is for. Left as it is when not given.
        type: str
      members:
        description:
          - All local users in the group, as C(domain/name), or C(name) for those of domain C(Default).
          - Left as they are when not given. An empty list empties the group.
        type: list
        elements: str
      state:
        description: Whether the group is there.
        type: str
        choices: [present, absent]
        default: present
  users:
    description: Local users that are declared. People who log in through an identity provider are none of them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      domain:
        description: Name of its domain.
        type: str
        default: Default
      description:
        description: Who or what the user is. Left as it is when not given.
        type: str
      email:
        description: Address of the user. Left as it is when not given.
        type: str
      enabled:
        description: Whether the user can log in. Left as it is when not given; Keystone enables new ones.
        type: bool
      default_project:
        description:
          - The project to which a token without a scope is scoped, as C(domain/name), or C(name) for one of domain
            C(Default). It gives no role.
          - Left as it is when not given. An empty text takes it away.
        type: str
      password:
        description:
          - Password of a new user. Without it the user is created without a password, and cannot log in with one.
          - It is returned nowhere. Of fewer than 8 characters, it is refused.
        type: str
      update_password:
        description:
          - When the password is set. With V(always) it is set at every run, which is a change at every run, since
            Keystone cannot be asked whether it is the same, and every token of the user stops working.
        type: str
        choices: [on_create, always]
        default: on_create
      state:
        description: Whether the user is there.
        type: str
        choices: [present, absent]
        default: present
  mappings:
    description:
      - Mappings as they are declared, each with C(name), C(rules) and C(state), as
        M(sovereign.region.identity_federation) takes them.
      - A group that a mapping names is not removed. Mappings in this list count as they are declared here, all others
        as Keystone has them, so that a group and the rule that names it can go in the same run.
    type: list
    elements: dict
    default: []
  pending:
    description:
      - Actions of an earlier module that are planned and not yet carried out, such as those of
        M(sovereign.region.identity_projects) in check mode. Domains and projects that they create may be named, and
        roles that they revoke are not told again.
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
  - module: sovereign.region.identity_role_assignments
"""

EXAMPLES = r"""
- name: A group and the people in it
  sovereign.region.identity_users:
    cloud: my-region-admin
    groups:
      - name: climate-operators
        domain: research
        description: They run the models
        members: [research/alice]
    users:
      - name: alice
        domain: research
        email: alice@uni.example
        default_project: research/climate
        password: "{{ vault_password_of_alice }}"

- name: Nobody is in this group any more
  sovereign.region.identity_users:
    cloud: my-region-admin
    groups:
      - name: on-call
        members: []

- name: What would be removed if only these were to stay
  sovereign.region.identity_users:
    cloud: my-region-admin
    groups: "{{ my_groups }}"
    users: "{{ my_users }}"
    purge: true
  check_mode: true
  register: planned
"""

RETURN = r"""
actions:
  description:
    - The changes, in order; in check mode those that would be made, after a failure those that were.
    - A removal says in C(before) which roles go with it.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: grant
      kind: group membership
      name: research/alice in research/climate-operators
      before: null
      after: {user: research/alice}
      interrupts: null
      deferred: null
groups:
  description: The declared groups as Keystone has them now.
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
    members:
      description: The users in it as C(domain/name); V(none) when they are not managed.
      type: list
      elements: str
      returned: always
    owned:
      description: Whether it bears the mark of the owner.
      type: bool
      returned: always
users:
  description: The declared users as Keystone has them now.
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
    email:
      description: Address.
      type: str
      returned: always
    enabled:
      description: Whether the user can log in.
      type: bool
      returned: always
    default_project:
      description: The project of a token without a scope, as C(domain/name).
      type: str
      returned: when a declared user has one
    owned:
      description: Whether it bears the mark of the owner.
      type: bool
      returned: always
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 5
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
from ..module_utils._tenancy import users


def main():
    cloud_module.run(users)


if __name__ == "__main__":
    main()
