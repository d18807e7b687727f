# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project of the canary: made for one run, marked, and removed with everything in it."""

from __future__ import annotations

import uuid

from .._core.errors import CloudError, Conflict, NotFound, Refused, RegionError
from .lock_record import decode, encode, fate, holder_words
from .names import CANARY_TAG as TAG

_ROLE = "member"
_SPARE = 600


class CanaryProject:
    """The canary's project in Keystone.

    Args:
        cloud: Cloud.
        params: options of the module.
        machine: Machine.

    Attributes:
        scoped: Cloud of the same user in the project, once it is open.
    """

    def __init__(self, cloud, params, machine):
        self.scoped = None
        self._cloud = cloud
        self._params = params
        self._machine = machine
        self._id = None
        self._domain = None
        self._granted = set()

    def remove_leftovers(self, flavors):
        """Remove what a killed run left. Raises Refused when another run is at work, or the project is not ours."""
        found = self._find()
        if not found:
            return
        name = "{0}/{1}".format(self._params["domain"], self._params["project"])
        if TAG not in (found.get("tags") or []):
            raise Refused("project {0} exists without the tag {1}; name another one with the option project".format(
                name, TAG))
        record = decode(dict(found, tags=[]))
        if record.owner is not None:
            now = self._cloud.server_time or 0.0
            here = self._machine.owner
            state = fate(record, here, self._machine.process(record.owner.pid), now, self._machine.uptime())
            if state != "gone" and now < record.expires:
                raise Refused("another canary is at work in project {0}: {1}".format(
                    name, holder_words("canary", record)))
            self._wait(record, name)
        left = self._remove_all(found["id"], flavors)
        if left:
            raise Refused("what an earlier canary left in project {0} could not be removed: {1}".format(name, left))

    def _wait(self, record, name):
        end = self._machine.clock() + self._params["boot_timeout"]
        while self._machine.survivors(record.owner):
            if self._machine.clock() >= end:
                raise Refused("processes of an earlier canary still work in project {0}".format(name))
            self._machine.sleep(1.0)

    def open(self, flavor_id, public):
        """Make the project, on first use, and let it use the flavor."""
        if self._id is None:
            self._cloud.require_free_scope()
            self._create()
        if self.scoped is None:
            self._join()
        if not public and flavor_id not in self._granted:
            self._granted.add(flavor_id)
            self._access("addTenantAccess", self._id, flavor_id)

    def _create(self):
        now = self._cloud.server_time or 0.0
        count = len(self._params["flavors"])
        expires = now + _SPARE + 3 * count * self._params["boot_timeout"]
        text = encode("canary", self._machine.owner, uuid.uuid4().hex, now, now, expires)
        body = {"name": self._params["project"], "domain_id": self._domain_id(), "description": text, "tags": [TAG]}
        try:
            self._id = self._cloud.created("identity", "/projects", {"project": body}, "project")["id"]
        except Conflict as error:
            raise Refused("another canary began in project {0} just now".format(self._params["project"])) from error

    def _join(self):
        roles = self._cloud.list("identity", "/roles", "roles", {"name": _ROLE})
        if not roles:
            raise CloudError("Keystone has no role {0!r}, which a canary needs in its project".format(_ROLE))
        self._cloud.put("identity", "/projects/{0}/users/{1}/roles/{2}".format(
            self._id, self._cloud.user_id, roles[0]["id"]))
        self.scoped = self._cloud.scoped(self._id)

    def remove(self, flavors):
        """Remove the project and all in it; return why that failed, or None."""
        found = self._id
        if found is None:
            return None
        return self._remove_all(found, [one for one in flavors if one in self._granted])

    def _remove_all(self, project_id, flavors):
        """Try every step, whatever fails before it; the project goes last, so that what is left can be found."""
        problems = []
        for step in (self._servers, self._ports_left):
            try:
                step(project_id)
            except RegionError as error:
                problems.append(str(error))
        for flavor_id in flavors:
            try:
                self._access("removeTenantAccess", project_id, flavor_id)
            except (NotFound, Conflict):
                continue
            except RegionError as error:
                problems.append(str(error))
        if not problems:
            try:
                self._cloud.delete("identity", "/projects/{0}".format(project_id))
            except RegionError as error:
                problems.append(str(error))
        return "; ".join(problems) or None

    def _servers(self, project_id):
        query = {"all_tenants": "True", "project_id": project_id}
        end = self._machine.clock() + self._params["boot_timeout"]
        while True:
            rows = self._cloud.list("compute", "/servers/detail", "servers", query)
            rows = [row for row in rows if row.get("tenant_id") == project_id]
            for row in rows:
                self._cloud.delete("compute", "/servers/{0}".format(row["id"]))
            if not rows:
                return
            if self._machine.clock() >= end:
                raise CloudError("server {0} does not go away".format(rows[0]["id"]))
            self._machine.sleep(1.0)

    def _ports_left(self, project_id):
        """Remove the security group that Neutron makes for each project that uses a network.

        Also when this canary uses none: the killed one may have used one.
        """
        if not self._cloud.has("network"):
            return
        rows = self._cloud.list("network", "/security-groups", "security_groups", {"project_id": project_id})
        for row in rows:
            if row.get("project_id") == project_id:
                self._cloud.delete("network", "/security-groups/{0}".format(row["id"]))

    def _access(self, verb, project_id, flavor_id):
        self._cloud.post("compute", "/flavors/{0}/action".format(flavor_id), {verb: {"tenant": project_id}})

    def _find(self):
        query = {"name": self._params["project"], "domain_id": self._domain_id()}
        rows = self._cloud.list("identity", "/projects", "projects", query)
        return next((row for row in rows if row["name"] == self._params["project"]
                     and row["domain_id"] == self._domain_id()), None)

    def _domain_id(self):
        if self._domain is None:
            name = self._params["domain"]
            rows = self._cloud.list("identity", "/domains", "domains", {"name": name})
            rows = [row for row in rows if row["name"] == name]
            if not rows:
                raise CloudError("domain: Keystone has no domain {0!r}".format(name))
            self._domain = rows[0]["id"]
        return self._domain
