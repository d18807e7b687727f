# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a change of federation is refused, and names that do not exist. Pure: sentences, nothing else.

Keystone accepts most of what is refused here. It removes a mapping that protocols use, and all their logins fail from
then on; it removes an identity provider and leaves or removes its users, depending on the release; it names nobody when
a remote id is taken.
"""

from __future__ import annotations

from .._core.errors import unknown_name
from .federation_declared import (
    absent,
    mapping_difference,
    present,
    protocol_difference,
    provider_fields,
    purged_protocols,
    version_of,
)
from .federation_spec import rule_problems


def declaration_problems(params, observed):
    """Return sentences for what is declared and cannot be right, now that it is known what is there."""
    return _domain_problems(params, observed) + _mapping_problems(params, observed) + _url_problems(params, observed)


def refusals(params, observed):
    """Return sentences for what would be possible, but is not safe or not ours."""
    return (
        _moved(params, observed)
        + _taken(params, observed)
        + _open_to_all(params, observed)
        + _with_users(params, observed)
        + _used_mappings(params, observed)
    )


def _domain_problems(params, observed):
    known = set(observed.domain_names().values())
    for action in params["pending"]:
        if action.get("kind") == "domain" and action.get("verb") in ("create", "delete"):
            (known.add if action["verb"] == "create" else known.discard)(action["name"])
    found = []
    for index, item in enumerate(params["identity_providers"]):
        path = "identity_providers[{0}].domain".format(index)
        if item["state"] == "absent":
            continue
        if item["domain"] is None and item["name"] not in observed.providers:
            found.append("{0}: missing; without one Keystone makes a domain with a random name for {1!r}, and leaves "
                         "it behind when the identity provider goes".format(path, item["name"]))
        elif item["domain"] is not None and item["domain"] not in known:
            found.append(unknown_name(path, item["domain"], "domain", known))
    return found


def _mapping_problems(params, observed):
    known = set(observed.mappings) | set(present(params["mappings"]))
    found = [
        unknown_name("identity_providers[{0}].protocols[{1}].mapping".format(index, number), protocol["mapping"],
                     "mapping", known)
        for index, item in enumerate(params["identity_providers"]) if item["state"] == "present"
        for number, protocol in enumerate(item["protocols"] or []) if protocol["mapping"] not in known
    ]
    for index, item in enumerate(params["mappings"]):
        if item["state"] == "present" and item["schema_version"] is None:
            found += rule_problems("mappings[{0}]".format(index), item["rules"], version_of(item, observed))
    return found


def _url_problems(params, observed):
    return [
        "service_providers[{0}].{1}: missing; a new service provider needs auth_url and sp_url".format(index, name)
        for index, item in enumerate(params["service_providers"])
        if item["state"] == "present" and item["name"] not in observed.service_providers
        for name in ("auth_url", "sp_url") if item[name] is None
    ]


def _moved(params, observed):
    names, found = observed.domain_names(), []
    for name, item in present(params["identity_providers"]).items():
        if name in observed.providers and item["domain"] is not None:
            key = observed.providers[name]["domain_id"]
            if names.get(key, key) != item["domain"]:
                found.append(
                    "identity provider {0!r} is in domain {1!r} and declared in {2!r}; Keystone cannot move it, and "
                    "its users are in that domain: declare one of another name, and this one absent".format(
                        name, names.get(key, key), item["domain"]))
    return found


def _taken(params, observed):
    """A remote id belongs to one identity provider. Keystone's refusal says only "Duplicate remote ID: None"."""
    holders = {remote: name for name, row in observed.providers.items() for remote in row["remote_ids"]}
    declared = {item["name"]: item for item in params["identity_providers"]}
    found = []
    for name, item in present(params["identity_providers"]).items():
        for remote in provider_fields(item)["remote_ids"] or []:
            holder = holders.get(remote, name)
            lets_go = holder in declared and (
                declared[holder]["state"] == "absent" or declared[holder]["remote_ids"] is not None)
            if holder != name and not lets_go:
                found.append(
                    "identity provider {0!r}: the remote id {1!r} belongs to identity provider {2!r}; take it from "
                    "that one first, by declaring that one without it or absent".format(name, remote, holder))
    return found


def _open_to_all(params, observed):
    found = []
    for name, item in present(params["identity_providers"]).items():
        row = observed.providers.get(name, {"enabled": False, "remote_ids": []})
        wanted = provider_fields(item)
        remote_ids = row["remote_ids"] if wanted["remote_ids"] is None else wanted["remote_ids"]
        enabled = wanted["enabled"]
        if enabled is None:
            enabled = row["enabled"] if name in observed.providers else True
        there = observed.protocols.get(name, {})
        new = [protocol["name"] for protocol in item["protocols"] or [] if protocol["name"] not in there]
        # What is open already is not ours to close; the lint of the mapping tells it.
        if enabled and not remote_ids and (new or not row["enabled"] or row["remote_ids"]):
            found.append(
                "identity provider {0!r} would be enabled without remote ids, and Keystone then accepts assertions of "
                "any issuer for it; declare its remote_ids, or enabled: false".format(name))
    return found


def _with_users(params, observed):
    found = []
    for name in absent(params["identity_providers"], observed.providers):
        users = observed.users.get((name, None), [])
        if users:
            found.append("identity provider {0!r} has users: {1}; it stays: declare enabled: false to keep them out, "
                         "or remove the users first".format(name, _some(users)))
    for name, protocol in purged_protocols(params, observed):
        users = observed.users.get((name, protocol), [])
        if users:
            found.append("protocol {0!r} of identity provider {1!r} has users who came through it: {2}; it stays: "
                         "declare it, or remove the users first".format(protocol, name, _some(users)))
    return found


def _used_mappings(params, observed):
    """A mapping may serve identity providers that this declaration says nothing about."""
    gone = set(absent(params["identity_providers"], observed.providers))
    ours = present(params["identity_providers"])
    leaving = set(purged_protocols(params, observed))
    for name, item in ours.items():
        for protocol in item["protocols"] or []:
            row = observed.protocols.get(name, {}).get(protocol["name"])
            if row and "mapping" in protocol_difference(protocol, row)[1]:
                leaving.add((name, protocol["name"]))
    found = []
    for name in absent(params["mappings"], observed.mappings):
        used = [pair for pair in observed.users_of_mapping(name) if pair[0] not in gone and pair not in leaving]
        if used:
            found.append("mapping {0!r} is in use by {1}; it stays: Keystone would remove it, and every login there "
                         "would fail".format(name, _some("/".join(pair) for pair in used)))
    for name, item in present(params["mappings"]).items():
        before, after = mapping_difference(item, observed)
        others = [pair for pair in observed.users_of_mapping(name) if pair[0] not in ours and pair[0] not in gone]
        if before is not None and after and others and not params["adopt"]:
            found.append("mapping {0!r} decides logins of {1}, which is not declared here; declare that identity "
                         "provider too, use adopt: true to change it all the same, or give yours another name".format(
                             name, _some("/".join(pair) for pair in others)))
    return found


def _some(names):
    names = list(names)
    return ", ".join(names[:3]) + (" and {0} more".format(len(names) - 3) if len(names) > 3 else "")
