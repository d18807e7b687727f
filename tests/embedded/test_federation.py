# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation against the real Keystone of the embedded region: its answers, its order, and what its logins do."""

from __future__ import annotations

import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}]
KINDS = ("identity_providers", "mappings", "service_providers")
RELEASE = "2026.2"


@pytest.fixture(scope="module")
def clouds(region):
    """The entries of the region's clouds.yaml."""
    return yaml.safe_load((Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]


@pytest.fixture(scope="module")
def admin(clouds):
    """A function that connects anew, as each module does."""
    return lambda: connect({"cloud": clouds["embedded-admin"]})


@pytest.fixture()
def place(admin):
    """Names of this test's own: a domain that is there; what is made in it is removed afterwards."""
    cloud, name = admin(), "t" + uuid.uuid4().hex[:8]
    domain = cloud.created("identity", "/domains", {"domain": {"name": name}}, "domain")
    yield Place(name, domain["id"])
    for kind in KINDS:
        for row in cloud.list("identity", "/OS-FEDERATION/" + kind, kind):
            if row["id"].startswith(name):
                cloud.delete("identity", "/OS-FEDERATION/{0}/{1}".format(kind, quote(row["id"], safe="")))
    cloud.patch("identity", "/domains/" + domain["id"], {"domain": {"enabled": False}})
    cloud.delete("identity", "/domains/" + domain["id"])


class Place:
    """A domain, and declarations in it."""

    def __init__(self, name, domain_id):
        self.name, self.domain_id = name, domain_id

    def provider(self, suffix, **fields):
        base = {"name": self.name + suffix, "domain": self.name, "description": None, "enabled": None,
                "remote_ids": ["https://{0}{1}".format(self.name, suffix)], "authorization_ttl": None,
                "protocols": None, "purge": False, "state": "present"}
        return dict(base, **fields)

    def mapping(self, suffix, **fields):
        return dict({"name": self.name + suffix, "rules": RULES, "schema_version": None, "state": "present"}, **fields)

    def service(self, suffix, **fields):
        base = {"name": self.name + suffix, "auth_url": "https://o.example/auth", "sp_url": "https://o.example/sp",
                "description": None, "enabled": None, "relay_state_prefix": None, "state": "present"}
        return dict(base, **fields)

    def protocol(self, name, used, attribute=None):
        return {"name": name, "mapping": self.name + used, "remote_id_attribute": attribute}

    def user(self, cloud, name, provider, protocol):
        """A federated user, as a login would have made it."""
        known = [{"idp_id": self.name + provider, "protocols": [{"protocol_id": protocol, "unique_id": name}]}]
        fields = {"name": name, "domain_id": self.domain_id, "federated": known}
        return cloud.created("identity", "/users", {"user": fields}, "user")


def params(providers=(), mappings=(), services=(), **options):
    base = {"keystone_release": None, "adopt": False, "pending": []}
    return dict(base, identity_providers=list(providers), mappings=list(mappings), service_providers=list(services),
                **options)


def converge(cloud, asked, check_mode=False):
    assert federation.validate(asked) == []
    return federation.execute(cloud, asked, check_mode)


def story(result):
    return [(action["verb"], action["kind"], action["name"]) for action in result["actions"]]


def everything(cloud):
    """All that Keystone has of federation, as it tells it."""
    found = {kind: {row["id"]: row for row in cloud.list("identity", "/OS-FEDERATION/" + kind, kind)} for kind in KINDS}
    for name, row in found["identity_providers"].items():
        path = "/OS-FEDERATION/identity_providers/{0}/protocols".format(quote(name, safe=""))
        row["of protocols"] = cloud.list("identity", path, "protocols")
    found["domains"] = {row["id"]: row for row in cloud.list("identity", "/domains", "domains")}
    return found


def put(cloud, kind, name, fields):
    return cloud.put("identity", "/OS-FEDERATION/{0}/{1}".format(kind, name), fields)


def whole(place):
    """Something of everything, in a first and in a second version."""
    first = params(
        [place.provider("-ü#?%1", description="grüße", authorization_ttl=60,
                        remote_ids=["https://{0}/z".format(place.name), "https://{0}/a".format(place.name)],
                        protocols=[place.protocol("openid", "-m", "OIDC-iss"), place.protocol("mapped", "-n")]),
         place.provider("-2", enabled=False, protocols=[place.protocol("saml2", "-m", "MELLON_IDP")])],
        [place.mapping("-m", schema_version="2.0"), place.mapping("-n")],
        [place.service("-s", relay_state_prefix="https://o.example/auth?rs="), place.service("-t", enabled=False)])
    second = params(
        [place.provider("-ü#?%1", description="", authorization_ttl=-1, purge=True,
                        remote_ids=["https://{0}/a".format(place.name), "https://{0}/b".format(place.name)],
                        protocols=[place.protocol("openid", "-o", "")]),
         place.provider("-2", enabled=True, protocols=[place.protocol("saml2", "-m", "MELLON_IDP")])],
        [place.mapping("-m", rules=RULES * 2), place.mapping("-n", state="absent"),
         place.mapping("-o", schema_version="3.0")],
        [place.service("-s", auth_url="https://p.example/auth", description="x"), place.service("-t", state="absent")],
        keystone_release=RELEASE)
    return first, second


def test_declare_check_repeat_change_and_remove(region, admin, place):
    cloud = admin()
    put(cloud, "mappings", place.name + "-foreign", {"mapping": {"rules": RULES, "schema_version": "2.0"}})
    put(cloud, "identity_providers", place.name + "-foreign", {"identity_provider": {
        "domain_id": place.domain_id, "enabled": True, "remote_ids": ["https://{0}/f".format(place.name)]}})
    put(cloud, "identity_providers", place.name + "-foreign/protocols/openid", {"protocol": {
        "mapping_id": place.name + "-foreign", "remote_id_attribute": "OIDC-iss"}})
    put(cloud, "service_providers", place.name + "-foreign", {"service_provider": {
        "auth_url": "https://f.example/a", "sp_url": "https://f.example/s"}})
    before = everything(cloud)
    for asked in whole(place):
        checked = converge(admin(), asked, True)
        mark = region.mark()
        done = converge(admin(), asked)
        assert done["actions"] == checked["actions"] and done["diff"] == checked["diff"]
        sent = [one for one in region.requests(mark) if "/OS-FEDERATION/" in one.path and one.method != "GET"]
        methods = {"create": "PUT", "delete": "DELETE"}
        assert [one.method for one in sent] == [methods.get(one["verb"], "PATCH") for one in done["actions"]]
        again = converge(admin(), asked)
        # Authentication, a list for each of domains and three kinds of objects, protocols of two identity providers.
        assert again["actions"] == [] and again["api_calls"] == 7
    now = {item["name"][len(place.name):]: item for item in again["identity_providers"]}
    assert now["-ü#?%1"] == {
        "name": place.name + "-ü#?%1", "domain": place.name, "domain_id": place.domain_id, "description": "",
        "enabled": True, "authorization_ttl": -1,
        "remote_ids": ["https://{0}/a".format(place.name), "https://{0}/b".format(place.name)],
        "protocols": [{"name": "openid", "mapping": place.name + "-o", "remote_id_attribute": ""}]}
    assert {item["name"][len(place.name):]: item["schema_version"] for item in again["mappings"]} == {
        "-m": "2.0", "-o": "3.0"}, "rules changed and the version was not declared: it stays"
    assert again["service_providers"][0]["relay_state_prefix"] == "https://o.example/auth?rs="
    gone = params([place.provider("-ü#?%1", state="absent"), place.provider("-2", state="absent")],
                  [place.mapping("-m", state="absent"), place.mapping("-o", state="absent")],
                  [place.service("-s", state="absent")])
    assert [verb for verb, unused, unused_too in story(converge(admin(), gone))] == ["delete"] * 5
    assert converge(admin(), gone)["actions"] == []
    assert everything(cloud) == before, "foreign objects are as they were, field for field"


def test_a_run_that_is_cut_off_after_any_request_can_be_repeated(admin, place):
    first, second = whole(place)
    converge(admin(), first)
    cloud, left = admin(), None
    while left is None or left:
        # Every turn starts from nothing but what Keystone says.
        observed = federation.observe(cloud, second)
        plan = federation.decide(second, observed)
        assert left is None or len(plan) == left - 1
        left = len(plan)
        if plan:
            federation.performer(cloud, second, observed)(plan[0])


def test_remote_ids_change_places_and_an_owner_is_named(admin, place):
    one, two = "https://{0}/1".format(place.name), "https://{0}/2".format(place.name)
    asked = params([place.provider("-1", remote_ids=[one], enabled=True),
                    place.provider("-2", remote_ids=[two], enabled=True)])
    converge(admin(), asked)
    swapped = params([place.provider("-1", remote_ids=[two], enabled=True),
                      place.provider("-2", remote_ids=[one], enabled=True)])
    result = converge(admin(), swapped)
    assert [(action["name"][-2:], action["after"]) for action in result["actions"]] == [
        ("-1", {"remote_ids": [], "enabled": False}), ("-2", {"remote_ids": [one]}),
        ("-1", {"remote_ids": [two], "enabled": True})]
    assert converge(admin(), swapped)["actions"] == []
    with pytest.raises(errors.Refused, match="'{0}' belongs to identity provider '{1}-1'".format(two, place.name)):
        converge(admin(), params([place.provider("-3", remote_ids=[two])]))
    renamed = params([place.provider("-1", state="absent"), place.provider("-3", remote_ids=[two])])
    assert [(verb, name[-2:]) for verb, unused, name in story(converge(admin(), renamed))] == [
        ("delete", "-1"), ("create", "-3")]


def test_what_is_in_use_stays(admin, place):
    cloud = admin()
    asked = params([place.provider("-1", protocols=[place.protocol("mapped", "-m")])], [place.mapping("-m")])
    converge(admin(), asked)
    with pytest.raises(errors.Refused, match="'{0}-m' is in use by {0}-1/mapped".format(place.name)):
        converge(admin(), params(mappings=[place.mapping("-m", state="absent")]))
    with pytest.raises(errors.Refused, match="decides logins of {0}-1/mapped".format(place.name)):
        converge(admin(), params(mappings=[place.mapping("-m", schema_version="2.0")]))
    user = place.user(cloud, "alice", "-1", "mapped")
    with pytest.raises(errors.Refused, match="has users: alice"):
        converge(admin(), params([place.provider("-1", state="absent")]))
    with pytest.raises(errors.Refused, match="came through it: alice"):
        converge(admin(), params([place.provider("-1", protocols=[], purge=True)]))
    cloud.delete("identity", "/users/" + user["id"])
    assert story(converge(admin(), params([place.provider("-1", protocols=[], purge=True)]))) == [
        ("delete", "protocol", place.name + "-1/mapped")]


def test_domains_that_keystone_makes_are_found_when_nobody_uses_them(admin, place):
    cloud = admin()
    made = put(cloud, "identity_providers", place.name + "-auto", {"identity_provider": {}})["identity_provider"]
    assert converge(admin(), params())["orphan_domains"] == []
    cloud.delete("identity", "/OS-FEDERATION/identity_providers/{0}-auto".format(place.name))
    key = made["domain_id"]
    assert converge(admin(), params())["orphan_domains"] == [
        {"id": key, "name": key, "identity_provider": place.name + "-auto", "enabled": True}]
    cloud.patch("identity", "/domains/" + key, {"domain": {"enabled": False}})
    cloud.delete("identity", "/domains/" + key)


def test_an_auditor_sees_the_plan_and_cannot_carry_it_out(admin, clouds, place):
    def auditor():
        return connect({"cloud": clouds["embedded-auditor"]})

    asked = whole(place)[0]
    assert converge(auditor(), asked, True)["actions"] == converge(admin(), asked, True)["actions"]
    with pytest.raises(change.PartialFailure, match="mappings/.*: 403") as caught:
        converge(auditor(), asked)
    assert caught.value.done == []


def test_a_login_through_schema_3_takes_away_what_the_preview_said(admin, clouds, place):
    cloud = admin()
    # Filled from a header, as nobody should: it lets a test log in without a web server in front.
    domain = {"name": place.name}
    rule = {"local": [{"user": {"name": "{0}"}, "domain": domain}], "remote": [{"type": "HTTP_X_SUB"}]}
    asked = params([place.provider("-1", protocols=[place.protocol("mapped", "-m")])],
                   [place.mapping("-m", rules=[rule], schema_version="2.0")])
    converge(admin(), asked)
    user = _logged_in(clouds, place)
    roles = {row["name"]: row["id"] for row in cloud.list("identity", "/roles", "roles")}
    projects = {}
    for name in ("stays", "goes"):
        fields = {"name": name, "domain_id": place.domain_id}
        projects[name] = cloud.created("identity", "/projects", {"project": fields}, "project")["id"]
        for role in ("member", "reader"):
            cloud.put("identity", "/projects/{0}/users/{1}/roles/{2}".format(projects[name], user, roles[role]))
    given = {"projects": [{"name": "stays", "roles": [{"name": "member"}], "domain": domain}], "domain": domain}
    rule = dict(rule, local=rule["local"] + [given])
    asked["mappings"] = [place.mapping("-m", rules=[rule], schema_version="3.0")]
    asked["keystone_release"] = RELEASE
    told = converge(admin(), asked)
    assert told["actions"][0]["interrupts"].startswith("at the next login 1 user loses 3 direct project roles")
    said = {(row["project"].rpartition("/")[2], row["role"]): row["may_stay"] for row in told["removed_by_mapping"]}
    assert said == {("stays", "member"): True, ("stays", "reader"): False,
                    ("goes", "member"): False, ("goes", "reader"): False}
    assert len(_grants(cloud, user)) == 4, "nothing goes before the login"
    assert _logged_in(clouds, place) == user
    assert _grants(cloud, user) == {(projects["stays"], roles["member"])}
    # Keystone looks for an inherited role among the others, and refuses the login when it is not there.
    cloud.put("identity", "/OS-INHERIT/projects/{0}/users/{1}/roles/{2}/inherited_to_projects".format(
        projects["goes"], user, roles["reader"]))
    assert _login(clouds, place).status_code == 404


def _logged_in(clouds, place):
    """Return the id of the user after a login."""
    reply = _login(clouds, place)
    assert reply.status_code == 201, reply.text
    return reply.json()["token"]["user"]["id"]


def _login(clouds, place):
    """Log in with the claims that a web server would hand over."""
    url = "{0}/OS-FEDERATION/identity_providers/{1}-1/protocols/mapped/auth".format(
        clouds["embedded-admin"]["auth"]["auth_url"].rstrip("/"), place.name)
    return requests.get(url, headers={"X-Sub": "alice"}, timeout=60)


def _grants(cloud, user):
    rows = cloud.list("identity", "/role_assignments", "role_assignments", {"user.id": user})
    return {(row["scope"]["project"]["id"], row["role"]["id"]) for row in rows if "project" in row["scope"]}
