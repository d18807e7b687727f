# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``identity_federation``, and what is wrong with them before any request is sent. Pure.

Sources of the limits: Keystone 30.0.0 ``keystone/federation/schema.py`` and ``federation/backends/sql.py``. Schema 3.0
of mappings is in Keystone 29.1.0 and not in 28.1.0.
"""

from __future__ import annotations

import re

from .mapping_engine import structure_problems

VERSIONS = ("1.0", "2.0", "3.0")
# Keystone 29: the first release that knows schema 3.0. The API does not tell it from older ones.
SYNCHRONISING = "3.0"
SYNCHRONISING_SINCE = (2026, 1)
# In place of a time: what [federation] default_authorization_ttl says. None means that nothing is declared.
DEFAULT_TTL = -1

_LONGEST_NAME = 64
# The JSON schema says 64, although the column has 255: longer issuers cannot be registered.
_LONGEST_REMOTE_ID = 64
_LONGEST_URL = 225
_LONGEST_PREFIX = 256
_RELEASE = re.compile(r"(20\d\d)\.([12])\Z")
_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_NAME = {"type": "str", "required": True}

ARGUMENT_SPEC = {
    "mappings": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": _NAME,
            "schema_version": {"type": "str", "choices": list(VERSIONS)},
            "rules": {"type": "list", "elements": "dict"},
            "state": _STATE,
        },
    },
    "identity_providers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": _NAME,
            "domain": {"type": "str"},
            "description": {"type": "str"},
            "enabled": {"type": "bool"},
            "remote_ids": {"type": "list", "elements": "str"},
            "authorization_ttl": {"type": "int"},
            "protocols": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": _NAME,
                    "mapping": {"type": "str", "required": True},
                    "remote_id_attribute": {"type": "str"},
                },
            },
            "purge": {"type": "bool", "default": False},
            "state": _STATE,
        },
    },
    "service_providers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": _NAME,
            "auth_url": {"type": "str"},
            "sp_url": {"type": "str"},
            "description": {"type": "str"},
            "enabled": {"type": "bool"},
            "relay_state_prefix": {"type": "str"},
            "state": _STATE,
        },
    },
    # The sanity test takes every name with "key" in it for a secret.
    "keystone_release": {"type": "str", "no_log": False},
    "adopt": {"type": "bool", "default": False},
    "pending": {"type": "list", "elements": "dict", "default": []},
}


def problems(params):
    """Return one sentence for each thing that cannot be right."""
    return (
        _release_problems(params)
        + _mapping_problems(params["mappings"])
        + _provider_problems(params["identity_providers"])
        + _service_provider_problems(params["service_providers"])
        + _gone_mappings(params)
    )


def release(text):
    """Return (year, number) of a release such as ``2026.1``, or None when it is no release."""
    found = _RELEASE.match(text or "")
    return (int(found.group(1)), int(found.group(2))) if found else None


def synchronises(keystone_release):
    """Whether the declared release knows mappings of schema 3.0."""
    return (release(keystone_release) or (0, 0)) >= SYNCHRONISING_SINCE


def _release_problems(params):
    found = []
    said = params["keystone_release"]
    if said is not None and not release(said):
        found.append("keystone_release: {0!r}; expected a release of OpenStack such as '2026.1'".format(said))
    if not synchronises(said):
        found += [
            "mappings[{0}].schema_version: '3.0' needs Keystone 2026.1 or later, and the API does not say which one "
            "runs; {1}".format(index, "keystone_release is {0!r}".format(said) if said else
                               "say keystone_release: \"2026.1\" if it is at least that")
            for index, mapping in enumerate(params["mappings"])
            if mapping["schema_version"] == SYNCHRONISING and mapping["state"] == "present"
        ]
    return found


def _mapping_problems(mappings):
    found = _named("mappings", mappings)
    for index, mapping in enumerate(mappings):
        path = "mappings[{0}]".format(index)
        if mapping["state"] == "present" and mapping["rules"] is None:
            found.append("{0}.rules: missing; a mapping that is present needs its rules".format(path))
        elif mapping["state"] == "present" and mapping["schema_version"]:
            found += rule_problems(path, mapping["rules"], mapping["schema_version"])
    return found


def rule_problems(path, rules, version):
    """Return the sentences for rules that Keystone would refuse under a schema version."""
    return [
        "{0}.{1}: {2} (schema {3})".format(path, problem["path"], problem["message"], version)
        for problem in structure_problems(rules, version)
    ]


def _provider_problems(providers):
    found, holders = _named("identity_providers", providers), {}
    for index, provider in enumerate(providers):
        path = "identity_providers[{0}]".format(index)
        for number, remote in enumerate(provider["remote_ids"] or []):
            where = "{0}.remote_ids[{1}]".format(path, number)
            found += _remote_id_problems(where, remote)
            if provider["state"] == "present":
                holder = holders.setdefault(remote, provider["name"])
                if holder != provider["name"]:
                    found.append("{0}: {1!r} is declared for identity provider {2!r} too; Keystone gives a remote id "
                                 "to one identity provider only".format(where, remote, holder))
        ttl = provider["authorization_ttl"]
        if ttl is not None and ttl < DEFAULT_TTL:
            found.append("{0}.authorization_ttl: {1}; expected minutes, 0 for no time at all, or {2} for the default "
                         "of keystone.conf".format(path, ttl, DEFAULT_TTL))
        found += _protocol_problems(path, provider)
    return found


def _remote_id_problems(where, remote):
    if not remote:
        return ["{0}: a remote id is not empty".format(where)]
    if len(remote) > _LONGEST_REMOTE_ID:
        return ["{0}: {1!r} has {2} characters and Keystone takes at most {3}; let the protocol's remote_id_attribute "
                "name a shorter claim, such as the tenant's id".format(where, remote, len(remote), _LONGEST_REMOTE_ID)]
    return []


def _protocol_problems(path, provider):
    protocols = provider["protocols"] or []
    found = _named(path + ".protocols", protocols)
    if provider["purge"] and provider["protocols"] is None:
        found.append("{0}.purge: nothing says which protocols stay; declare protocols, or [] for none".format(path))
    for index, protocol in enumerate(protocols):
        where = "{0}.protocols[{1}]".format(path, index)
        found += _name_problems(where + ".mapping", protocol["mapping"])
        attribute = protocol["remote_id_attribute"] or ""
        if len(attribute) > _LONGEST_NAME:
            found.append("{0}.remote_id_attribute: {1!r} has {2} characters; at most {3}".format(
                where, attribute, len(attribute), _LONGEST_NAME))
    return found


def _service_provider_problems(providers):
    found = _named("service_providers", providers)
    for index, provider in enumerate(providers):
        path = "service_providers[{0}]".format(index)
        for name in ("auth_url", "sp_url"):
            url = provider[name]
            if url is not None and (not re.match(r"https?://[^\s/]+", url) or len(url) > _LONGEST_URL):
                found.append("{0}.{1}: {2!r}; expected an http or https URL of at most {3} characters".format(
                    path, name, url, _LONGEST_URL))
        if len(provider["relay_state_prefix"] or "") > _LONGEST_PREFIX:
            found.append("{0}.relay_state_prefix: {1} characters; at most {2}".format(
                path, len(provider["relay_state_prefix"]), _LONGEST_PREFIX))
    return found


def _gone_mappings(params):
    gone = {mapping["name"] for mapping in params["mappings"] if mapping["state"] == "absent"}
    return [
        "identity_providers[{0}].protocols[{1}].mapping: {2!r} is declared absent".format(index, number, row["mapping"])
        for index, provider in enumerate(params["identity_providers"]) if provider["state"] == "present"
        for number, row in enumerate(provider["protocols"] or []) if row["mapping"] in gone
    ]


def _named(path, items):
    """Return sentences for names that Keystone would refuse, that no URL can hold, or that are declared twice."""
    found, seen = [], {}
    for index, item in enumerate(items):
        name = item["name"]
        found += _name_problems("{0}[{1}].name".format(path, index), name)
        first = seen.setdefault(name.casefold(), index)
        if first != index and items[first]["name"] == name:
            found.append("{0}[{1}]: {2!r} is declared already at {0}[{3}]".format(path, index, name, first))
        elif first != index:
            found.append("{0}[{1}]: {2!r} differs from {3!r} only in upper and lower case; a Keystone on MySQL takes "
                         "them for the same name".format(path, index, name, items[first]["name"]))
    return found


def _name_problems(path, name):
    found = []
    if not name.strip() or name != name.strip():
        found.append("{0}: {1!r}; a name is not empty and neither begins nor ends with a space".format(path, name))
    if len(name) > _LONGEST_NAME:
        found.append("{0}: {1!r} has {2} characters; at most {3}".format(path, name, len(name), _LONGEST_NAME))
    if "/" in name or name in (".", ".."):
        found.append("{0}: {1!r} is part of a URL and cannot be there".format(path, name))
    return found
