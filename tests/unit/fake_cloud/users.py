# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups, memberships, roles and role assignments as Keystone keeps them.

Source of the rules: Identity API v3; Keystone 30.0.0. The embedded tier has the real one.
"""

from __future__ import annotations

import re
import uuid

from . import cloud
from .identity import Identity

ROLES = ("admin", "manager", "member", "reader", "service")
GRANT = (
    r"(/OS-INHERIT)?/(projects|domains|system)(?:/([^/]+))?/(users|groups)/([^/]+)/roles/([^/]+?)"
    r"(?:/inherited_to_projects)?"
)


class UsersIdentity(Identity):
    """One simulated Keystone with people in it."""

    def __init__(self, owner):
        super().__init__(owner)
        self.people = {}
        self.groups = {}
        self.memberships = []
        self.assignments = []
        self.mappings = []
        self.credentials = set()
        self.passwords = {}
        self.roles = {name: {"id": "role-" + name, "name": name, "domain_id": None} for name in ROLES}
        # A Keystone with drivers for each domain lists the domain of the token when none is named.
        self.only_domain = None

    def routes(self):
        used = (("application_credentials", r"/users/([^/]+)/application_credentials"),)
        rows = [
            ("GET", "/users", lambda body, query: self._listed("users", self.people, query)),
            ("GET", "/groups", lambda body, query: self._listed("groups", self.groups, query)),
            ("GET", "/roles", lambda body, query: self._page("roles", list(self.roles.values()), query)),
            ("GET", "/role_assignments", self.list_assignments),
            ("GET", "/OS-FEDERATION/mappings", lambda body, query: self._page("mappings", self.mappings, query)),
            ("GET", "/OS-TRUST/trusts", lambda body, query: (200, {"trusts": []})),
            ("GET", "/credentials", self.list_credentials),
            ("POST", "/users", self.create_user),
            ("POST", "/groups", lambda body, query: self._create("group", self.groups, body["group"])),
            ("PATCH", "/users/([^/]+)", self.change_user),
            ("PATCH", "/groups/([^/]+)", lambda key, body, query: self._change("group", self.groups, key, body)),
            ("DELETE", "/users/([^/]+)", self.delete_user),
            ("DELETE", "/groups/([^/]+)", self.delete_group),
            ("GET", "/users/([^/]+)", self.show_user),
            ("GET", "/users/([^/]+)/groups", self.groups_of),
            ("GET", "/groups/([^/]+)/users", self.members_of),
            ("PUT", "/groups/([^/]+)/users/([^/]+)", self.join),
            ("DELETE", "/groups/([^/]+)/users/([^/]+)", self.leave),
            ("PUT", GRANT, lambda *found, body, query: self.grant(*found)),
            ("DELETE", GRANT, lambda *found, body, query: self.revoke(*found)),
        ]
        rows += [("GET", path, lambda key, body, query, what=what: (200, {what: []})) for what, path in used]
        return tuple(rows) + super().routes()

    # -- what tests ask ---------------------------------------------------------------------------------------------
    def add_user(self, name, domain_id="default", **fields):
        row = dict({"id": uuid.uuid4().hex, "name": name, "domain_id": domain_id, "enabled": True}, **fields)
        self.people[row["id"]] = row
        return row

    def add_group(self, name, domain_id="default", **fields):
        row = dict({"id": uuid.uuid4().hex, "name": name, "domain_id": domain_id, "description": ""}, **fields)
        self.groups[row["id"]] = row
        return row

    def state(self):
        """Return a copy of everything, to compare."""
        return (
            {key: dict(row) for key, row in self.people.items()},
            {key: dict(row) for key, row in self.groups.items()},
            sorted(self.memberships),
            sorted(map(str, self.assignments)),
        )

    def names(self):
        """Return (mapping of group to the names in it, names of users)."""
        members = {row["name"]: set() for row in self.groups.values()}
        for group, user in self.memberships:
            members[self.groups[group]["name"]].add(self.people[user]["name"])
        return members, {row["name"] for row in self.people.values()}

    def give(self, role, actor, scope_kind="system", scope=None, inherited=False):
        """Store an assignment; ``actor`` is a row or an id of a user that is gone."""
        key = actor if isinstance(actor, str) else actor["id"]
        kind = "groups" if key in self.groups else "users"
        self.assignments.append((kind, key, self.roles[role]["id"], scope_kind, scope, inherited))

    # -- how it answers ---------------------------------------------------------------------------------------------
    def _listed(self, key, rows, query):
        domain = query.get("domain_id") or self.only_domain
        kept = [row for row in rows.values() if not domain or row["domain_id"] == domain]
        # Only a look at one user tells that it is federated.
        return self._page(key, [{name: value for name, value in row.items() if name != "federated"} for row in kept],
                          query)

    def _row(self, kind, rows, key):
        if key not in rows:
            raise cloud.Refusal(404, "Could not find {0}: {1}.".format(kind, key))
        return rows[key]

    def show_user(self, key, body, query):
        return 200, {"user": self._row("user", self.people, key)}

    def create_user(self, body, query):
        fields = dict(body["user"])
        password = fields.pop("password", None)
        local = {key: row for key, row in self.people.items() if not row.get("federated")}
        status, reply = self._create("user", local, dict({"enabled": True}, **fields))
        reply["user"].pop("tags")
        self.people[reply["user"]["id"]] = reply["user"]
        self.passwords[reply["user"]["id"]] = password
        return status, reply

    def change_user(self, key, body, query):
        fields = dict(body["user"])
        if "password" in fields:
            self.passwords[key] = fields.pop("password")
        return self._change("user", self.people, key, {"user": fields})

    def delete_user(self, key, body, query):
        self._row("user", self.people, key)
        del self.people[key]
        self._forget(key)
        return 204, None

    def delete_group(self, key, body, query):
        self._row("group", self.groups, key)
        del self.groups[key]
        self._forget(key)
        return 204, None

    def _forget(self, key):
        self.memberships = [pair for pair in self.memberships if key not in pair]
        self.assignments = [one for one in self.assignments if one[1] != key]

    def list_credentials(self, body, query):
        held = [{"id": "c"}] if query["user_id"] in self.credentials else []
        return 200, {"credentials": held}

    def groups_of(self, key, body, query):
        return 200, {"groups": [self.groups[group] for group, user in self.memberships if user == key]}

    def members_of(self, key, body, query):
        self._row("group", self.groups, key)
        return 200, {"users": [self.people[user] for group, user in self.memberships if group == key]}

    def join(self, group, user, body, query):
        self._row("group", self.groups, group)
        self._row("user", self.people, user)
        if (group, user) not in self.memberships:
            self.memberships.append((group, user))
        return 204, None

    def leave(self, group, user, body, query):
        if (group, user) not in self.memberships:
            raise cloud.Refusal(404, "User not found in group")
        self.memberships.remove((group, user))
        return 204, None

    def _named(self, inherited, where, scope, kind, actor, role):
        return kind, actor, role, where.rstrip("s") if where != "system" else where, scope, bool(inherited)

    def grant(self, *found):
        one = self._named(*found)
        self._row(one[0].rstrip("s"), self.people if one[0] == "users" else self.groups, one[1])
        self._row("role", {row["id"]: row for row in self.roles.values()}, one[2])
        if one[3] != "system":
            self._row(one[3], self.projects if one[3] == "project" else self.domains, one[4])
        if one not in self.assignments:
            self.assignments.append(one)
        return 204, None

    def revoke(self, *found):
        one = self._named(*found)
        if one not in self.assignments:
            raise cloud.Refusal(404, "Could not find role assignment")
        self.assignments.remove(one)
        return 204, None

    def list_assignments(self, body, query):
        rows = [self._assignment(*one) for one in self.assignments]
        if "scope.system" in query:
            rows = [row for row in rows if "system" in row["scope"]]
        if query.get("effective"):
            # Keystone leaves the system out of an effective list, whatever is asked.
            rows = [one for row in rows if "system" not in row["scope"] for one in self._followed(row)]
        return 200, {"role_assignments": rows, "links": {"self": "", "previous": None, "next": None}}

    def _followed(self, row):
        """Groups become the users in them."""
        if "user" in row:
            return [row]
        inside = [self.people[user] for group, user in self.memberships if group == row["group"]["id"]]
        return [dict({key: value for key, value in row.items() if key != "group"}, user=self._who(user))
                for user in inside]

    def _who(self, row):
        domain = self.domains[row["domain_id"]]
        return {"id": row["id"], "name": row["name"], "domain": {"id": domain["id"], "name": domain["name"]}}

    def _assignment(self, kind, actor, role, where, scope, inherited):
        rows = self.people if kind == "users" else self.groups
        who = self._who(rows[actor]) if actor in rows else {"id": actor, "name": "", "domain": {"id": "", "name": ""}}
        place = {"system": {"all": True}}
        if where == "domain":
            place = {"domain": {"id": scope, "name": self.domains[scope]["name"]}}
        elif where == "project":
            place = {"project": self._who(self.projects[scope])}
        if inherited:
            place["OS-INHERIT:inherited_to"] = "projects"
        name = re.sub("^role-", "", role)
        return {kind.rstrip("s"): who, "role": {"id": role, "name": name}, "scope": place, "links": {}}


class UsersCloud(cloud.FakeCloud):
    """A simulated cloud whose Keystone has people in it; ``operator`` is the user of the token."""

    def __init__(self, server):
        super().__init__(server)
        self.identity = UsersIdentity(self)
        self.identity.add_user("operator", id="operator-id")
        self.identity.give("admin", "operator-id")
