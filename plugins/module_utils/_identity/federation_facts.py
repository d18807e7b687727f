# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Keystone has of federation, read with one list call for each kind of object. Reads only.

Protocols have no list of their own: one call for each declared identity provider; for all others only when a mapping is
to be changed or removed, since its users may be anywhere. Only the list of protocols has ``remote_id_attribute``; the
replies for a single one leave it out (Keystone 30.0.0, ``api/os_federation.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from .federation_spec import DEFAULT_TTL

BASE = "/OS-FEDERATION"
# Keystone's own words for the domain that it makes when an identity provider is created without one.
# Source: Keystone 30.0.0, federation/core.py, _create_idp_domain.
AUTO_DOMAIN = "Auto generated federated domain for Identity Provider: "


@dataclass(frozen=True)
class Observed:
    """What Keystone has.

    Attributes:
        domains: mapping of id to the reply's row.
        providers: mapping of name to description, enabled, remote_ids (sorted), authorization_ttl, domain_id.
        protocols: mapping of the names of identity providers that were looked at to a mapping of the protocol's name to
            mapping and remote_id_attribute.
        mappings: mapping of name to rules and schema_version.
        service_providers: mapping of name to auth_url, sp_url, description, enabled, relay_state_prefix.
        users: names of federated users by (identity provider, protocol or None), for what may be removed.
        lost: rows of ``removed_by_mapping``, see ``federation_impact.py``.
    """

    domains: dict
    providers: dict
    protocols: dict
    mappings: dict
    service_providers: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)
    lost: list = field(default_factory=list)

    def domain_names(self):
        """Return mapping of id to name."""
        return {key: row["name"] for key, row in self.domains.items()}

    def users_of_mapping(self, name):
        """Return the (identity provider, protocol) pairs that use a mapping."""
        return [
            (provider, protocol)
            for provider, protocols in sorted(self.protocols.items())
            for protocol, row in sorted(protocols.items())
            if row["mapping"] == name
        ]

    def orphan_domains(self):
        """Return the domains that Keystone made for identity providers that are gone.

        Keystone removes an identity provider and leaves the domain, with a random name, that it made for it.
        """
        used = {row["domain_id"] for row in self.providers.values()}
        return [
            {
                "id": key,
                "name": row["name"],
                "identity_provider": row["description"][len(AUTO_DOMAIN):],
                "enabled": bool(row.get("enabled")),
            }
            for key, row in sorted(self.domains.items())
            if (row.get("description") or "").startswith(AUTO_DOMAIN) and key not in used
        ]


def path_of(kind, name, inner=None):
    """Return the path of an object; names may hold what a URL does not.

    Args:
        kind: ``identity_providers``, ``mappings`` or ``service_providers``.
        name: name of the object.
        inner: name of a protocol of the identity provider, or None.
    """
    path = "{0}/{1}/{2}".format(BASE, kind, quote(name, safe=""))
    return path if inner is None else "{0}/protocols/{1}".format(path, quote(inner, safe=""))


def objects(cloud, params):
    """Return Observed without protocols."""
    wanted = params["identity_providers"] or params["mappings"]
    return Observed(
        domains={row["id"]: row for row in cloud.list("identity", "/domains", "domains")},
        providers={row["id"]: _provider(row) for row in _list(cloud, "identity_providers")},
        protocols={},
        mappings={row["id"]: _mapping(row) for row in _list(cloud, "mappings")} if wanted else {},
        service_providers={
            row["id"]: _service_provider(row) for row in _list(cloud, "service_providers")
        } if params["service_providers"] else {},
    )


def protocols_of(cloud, provider):
    """Return mapping of the names of an identity provider's protocols to mapping and remote_id_attribute."""
    path = path_of("identity_providers", provider) + "/protocols"
    return {
        row["id"]: {"mapping": row["mapping_id"], "remote_id_attribute": row.get("remote_id_attribute") or ""}
        for row in cloud.list("identity", path, "protocols")
    }


def federated_users(cloud, provider, protocol=None):
    """Return the rows of the users that came through an identity provider, or through one of its protocols."""
    query = {"idp_id": provider}
    if protocol is not None:
        query["protocol_id"] = protocol
    return cloud.list("identity", "/users", "users", query)


def _list(cloud, kind):
    return cloud.list("identity", "{0}/{1}".format(BASE, kind), kind)


def _provider(row):
    ttl = row.get("authorization_ttl")
    return {
        "description": row.get("description") or "",
        "enabled": bool(row.get("enabled")),
        "remote_ids": sorted(row.get("remote_ids") or []),
        "authorization_ttl": DEFAULT_TTL if ttl is None else ttl,
        "domain_id": row["domain_id"],
    }


def _mapping(row):
    return {"rules": row["rules"], "schema_version": row.get("schema_version") or "1.0"}


def _service_provider(row):
    return {
        "auth_url": row["auth_url"],
        "sp_url": row["sp_url"],
        "description": row.get("description") or "",
        "enabled": bool(row.get("enabled")),
        "relay_state_prefix": row.get("relay_state_prefix") or "",
    }
