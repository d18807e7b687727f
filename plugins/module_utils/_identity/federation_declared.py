# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of federation, in the words of Keystone's answers, and how it differs from what is there. Pure."""

from __future__ import annotations

import json

from .._core.change import differing
from .federation_spec import DEFAULT_TTL, SYNCHRONISING

PROVIDER_FIELDS = ("description", "enabled", "remote_ids", "authorization_ttl")
SERVICE_PROVIDER_FIELDS = ("auth_url", "sp_url", "description", "enabled", "relay_state_prefix")


def present(items):
    """Return mapping of name to item, for the items that are declared present."""
    return {item["name"]: item for item in items if item["state"] == "present"}


def absent(items, there):
    """Return the names that are declared absent and are there, in the order of the declaration."""
    return [item["name"] for item in items if item["state"] == "absent" and item["name"] in there]


def provider_fields(item):
    """Return the declared fields of an identity provider; None is not managed. Remote ids are a set."""
    fields = {name: item[name] for name in PROVIDER_FIELDS}
    if fields["remote_ids"] is not None:
        fields["remote_ids"] = sorted(set(fields["remote_ids"]))
    return fields


def new_provider(item):
    """Return the fields of an identity provider that is to be created.

    It is enabled unless declared otherwise: Keystone's own default is a disabled one.
    """
    fields = {name: value for name, value in provider_fields(item).items() if value is not None}
    if fields.get("authorization_ttl") == DEFAULT_TTL:
        del fields["authorization_ttl"]
    fields.setdefault("enabled", True)
    return dict(fields, domain=item["domain"])


def new_service_provider(item):
    """Return the fields of a service provider that is to be created: enabled unless declared otherwise."""
    fields = {name: item[name] for name in SERVICE_PROVIDER_FIELDS if item[name] is not None}
    fields.setdefault("enabled", True)
    return fields


def version_of(item, observed):
    """Return the schema version that a declared mapping has: the declared one, else the one it has, else 1.0."""
    return item["schema_version"] or observed.mappings.get(item["name"], {}).get("schema_version") or "1.0"


def mapping_difference(item, observed):
    """Return (before, after) of a declared mapping; ``before`` is None when it is not there."""
    wanted = {"rules": item["rules"], "schema_version": version_of(item, observed)}
    found = observed.mappings.get(item["name"])
    if found is None:
        return None, wanted
    after = {name: value for name, value in wanted.items() if _text(found[name]) != _text(value)}
    return {name: found[name] for name in after}, after


def _text(value):
    # In Python 1 equals True; in JSON it does not.
    return json.dumps(value, sort_keys=True)


def changing_mappings(params, observed):
    """Return the names of the mappings that are there and will be changed or removed."""
    changed = [
        name for name, item in present(params["mappings"]).items()
        if mapping_difference(item, observed)[0] and mapping_difference(item, observed)[1]
    ]
    return changed + absent(params["mappings"], observed.mappings)


def protocol_difference(item, found):
    """Return (before, after) of one declared protocol; ``found`` is None when it is not there."""
    if found is None:
        after = {name: item[name] for name in ("mapping", "remote_id_attribute") if item[name]}
        return None, after
    return differing(found, {"mapping": item["mapping"], "remote_id_attribute": item["remote_id_attribute"]})


def purged_protocols(params, observed):
    """Return the (identity provider, protocol) pairs that are there, not declared, and to be removed."""
    return [
        (name, protocol)
        for name, item in present(params["identity_providers"]).items()
        if item["purge"] and item["protocols"] is not None
        for protocol in sorted(observed.protocols.get(name, {}))
        if protocol not in {one["name"] for one in item["protocols"]}
    ]


def synchronised(params, observed):
    """Return what comes under a mapping of schema 3.0, or stays under one whose rules change.

    Returns:
        A list of (identity provider, protocol, name of the mapping, its rules, id of the identity provider's domain),
        for protocols that are there already: only through those users came before.
    """
    declared = present(params["mappings"])
    written = {name for name, item in declared.items() if mapping_difference(item, observed)[1]}
    moves = {
        (name, protocol["name"]): protocol["mapping"]
        for name, item in present(params["identity_providers"]).items()
        for protocol in item["protocols"] or []
    }
    gone = set(purged_protocols(params, observed))
    gone_providers = set(absent(params["identity_providers"], observed.providers))
    found = []
    for provider, protocols in sorted(observed.protocols.items()):
        for protocol, row in sorted(protocols.items()):
            mapping = moves.get((provider, protocol), row["mapping"])
            stays = (provider, protocol) not in gone and provider not in gone_providers
            if stays and (mapping in written or mapping != row["mapping"]):
                version, rules = _then(mapping, declared, observed)
                if version == SYNCHRONISING:
                    found.append((provider, protocol, mapping, rules, observed.providers[provider]["domain_id"]))
    return found


def _then(name, declared, observed):
    """Return (schema version, rules) that a mapping will have."""
    if name in declared:
        return version_of(declared[name], observed), declared[name]["rules"]
    found = observed.mappings.get(name, {"schema_version": None, "rules": []})
    return found["schema_version"], found["rules"]
