# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, users, memberships and role assignments against the real Keystone: what the simulator cannot vouch for."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import projects, role_assignments, users
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_directory import MARK

PASSWORD = "Planted-Halibut-7"


@pytest.fixture(scope="module")
def clouds(region):
    """The entries of the region's clouds.yaml."""
    return yaml.safe_load((Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]


@pytest.fixture()
def admin(clouds):
    """A function that connects anew, as each module does."""
    return lambda: connect({"cloud": clouds["embedded-admin"]})


@pytest.fixture()
def place(admin):
    """A domain with a project of this test's own, removed afterwards with everything in it."""
    name = "test-" + uuid.uuid4().hex[:8]
    converge(projects, admin(), {
        "owner": name, "adopt": False, "purge": False,
        "domains": [{"name": name, "description": None, "enabled": None, "tags": None, "state": "present"}],
        "projects": [{"name": "p", "domain": name, "description": None, "enabled": None, "tags": None,
                      "state": "present"}]})
    yield name
    cloud = admin()
    (domain,) = [row for row in cloud.list("identity", "/domains", "domains") if row["name"] == name]
    cloud.patch("identity", "/domains/" + domain["id"], {"domain": {"enabled": False}})
    cloud.delete("identity", "/domains/" + domain["id"])


def converge(module, cloud, asked, check_mode=False):
    return cloud_module.converge(module, cloud, copy.deepcopy(asked), check_mode)


def story(result):
    return [(action["verb"], action["kind"], action["name"]) for action in result["actions"]]


def group(name, domain, **fields):
    return dict({"name": name, "domain": domain, "description": None, "members": None, "state": "present"}, **fields)


def user(name, domain, **fields):
    return dict({
        "name": name, "domain": domain, "description": None, "email": None, "enabled": None, "default_project": None,
        "password": None, "update_password": "on_create", "state": "present"}, **fields)


def people(owner, groups=(), declared=(), **options):
    base = {"owner": owner, "adopt": False, "purge": False, "mappings": [], "pending": []}
    return dict(base, groups=list(groups), users=list(declared), **options)


def give(role, **where):
    return dict({"role": role, "user": None, "group": None, "project": None, "domain": None, "system": False,
                 "inherited": False, "state": "present"}, **where)


def roles(assignments=(), scopes=()):
    scopes = [dict({"project": None, "domain": None, "system": False, "purge": True}, **one) for one in scopes]
    return {"assignments": list(assignments), "scopes": scopes, "pending": []}


def everything(cloud, without):
    """Every user, group and assignment outside one domain, field for field, and who is in the groups."""
    found = {}
    for key in ("users", "groups"):
        rows = cloud.list("identity", "/" + key, key)
        found[key] = {row["id"]: row for row in rows if row["domain_id"] != without}
    rows = cloud.list("identity", "/role_assignments", "role_assignments")
    found["assignments"] = sorted(
        json.dumps(row, sort_keys=True) for row in rows
        if (row.get("user") or row.get("group"))["id"] in {**found["users"], **found["groups"]})
    found["members"] = {}
    for key in found["groups"]:
        rows = cloud.list("identity", "/groups/{0}/users".format(key), "users")
        found["members"][key] = sorted(one["id"] for one in rows)
    return found


def test_people_are_made_changed_and_removed_and_others_stay_as_they_are(admin, place):
    cloud = admin()
    domain_id = next(row["id"] for row in cloud.list("identity", "/domains", "domains") if row["name"] == place)
    foreign = cloud.created("identity", "/users", {"user": {
        "name": place, "domain_id": "default", "description": "theirs", "colour": "blue"}}, "user")
    stranger = cloud.created("identity", "/groups", {"group": {"name": place, "domain_id": "default"}}, "group")
    cloud.put("identity", "/groups/{0}/users/{1}".format(stranger["id"], foreign["id"]))
    before = everything(admin(), domain_id)

    ann, bob = place + "/ann", place + "/bob"
    asked = people(place, [group("crew", place, description="grüße", members=[ann, place]), group("empty", place)],
                   [user("ann", place, password=PASSWORD, email="ann@example.org", default_project=place + "/p"),
                    user("bob", place, enabled=False, description="b")])
    checked = converge(users, admin(), asked, True)
    made = converge(users, admin(), asked)
    assert made["actions"] == checked["actions"] and len(made["actions"]) == 6
    again = converge(users, admin(), asked)
    # Authentication, domains, groups, users, projects, one group's members.
    assert again["actions"] == [] and again["api_calls"] == 6
    assert again["groups"][0]["members"] == sorted([ann, "Default/" + place])
    assert PASSWORD not in json.dumps([checked, made, again])
    (row,) = [one for one in admin().list("identity", "/users", "users") if one["name"] == "ann"]
    assert row[MARK] == place and row["email"] == "ann@example.org", "Keystone keeps what it does not know"

    changed = people(place, [group("crew", place, members=[bob])],
                     [user("ann", place, email="", default_project="", password="another-one"),
                      user("bob", place, enabled=True)], purge=True)
    assert story(converge(users, admin(), changed)) == [
        ("update", "user", ann), ("enable", "user", bob),
        ("grant", "group membership", "{0} in {1}/crew".format(bob, place)),
        ("revoke", "group membership", "Default/{0} in {0}/crew".format(place)),
        ("revoke", "group membership", "{0} in {1}/crew".format(ann, place)),
        ("delete", "group", place + "/empty")]
    assert converge(users, admin(), changed)["actions"] == []
    assert story(converge(users, admin(), people(place, purge=True))) == [
        ("delete", "user", ann), ("delete", "user", bob), ("delete", "group", place + "/crew")]
    assert everything(admin(), domain_id) == before

    with pytest.raises(errors.Refused, match="not marked as ours"):
        converge(users, admin(), people(place, [group(place, "Default")], [user(place, "Default")]))
    taken = people(place, [group(place, "Default")], [user(place, "Default", description="ours")], adopt=True)
    assert [verb for verb, unused, unused in story(converge(users, admin(), taken))] == ["adopt", "adopt"]
    after = admin().get("identity", "/users/" + foreign["id"])["user"]
    assert (after["colour"], after["description"]) == ("blue", "ours")
    assert [verb for verb, *unused in story(converge(users, admin(), people(place, purge=True)))] == [
        "delete", "delete"]


def test_a_password_works_is_left_alone_and_is_set_when_asked(admin, place, clouds):
    def login(password):
        entry = copy.deepcopy(clouds["embedded-admin"])
        entry["auth"].update(username="ann", user_domain_name=place, project_name="p", project_domain_name=place,
                             password=password)
        entry["auth"].pop("user_domain_id", None)
        entry["auth"].pop("project_domain_id", None)
        return connect({"cloud": entry}).user_id

    asked = people(place, [], [user("ann", place, password=PASSWORD)])
    converge(users, admin(), asked)
    converge(role_assignments, admin(), roles([give("member", user=place + "/ann", project=place + "/p")]))
    assert login(PASSWORD)
    asked["users"][0]["password"] = PASSWORD + "2"
    assert converge(users, admin(), asked)["actions"] == [] and login(PASSWORD)
    asked["users"][0]["update_password"] = "always"
    assert story(converge(users, admin(), asked)) == [("set", "user password", place + "/ann")]
    assert login(PASSWORD + "2")
    with pytest.raises(errors.AuthenticationFailed):
        login(PASSWORD)


def test_what_uses_a_user_prevents_its_removal(admin, place):
    converge(users, admin(), people(place, [], [user("ann", place)]))
    cloud = admin()
    (row,) = [one for one in cloud.list("identity", "/users", "users") if one.get(MARK) == place]
    made = cloud.created("identity", "/credentials", {"credential": {
        "type": "ec2", "user_id": row["id"], "blob": json.dumps({"access": place, "secret": "x"}),
        "project_id": cloud.project_id}}, "credential")
    with pytest.raises(errors.Refused, match="it has credentials, such as those for EC2; it stays"):
        converge(users, admin(), people(place, purge=True))
    cloud.delete("identity", "/credentials/" + made["id"])
    with pytest.raises(errors.Refused, match="'Default/admin' cannot be disabled: this runs with it"):
        converge(users, admin(), people(place, [], [user("admin", "Default", enabled=False)], adopt=True), True)
    assert story(converge(users, admin(), people(place, purge=True))) == [("delete", "user", place + "/ann")]


def test_roles_are_given_inherited_and_taken_only_where_it_is_said(admin, place):
    crew, project = place + "/crew", place + "/p"
    converge(users, admin(), people(place, [group("crew", place)], [user("ann", place)]))
    asked = roles([
        give("member", group=crew, project=project),
        give("reader", group=crew, project=project, inherited=True),
        give("manager", group=crew, domain=place),
        give("reader", group=crew, domain=place, inherited=True),
        give("reader", group=crew, system=True),
        give("reader", user=place + "/ann", project=project),
        give("reader", user=place + "/ann", domain=place, inherited=True),
        give("reader", user=place + "/ann", system=True),
    ])
    before = admin().list("identity", "/role_assignments", "role_assignments")
    checked = converge(role_assignments, admin(), asked, True)
    made = converge(role_assignments, admin(), asked)
    assert made["actions"] == checked["actions"] and len(made["actions"]) == 8
    again = converge(role_assignments, admin(), asked)
    # Authentication, assignments, domains, users. That manager implies member and reader is no assignment.
    assert again["actions"] == [] and again["api_calls"] == 4 and len(again["assignments"]) == 8
    of_groups = roles([one for one in asked["assignments"] if one["group"]])
    assert converge(role_assignments, admin(), of_groups)["api_calls"] == 2

    fewer = roles([asked["assignments"][0]], [{"project": project}, {"domain": place}])
    assert sorted(name for unused, unused, name in story(converge(role_assignments, admin(), fewer))) == [
        "manager of group {0} on domain {1}".format(crew, place),
        "reader of group {0} on the projects below domain {1}".format(crew, place),
        "reader of group {0} on the projects below project {1}".format(crew, project),
        "reader of user {0}/ann on project {1}".format(place, project),
        "reader of user {0}/ann on the projects below domain {0}".format(place),
    ]
    named = roles([dict(one, state="absent") for one in asked["assignments"]])
    assert len(converge(role_assignments, admin(), named)["actions"]) == 3
    assert converge(role_assignments, admin(), named)["actions"] == []
    after = admin().list("identity", "/role_assignments", "role_assignments")
    assert sorted(map(str, after)) == sorted(map(str, before)), "nobody else's roles were touched"


def test_roles_that_keep_the_region_running_stay(admin, place):
    with pytest.raises(errors.Refused, match="this runs with that user"):
        converge(role_assignments, admin(), roles([], [{"system": True}]))
    result = converge(role_assignments, admin(), roles([], [{"project": "service"}]))
    assert result["actions"] == [] and {row["reason"] for row in result["left"]} == {"the user belongs to a service"}
    with pytest.raises(errors.DeclarationError, match="'membre' is no role; the nearest is 'member'"):
        converge(role_assignments, admin(), roles([give("membre", user="admin", project=place + "/p")]))


def test_the_last_administrator_of_the_system_stays(admin, clouds, place):
    """Somebody else with enough rights asks, since nobody may take away what the run itself needs."""
    people_there = people(place, declared=[user("ops", place, password=PASSWORD)])
    converge(users, admin(), people_there)
    converge(role_assignments, admin(), roles([give("admin", user=place + "/ops", project=place + "/p")]))
    auth = {"auth_url": clouds["embedded-admin"]["auth"]["auth_url"], "username": "ops", "password": PASSWORD,
            "user_domain_name": place, "project_name": "p", "project_domain_name": place}

    def ops():
        return connect({"cloud": dict(clouds["embedded-admin"], auth=auth)})

    everywhere = everything(admin(), None)
    with pytest.raises(errors.Refused, match="nobody would have the role admin on the system"):
        converge(role_assignments, ops(), roles([], [{"system": True}]))
    with pytest.raises(errors.Refused, match="admin"):
        converge(users, ops(), people(place, declared=[user("admin", "Default", enabled=False)], adopt=True))
    assert everything(admin(), None) == everywhere

    second = roles([give("admin", user=place + "/ops", system=True)])
    converge(role_assignments, admin(), second)
    gone = roles([give("admin", user=place + "/ops", system=True, state="absent")])
    assert len(converge(role_assignments, admin(), gone)["actions"]) == 1, "while another one is left"


def test_federated_users_are_told_apart(admin, place):
    cloud = admin()
    domain_id = next(row["id"] for row in cloud.list("identity", "/domains", "domains") if row["name"] == place)
    base = "/OS-FEDERATION/identity_providers/" + place
    rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}]
    cloud.put("identity", "/OS-FEDERATION/mappings/" + place, {"mapping": {"rules": rules}})
    cloud.put("identity", base, {"identity_provider": {"domain_id": domain_id, "remote_ids": []}})
    cloud.put("identity", base + "/protocols/mapped", {"protocol": {"mapping_id": place}})
    try:
        eve = cloud.created("identity", "/users", {"user": {
            "name": "eve", "domain_id": domain_id, MARK: place,
            "federated": [{"idp_id": place, "protocols": [{"protocol_id": "mapped", "unique_id": "eve"}]}]}}, "user")
        (row,) = [one for one in cloud.list("identity", "/users", "users") if one["id"] == eve["id"]]
        assert "federated" not in row, "the list does not tell, so each one has to be looked at"
        with pytest.raises(errors.Refused, match="/eve' is in use: it is a federated user"):
            converge(users, admin(), people(place, purge=True))
        cloud.patch("identity", "/users/" + eve["id"], {"user": {MARK: None}})
        before = cloud.get("identity", "/users/" + eve["id"])["user"]
        assert converge(users, admin(), people(place, purge=True))["actions"] == []
        for module, asked in (
                (users, people(place, [group("g", place, members=[place + "/eve"])])),
                (role_assignments, roles([give("member", user=place + "/eve", project=place + "/p")]))):
            with pytest.raises(errors.DeclarationError, match="/eve' is a federated user, and anybody's"):
                converge(module, admin(), asked)
        assert cloud.get("identity", "/users/" + eve["id"])["user"] == before
    finally:
        for path in (base + "/protocols/mapped", base, "/OS-FEDERATION/mappings/" + place):
            cloud.delete("identity", path)
