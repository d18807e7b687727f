# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: user_passwords
short_description: Declared users together with their passwords, which are kept elsewhere
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Gives each user the password that stands under its name. The region document holds no secrets; passwords come from
    where they are kept, such as a vault.
  - A password of a user that is not declared is an error, which does not show the password.
positional: _input, passwords
options:
  _input:
    description: Users, as M(sovereign.region.identity_users) takes them.
    type: list
    elements: dict
    required: true
  passwords:
    description: Passwords by C(domain/name), or by C(name) for users of the domain Default.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Users with their passwords
  sovereign.region.identity_users:
    users: "{{ my_users | sovereign.region.user_passwords({'research/alice': vaulted_password}) }}"
"""

RETURN = r"""
_value:
  description: The users; those that have one with C(password).
  type: list
  elements: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import unknown_name

DEFAULT = "Default"


def user_passwords(users, passwords=None):
    """Return users with the passwords that stand under their names."""
    given = {name if "/" in name else DEFAULT + "/" + name: word for name, word in (passwords or {}).items()}
    names = ["{0}/{1}".format(user.get("domain") or DEFAULT, user["name"]) for user in users]
    wrong = [unknown_name("passwords", name, "declared user", names) for name in given if name not in names]
    if wrong:
        raise AnsibleFilterError("\n".join(wrong))
    return [dict(user, password=given[name]) if name in given else user for name, user in zip(names, users)]


class FilterModule:
    def filters(self):
        return {"user_passwords": user_passwords}
