# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules against the real Keystone of the embedded region: what the simulator cannot vouch for."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import projects
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.names import tag_of


@pytest.fixture(scope="module")
def clouds(region):
    """The entries of the region's clouds.yaml."""
    content = (Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(content)["clouds"]


@pytest.fixture()
def admin(clouds):
    """A function that connects anew, as each module does."""
    return lambda: connect({"cloud": clouds["embedded-admin"]})


@pytest.fixture()
def auditor(clouds):
    return lambda: connect({"cloud": clouds["embedded-auditor"]})


@pytest.fixture()
def owner(admin):
    """An owner of this test's own, whose objects are removed afterwards."""
    name = "test-" + uuid.uuid4().hex[:8]
    yield name
    converge(admin(), params(name, purge=True))


def item(name, **fields):
    return dict({"name": name, "description": None, "enabled": None, "tags": None, "state": "present"}, **fields)


def params(owner, domains=(), declared=(), **options):
    return dict(
        {"owner": owner, "adopt": False, "purge": False, "pending": []},
        domains=list(domains), projects=list(declared), **options,
    )


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(projects, cloud, asked, check_mode)


def story(result):
    return [(action["verb"], action["kind"], action["name"]) for action in result["actions"]]


def wanted(owner, **options):
    domain = owner + "-ü"
    return params(
        owner,
        [item(domain, description="grüße", tags=["eu", "souverän"])],
        [item("climate", domain=domain, tags=["gpu"], description=""), item(owner, domain="Default", enabled=False)],
        **options,
    )


def test_create_check_repeat_drift_and_purge(admin, owner):
    asked = wanted(owner)
    checked = converge(admin(), asked, True)
    made = converge(admin(), asked)
    assert made["actions"] == checked["actions"] and len(made["actions"]) == 3
    again = converge(admin(), asked)
    assert again["actions"] == [] and again["api_calls"] == 3
    (domain,) = [row for row in admin().list("identity", "/domains", "domains") if row["name"] == owner + "-ü"]
    assert sorted(domain["tags"]) == sorted(["eu", "souverän", tag_of(owner)]), "Keystone keeps tags of domains"
    project = again["projects"][0]
    cloud = admin()
    cloud.patch(
        "identity", "/projects/" + project["id"], {"project": {"description": "drift", "tags": [tag_of(owner)]}}
    )
    assert story(converge(admin(), asked)) == [("update", "project", owner + "-ü/climate")]
    assert converge(admin(), asked)["actions"] == []
    assert story(converge(admin(), params(owner, purge=True))) == [
        ("delete", "project", "Default/" + owner),
        ("delete", "project", owner + "-ü/climate"),
        ("disable", "domain", owner + "-ü"),
        ("delete", "domain", owner + "-ü"),
    ]


def test_every_change_of_a_domain_and_its_projects_at_once(admin, owner):
    domain = owner + "-d"
    asked = params(
        owner, [item(domain, enabled=False)], [item("p", domain=domain), item("q", domain=domain, enabled=False)]
    )
    converge(admin(), asked)
    assert converge(admin(), asked)["actions"] == []
    on = params(owner, [item(domain, enabled=True)], [item("p", domain=domain, enabled=True), item("r", domain=domain)])
    converge(admin(), on)
    assert converge(admin(), on)["actions"] == []
    off = params(
        owner, [item(domain, enabled=False)], [item("p", domain=domain, description="x"), item("s", domain=domain)]
    )
    converge(admin(), off)
    assert converge(admin(), off)["actions"] == []


def test_what_somebody_else_made_is_taken_over_only_when_asked(admin, owner):
    cloud = admin()
    made = cloud.created(
        "identity", "/projects", {"project": {"name": owner, "domain_id": "default", "tags": ["x"]}}, "project"
    )
    asked = params(owner, declared=[item(owner, domain="Default", description="ours")])
    with pytest.raises(errors.Refused, match="not marked as ours"):
        converge(admin(), asked)
    assert story(converge(admin(), dict(asked, adopt=True))) == [("adopt", "project", "Default/" + owner)]
    kept = admin().get("identity", "/projects/" + made["id"])["project"]
    assert sorted(kept["tags"]) == sorted(["x", tag_of(owner)]) and kept["description"] == "ours"


def test_a_domain_with_a_user_stays(admin, owner):
    domain = owner + "-u"
    converge(admin(), params(owner, [item(domain)]))
    cloud = admin()
    (found,) = [row for row in cloud.list("identity", "/domains", "domains") if row["name"] == domain]
    user = cloud.created("identity", "/users", {"user": {"name": owner, "domain_id": found["id"]}}, "user")
    with pytest.raises(errors.Refused, match="it has users"):
        converge(admin(), params(owner, purge=True))
    cloud.delete("identity", "/users/" + user["id"])


def test_a_name_in_another_spelling(admin, owner):
    converge(admin(), params(owner, declared=[item(owner, domain="Default")]))
    try:
        result = converge(admin(), params(owner, declared=[item(owner.upper(), domain="Default")]))
        assert story(result) == [("create", "project", "Default/" + owner.upper())]
    except change.PartialFailure as failure:
        # A Keystone on MySQL takes both for the same name.
        assert isinstance(failure.cause, errors.Conflict)


def test_an_auditor_sees_the_plan_and_cannot_carry_it_out(admin, auditor, owner):
    asked = wanted(owner)
    assert story(converge(auditor(), asked, True)) == story(converge(admin(), asked, True))
    with pytest.raises(
        change.PartialFailure, match=r"could not create domain .*: POST identity /domains: 403"
    ) as caught:
        converge(auditor(), asked)
    assert caught.value.done == [] and isinstance(caught.value.cause, errors.Forbidden)


def test_an_application_credential(admin, owner):
    cloud = admin()
    body = {"application_credential": {"name": owner, "unrestricted": False}}
    path = "/users/{0}/application_credentials".format(cloud.user_id)
    made = cloud.created("identity", path, body, "application_credential")
    auth = {
        "auth_url": cloud._auth_url(),
        "application_credential_id": made["id"],
        "application_credential_secret": made["secret"],
    }
    entry = {"auth_type": "v3applicationcredential", "auth": auth, "region_name": cloud.region_name}
    result = converge(connect({"cloud": entry}), params(owner, declared=[item(owner, domain="Default")]))
    assert story(result) == [("create", "project", "Default/" + owner)]
    cloud.delete("identity", "{0}/{1}".format(path, made["id"]))
    with pytest.raises(errors.AuthenticationFailed) as caught:
        converge(connect({"cloud": entry}), params(owner))
    assert made["secret"] not in str(caught.value)
