# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is valid in the section ``identity`` and probably not meant. Pure."""

from __future__ import annotations

from .names import qualified


def identity_warnings(section):
    """Return one sentence for each doubt about the section ``identity`` of a normalised document."""
    return _powerless(section) + _unused_mappings(section) + _providers(section)


def _powerless(section):
    """Warn of those who can log in and do nothing, and of groups that give nothing."""
    given = {(key, one[key]) for one in section["assignments"] for key in ("group", "user") if one[key]}
    groups = {qualified(one["domain"], one["name"]): one["members"] or [] for one in section["groups"]}
    found = [
        "group {0} has no assignment: being in it gives nothing".format(name)
        for name in groups if ("group", name) not in given
    ]
    members = {member for name, members in groups.items() for member in members}
    names = [qualified(one["domain"], one["name"]) for one in section["users"]]
    return found + [
        "user {0} has no assignment and is in no group: they can log in and do nothing".format(name)
        for name in names if ("user", name) not in given and name not in members
    ]


def _unused_mappings(section):
    used = {protocol["mapping"] for provider in section["identity_providers"] for protocol in provider["protocols"]}
    found = [
        "mapping {0} is used by no protocol: nobody comes in by it".format(one["name"])
        for one in section["mappings"] if one["name"] not in used
    ]
    return found + [
        "mapping {0} has no golden assertion: nothing says what it is meant to do".format(one["name"])
        for one in section["mappings"] if not one["assertions"]
    ]


def _providers(section):
    found = [
        "identity provider {0} has no protocol: nobody can log in with it".format(one["name"])
        for one in section["identity_providers"] if not one["protocols"]
    ]
    default = section["federation"]["remote_id_attribute"]
    for provider in section["identity_providers"]:
        named = default or any(protocol["remote_id_attribute"] for protocol in provider["protocols"])
        if provider["protocols"] and provider["remote_ids"] and not named:
            found.append(
                "identity provider {0} has remote ids, and no protocol of it nor the section federation says "
                "remote_id_attribute: Keystone compares nothing unless keystone.conf does".format(provider["name"]))
    return found
