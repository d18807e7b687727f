#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_federation_info
short_description: Read the federation of a running Keystone, as the section of a region document
version_added: 0.1.0
description:
  - Reads identity providers with their protocols, mappings, service providers, and the groups that mappings put people
    in with their roles. One list call for each kind of object, and one for each identity provider.
  - Returns them field by field, and as the section C(identity) of a region document, which declares what is there.
  - What the document cannot say, and what no API tells, is returned in RV(notes). No secret is among what Keystone
    tells here.
author:
  - The sovereign.region authors (@sovereign-region)
options: {}
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
  - sovereign.region.attributes.actiongroup_openstack
seealso:
  - module: sovereign.region.identity_federation
  - plugin: sovereign.region.kolla_identity
    plugin_type: filter
"""

EXAMPLES = r"""
- name: What federates here
  sovereign.region.identity_federation_info:
    cloud: my-region-admin
  register: federation

- name: As the section of a region document
  ansible.builtin.debug:
    msg: "{{ {'identity': federation.identity} | to_nice_yaml(indent=2, sort_keys=false) }}"
"""

RETURN = r"""
identity:
  description: The section C(identity) of a region document. What is as its absence means is left out.
  returned: success
  type: dict
  sample:
    identity_providers:
      - name: eduid
        domain: research
        remote_ids: ["https://idp.example.org"]
        protocols:
          - {name: openid, mapping: eduid, remote_id_attribute: OIDC-iss}
domains:
  description: Names of the domains that the section needs, besides C(Default). The document has to declare them.
  returned: success
  type: list
  elements: str
  sample: [research]
notes:
  description: What could not be carried over and what is worth a look, a sentence each.
  returned: success
  type: list
  elements: str
  sample:
    - "mapping eduid names group research/gone, which does not exist: nobody gets it"
identity_providers:
  description: All identity providers, with every field and their protocols.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      returned: always
    domain:
      description: Name of the domain of its users.
      type: str
      returned: always
    description:
      description: Description.
      type: str
      returned: always
    enabled:
      description: Whether its users can log in.
      type: bool
      returned: always
    remote_ids:
      description: How it names itself, sorted.
      type: list
      elements: str
      returned: always
    authorization_ttl:
      description: Minutes that membership of groups outlives a login; V(none) for what keystone.conf says.
      type: int
      returned: always
    protocols:
      description: Its protocols, each with C(name), C(mapping) and C(remote_id_attribute).
      type: list
      elements: dict
      returned: always
mappings:
  description: All mappings, each with C(name), C(schema_version) and C(rules).
  returned: success
  type: list
  elements: dict
service_providers:
  description: All service providers, each with C(name), C(auth_url), C(sp_url), C(description), C(enabled) and
    C(relay_state_prefix), which is V(none) where it is Keystone's default.
  returned: success
  type: list
  elements: dict
groups:
  description: The groups that mappings put people in and that exist, each with C(name), C(domain), C(description)
    and C(id).
  returned: success
  type: list
  elements: dict
assignments:
  description: What these groups may do, each with C(persona) or C(role), C(group), where, and C(inherited).
  returned: success
  type: list
  elements: dict
orphan_domains:
  description: Domains that Keystone made for identity providers that are gone.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Keystone's id.
      type: str
      returned: always
    name:
      description: Its name, which is random.
      type: str
      returned: always
    identity_provider:
      description: For which identity provider it was made.
      type: str
      returned: always
    enabled:
      description: Whether it is enabled.
      type: bool
      returned: always
actions:
  description: Nothing is changed.
  returned: always
  type: list
  elements: dict
  sample: []
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 8
error:
  description: Class of the error, such as V(Forbidden).
  returned: failure
  type: str
"""

from ..module_utils._core import cloud_module
from ..module_utils._identity import import_keystone


def main():
    cloud_module.run(import_keystone)


if __name__ == "__main__":
    main()
