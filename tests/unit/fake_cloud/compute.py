# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flavors as Nova keeps them. Source of the rules: Compute API 2.86."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlencode

from . import cloud

# Nova 34.0.0, nova/api/validation/parameter_types.py: metadata keys.
SPEC_KEY = re.compile(r"^[a-zA-Z0-9-_:. ]{1,255}$")


class Compute:
    """One simulated Nova."""

    def __init__(self, owner):
        self.owner = owner
        self.flavors, self.access, self.servers = {}, {}, []

    def routes(self):
        return (
            ("GET", "/flavors/detail", self.list_flavors),
            ("GET", "/servers", self.list_servers),
            ("POST", "/flavors", self.create),
            ("PUT", "/flavors/([^/]+)", self.update),
            ("DELETE", "/flavors/([^/]+)", self.delete),
            ("POST", "/flavors/([^/]+)/os-extra_specs", self.set_specs),
            ("DELETE", "/flavors/([^/]+)/os-extra_specs/(.+)", self.delete_spec),
            ("GET", "/flavors/([^/]+)/os-flavor-access", self.list_access),
            ("POST", "/flavors/([^/]+)/action", self.change_access),
        )

    def add(self, name, **fields):
        row = {
            "id": name,
            "name": name,
            "vcpus": 1,
            "ram": 64,
            "disk": 0,
            "os-flavor-access:is_public": True,
            "description": None,
            "extra_specs": {},
        }
        row.update(fields)
        self.flavors[row["id"]] = row
        return row

    def _flavor(self, key):
        if key not in self.flavors:
            raise cloud.Refusal(404, "Flavor {0} could not be found.".format(key))
        return self.flavors[key]

    def list_flavors(self, body, query):
        rows, marker = self.owner.page(list(self.flavors.values()), query)
        reply = {"flavors": rows}
        if marker:
            following = "{0}{1}/flavors/detail?{2}".format(
                self.owner.base, self.owner.paths["compute"], urlencode(dict(query, marker=marker))
            )
            reply["flavors_links"] = [{"rel": "next", "href": following}]
        return 200, reply

    def list_servers(self, body, query):
        return 200, {"servers": [{"id": "s"} for project in self.servers if project == query["project_id"]]}

    def create(self, body, query):
        fields = body["flavor"]
        if any(fields["name"] == row["name"] or fields["id"] == row["id"] for row in self.flavors.values()):
            raise cloud.Refusal(409, "Flavor with name {0} already exists.".format(fields["name"]))
        return 200, {"flavor": self.add(**fields)}

    def update(self, key, body, query):
        self._flavor(key)["description"] = body["flavor"]["description"]
        return 200, {"flavor": self._flavor(key)}

    def delete(self, key, body, query):
        self._flavor(key)
        self.access.pop(key, None)
        del self.flavors[key]
        return 202, None

    def set_specs(self, key, body, query):
        for name, value in body["extra_specs"].items():
            if not SPEC_KEY.match(name) or not isinstance(value, str):
                raise cloud.Refusal(400, "Invalid input for field/attribute extra_specs: {0}".format(name))
        self._flavor(key)["extra_specs"].update(body["extra_specs"])
        return 200, {"extra_specs": self._flavor(key)["extra_specs"]}

    def delete_spec(self, key, spec, body, query):
        if self._flavor(key)["extra_specs"].pop(unquote(spec), None) is None:
            raise cloud.Refusal(404, "Flavor {0} has no extra specs with key {1}.".format(key, spec))
        return 200, None

    def list_access(self, key, body, query):
        if self._flavor(key)["os-flavor-access:is_public"]:
            raise cloud.Refusal(404, "Access list not available for public flavors.")
        rows = [{"flavor_id": key, "tenant_id": one} for one in sorted(self.access.get(key, ()))]
        return 200, {"flavor_access": rows}

    def change_access(self, key, body, query):
        ((verb, value),) = body.items()
        allowed = self.access.setdefault(self._flavor(key)["id"], set())
        if verb == "addTenantAccess":
            if value["tenant"] in allowed:
                raise cloud.Refusal(409, "Flavor access already exists for this project.")
            allowed.add(value["tenant"])
        else:
            if value["tenant"] not in allowed:
                raise cloud.Refusal(404, "Flavor access not found.")
            allowed.discard(value["tenant"])
        return self.list_access(key, body, query)
