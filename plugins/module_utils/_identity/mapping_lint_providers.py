# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity providers, protocols and service providers around mappings. Pure."""

from __future__ import annotations

from .mapping_lint_claims import environment_name, forgeable
from .mapping_lint_table import found, unknown

# keystone/federation/schema.py, 27.0.0 to 30.0.0: maxLength of a remote id.
LONGEST_REMOTE_ID = 64
DAY = 1440


def findings(context, mapping=None):
    """Return the findings about what is declared around mappings.

    Args:
        context: Context.
        mapping: name of a mapping, to look only at the identity providers that use it; None for all.
    """
    found_here, owners = [], {}
    for index, provider in enumerate(context.providers or []):
        path = "identity_providers[{0}]".format(index)
        rivals = _rivals(path, provider, owners)
        if mapping is None or any(one.get("mapping") == mapping for unused, one in _protocols(provider)):
            found_here += _provider(path, provider, context) + rivals
    if mapping is None:
        found_here += [
            found("k2k-sha1", "service_providers[{0}]".format(index), (
                "assertions for {0!r} are signed with RSA-SHA1".format(one.get("name"))))
            for index, one in enumerate(context.service_providers)
        ]
    return found_here


def unused(names, context):
    """Return the findings about mappings that no protocol uses.

    Args:
        names: list of (path, name of a mapping or None).
        context: Context.
    """
    if context.providers is None:
        return []
    used = {one.get("mapping") for provider in context.providers for number, one in _protocols(provider)
            if isinstance(one.get("mapping"), str)}
    return [found("mapping-unused", path, "no protocol uses the mapping {0!r}".format(name))
            for path, name in names if name is not None and name not in used]


def _protocols(provider):
    protocols = provider.get("protocols")
    return [(index, one) for index, one in enumerate(protocols if isinstance(protocols, (list, tuple)) else [])
            if isinstance(one, dict) and one.get("state") != "absent"]


def _remote_ids(provider):
    ids = provider.get("remote_ids")
    return [(index, one) for index, one in enumerate(ids if isinstance(ids, (list, tuple)) else [])
            if isinstance(one, str)]


def _rivals(path, provider, owners):
    found_here = []
    for index, one in _remote_ids(provider):
        owner = owners.setdefault(one, provider.get("name"))
        if owner != provider.get("name"):
            found_here.append(found("duplicate-remote-id", "{0}.remote_ids[{1}]".format(path, index), (
                "{0!r} is a remote id of {1!r} too".format(one, owner))))
    return found_here


def _provider(path, provider, context):
    name, ids = provider.get("name"), _remote_ids(provider)
    found_here = []
    if not ids:
        found_here.append(found("empty-remote-ids", path + ".remote_ids", "{0!r} has no remote id".format(name)))
    found_here += [
        found("long-remote-id", "{0}.remote_ids[{1}]".format(path, index), (
            "{0!r} has {1} characters".format(one, len(one))))
        for index, one in ids if len(one) > LONGEST_REMOTE_ID
    ]
    found_here += _ttl(path, provider, context)
    for index, protocol in _protocols(provider):
        found_here += _protocol("{0}.protocols[{1}]".format(path, index), protocol, context)
    return found_here


def _ttl(path, provider, context):
    ttl = provider.get("authorization_ttl")
    if ttl is None:
        ttl = context.federation.get("default_authorization_ttl")
    number = ttl if isinstance(ttl, int) and not isinstance(ttl, bool) else 0
    if number <= 0:
        yield found("no-ttl", path + ".authorization_ttl", "{0!r} has no bound on memberships".format(
            provider.get("name")))
    elif number > DAY:
        yield found("long-ttl", path + ".authorization_ttl", "memberships last {0} minutes, more than a day".format(
            number))


def _protocol(path, protocol, context):
    mapping, attribute = protocol.get("mapping"), protocol.get("remote_id_attribute")
    where = path + ".remote_id_attribute"
    if isinstance(mapping, str) and context.mappings is not None and mapping not in context.mappings:
        yield unknown("unknown-mapping", path + ".mapping", mapping, "mapping", context.mappings)
    if not attribute:
        attribute = context.federation.get("remote_id_attribute")
        where = "federation.remote_id_attribute"
    if not attribute:
        yield found("no-remote-id-attribute", path + ".remote_id_attribute", (
            "the protocol {0!r} does not say which claim names the identity provider".format(protocol.get("name"))))
    elif forgeable(attribute):
        yield found("header-remote-id", where, "{0!r} is a request header, which a client can write".format(attribute),
                    "Use {0!r}.".format(environment_name(attribute)))
