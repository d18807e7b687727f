# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a module finds its cloud, and that no secret comes back from it."""

from __future__ import annotations

import json
import ssl

import pytest
from ansible_collections.sovereign.region.tests.unit.fake_cloud.certificates import Authority
from ansible_collections.sovereign.region.tests.unit.fake_cloud.cloud import FakeCloud
from pytest_httpserver import HTTPServer

WANTED = {"projects": [{"name": "Default-like", "description": "in Default"}]}


def entry(fake, **more):
    auth = dict(fake.options()["cloud"]["auth"])
    return dict({"auth": auth, "region_name": fake.region}, **more)


def clouds_yaml(tmp_path, clouds):
    # JSON is YAML.
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": clouds}), encoding="utf-8")
    (tmp_path / "clouds.yaml").chmod(0o600)


def environment(fake):
    auth = fake.options()["cloud"]["auth"]
    return dict({"OS_" + key.upper(): value for key, value in auth.items()}, OS_REGION_NAME=fake.region)


def application_credential(fake):
    return {
        "auth_type": "v3applicationcredential",
        "region_name": fake.region,
        "auth": {
            "auth_url": fake.auth_url,
            "application_credential_id": "ac",
            "application_credential_secret": fake.password,
        },
    }


def system_scope(fake):
    auth = fake.options()["cloud"]["auth"]
    kept = {key: value for key, value in auth.items() if not key.startswith("project")}
    return {"auth": dict(kept, system_scope="all"), "region_name": fake.region}


WAYS = {
    "inline cloud": lambda fake: ({"cloud": entry(fake)}, {}, {}),
    "clouds.yaml": lambda fake: ({"cloud": "one"}, {"one": entry(fake)}, {}),
    "OS_CLOUD": lambda fake: ({}, {"one": entry(fake)}, {"OS_CLOUD": "one"}),
    "OS_ environment": lambda fake: ({}, {}, environment(fake)),
    "auth option": lambda fake: (
        {"auth": entry(fake)["auth"], "auth_type": "password", "region_name": fake.region},
        {},
        {},
    ),
    "v3password": lambda fake: (
        {"auth": entry(fake)["auth"], "auth_type": "v3password", "region_name": fake.region},
        {},
        {},
    ),
    "application credential": lambda fake: (application_credential(fake), {}, {}),
    "application credential in clouds.yaml": lambda fake: ({"cloud": "one"}, {"one": application_credential(fake)}, {}),
    "system scope": lambda fake: ({"cloud": "one"}, {"one": system_scope(fake)}, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_cloud(fake, run_module, tmp_path, way):
    options, clouds, variables = WAYS[way](fake)
    clouds_yaml(tmp_path, clouds)
    status, result, written = run_module("identity_projects", dict(WANTED, **options), variables)
    assert (status, result.get("msg")) == (0, None)
    # A name from the authentication options must not be taken for a secret in it.
    assert [action["name"] for action in result["actions"]] == ["Default/Default-like"]
    assert result["api_calls"] == len(fake.seen) == 6
    assert result["projects"][0]["description"] == "in Default"
    assert fake.password not in written
    assert "HTTP_" not in written


def test_a_planted_password_would_be_found(fake, run_module):
    # As the name of a cloud, which the message repeats: only old cores repeat the other arguments.
    options = {"projects": [{"name": "p"}], "cloud": fake.password}
    written = run_module("identity_projects", options)[2]
    assert fake.password in written


def test_an_inline_cloud_stands_alone(fake, run_module):
    variables = dict(environment(fake), OS_AUTH_URL="http://127.0.0.1:9/v3", OS_PASSWORD="another-secret")
    assert run_module("identity_projects", dict(WANTED, cloud=entry(fake)), variables)[0] == 0


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "cannot be used"),
        ("clouds: {other: {}}", "cannot be used"),
        ("clouds: [", "cannot be used"),
        ("clouds: {one: {auth: {password: Swordfish-9-planted, : ]}}", "cannot be used"),
        ("clouds: 5", "cannot be used"),
    ],
)
def test_a_clouds_yaml_that_describes_no_cloud(run_module, tmp_path, content, words):
    if content:
        (tmp_path / "clouds.yaml").write_text(content, encoding="utf-8")
    status, result, written = run_module("identity_projects", dict(WANTED, cloud="one", timeout=1))
    assert status == 1
    assert result["error"] == "CloudConfigError", result
    assert words in result["msg"]
    assert result["actions"] == [] and result["api_calls"] == 0
    assert "Swordfish" not in written


def test_problems_come_back_all_at_once_and_before_any_request(fake, run_module):
    wanted = {"projects": [{"name": ""}, {"name": "a/b"}, {"name": "c", "tags": ["x,y"]}], "owner": "a/b"}
    status, result, unused = run_module("identity_projects", dict(wanted, cloud=entry(fake)))
    assert status == 1 and result["error"] == "DeclarationError"
    assert len(result["problems"]) == 4
    assert fake.seen == []


def test_a_failure_in_the_middle_tells_what_was_done(fake, run_module):
    fake.fail(skip=1, status=403)
    wanted = {"projects": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    status, result, unused = run_module("identity_projects", dict(wanted, cloud=entry(fake)))
    assert status == 1 and result["error"] == "Forbidden" and result["changed"] is True
    assert [action["name"] for action in result["actions"]] == ["Default/a"]
    assert result["failed_action"]["name"] == "Default/b"
    assert "(1 action done before it, 1 not tried)" in result["msg"]


def test_reading_back_that_fails_tells_what_was_done(fake, run_module):
    fake.fail(method="GET", path="/projects$", skip=1, status=403)
    status, result, unused = run_module("identity_projects", dict(WANTED, cloud=entry(fake)))
    assert status == 1 and result["error"] == "Forbidden" and result["changed"] is True
    assert [action["name"] for action in result["actions"]] == ["Default/Default-like"]


def test_flavors_in_check_mode_and_for_real(fake, run_module):
    wanted = {"flavors": [{"name": "f", "vcpus": 1, "ram_mib": 64, "disk_gib": 0, "extra_specs": {"a": 1}}]}
    options = dict(wanted, cloud=entry(fake))
    checked = run_module("compute_flavors", options, check=True)[1]
    assert fake.mutations() == [] and checked["changed"] is True
    assert run_module("compute_flavors", options)[1]["actions"] == checked["actions"]
    again = run_module("compute_flavors", options)[1]
    assert again["changed"] is False and again["api_calls"] == 2


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls_context(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    context.load_verify_locations(authority.path)
    return context


@pytest.fixture(scope="module")
def tls_server(tls_context):
    """A server with a certificate of our own authority."""
    server = HTTPServer(host="127.0.0.1", port=0, ssl_context=tls_context, threaded=True)
    server.start()
    yield server
    server.clear()
    server.stop()


def test_tls(tls_server, tls_context, authority, run_module):
    options = dict(WANTED, cloud=entry(FakeCloud(tls_server)))
    status, result, unused = run_module("identity_projects", options)
    assert (status, result["error"]) == (1, "TlsFailed")
    assert "check ca_cert and validate_certs" in result["msg"]
    assert run_module("identity_projects", dict(options, ca_cert=authority.path))[0] == 0
    assert run_module("identity_projects", dict(options, validate_certs=False))[0] == 0
    # From here on the server takes nobody without a certificate.
    tls_context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = authority.issue("operator")
    options.update(ca_cert=authority.path, client_cert=certificate, client_key=key)
    assert run_module("identity_projects", options)[0] == 0
