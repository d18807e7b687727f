#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_persona_check
short_description: Say what each persona may do under a site's policy files, and which override widens one
version_added: 0.1.0
description:
  - Evaluates the policies of Keystone 30, Nova 34, Placement 16, Glance 33 and Neutron 29 as C(oslo.policy) does, with
    a site's overrides over them, for the personas of the region document, without a cloud.
  - Returns what each persona may do as a table, what it may do more and less than by default, and what is wrong with
    the overrides themselves, such as names of rules that are no longer asked for.
  - Fails when an override lets a persona do more than by default and O(expect) does not say so, when a row of O(expect)
    does not hold, and when a service would not start or answer with an internal error.
  - A check that only the running service can answer, such as one that asks another server, is never counted as allowed.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  services:
    description: Services whose policies are looked at.
    type: list
    elements: str
    choices: [keystone, nova, placement, glance, neutron]
    default: [keystone, nova, placement, glance, neutron]
  overrides:
    description:
      - What the site's policy files say, a mapping for each service, as C(from_yaml) reads them.
      - Those of a service that is not known here are reported in RV(findings) and not looked at.
    type: dict
    default: {}
  enforce_scope:
    description:
      - What C([oslo_policy] enforce_scope) is. C(oslo.policy) 6.0 has no such option any more and always enforces.
    type: bool
    default: true
  enforce_new_defaults:
    description: What C([oslo_policy] enforce_new_defaults) is.
    type: bool
    default: true
  fail_on_widened:
    description: Whether to fail when a persona may do more than by default and O(expect) does not say so.
    type: bool
    default: true
  expect:
    description: What personas may and may not do, to be held.
    type: list
    elements: dict
    default: []
    suboptions:
      persona:
        description: Name of the persona.
        type: str
        required: true
        choices: [admin, manager, member, reader, auditor]
      scope:
        description:
          - The scope of its token. Without it the row is about all scopes that the persona has, and it is allowed
            what one of them is enough for.
        type: str
        choices: [system, domain, project]
      service:
        description: The service that is asked.
        type: str
        required: true
        choices: [keystone, nova, placement, glance, neutron]
      rule:
        description: Name of a rule of the service. Either this or O(expect[].operation).
        type: str
      operation:
        description: Name of an operation of RV(table), for which all its rules have to allow it.
        type: str
      target:
        description:
          - Whether the thing is the user's own (V(self)), of the own project or domain (V(own)) or of another domain
            (V(other)).
          - An override may give a persona what a row with O(expect[].allowed=true) says, and with V(other) what is its
            own as well, and with V(own) what is the user's own.
        type: str
        choices: [self, own, other]
        default: own
      allowed:
        description: Whether it has to be allowed or refused.
        type: bool
        required: true
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
seealso:
  - module: sovereign.region.identity_role_assignments
"""

EXAMPLES = r"""
- name: Whether kolla-ansible's overrides widen a persona
  sovereign.region.identity_persona_check:
    overrides:
      nova: "{{ lookup('ansible.builtin.file', '/etc/kolla/config/nova/policy.yaml') | ansible.builtin.from_yaml }}"

- name: Readers may see hypervisors here, on purpose, and members must never live-migrate
  sovereign.region.identity_persona_check:
    services: [nova]
    overrides:
      nova:
        os_compute_api:os-hypervisors:list: role:reader
    expect:
      # The role reader is also in the roles member and manager, so that the override reaches all three.
      - {persona: reader, service: nova, rule: "os_compute_api:os-hypervisors:list", target: other, allowed: true}
      - {persona: member, service: nova, rule: "os_compute_api:os-hypervisors:list", target: other, allowed: true}
      - {persona: manager, service: nova, rule: "os_compute_api:os-hypervisors:list", target: other, allowed: true}
      - {persona: member, service: nova, operation: live_migrate, allowed: false}
  register: personas

- name: The table for people
  ansible.builtin.debug:
    msg: "{{ personas.text.splitlines() }}"
"""

RETURN = r"""
table:
  description: What each persona may do, a row for each operation that operators ask about.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    service:
      description: The service.
      type: str
      returned: always
    operation:
      description: Name of the operation.
      type: str
      returned: always
    title:
      description: The operation in words.
      type: str
      returned: always
    rules:
      description: The rules that all have to allow it.
      type: list
      elements: str
      returned: always
    answers:
      description:
        - For each persona, and in it for each scope that it has, V(yes), V(own) (only in the own project or domain),
          V(self) (only the user's own), V(no), or V(unknown) (only the running service can know).
      type: dict
      returned: always
      sample:
        member: {project: own}
        auditor: {system: "no"}
text:
  description: The table as Markdown.
  returned: when the options are valid
  type: str
widened:
  description: What personas may do more than by default with scopes enforced and new defaults.
  returned: when the options are valid
  type: list
  elements: dict
  contains: &change
    service:
      description: The service.
      type: str
      returned: always
    rule:
      description: The rule that answers otherwise.
      type: str
      returned: always
    persona:
      description: Name of the persona.
      type: str
      returned: always
    scopes:
      description: The scopes of its tokens for which it is so.
      type: list
      elements: str
      returned: always
    targets:
      description: The kinds of thing for which it is so, V(self), V(own) or V(other).
      type: list
      elements: str
      returned: always
    operations:
      description: What the rule protects, as method and path.
      type: list
      elements: str
      returned: always
    through:
      description: The overridden rules, or else the settings, that make it so.
      type: list
      elements: str
      returned: always
narrowed:
  description: What personas may no longer do.
  returned: when the options are valid
  type: list
  elements: dict
  contains: *change
unknown:
  description: What only the running service can know now.
  returned: when the options are valid
  type: list
  elements: dict
  contains: *change
findings:
  description: What is wrong with the overrides themselves.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: Id of the finding.
      type: str
      returned: always
      sample: unknown_rule
    severity:
      description:
        - V(critical) when the service does not start or answers with an internal error, V(warning) when the override
          does not do what it says, V(info) when it does nothing.
      type: str
      returned: always
    path:
      description: Where it is.
      type: str
      returned: always
      sample: overrides.nova['os_compute_api:servers:lst']
    message:
      description: What is wrong there.
      type: str
      returned: always
    fix:
      description: How to mend it.
      type: str
      returned: always
error:
  description: Class of the error, V(DeclarationError) or V(PolicyNotAsExpected).
  returned: failure
  type: str
problems:
  description: Everything that does not hold or cannot be right, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import errors
from ..module_utils._identity import persona_check


def main():
    module = AnsibleModule(argument_spec=persona_check.ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**persona_check.run(module.params))
    except errors.RegionError as error:
        module.fail_json(**persona_check.failure(error))


if __name__ == "__main__":
    main()
