# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: kolla_identity
short_description: Identity variables of kolla-ansible as the section of a region document
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns the section C(identity) of a region document that declares what kolla-ansible would make of
    C(keystone_identity_providers) and C(keystone_identity_mappings), and notes about everything else.
  - Options of the web server are told by their names only; their values, which may be secrets, are not returned.
positional: _input, files
options:
  _input:
    description:
      - Variables of kolla-ansible. Those that are looked at are C(keystone_identity_providers),
        C(keystone_identity_mappings), C(keystone_federation_oidc_additional_options),
        C(keystone_trusted_dashboards) and C(keystone_remote_id_attribute_oidc).
    type: dict
    required: true
  files:
    description: What the file of each mapping holds, by the name of the mapping.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: What would stand in the region document
  ansible.builtin.debug:
    msg: "{{ {'keystone_identity_providers': keystone_identity_providers,
              'keystone_identity_mappings': keystone_identity_mappings}
             | sovereign.region.kolla_identity({'eduid': lookup('ansible.builtin.file', 'eduid.json')}) }}"
"""

RETURN = r"""
_value:
  description: C(identity), the section; C(domains), the names of the domains that it needs; C(notes), a sentence for
    each thing that was not carried over or is worth a look.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import DeclarationError
from ..module_utils._identity.import_kolla import from_kolla


def kolla_identity(variables, files=None):
    """Return the section, the domains that it needs, and notes."""
    try:
        return from_kolla(variables, files)
    except DeclarationError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"kolla_identity": kolla_identity}
