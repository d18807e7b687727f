# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator of the few Keystone and Nova calls that the modules make, on a real socket, with faults on demand.

It is no OpenStack: the embedded tier has the real services. It exists to fail in ways that they do not on request.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field

from werkzeug import Response

from .compute import Compute
from .identity import Identity

ANY = re.compile(".*")


class Refusal(Exception):
    """An error reply of the simulated service."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """What goes wrong, and when.

    Attributes:
        method: HTTP method, or None for every one that changes something (authentication is none of them).
        path: regular expression that is searched in the path.
        skip: how many matching requests pass before.
        times: how many fail; the following pass again.
        status: the error status, or ``hang`` or ``cut``.
        carried_out: whether the request takes effect although the reply is lost.
    """

    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int = 10**6
    status: object = 500
    headers: dict = field(default_factory=dict)
    body: str | None = None
    carried_out: bool = False

    def strikes(self, request):
        changing = request.method not in ("GET", "HEAD") and not request.path.endswith("/auth/tokens")
        matches = request.method == self.method if self.method else changing
        if not matches or not re.search(self.path, request.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if not self.times:
            return False
        self.times -= 1
        return True


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict
    body: object
    token: str | None

    def __str__(self):
        return "{0} {1}".format(self.method, self.path)


class FakeCloud:
    """State and behaviour of one simulated cloud.

    Args:
        server: a running HTTPServer of pytest-httpserver.
    """

    password = "Swordfish-9-planted"
    hang_seconds = 0.6

    def __init__(self, server):
        self.server = server
        self.base = server.url_for("").rstrip("/")
        self.identity, self.compute = Identity(self), Compute(self)
        self.seen, self.faults, self.tokens = [], [], set()
        self.page_size = None
        # The server has threads; what it stores has no transactions.
        self.one_at_a_time = threading.Lock()
        self.region = "region-a"
        self.paths = {"identity": "/identity/v3", "compute": "/compute/v2.1"}
        self.catalogue_urls = {}
        server.clear()
        server.expect_request(ANY).respond_with_handler(self._handle)

    # -- what tests ask ---------------------------------------------------------------------------------------------
    @property
    def auth_url(self):
        return self.base + self.paths["identity"]

    def options(self, **more):
        """Return the options with which a module connects."""
        auth = {
            "auth_url": self.auth_url,
            "username": "operator",
            "password": self.password,
            "project_name": "admin",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        return dict({"cloud": {"auth": auth, "region_name": self.region}}, **more)

    def fail(self, **what):
        self.faults.append(Fault(**what))

    def mutations(self):
        return [str(one) for one in self.seen if one.method != "GET" and not one.path.endswith("/auth/tokens")]

    def requests(self, method, ending):
        return [one for one in self.seen if one.method == method and one.path.endswith(ending)]

    # -- how it answers ---------------------------------------------------------------------------------------------
    def _handle(self, request):
        body = request.get_json(silent=True)
        self.seen.append(
            Seen(request.method, request.path, request.args.to_dict(), body, request.headers.get("X-Auth-Token"))
        )
        for fault in self.faults:
            if fault.strikes(request):
                if fault.carried_out:
                    self._answer(request, body)
                return self._fault(fault, request)
        return self._answer(request, body)

    def _fault(self, fault, request):
        if fault.status == "hang":
            time.sleep(self.hang_seconds)
            return Response("{}", 200)
        if fault.status == "cut":
            wire = request.environ["werkzeug.socket"]
            wire.sendall(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"domains": ['
            )
            wire.shutdown(socket.SHUT_RDWR)
            return Response("", 200)
        text = fault.body
        if text is None:
            text = json.dumps({"error": {"code": fault.status, "message": "planned fault", "title": "Fault"}})
        return Response(text, fault.status, headers=fault.headers, content_type="application/json")

    def _answer(self, request, body):
        try:
            with self.one_at_a_time:
                status, reply = self._route(request, body)
        except Refusal as refusal:
            status, reply = refusal.status, {"error": {"code": refusal.status, "message": str(refusal)}}
        headers = {"X-Subject-Token": reply.pop("_token")} if isinstance(reply, dict) and "_token" in reply else {}
        text = "" if reply is None else json.dumps(reply)
        return Response(text, status, headers=headers, content_type="application/json")

    def _route(self, request, body):
        identity, compute = self.paths["identity"], self.paths["compute"]
        if request.path.startswith(identity):
            path = request.path[len(identity) :]
            if path == "/auth/tokens":
                return self._authenticate(body)
            service = self.identity
        elif request.path.startswith(compute):
            path, service = request.path[len(compute) :], self.compute
        else:
            raise Refusal(404, "no such path on this server")
        if request.headers.get("X-Auth-Token") not in self.tokens:
            raise Refusal(401, "The request you have made requires authentication.")
        for method, pattern, answer in service.routes():
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                return answer(*match.groups(), body=body, query=request.args.to_dict())
        raise Refusal(404, "no route for {0} {1}".format(request.method, path))

    def _authenticate(self, body):
        identity = body["auth"]["identity"]
        given = identity.get("password", {}).get("user", {}).get("password")
        given = given or identity.get("application_credential", {}).get("secret")
        if given != self.password:
            raise Refusal(401, "The request you have made requires authentication.")
        token = uuid.uuid4().hex
        self.tokens.add(token)
        domain = {"id": "default", "name": "Default"}
        return 201, {
            "_token": token,
            "token": {
                "methods": ["password"],
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "user": {"id": "operator-id", "name": "operator", "domain": domain},
                "project": {"id": "admin-project-id", "name": "admin", "domain": domain},
                "roles": [{"id": "r", "name": "admin"}],
                "catalog": self._catalogue(),
            },
        }

    def _catalogue(self):
        urls = dict({name: self.base + path for name, path in self.paths.items()}, **self.catalogue_urls)
        return [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [
                    {
                        "id": kind + "-1",
                        "interface": "public",
                        "region": self.region,
                        "region_id": self.region,
                        "url": url,
                    }
                ],
            }
            for kind, url in urls.items()
            if url
        ]

    def page(self, rows, query):
        """Return (rows of the page, marker of the next or None); pages are of ``page_size``."""
        start = 0
        if "marker" in query:
            start = [row["id"] for row in rows].index(query["marker"]) + 1
        if not self.page_size or start + self.page_size >= len(rows):
            return rows[start:], None
        rows = rows[start : start + self.page_size]
        return rows, rows[-1]["id"]
