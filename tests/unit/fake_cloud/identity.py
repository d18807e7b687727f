# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains and projects as Keystone keeps them. Source of the rules: Identity API v3."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from . import cloud


class Identity:
    """One simulated Keystone."""

    def __init__(self, owner):
        self.owner = owner
        self.domains = {"default": {"id": "default", "name": "Default", "description": "", "enabled": True, "tags": []}}
        self.projects = {}
        self.users = []
        self.ignore_changes = False

    def routes(self):
        return (
            ("GET", "/domains", self.list_domains),
            ("GET", "/projects", self.list_projects),
            ("GET", "/users", lambda body, query: (200, {"users": [u for u in self.users if u == query["domain_id"]]})),
            ("GET", "/groups", lambda body, query: (200, {"groups": []})),
            ("GET", "/OS-FEDERATION/identity_providers", lambda body, query: (200, {"identity_providers": []})),
            ("POST", "/domains", lambda body, query: self._create("domain", self.domains, body["domain"])),
            ("POST", "/projects", lambda body, query: self._create("project", self.projects, body["project"])),
            ("PATCH", "/domains/(.+)", lambda key, body, query: self._change("domain", self.domains, key, body)),
            ("PATCH", "/projects/(.+)", lambda key, body, query: self._change("project", self.projects, key, body)),
            ("DELETE", "/domains/(.+)", self._delete_domain),
            ("DELETE", "/projects/(.+)", self._delete_project),
        )

    def add_domain(self, name, **fields):
        return self._add(self.domains, dict(fields, name=name))

    def add_project(self, name, domain_id="default", **fields):
        return self._add(self.projects, dict(fields, name=name, domain_id=domain_id))

    def _add(self, rows, fields):
        row = dict({"id": uuid.uuid4().hex, "description": "", "enabled": True, "tags": []}, **fields)
        rows[row["id"]] = row
        return row

    def by_name(self):
        """Return mapping of ``domain/name`` to (description, enabled, tags), domains as ``name``."""
        found = {row["name"]: row for row in self.domains.values()}
        for row in self.projects.values():
            found["{0}/{1}".format(self.domains[row["domain_id"]]["name"], row["name"])] = row
        return {name: (row["description"], row["enabled"], sorted(row["tags"])) for name, row in found.items()}

    def list_domains(self, body, query):
        return self._page("domains", list(self.domains.values()), query)

    def list_projects(self, body, query):
        rows = list(self.projects.values())
        if "parent_id" in query:
            rows = [row for row in rows if row.get("parent_id") == query["parent_id"]]
        return self._page("projects", rows, query)

    def _page(self, key, rows, query):
        rows, marker = self.owner.page(rows, query)
        url = "{0}/{1}".format(self.owner.auth_url, key)
        following = "{0}?{1}".format(url, urlencode(dict(query, marker=marker))) if marker else None
        return 200, {key: rows, "links": {"self": url, "previous": None, "next": following}}

    def _create(self, kind, rows, fields):
        scope = fields.get("domain_id")
        if any(row["name"] == fields["name"] and row.get("domain_id") == scope for row in rows.values()):
            raise cloud.Refusal(
                409,
                "Conflict occurred attempting to store {0} - it is not permitted to have two "
                "with the same name: {1}.".format(kind, fields["name"]),
            )
        if kind == "project" and scope not in self.domains:
            raise cloud.Refusal(404, "Could not find domain: {0}.".format(scope))
        if kind == "project" and not self.domains[scope]["enabled"]:
            raise cloud.Refusal(400, "cannot create a project in a branch containing a disabled project: " + scope)
        row = self._add(rows, fields)
        return 201, {kind: row}

    def _change(self, kind, rows, key, body):
        if key not in rows:
            raise cloud.Refusal(404, "Could not find {0}: {1}.".format(kind, key))
        if kind == "project" and body[kind].get("enabled") and not rows[key]["enabled"]:
            if not self.domains[rows[key]["domain_id"]]["enabled"]:
                raise cloud.Refusal(403, "Cannot enable project {0} since it has disabled parents".format(key))
        if not self.ignore_changes:
            rows[key].update(body[kind])
        return 200, {kind: rows[key]}

    def _delete_domain(self, key, body, query):
        if key not in self.domains:
            raise cloud.Refusal(404, "Could not find domain: {0}.".format(key))
        if self.domains[key]["enabled"]:
            raise cloud.Refusal(403, "Cannot delete a domain that is enabled, please disable it first.")
        self.domains.pop(key)
        self.projects = {name: row for name, row in self.projects.items() if row["domain_id"] != key}
        return 204, None

    def _delete_project(self, key, body, query):
        if self.projects.pop(key, None) is None:
            raise cloud.Refusal(404, "Could not find project: {0}.".format(key))
        return 204, None
