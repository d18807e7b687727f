# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, users and memberships against a model and against the simulated Keystone: convergence, faults, lockouts."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import users
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_directory import MARK
from ansible_collections.sovereign.region.tests.unit.fake_cloud.users import UsersCloud
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._tenancy.people import group, params, user

OURS = {MARK: "sovereign.region"}
PASSWORD = "Planted-Halibut-7"


@pytest.fixture()
def fake(faulty_server):
    """A simulated cloud with people in it."""
    return UsersCloud(faulty_server)


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(users, cloud, copy.deepcopy(asked), check_mode)


def story(result):
    return [(action["verb"], action["kind"], action["name"]) for action in result["actions"]]


BUSY = params(
    [
        group("new", description="n", members=["ann", "kept", "lent"]),
        group("kept", description="changed", members=["ann"]),
        group("taken"),
        group("gone", state="absent"),
        group("empty", members=[]),
    ],
    [
        user("ann", email="ann@example.org", password=PASSWORD),
        user("kept", description="changed"),
        user("taken", enabled=False, default_project="here"),
        user("gone", state="absent"),
        user("same", password=PASSWORD, update_password="always"),
    ],
    adopt=True,
    purge=True,
)
CHANGES = 17


def prepare(fake):
    keystone = fake.identity
    keystone.add_project("here")
    for name in ("kept", "gone", "surplus", "empty"):
        keystone.add_group(name, **OURS)
    keystone.add_group("taken")
    keystone.add_group("foreign")
    people = {name: keystone.add_user(name, **OURS) for name in ("kept", "gone", "surplus", "same")}
    people.update({name: keystone.add_user(name) for name in ("taken", "lent", "foreign")})
    found = {row["name"]: row["id"] for row in keystone.groups.values()}
    keystone.memberships += [
        (found["kept"], people["kept"]["id"]), (found["empty"], people["foreign"]["id"]),
        (found["foreign"], people["lent"]["id"]), (found["empty"], people["gone"]["id"])]


def test_check_and_run_tell_the_same_story_and_the_next_run_is_silent(fake, open_cloud):
    prepare(fake)
    checked = converge(open_cloud(), BUSY, True)
    assert fake.mutations() == []
    done = converge(open_cloud(), BUSY)
    assert done["actions"] == checked["actions"] and done["diff"] == checked["diff"]
    assert len(fake.mutations()) == len(done["actions"]) == CHANGES
    silent = copy.deepcopy(BUSY)
    silent["users"][-1]["update_password"] = "on_create"
    again = converge(open_cloud(), silent)
    # Authentication, domains, groups, users, projects, and the members of three groups; all in one domain, so that
    # no other has to be asked about.
    assert again["actions"] == [] and again["api_calls"] == 8
    members, names = fake.identity.names()
    assert members == {"new": {"ann", "kept", "lent"}, "kept": {"ann"}, "taken": set(), "empty": set(),
                       "foreign": {"lent"}}
    assert names == {"operator", "ann", "kept", "taken", "same", "lent", "foreign"}
    assert [row["members"] for row in again["groups"]] == [
        ["Default/ann", "Default/kept", "Default/lent"], ["Default/ann"], None, []]
    assert again["users"][2]["default_project"] == "Default/here"


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("nth", range(CHANGES))
def test_a_fault_at_any_change_tells_what_was_done_and_a_rerun_does_the_rest(fake, open_cloud, nth, carried_out):
    prepare(fake)
    planned = converge(open_cloud(), BUSY, True)["actions"]
    fake.fail(skip=nth, times=1, status=500, carried_out=carried_out)
    with pytest.raises(change.PartialFailure) as caught:
        converge(open_cloud(), BUSY)
    assert [action.as_dict() for action in caught.value.done] == planned[:nth]
    assert caught.value.failed.as_dict() == planned[nth]
    assert PASSWORD not in str(caught.value)
    rest = story(converge(open_cloud(), BUSY))
    always = ("set", "user password", "Default/same")
    expected = [(one["verb"], one["kind"], one["name"]) for one in planned[nth + carried_out:]]
    assert [one for one in rest if one != always] == [one for one in expected if one != always]
    assert story(converge(open_cloud(), BUSY)) == [always]


def test_a_password_is_sent_once_and_told_to_nobody(fake, open_cloud):
    asked = params(people=[user("ann", password=PASSWORD), user("bob")])
    results = [converge(open_cloud(), asked, True), converge(open_cloud(), asked)]
    ann = next(row for row in fake.identity.people.values() if row["name"] == "ann")
    bob = next(row for row in fake.identity.people.values() if row["name"] == "bob")
    assert fake.identity.passwords == {ann["id"]: PASSWORD, bob["id"]: None}
    assert "password" not in fake.requests("POST", "/users")[1].body["user"]
    asked["users"][0]["password"] = PASSWORD + "-other"
    results.append(converge(open_cloud(), asked))
    assert results[-1]["actions"] == [] and fake.identity.passwords[ann["id"]] == PASSWORD
    asked["users"][0]["update_password"] = "always"
    results.append(converge(open_cloud(), asked))
    assert story(results[-1]) == [("set", "user password", "Default/ann")]
    assert results[-1]["actions"][0]["interrupts"] == "every token of the user stops working"
    assert fake.identity.passwords[ann["id"]] == PASSWORD + "-other"
    assert PASSWORD not in json.dumps(results)


def test_federated_users_are_nobodys(fake, open_cloud):
    keystone = fake.identity
    federated = [{"idp_id": "idp", "protocols": []}]
    keystone.add_user("eve", federated=federated)
    keystone.add_user("both", federated=federated)
    local = keystone.add_user("both", **OURS)
    marked = keystone.add_user("strange", federated=federated, **OURS)
    before = keystone.state()[0]
    with pytest.raises(errors.DeclarationError, match="'Default/eve' is a federated user, and anybody's"):
        converge(open_cloud(), params([group("g", members=["eve"])]))
    assert converge(open_cloud(), params(people=[user("eve", state="absent")]))["actions"] == []
    made = converge(open_cloud(), params([group("g", members=["both"])], [user("eve"), user("both")], adopt=True))
    assert story(made)[1:] == [("create", "user", "Default/eve"), ("grant", "group membership",
                                                                   "Default/both in Default/g")]
    assert [user_id for unused, user_id in keystone.memberships] == [local["id"]]
    with pytest.raises(errors.Refused, match="'Default/strange' is in use: it is a federated user"):
        converge(open_cloud(), params(purge=True))
    del keystone.people[marked["id"]]
    converge(open_cloud(), params(purge=True))
    kept = {key: row for key, row in before.items() if row.get("federated") and key != marked["id"]}
    assert len(kept) == 2 and kept == {key: keystone.people[key] for key in kept}


def test_a_keystone_with_drivers_for_each_domain_is_asked_domain_by_domain(fake, open_cloud):
    other = fake.identity.add_domain("other")
    fake.identity.add_user("ann", other["id"], **OURS)
    fake.identity.add_group("g", other["id"], **OURS)
    fake.identity.only_domain = "default"
    asked = params([group("g", "other")], [user("ann", "other")])
    assert converge(open_cloud(), asked)["actions"] == []
    assert story(converge(open_cloud(), params(purge=True))) == [
        ("delete", "user", "other/ann"), ("delete", "group", "other/g")]


def test_nobody_is_locked_out(fake, open_cloud):
    keystone = fake.identity
    keystone.people["operator-id"].update(OURS)
    with pytest.raises(errors.Refused, match="'Default/operator' cannot be removed: this runs with it"):
        converge(open_cloud(), params(purge=True))
    with pytest.raises(errors.Refused, match="'Default/operator' cannot be disabled: this runs with it"):
        converge(open_cloud(), params(people=[user("operator", enabled=False)]))
    keystone.assignments.clear()
    inside = keystone.add_group("admins", **OURS)
    boss = keystone.add_user("boss", **OURS)
    keystone.give("admin", inside)
    keystone.memberships += [(inside["id"], boss["id"])]
    for asked in (user("boss", enabled=False), user("boss", state="absent")):
        with pytest.raises(errors.Refused, match="nobody would have the role admin on the system any more; it is with"):
            converge(open_cloud(), params(people=[asked]))
    keystone.memberships += [(inside["id"], "operator-id")]
    with pytest.raises(errors.Refused, match="cannot leave group 'Default/admins': this runs with that user"):
        converge(open_cloud(), params([group("admins", members=["boss"])]))
    with pytest.raises(errors.Refused, match="'Default/admins' is in use: it gives roles to the user that this runs"):
        converge(open_cloud(), params([group("admins", state="absent")]))
    assert fake.mutations() == []


def test_a_password_that_is_always_set_is_set_once_on_creation_too(fake, open_cloud):
    asked = params(people=[user("ann", password=PASSWORD, update_password="always")])
    assert story(converge(open_cloud(), asked, True)) == [("create", "user", "Default/ann")]
    assert story(converge(open_cloud(), asked)) == [("create", "user", "Default/ann")]
    assert list(fake.identity.passwords.values()) == [PASSWORD] and len(fake.mutations()) == 1
    assert story(converge(open_cloud(), asked)) == [("set", "user password", "Default/ann")]


def test_the_last_administrators_do_not_go_with_their_group(fake, open_cloud):
    """They may lose the role by the group's removal or by leaving it, and one who is disabled is no administrator."""
    keystone = fake.identity
    keystone.assignments.clear()
    admins, boss = keystone.add_group("admins", **OURS), keystone.add_user("boss", **OURS)
    keystone.add_user("ann", **OURS)
    keystone.give("admin", admins)
    keystone.memberships += [(admins["id"], boss["id"])]
    removed, emptied = group("admins", state="absent"), group("admins", members=[])
    for asked in (removed, emptied):
        with pytest.raises(errors.Refused, match="nobody would have the role admin on the system any more; it is with "
                                                 "boss in Default/admins"):
            converge(open_cloud(), params([asked]), True)
    keystone.give("admin", keystone.add_user("retired", enabled=False))
    with pytest.raises(errors.Refused, match="it is with boss in Default/admins"):
        converge(open_cloud(), params([removed]))
    assert fake.mutations() == []
    swapped = converge(open_cloud(), params([group("admins", members=["ann"])]))
    assert [verb for verb, unused, unused_too in story(swapped)] == ["grant", "revoke"]
    keystone.give("admin", boss)
    assert story(converge(open_cloud(), params([removed]))) == [("delete", "group", "Default/admins")]


def test_what_goes_with_a_user_or_group_is_told_or_prevents_it(fake, open_cloud):
    keystone = fake.identity
    ann, crew = keystone.add_user("ann", **OURS), keystone.add_group("crew", **OURS)
    keystone.memberships.append((crew["id"], ann["id"]))
    project = keystone.add_project("p")
    keystone.give("member", ann, "project", project["id"])
    keystone.give("reader", crew, "domain", "default")
    gone = params([group("crew", state="absent")], [user("ann", state="absent")])
    plan = converge(open_cloud(), gone, True)["actions"]
    assert plan[0]["before"]["roles"] == ["member on project Default/p"]
    assert plan[1]["before"]["roles"] == ["reader on domain Default"] and plan[1]["before"]["members"] == ["ann"]
    assert plan[1]["interrupts"] == "its members lose reader on domain Default"
    keystone.credentials.add(ann["id"])
    keystone.mappings.append({"id": "m", "rules": [{"local": [{"group": {"name": "crew", "domain": {"id": "default"}}}],
                                                    "remote": []}]})
    with pytest.raises(errors.Refused) as caught:
        converge(open_cloud(), gone)
    assert "it has credentials, such as those for EC2" in str(caught.value)
    assert "'Default/crew' is in use: mapping m puts people in it" in str(caught.value)
    keystone.credentials.clear()
    for goes in ({"name": "m", "state": "absent"}, {"name": "m", "rules": [{"local": [{"user": {}}], "remote": []}]}):
        assert len(converge(open_cloud(), dict(gone, mappings=[goes]), True)["actions"]) == 2
    keystone.mappings[0]["rules"][0]["local"][0]["group"]["domain"] = {"name": "elsewhere"}
    revoked = {"kind": "role assignment", "verb": "revoke", "name": "x",
               "before": {"role": "reader", "group": "Default/crew", "domain": "Default", "inherited": False}}
    plan = converge(open_cloud(), dict(gone, pending=[revoked]), True)["actions"]
    assert plan[1]["before"]["roles"] == [] and plan[1]["interrupts"] is None
    fake.compute.servers.append("x")
    fake.compute.list_servers = lambda body, query: (200, {"servers": [{"id": "s"}]})
    with pytest.raises(errors.Refused, match="it has servers; it stays"):
        converge(open_cloud(), gone)


def test_what_comes_earlier_in_the_plan_may_be_named(fake, open_cloud):
    pending = [{"verb": "create", "kind": "domain", "name": "new"}, {"verb": "create", "kind": "project",
                                                                     "name": "new/p"}]
    asked = params([group("g", "new", members=["new/ann"])], [user("ann", "new", default_project="new/p")],
                   pending=pending)
    assert story(converge(open_cloud(), asked, True))[0] == ("create", "group", "new/g")
    with pytest.raises(errors.DeclarationError) as caught:
        converge(open_cloud(), asked)
    assert len(caught.value.problems) == 3


def test_unknown_names_name_the_nearest(fake, open_cloud):
    fake.identity.add_domain("research")
    fake.identity.add_user("alice")
    fake.identity.add_project("climate")
    asked = params([group("g", "reserch"), group("h", members=["alise"])], [user("u", default_project="climat")])
    with pytest.raises(errors.DeclarationError) as caught:
        converge(open_cloud(), asked)
    assert caught.value.problems == [
        "groups[0].domain: 'reserch' is no domain; the nearest is 'research'",
        "groups[1].members[0]: 'Default/alise' is no user; the nearest is 'Default/alice'",
        "users[0].default_project: 'Default/climat' is no project; the nearest is 'Default/climate'",
    ]


def test_what_is_not_ours_is_refused_and_another_owner_is_named(fake, open_cloud):
    fake.identity.add_user("one")
    fake.identity.add_group("two", **{MARK: "other region"})
    with pytest.raises(errors.Refused) as caught:
        converge(open_cloud(), params([group("two")], [user("one")]))
    assert "'Default/two' belongs to other region" in str(caught.value) and "use adopt: true" in str(caught.value)
    fake.identity.ignore_changes = True
    with pytest.raises(change.Unverified, match="adopt user Default/one"):
        converge(open_cloud(), params(people=[user("one")], adopt=True))


def test_what_cannot_be_right_is_said_at_once():
    wrong = params(
        [group("g", members=["a", "Default/a", "x/y/z", "gone"]), group(" s", "a/b"), group("g")],
        [user("gone", state="absent"), user("u", password="short"), user("v", update_password="always"),
         user("w", default_project="/p"), user("x" * 256)], owner="a/b")
    found = users.validate(wrong)
    assert len(found) == 11, found
    assert not any("short" in one for one in found)
