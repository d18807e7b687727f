# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Cloud authenticates and finds its services, and what it says when it cannot."""

from __future__ import annotations

import json
import socket

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._core.api import WAITS
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect


def listed(cloud):
    return cloud.list("identity", "/projects", "projects")


def with_auth(fake, **auth):
    options = fake.options()
    options["cloud"]["auth"].update(auth)
    return options


def test_wrong_password(fake, waited):
    with pytest.raises(errors.AuthenticationFailed) as caught:
        listed(connect(with_auth(fake, password="not-the-password"), sleep=waited.append))
    assert "refused the credentials (401): The request you have made requires authentication." in str(caught.value)
    assert "whether they have expired" in str(caught.value)
    assert "not-the-password" not in str(caught.value)
    assert len(fake.seen) == 1 and not waited


def test_an_expired_token_in_the_middle_is_renewed(fake, open_cloud):
    cloud = open_cloud()
    listed(cloud)
    fake.tokens.clear()
    assert cloud.created("identity", "/projects", {"project": {"name": "p", "domain_id": "default"}}, "project")["id"]
    assert [str(one).split("/")[-1] for one in fake.seen] == ["tokens", "projects", "projects", "tokens", "projects"]
    assert cloud.calls == 5
    assert len(fake.identity.projects) == 1


def test_a_token_that_stays_refused(fake, open_cloud):
    fake.fail(method="GET", path="/projects$", status=401)
    with pytest.raises(errors.AuthenticationFailed, match=r"401 \(the token was refused\)"):
        listed(open_cloud())
    assert len(fake.requests("GET", "/projects")) == 2


def application_credential(fake, secret):
    auth = {"auth_url": fake.auth_url, "application_credential_id": "ac", "application_credential_secret": secret}
    return {"auth": auth, "auth_type": "v3applicationcredential", "region_name": fake.region}


def test_an_application_credential(fake):
    cloud = connect(application_credential(fake, fake.password))
    assert listed(cloud) == []
    assert cloud.calls == 2


def test_a_deleted_application_credential(fake):
    message = json.dumps({"error": {"code": 404, "message": "Could not find Application Credential: ac."}})
    fake.fail(method="POST", path="/auth/tokens", status=404, body=message)
    with pytest.raises(errors.AuthenticationFailed, match=r"\(404\): Could not find Application Credential: ac."):
        listed(connect(application_credential(fake, fake.password)))


def test_an_expired_application_credential(fake):
    with pytest.raises(errors.AuthenticationFailed, match="application credential.* expired") as caught:
        listed(connect(application_credential(fake, "expired-credential")))
    assert "expired-credential" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503, "cut"])
def test_authentication_is_tried_again(fake, open_cloud, waited, status):
    fake.fail(method="POST", path="/auth/tokens", times=2, status=status)
    cloud = open_cloud()
    assert cloud.created("identity", "/projects", {"project": {"name": "p", "domain_id": "default"}}, "project")
    assert cloud.calls == 4
    assert waited == list(WAITS[:2])


def test_authentication_waits_as_long_as_it_is_asked(fake, open_cloud, waited):
    fake.fail(method="POST", path="/auth/tokens", times=1, status=429, headers={"Retry-After": "7"})
    listed(open_cloud())
    assert waited == [7.0]


@pytest.mark.parametrize("status, kind", [(403, errors.Forbidden), (404, errors.NotFound), (503, errors.ServiceFailed)])
def test_authentication_that_fails(fake, open_cloud, status, kind):
    fake.fail(method="POST", path="/auth/tokens", status=status)
    with pytest.raises(kind, match="authentication at http.*{0}".format(status)):
        listed(open_cloud())


@pytest.mark.parametrize("body", ["<html>", "{}", "[]", '{"token": {}}'])
def test_authentication_at_something_that_is_no_keystone(fake, open_cloud, body):
    fake.fail(method="POST", path="/auth/tokens", status=200, body=body)
    with pytest.raises(errors.CloudError) as caught:
        listed(open_cloud())
    assert str(caught.value).startswith("authentication at http")


def test_authentication_in_a_redirect_loop(fake, open_cloud):
    fake.fail(
        method="POST", path="/auth/tokens", status=302, headers={"Location": fake.auth_url + "/auth/tokens"}, body=""
    )
    with pytest.raises(errors.CloudError, match="authentication at http"):
        listed(open_cloud())
    assert len(fake.seen) <= 4 * (len(WAITS) + 1)


@pytest.mark.parametrize("ending", ["/v3", ""])
def test_nobody_listens(waited, fake, ending):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:{0}{1}".format(unused.getsockname()[1], ending)
        with pytest.raises(errors.ServiceUnreachable, match="authentication at {0}: the connection failed".format(url)):
            listed(connect(with_auth(fake, auth_url=url), sleep=waited.append))
    assert waited == list(WAITS)


def test_the_region_is_not_in_the_catalogue(fake):
    fake.region = "region-a"
    options = with_auth(fake)
    options["cloud"]["region_name"] = "region-b"
    with pytest.raises(errors.ServiceMissing) as caught:
        listed(connect(options))
    assert str(caught.value) == (
        "the catalogue has no identity service in region 'region-b'; it has one in: region-a; did you mean 'region-a'?"
    )


def test_the_service_is_not_in_the_catalogue(fake, open_cloud):
    cloud = open_cloud()
    assert not cloud.has("block-storage")
    with pytest.raises(errors.ServiceMissing, match=r"no block-storage service \(public interface\)"):
        cloud.get("block-storage", "/volumes")
    with pytest.raises(errors.ServiceMissing, match=r"no identity service \(internal interface\)"):
        open_cloud(interface="internal").get("identity", "/projects")


@pytest.mark.parametrize("identity", ["/v3", "/identity/v3", "/very/long/prefix/v3"])
@pytest.mark.parametrize("versioned", [True, False])
def test_catalogue_urls_with_and_without_version_and_prefix(fake, open_cloud, identity, versioned):
    fake.paths["identity"] = identity
    url = fake.base + (identity if versioned else identity[: -len("/v3")])
    fake.catalogue_urls["identity"] = url + "/"
    cloud = open_cloud()
    assert listed(cloud) == []
    assert fake.seen[-1].path == identity + "/projects"
    assert cloud.calls == 2


def test_an_endpoint_override(fake, open_cloud):
    fake.catalogue_urls["compute"] = "http://127.0.0.1:9/nobody"
    options = with_auth(fake)
    options["cloud"]["compute_endpoint_override"] = fake.base + "/compute/v2.1"
    assert connect(options).list("compute", "/flavors/detail", "flavors") == []


def test_an_unversioned_auth_url_still_works(fake):
    fake.fail(
        method="GET",
        path="^/identity$",
        status=300,
        body=json.dumps(
            {
                "versions": {
                    "values": [
                        {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": fake.auth_url + "/"}]}
                    ]
                }
            }
        ),
    )
    cloud = connect(with_auth(fake, auth_url=fake.base + "/identity"))
    assert listed(cloud) == []
    assert cloud.calls == 3


def test_words_of_a_service_never_hold_our_secrets(fake, open_cloud):
    cloud = open_cloud()
    listed(cloud)
    token = next(iter(fake.tokens))
    fake.fail(
        method="POST",
        path="/projects$",
        status=400,
        body=json.dumps({"error": {"message": "your request: password={0} token={1}".format(fake.password, token)}}),
    )
    with pytest.raises(errors.CloudError) as caught:
        cloud.post("identity", "/projects", {})
    assert "your request: password=******** token=********" in str(caught.value)
    fake.fail(method="POST", path="/auth/tokens", status=400, body=json.dumps({"error": {"message": fake.password}}))
    with pytest.raises(errors.CloudError) as caught:
        listed(open_cloud())
    assert fake.password not in str(caught.value)


@pytest.mark.parametrize("timeout", [-1, 0, "soon", float("nan")])
def test_a_timeout_that_is_none(fake, open_cloud, timeout):
    with pytest.raises(errors.CloudConfigError, match="is no number of seconds above 0"):
        open_cloud(timeout=timeout)


def test_the_timeout_of_the_task_wins_over_that_of_the_cloud(fake):
    options = with_auth(fake)
    options["cloud"]["api_timeout"] = 300
    assert connect(dict(options, timeout=7))._timeout == 7
    assert connect(options)._timeout == 300
    assert connect(fake.options())._timeout == 60


def test_a_plugin_without_a_token(fake):
    with pytest.raises(errors.CloudConfigError, match="gives no token"):
        connect({"cloud": {"auth_type": "none", "endpoint": fake.base}})


def test_who_we_are(fake, open_cloud):
    cloud = open_cloud()
    assert (cloud.user_id, cloud.project_id, cloud.region_name) == ("operator-id", "admin-project-id", "region-a")
    assert cloud.calls == 1
    listed(cloud)
    assert cloud.server_time > 1_700_000_000
