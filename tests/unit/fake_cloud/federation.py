# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone's OS-FEDERATION with the quirks of 30.0.0, on the socket of FakeCloud or called directly.

Source of the rules: Keystone 30.0.0, ``api/os_federation.py``, ``federation/core.py``, ``federation/backends/sql.py``.
"""

from __future__ import annotations

import copy
import re
import uuid
from urllib.parse import unquote

from .cloud import FakeCloud, Refusal

BASE = "/OS-FEDERATION/"
AUTO = "Auto generated federated domain for Identity Provider: "
LONGEST_REMOTE_ID = 64
IDP_FIELDS = {"enabled", "description", "authorization_ttl", "remote_ids"}
SP_FIELDS = {"auth_url", "sp_url", "description", "enabled", "relay_state_prefix"}


class Federation:
    """The state.

    Args:
        domains: mapping of id to row, shared with the simulated Keystone.

    Attributes:
        identity_providers: mapping of id to row.
        protocols: mapping of (identity provider, protocol) to row.
        mappings: mapping of id to row.
        service_providers: mapping of id to row.
        users: rows of federated users, each with idp_id and protocol_id beside what Keystone shows.
        assignments: rows of /role_assignments.
        ignore_changes: accept every PATCH and do nothing.
    """

    def __init__(self, domains):
        self.domains = domains
        self.identity_providers, self.protocols, self.mappings, self.service_providers = {}, {}, {}, {}
        self.users, self.assignments, self.roles = [], [], [{"id": "r-member", "name": "member"}]
        self.ignore_changes = False

    def copy(self):
        """A Federation of its own with the same content."""
        return copy.deepcopy(self)

    def state(self):
        """Everything that it holds, comparable."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "ignore_changes"})

    def add_user(self, name, provider, protocol):
        row = {"id": uuid.uuid4().hex, "name": name, "domain_id": self.identity_providers[provider]["domain_id"],
               "enabled": True}
        self.users.append((row, provider, protocol))
        return row

    def open_to_all(self):
        """The identity providers that accept any issuer for a login that would work."""
        return {
            name for name, row in self.identity_providers.items()
            if row["enabled"] and not row["remote_ids"] and any(key[0] == name for key in self.protocols)
        }

    # -- answers ------------------------------------------------------------------------------------------------------
    def answers(self, path, query):
        """Whether this request is for us."""
        return path.startswith(BASE) or path in ("/role_assignments", "/roles") or (
            path == "/users" and "idp_id" in query)

    def answer(self, method, path, query, body):
        """Return (status, reply)."""
        if not path.startswith(BASE):
            return 200, self._lists(path, query)
        parts = [unquote(part) for part in path[len(BASE):].split("/")]
        kind = parts[0]
        if kind == "identity_providers" and len(parts) > 2:
            return self._protocol(method, parts[1], parts[3] if len(parts) > 3 else None, body)
        rows = getattr(self, kind)
        if len(parts) == 1:
            return 200, {kind: [dict(row, id=name, links={}) for name, row in rows.items()],
                         "links": {"self": "", "next": None, "previous": None}}
        return getattr(self, "_" + method.lower())(kind, rows, parts[1], (body or {}).get(kind[:-1]))

    def _lists(self, path, query):
        if path == "/roles":
            return {"roles": self.roles}
        if path == "/role_assignments":
            return {"role_assignments": self.assignments}
        return {"users": [
            row for row, provider, protocol in self.users
            if provider == query["idp_id"] and query.get("protocol_id") in (None, protocol)]}

    def _put(self, kind, rows, name, fields):
        if name in rows:
            raise self._conflict(kind, "Duplicate entry: None")
        row = getattr(self, "_new_" + kind[:-1])(name, dict(fields))
        rows[name] = row
        return 201, {kind[:-1]: dict(row, id=name)}

    def _patch(self, kind, rows, name, fields):
        self._found(kind, rows, name)
        changed = getattr(self, "_changed_" + kind[:-1])(name, dict(fields))
        if not self.ignore_changes:
            rows[name].update(changed)
        return 200, {kind[:-1]: dict(rows[name], id=name)}

    def _delete(self, kind, rows, name, fields):
        self._found(kind, rows, name)
        del rows[name]
        if kind == "identity_providers":
            # Its protocols go with it; its users and the domain that was made for it stay.
            self.protocols = {key: row for key, row in self.protocols.items() if key[0] != name}
        return 204, None

    @staticmethod
    def _found(kind, rows, name):
        if name not in rows:
            raise Refusal(404, "Could not find {0}: {1}.".format(kind[:-1].replace("_", " "), name))

    @staticmethod
    def _conflict(kind, details):
        return Refusal(409, "Conflict occurred attempting to store {0} - {1}.".format(kind[:-1], details))

    @staticmethod
    def _only(fields, allowed):
        for name in sorted(set(fields) - allowed):
            raise Refusal(400, "Additional properties are not allowed ('{0}' was unexpected)".format(name))

    # -- identity providers -------------------------------------------------------------------------------------------
    def _new_identity_provider(self, name, fields):
        self._only(fields, IDP_FIELDS | {"domain_id"})
        remote_ids = self._remote_ids(name, fields)
        if not fields.get("domain_id"):
            key = uuid.uuid4().hex
            self.domains[key] = {"id": key, "name": key, "description": AUTO + name, "enabled": True, "tags": []}
            fields["domain_id"] = key
        if fields["domain_id"] not in self.domains:
            raise Refusal(404, "Could not find domain: {0}.".format(fields["domain_id"]))
        base = {"enabled": False, "description": None, "authorization_ttl": None}
        return dict(base, **dict(fields, remote_ids=remote_ids))

    def _changed_identity_provider(self, name, fields):
        self._only(fields, IDP_FIELDS)
        if "remote_ids" in fields:
            fields["remote_ids"] = self._remote_ids(name, fields)
        return fields

    def _remote_ids(self, name, fields):
        remote_ids = fields.get("remote_ids") or []
        for remote in remote_ids:
            if len(remote) > LONGEST_REMOTE_ID:
                raise Refusal(400, "'{0}' is too long".format(remote))
            if any(remote in row["remote_ids"] for other, row in self.identity_providers.items() if other != name):
                raise self._conflict("identity_providers", "Duplicate remote ID: None")
        return sorted(remote_ids)

    # -- mappings -----------------------------------------------------------------------------------------------------
    def _new_mapping(self, name, fields):
        if not fields.get("rules"):
            raise Refusal(400, "'rules' is a required property")
        version = fields.get("schema_version") or "1.0"
        if not re.match(r"[123]\.0\Z", version):
            raise Refusal(500, "An unexpected error prevented the server from fulfilling your request.")
        return {"rules": fields["rules"], "schema_version": version}

    def _changed_mapping(self, name, fields):
        # What is not sent goes back to the default: a mapping of 2.0 is one of 1.0 from then on.
        return self._new_mapping(name, fields)

    # -- service providers --------------------------------------------------------------------------------------------
    def _new_service_provider(self, name, fields):
        self._only(fields, SP_FIELDS)
        if not {"auth_url", "sp_url"} <= set(fields):
            raise Refusal(400, "'auth_url' is a required property")
        return dict({"enabled": False, "description": None, "relay_state_prefix": "ss:mem:"}, **fields)

    def _changed_service_provider(self, name, fields):
        self._only(fields, SP_FIELDS)
        return fields

    # -- protocols ----------------------------------------------------------------------------------------------------
    def _protocol(self, method, provider, name, body):
        key, fields = (provider, name), (body or {}).get("protocol")
        if name is None:
            return 200, {"protocols": [
                dict(row, id=one, idp_id=owner, links={})
                for (owner, one), row in self.protocols.items() if owner == provider], "links": {}}
        if method == "DELETE":
            self._found("protocols", self.protocols, key)
            del self.protocols[key]
            return 204, None
        self._only(fields, {"mapping_id", "remote_id_attribute"})
        if not fields.get("mapping_id"):
            raise Refusal(400, "'mapping_id' is a required property")
        if fields["mapping_id"] not in self.mappings:
            raise Refusal(400, "Invalid mapping id: {0}".format(fields["mapping_id"]))
        if method == "PUT":
            self._found("identity_providers", self.identity_providers, provider)
            if key in self.protocols:
                raise self._conflict("federation_protocols", "Duplicate entry")
            self.protocols[key] = {"remote_id_attribute": None}
        else:
            self._found("protocols", self.protocols, key)
        if not (self.ignore_changes and method == "PATCH"):
            self.protocols[key].update(fields)
        # Only the list has remote_id_attribute.
        return 201 if method == "PUT" else 200, {"protocol": {"id": name, "mapping_id": fields["mapping_id"]}}


class FederatedCloud(FakeCloud):
    """A simulated cloud whose Keystone has federation."""

    def __init__(self, server):
        super().__init__(server)
        self.federation = Federation(self.identity.domains)

    def _route(self, request, body):
        prefix = self.paths["identity"]
        path = request.path[len(prefix):]
        query = request.args.to_dict()
        if request.path.startswith(prefix) and self.federation.answers(path, query):
            if request.headers.get("X-Auth-Token") not in self.tokens:
                raise Refusal(401, "The request you have made requires authentication.")
            return self.federation.answer(request.method, path, query, body)
        return super()._route(request, body)
