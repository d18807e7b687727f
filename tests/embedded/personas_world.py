# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody for each persona in a running region, and things that are theirs and of others. Made with plain requests."""

from __future__ import annotations

import time
import uuid

import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3

VERSIONS = {"compute": "compute 2.90", "placement": "placement 1.36"}
# A server of this flavor fits nowhere: it exists, in error, and takes nothing.
HUGE = {"vcpus": 1, "ram": 64, "disk": 10000000}


class Caller:
    """Somebody who is logged in.

    Args:
        auth_url: Keystone's.
        login: user name, password and scope, as ``v3.Password`` takes them.
    """

    def __init__(self, auth_url, **login):
        self.session = session.Session(auth=v3.Password(auth_url=auth_url, **login))

    def __call__(self, method, service, path, body=None, version=None, **options):
        """Send a request and return the reply, whatever its status."""
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        if wanted := version or VERSIONS.get(service):
            headers["OpenStack-API-Version"] = wanted
        return self.session.request(
            path, method, json=body, headers=headers, endpoint_filter={"service_type": service}, raise_exc=False,
            connect_retries=1, **options)

    def made(self, *asked, **options):
        """Send a request that has to succeed and return the object in the reply."""
        reply = self(*asked, **options)
        assert reply.status_code < 300, (asked, reply.status_code, reply.text[:500])
        body = reply.json() if reply.text else {}
        return next(iter(body.values())) if len(body) == 1 else body


def fresh(what="x"):
    """A name that nobody has."""
    return "persona-{0}-{1}".format(what, uuid.uuid4().hex[:8])


class World:
    """Two domains with a project each, somebody for each seat, and things.

    Attributes:
        admin: Caller who may do everything.
        callers: mapping of seat name to Caller, all of the domain ``own``.
        ids: mapping of seat name to user id.
        domain, project, user, group, server, image, public, network, secgroup: each a mapping of ``own`` and
            ``other`` to an id.
    """

    def __init__(self, region, seats):
        cloud = yaml.safe_load((region.directory / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]
        login = cloud["embedded-admin"]["auth"]
        self.url = login.pop("auth_url")
        self.admin = Caller(self.url, **login)
        self.roles = {row["name"]: row["id"] for row in self.admin.made("GET", "identity", "/roles")["roles"]}
        self.domain, self.project, self.user, self.group = {}, {}, {}, {}
        self.callers, self.ids, self.owners = {}, {}, {}
        for kind in ("own", "other"):
            self._people(kind)
        for seat in seats:
            self._seat(seat)
        self.service = self.new("service", type=fresh())["id"]
        self._things()

    def new(self, what, **values):
        """Create something in Keystone and return it."""
        return self.admin.made("POST", "identity", "/{0}s".format(what), {what: dict({"name": fresh(what)}, **values)})

    def _people(self, kind):
        self.domain[kind] = domain = self.new("domain")["id"]
        self.project[kind] = self.new("project", domain_id=domain)["id"]
        self.user[kind] = self.new("user", domain_id=domain)["id"]
        self.group[kind] = self.new("group", domain_id=domain)["id"]
        owner = self._user(domain)
        self._grant("/projects/{0}".format(self.project[kind]), "users", owner["id"], "admin")
        self.owners[kind] = self._login(owner, project_id=self.project[kind])

    def _user(self, domain):
        password = uuid.uuid4().hex
        return dict(self.new("user", domain_id=domain, password=password), password=password)

    def _login(self, user, **scope):
        return Caller(self.url, user_id=user["id"], password=user["password"], **scope)

    def _grant(self, place, kind, who, role):
        self.admin.made("PUT", "identity", "{0}/{1}/{2}/roles/{3}".format(place, kind, who, self.roles[role]))

    def _seat(self, seat):
        """A user in a group; the group has the role at the scope, as a region document declares it."""
        user, group = self._user(self.domain["own"]), self.new("group", domain_id=self.domain["own"])
        self.admin.made("PUT", "identity", "/groups/{0}/users/{1}".format(group["id"], user["id"]))
        place, scope = {
            "system": ("/system", {"system_scope": "all"}),
            "domain": ("/domains/" + self.domain["own"], {"domain_id": self.domain["own"]}),
            "project": ("/projects/" + self.project["own"], {"project_id": self.project["own"]}),
        }[seat.scope]
        self._grant(place, "groups", group["id"], seat.role)
        self.ids[seat.name] = user["id"]
        self.callers[seat.name] = self._login(user, **scope)

    def _things(self):
        self.flavor = self.admin.made("POST", "compute", "/flavors", {"flavor": dict(HUGE, name=fresh("flavor"))})["id"]
        self.private = self.admin.made("POST", "compute", "/flavors", {"flavor": dict(
            HUGE, name=fresh("flavor"), **{"os-flavor-access:is_public": False})})["id"]
        self.image, self.public, self.server, self.network, self.secgroup = {}, {}, {}, {}, {}
        for kind, owner in self.owners.items():
            self.image[kind] = self.new_image(owner)
            self.public[kind] = self.new_image(owner, visibility="public")
            self.network[kind] = self.new_network(owner)
            self.secgroup[kind] = owner.made(
                "POST", "network", "/v2.0/security-groups", {"security_group": {"name": fresh()}})["id"]
            self.server[kind] = self.new_server(owner)
        for kind, owner in self.owners.items():
            wait_for_server(owner, self.server[kind])

    def new_image(self, owner, **values):
        """Create an image with a byte in it and return its id."""
        image = owner.made("POST", "image", "/v2/images", dict(
            {"name": fresh("image"), "disk_format": "raw", "container_format": "bare", "visibility": "private"},
            **values))["id"]
        owner.made("PUT", "image", "/v2/images/{0}/file".format(image), data=b"x",
                   headers={"Content-Type": "application/octet-stream"})
        return image

    def new_network(self, owner):
        """Create a network and return its id."""
        return owner.made("POST", "network", "/v2.0/networks", {"network": {"name": fresh("network")}})["id"]

    def new_server(self, owner):
        """Create a server that fits nowhere and return its id."""
        return owner.made("POST", "compute", "/servers", {"server": {
            "name": fresh("server"), "flavorRef": self.flavor, "imageRef": next(iter(self.public.values())),
            "networks": "none"}})["id"]


def wait_for_server(owner, server):
    """Wait until nothing changes about a server."""
    for _unused in range(300):
        if owner.made("GET", "compute", "/servers/" + server)["status"] == "ERROR":
            return
        time.sleep(0.1)
    raise AssertionError("the server {0} did not settle".format(server))
