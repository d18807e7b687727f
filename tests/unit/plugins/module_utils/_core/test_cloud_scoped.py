# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same user in another project; an application credential has only its own."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import CloudConfigError
from requests import Response

AUTH = {"auth_url": "http://keystone.invalid/v3", "username": "u", "password": "Swordfish-9", "project_name": "admin",
        "user_domain_name": "Default", "project_domain_name": "Default"}


@pytest.fixture()
def cloud(monkeypatch):
    """A Cloud whose Keystone is this test; ``seen`` has the bodies of the requests for tokens."""
    found = connect({"cloud": {"auth": AUTH}})
    found.seen, found.methods = [], ["password"]

    class Wire:
        def send(self, request, **unused):
            body = request.body.decode() if isinstance(request.body, bytes) else request.body
            found.seen.append(body)
            domain = {"id": "default", "name": "Default"}
            project = {"id": "p2" if '"p2"' in body else "p1", "name": "p", "domain": domain}
            token = {"token": {"methods": found.methods, "user": {"id": "u1", "name": "u", "domain": domain},
                               "project": project, "issued_at": "2026-01-01T00:00:00.000000Z",
                               "expires_at": "2099-01-01T00:00:00.000000Z", "catalog": []}}
            reply = Response()
            reply.status_code, reply.request, reply.url = 201, request, request.url
            reply.headers["X-Subject-Token"] = "secret-token"
            reply.headers["Content-Type"] = "application/json"
            reply._content = json.dumps(token).encode()
            return reply

        def close(self):
            return None

    monkeypatch.setattr(found._session.session, "get_adapter", lambda url: Wire())
    return found


def test_another_project_of_the_same_user(cloud):
    assert cloud.project_id == "p1"
    other = cloud.scoped("p2")
    assert (other.project_id, other.user_id) == ("p2", "u1")
    assert '"token"' in cloud.seen[1] and "Swordfish" not in cloud.seen[1]
    assert cloud.calls == 2
    assert cloud.project_id == "p1"


def test_an_application_credential_is_bound(cloud):
    cloud.methods = ["application_credential"]
    with pytest.raises(CloudConfigError, match="bound to its own project"):
        cloud.scoped("p2")
