#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: identity_mapping_check
short_description: Say what federation mappings make of claims, and what in them is dangerous
version_added: 0.1.0
description:
  - Evaluates mappings as Keystone does, for schemas 1.0, 2.0 and 3.0, without a cloud, and compares what comes out with
    what is expected.
  - Looks for what lets strangers in, breaks logins, or does not do what it says. Each finding has an id, a severity,
    its path, and how to mend it. The page C(docs/mapping-findings.md) of this collection explains all of them.
  - All assertions are evaluated before the first one that does not hold fails the module. The message says which rule
    matched, and why the others did not.
  - Rules that Keystone would refuse fail with their path before anything is evaluated.
  - What Keystone does with the result needs its database and is not looked at, such as whether a group exists, unless
    it is told here what is declared.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  mapping:
    description: One mapping. Either this or O(mappings).
    type: dict
    suboptions:
      name:
        description: Name of the mapping, for messages and to find the protocols that use it.
        type: str
      rules:
        description: Its rules, as Keystone's API takes them.
        type: list
        elements: raw
        required: true
      schema_version:
        description:
          - V(1.0), V(2.0) or V(3.0). Keystone's own default is V(1.0).
        type: str
        default: "1.0"
  assertions:
    description: What is to come out of O(mapping).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is about, such as V(a researcher).
        type: str
        required: true
      claims:
        description:
          - What the web server hands to Keystone, by name. A text, or a list of texts, which is joined by V(;).
          - Numbers and booleans are refused, because their text depends on the web server. Write them in quotes.
        type: dict
        required: true
      expect:
        description:
          - A part of a result, with any of C(accepted), C(reason), C(exception), C(user), C(group_ids),
            C(group_names), C(projects) and C(matched_rules) (see RV(results)).
          - Of a mapping, only the keys that are named are compared.
          - A list is the whole list, in any order. Nothing may be missing, and nothing more may be there.
          - A text stands for a group or project of that name, such as V(gpu-users) or V(research/gpu-users), or for a
            role.
          - C(accepted=true) does not hold where the login is certain to fail after the mapping.
          - Without it, the claims are evaluated and nothing is compared.
        type: dict
  mappings:
    description: Many mappings, each with its assertions. Either this or O(mapping).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the mapping, for messages and to find the protocols that use it.
        type: str
      rules:
        description: Its rules, as Keystone's API takes them. Required unless it is absent.
        type: list
        elements: raw
      schema_version:
        description:
          - V(1.0), V(2.0) or V(3.0). Keystone's own default is V(1.0).
        type: str
        default: "1.0"
      state:
        description: Whether the mapping is to be there. What is absent is not looked at.
        type: str
        choices: [present, absent]
        default: present
      assertions:
        description: What is to come out of it, as in O(assertions).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: What it is about, such as V(a researcher).
            type: str
            required: true
          claims:
            description: What the web server hands to Keystone, by name. A text, or a list of texts.
            type: dict
            required: true
          expect:
            description: A part of a result, as in O(assertions[].expect).
            type: dict
  identity_providers:
    description:
      - Identity providers with their protocols, as the region document declares them. Then remote ids, bounds on time
        and the use of mappings are looked at, too.
    type: list
    elements: dict
  service_providers:
    description: Service providers, as the region document declares them.
    type: list
    elements: dict
  groups:
    description:
      - All groups, as V(domain/name), as V(name) in the domain V(Default), or as mappings with C(name) and C(domain).
        Then a group that a mapping names and that is not there is found.
    type: list
    elements: raw
  roles:
    description: Names of all roles. Then a role that is not there is found.
    type: list
    elements: raw
  projects:
    description: All projects, written as O(groups). Then a project that Keystone would make is found.
    type: list
    elements: raw
  domains:
    description: Names of all domains. Then a domain that is not there is found.
    type: list
    elements: raw
  assignments:
    description:
      - Roles of groups, each with C(group) and C(role) or C(persona). Then a mapping that makes somebody an
        administrator by way of a group is found.
    type: list
    elements: dict
  privileged_users:
    description: Names of users that no mapping may give, besides those that OpenStack's services have.
    type: list
    elements: str
  federation:
    description:
      - Options of the section C([federation]) of C(keystone.conf) as they are declared. C(assertion_prefix),
        C(remote_id_attribute) and C(default_authorization_ttl) are looked at.
    type: dict
  keystone_release:
    description: The release of Keystone, such as V(2026.2). Then what it does not know is found.
    type: str
  fail_on:
    description:
      - The lowest severity of a finding that fails the module. Assertions that do not hold fail it always.
      - The role C(sovereign.region.identity) asks for V(critical).
    type: str
    choices: [critical, warning, info, never]
    default: never
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.info_module
seealso:
  - module: sovereign.region.identity_federation
"""

EXAMPLES = r"""
- name: What the mapping makes of a researcher and of a stranger
  sovereign.region.identity_mapping_check:
    mapping:
      name: eduid
      schema_version: "2.0"
      rules:
        - remote:
            - type: OIDC-sub
            - type: OIDC-groups
              whitelist: [climate-users, gpu-users]
            - type: OIDC-affiliation
              any_one_of: [staff, member]
          local:
            - user:
                name: "{0}"
            - groups: "{1}"
              domain:
                name: research
    assertions:
      - name: a researcher
        claims:
          OIDC-sub: 8c1f
          OIDC-groups: [climate-users, choir]
          OIDC-affiliation: staff
        expect:
          accepted: true
          user:
            name: 8c1f
          group_names: [research/climate-users]
      - name: an alumna
        claims:
          OIDC-sub: 77aa
          OIDC-groups: climate-users
          OIDC-affiliation: alum
        expect:
          accepted: false
          reason: no_rule_matched

- name: All mappings of a region, with what is declared around them
  sovereign.region.identity_mapping_check:
    mappings: "{{ my_mappings }}"
    identity_providers: "{{ my_identity_providers }}"
    groups: [research/climate-users, research/gpu-users]
    roles: [admin, manager, member, reader]
    keystone_release: "2026.2"
    fail_on: warning
"""

RETURN = r"""
results:
  description: What came out, one for each assertion, in their order.
  returned: always, unless an option cannot be right
  type: list
  elements: dict
  contains:
    mapping:
      description: Name of the mapping, or null.
      type: str
      returned: always
    name:
      description: Name of the assertion.
      type: str
      returned: always
    accepted:
      description: Whether Keystone's mapping engine accepts the claims.
      type: bool
      returned: always
    reason:
      description: Why it does not, as a word that stays the same, such as V(no_rule_matched).
      type: str
      returned: always
    message:
      description: The same as a sentence.
      type: str
      returned: always
    exception:
      description: The class of the exception in Keystone.
      type: str
      returned: always
    user:
      description: The user, with C(type) and what the rules give of C(name), C(id), C(email) and C(domain).
      type: dict
      returned: always
    group_ids:
      description: Ids of groups.
      type: list
      elements: str
      returned: always
    group_names:
      description: Groups by C(name) and C(domain).
      type: list
      elements: dict
      returned: always
    projects:
      description: Projects with C(name), C(roles) and, from schema 2.0 on, C(domain).
      type: list
      elements: dict
      returned: always
    matched_rules:
      description: The rules that matched, from 0.
      type: list
      elements: int
      returned: always
    roles:
      description:
        - The roles that this leads to, each with C(role), one of C(project), C(domain) and C(system), C(inherited)
          where it holds for the projects below, and C(group) where a group has it.
        - Roles of groups come from O(assignments).
      type: list
      elements: dict
      returned: always
    login_problems:
      description:
        - Why the login fails later although the mapping accepts the claims, as far as no database is needed to know,
          each with C(id), C(exception), C(certain) and C(message).
      type: list
      elements: dict
      returned: always
    trace:
      description:
        - Each rule with C(index), C(matched) and C(requirements), which are those that Keystone looks at. Each has
          C(path), C(claim), C(operator), C(values), C(passed) and C(why).
      type: list
      elements: dict
      returned: always
findings:
  description: What the linter found, the worst first.
  returned: always, unless an option cannot be right
  type: list
  elements: dict
  contains:
    id:
      description: What it is, as a word that stays the same, such as V(header-claim).
      type: str
      returned: always
    severity:
      description: V(critical), V(warning) or V(info).
      type: str
      returned: always
    path:
      description: Where it is, such as V(rules[0].remote[1].type); with O(mappings) it begins with V(mappings[0].).
      type: str
      returned: always
    message:
      description: What is wrong there.
      type: str
      returned: always
    fix:
      description: How to mend it.
      type: str
      returned: always
error:
  description: Class of the error, V(DeclarationError) or V(MappingNotAsExpected).
  returned: failure
  type: str
problems:
  description: Everything that does not hold or cannot be right, a text each.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import errors
from ..module_utils._identity import mapping_check


def main():
    module = AnsibleModule(
        argument_spec=mapping_check.ARGUMENT_SPEC,
        mutually_exclusive=mapping_check.ONE_OF,
        required_one_of=mapping_check.ONE_OF,
        supports_check_mode=True,
    )
    try:
        module.exit_json(**mapping_check.check(module.params))
    except errors.RegionError as error:
        module.fail_json(**mapping_check.failure(error))


if __name__ == "__main__":
    main()
