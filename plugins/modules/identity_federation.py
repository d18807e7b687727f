#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_federation
short_description: Converge identity providers, mappings, protocols and service providers, whole lists at a time
version_added: 0.1.0
description:
  - Creates, changes and removes identity providers with their protocols, mappings and service providers with one
    authentication, one list call for each kind of object, one for the protocols of each declared identity provider, and
    one call for each real change.
  - These objects have no place for a mark of an owner, so their name is the claim. What is declared is made as
    declared, what is not declared is never touched, and removal names the object with V(state=absent). Protocols are
    removed only inside an identity provider that says O(identity_providers[].purge=true).
  - A mapping that identity providers use which are not declared here is changed only with O(adopt), and no mapping is
    removed that a protocol still uses. Keystone itself would remove it, and every login there would fail from then on.
  - No identity provider and no protocol is removed while there are users who came through it. Keystone removes their
    accounts with it, or leaves them behind, depending on the release.
  - A remote id belongs to one identity provider. When it is taken, the owner is named before anything is changed.
    Declared identity providers may exchange theirs; the requests are sent in an order in which that works.
  - At no moment does an identity provider accept any issuer that did not before. Keystone accepts all of them for one
    that is enabled and has no remote ids, so such a declaration is refused. What takes access away is sent first.
  - The identifier of a protocol has to be an authentication method of Keystone, V(mapped) or V(openid) for instance,
    which the API does not show.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  mappings:
    description: Mappings that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the mapping, which is its id.
        type: str
        required: true
      schema_version:
        description:
          - Version of the language of the rules. Left as it is when not given; new mappings get V(1.0).
          - It is sent with every change of the rules. Keystone would set it back to its default otherwise.
          - V(2.0) looks at the domains of groups and projects. V(3.0) takes every direct role on a project from a user
            at each login that the mapping does not give, and needs O(keystone_release).
        type: str
        choices: ["1.0", "2.0", "3.0"]
      rules:
        description: The rules, as Keystone takes them. Needed for a mapping that is present.
        type: list
        elements: dict
      state:
        description: Whether the mapping is there.
        type: str
        choices: [present, absent]
        default: present
  identity_providers:
    description: Identity providers that are declared.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the identity provider, which is its id and a part of the URLs at which people log in.
        type: str
        required: true
      domain:
        description:
          - Name of the domain of its users, which exists or is made by an earlier task. Needed for a new one, since
            Keystone would make a domain with a random name and leave it behind later.
          - Keystone cannot move an identity provider to another domain, so that is refused.
        type: str
      description:
        description: What it is. Left as it is when not given.
        type: str
      enabled:
        description:
          - Whether people can log in through it. Left as it is when not given; new ones are enabled.
          - Tokens that were issued before stay valid until they expire.
        type: bool
      remote_ids:
        description:
          - The issuers that it stands for, in any order. Left as they are when not given.
          - Keystone takes at most 64 characters for each.
        type: list
        elements: str
      authorization_ttl:
        description:
          - For how many minutes after a login its group memberships last. Left as it is when not given.
          - V(-1) stands for C(default_authorization_ttl) in C(keystone.conf).
        type: int
      protocols:
        description: Its protocols. Not looked at when not given.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the protocol, such as V(openid), V(saml2) or V(mapped).
            type: str
            required: true
          mapping:
            description: Name of its mapping, which exists or is declared in O(mappings).
            type: str
            required: true
          remote_id_attribute:
            description:
              - Name of the variable in which the web server hands over the issuer, such as V(OIDC-iss). Left as it is
                when not given; with an empty one the setting in C(keystone.conf) counts.
            type: str
      purge:
        description: Remove its protocols that are not declared.
        type: bool
        default: false
      state:
        description: Whether the identity provider is there. Its protocols go with it.
        type: str
        choices: [present, absent]
        default: present
  service_providers:
    description: Other Keystones to which people can go on from this one.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service provider, which is its id.
        type: str
        required: true
      auth_url:
        description: Where it takes logins from this Keystone. Needed for a new one.
        type: str
      sp_url:
        description: Where it takes SAML assertions. Needed for a new one.
        type: str
      description:
        description: What it is. Left as it is when not given.
        type: str
      enabled:
        description: Whether it can be used. Left as it is when not given; new ones are enabled.
        type: bool
      relay_state_prefix:
        description:
          - The beginning of the RelayState of assertions. Left as it is when not given; new ones get that of
            C(keystone.conf).
          - A service provider behind mod_auth_mellon needs its O(service_providers[].auth_url) with V(?rs=) at the end.
        type: str
      state:
        description: Whether the service provider is there.
        type: str
        choices: [present, absent]
        default: present
  keystone_release:
    description:
      - The OpenStack release of Keystone, such as V(2026.1). The API does not tell it, and mappings of schema V(3.0)
        are refused unless it is 2026.1 or later.
    type: str
  adopt:
    description: Change declared mappings even where identity providers use them that are not declared here.
    type: bool
    default: false
  pending:
    description:
      - Actions that an earlier module planned. In check mode, domains that they would create count as there.
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
"""

EXAMPLES = r"""
- name: Researchers log in with their universities' accounts
  sovereign.region.identity_federation:
    cloud: my-region-admin
    mappings:
      - name: eduid
        schema_version: "2.0"
        rules:
          - remote:
              - type: OIDC-sub
              - type: OIDC-groups
                any_one_of: [climate-users]
            local:
              - user:
                  name: "{0}"
                group:
                  name: climate-users
                  domain:
                    name: research
                domain:
                  name: research
    identity_providers:
      - name: eduid
        domain: research
        remote_ids: [https://login.eduid.example]
        authorization_ttl: 60
        purge: true
        protocols:
          - name: openid
            mapping: eduid
            remote_id_attribute: OIDC-iss

- name: What a mapping of schema 3.0 would take away
  sovereign.region.identity_federation:
    cloud: my-region-admin
    keystone_release: "2026.1"
    mappings: "{{ my_mappings }}"
    identity_providers: "{{ my_identity_providers }}"
  check_mode: true
  register: planned

- name: The identity provider and its mapping go
  sovereign.region.identity_federation:
    cloud: my-region-admin
    identity_providers:
      - name: eduid
        state: absent
    mappings:
      - name: eduid
        state: absent
"""

RETURN = r"""
actions:
  description: The changes, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: create
      kind: protocol
      name: eduid/openid
      before: null
      after: {mapping: eduid, remote_id_attribute: OIDC-iss}
      interrupts: null
      deferred: null
identity_providers:
  description: The declared identity providers as Keystone has them now.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name., type: str, returned: always}
    domain: {description: Name of the domain of its users., type: str, returned: always}
    domain_id: {description: Id of that domain., type: str, returned: always}
    description: {description: Description., type: str, returned: always}
    enabled: {description: Whether people can log in through it., type: bool, returned: always}
    remote_ids: {description: "The issuers that it stands for, sorted.", type: list, elements: str, returned: always}
    authorization_ttl:
      description: Minutes for which group memberships last after a login, V(-1) for the default of C(keystone.conf).
      type: int
      returned: always
    protocols:
      description: Its protocols, each with C(name), C(mapping) and C(remote_id_attribute).
      type: list
      elements: dict
      returned: always
mappings:
  description: The declared mappings as Keystone has them now, each with C(name), C(schema_version) and C(rules).
  returned: success
  type: list
  elements: dict
service_providers:
  description:
    - The declared service providers as Keystone has them now, each with C(name), C(auth_url), C(sp_url),
      C(description), C(enabled) and C(relay_state_prefix).
  returned: success
  type: list
  elements: dict
orphan_domains:
  description:
    - Domains that Keystone made for an identity provider that is gone, or for one that has another domain now. They are
      only told; M(sovereign.region.identity_projects) can adopt and remove one that is empty.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Id of the domain., type: str, returned: always}
    name: {description: Its random name., type: str, returned: always}
    identity_provider: {description: For which identity provider it was made., type: str, returned: always}
    enabled: {description: Whether it is enabled., type: bool, returned: always}
removed_by_mapping:
  description:
    - What a change that puts users under a mapping of schema V(3.0) takes from them at their next login. These are the
      direct roles on projects of the users who came through its protocols before, as they were before the change.
    - It is empty when no mapping of schema V(3.0) is created, changed, or given to a protocol that is there.
    - What users will claim at their next login cannot be known, and neither can users who never logged in.
  returned: success
  type: list
  elements: dict
  contains:
    mapping: {description: Name of the mapping., type: str, returned: always}
    identity_provider: {description: Name of the identity provider., type: str, returned: always}
    protocol: {description: Name of the protocol., type: str, returned: always}
    user: {description: Name of the user., type: str, returned: always}
    user_id: {description: Id of the user., type: str, returned: always}
    project: {description: Domain and name of the project., type: str, returned: always}
    role: {description: Name of the role., type: str, returned: always}
    inherited:
      description: Whether the role is inherited by the projects below. Keystone 30 then refuses the login with 404.
      type: bool
      returned: always
    may_stay:
      description: Whether some rule could give this role, depending on what the user claims then.
      type: bool
      returned: always
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 6
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
from ..module_utils._identity import federation


def main():
    cloud_module.run(federation)


if __name__ == "__main__":
    main()
