# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments against a model and against the simulated Keystone: convergence, purging, what is never revoked."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import role_assignments
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.role_assignments_observe import Observed
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_directory import MARK
from ansible_collections.sovereign.region.tests.unit.fake_cloud.users import UsersCloud
from hypothesis import given, settings
from hypothesis import strategies as st

OURS = {MARK: "sovereign.region"}
PURGED = {"project": None, "domain": None, "system": False, "purge": True}


@pytest.fixture()
def fake(faulty_server):
    """A simulated cloud with people in it."""
    return UsersCloud(faulty_server)


def give(role, **where):
    return dict({"role": role, "user": None, "group": None, "project": None, "domain": None, "system": False,
                 "inherited": False, "state": "present"}, **where)


def params(assignments=(), scopes=(), **options):
    return dict({"assignments": list(assignments), "scopes": list(scopes), "pending": []}, **options)


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(role_assignments, cloud, copy.deepcopy(asked), check_mode)


def story(result):
    return [(action["verb"], action["name"]) for action in result["actions"]]


BUSY = params(
    [
        give("member", group="research/crew", project="research/climate"),
        give("manager", group="research/crew", domain="research"),
        give("reader", group="research/crew", domain="research", inherited=True),
        give("reader", group="research/crew", system=True),
        give("member", user="ann", project="research/climate", inherited=True),
        give("reader", user="ann", system=True),
        give("admin", user="ann", project="research/climate", state="absent"),
    ],
    [dict(PURGED, project="research/climate"), dict(PURGED, domain="research", purge=False)],
)
CHANGES = 8


def prepare(fake):
    keystone = fake.identity
    domain = keystone.add_domain("research")["id"]
    project = keystone.add_project("climate", domain)["id"]
    other = keystone.add_project("other", domain)["id"]
    service = keystone.add_project("service")["id"]
    crew, ann = keystone.add_group("crew", domain), keystone.add_user("ann", **OURS)
    nova, eve = keystone.add_user("nova"), keystone.add_user("eve", federated=[{"idp_id": "i", "protocols": []}])
    keystone.give("admin", nova, "project", service)
    for who in (nova, eve, ann, "gone-for-good"):
        keystone.give("admin", who, "project", project)
    keystone.give("reader", crew, "project", project, True)
    keystone.give("reader", crew, "domain", domain)
    keystone.give("reader", ann, "project", other)
    return {"crew": crew, "ann": ann, "project": project, "domain": domain}


def test_check_and_run_tell_the_same_story_and_the_next_run_is_silent(fake, open_cloud):
    prepare(fake)
    checked = converge(open_cloud(), BUSY, True)
    assert fake.mutations() == []
    done = converge(open_cloud(), BUSY)
    assert done["actions"] == checked["actions"] and done["diff"] == checked["diff"]
    assert len(fake.mutations()) == len(done["actions"]) == CHANGES + 1
    assert story(done)[6:] == [
        ("revoke", "reader of group research/crew on the projects below project research/climate"),
        ("revoke", "admin of user Default/ann on project research/climate"),
        ("revoke", "admin of user gone-for-good on project research/climate"),
    ]
    again = converge(open_cloud(), BUSY)
    # Authentication, assignments, domains, users; and a look at each of the two that are left alone, at our own groups.
    assert again["actions"] == [] and again["api_calls"] == 5
    assert [(row["user"], row["reason"].partition(":")[0]) for row in again["left"]] == [
        ("Default/eve", "the user is federated"), ("Default/nova", "the user belongs to a service")]
    assert len(again["assignments"]) == 6 and again["dangling"] == []
    assert checked["dangling"] == [
        {"role": "admin", "user": "gone-for-good", "project": "research/climate", "inherited": False}]
    assert len(fake.identity.assignments) == 6 + 1 + 3 + 2, "nothing outside the scope was touched"


def test_groups_alone_cost_one_list(fake, open_cloud):
    prepare(fake)
    asked = params([one for one in BUSY["assignments"] if one["group"]])
    converge(open_cloud(), asked)
    assert converge(open_cloud(), asked)["api_calls"] == 2


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("nth", range(CHANGES + 1))
def test_a_fault_at_any_change_tells_what_was_done_and_a_rerun_does_the_rest(fake, open_cloud, nth, carried_out):
    prepare(fake)
    planned = converge(open_cloud(), BUSY, True)
    fake.fail(skip=nth, times=1, status=500, carried_out=carried_out)
    with pytest.raises(change.PartialFailure) as caught:
        converge(open_cloud(), BUSY)
    assert [action.as_dict() for action in caught.value.done] == planned["actions"][:nth]
    assert story(converge(open_cloud(), BUSY)) == story(planned)[nth + carried_out:]
    assert converge(open_cloud(), BUSY)["actions"] == []


def test_nobody_saws_off_the_branch(fake, open_cloud):
    keystone = fake.identity
    crew = keystone.add_group("crew")
    keystone.give("reader", crew, "domain", "default")
    keystone.give("admin", keystone.people["operator-id"], "domain", "default")
    keystone.memberships.append((crew["id"], "operator-id"))
    with pytest.raises(errors.Refused) as caught:
        converge(open_cloud(), params(scopes=[dict(PURGED, domain="Default")]))
    assert str(caught.value).splitlines() == [
        "role assignment reader of group Default/crew on domain Default is not revoked: the user that this runs with "
        "is in that group; declare it, or do not purge that scope",
        "role assignment admin of user Default/operator on domain Default is not revoked: this runs with that user; "
        "declare it, or do not purge that scope",
    ]
    keystone.memberships.clear()
    keystone.assignments.clear()
    keystone.give("admin", crew)
    with pytest.raises(errors.Refused, match="nobody would have the role admin on the system any more"):
        converge(open_cloud(), params([give("admin", group="crew", system=True, state="absent")]))
    # What a user has who is gone makes nobody an administrator.
    keystone.give("admin", "gone-for-good")
    with pytest.raises(errors.Refused, match="nobody would have the role admin on the system any more"):
        converge(open_cloud(), params([give("admin", group="crew", system=True, state="absent")]))
    keystone.assignments.pop()
    swapped = params([give("admin", user="operator", system=True)], [dict(PURGED, system=True)])
    assert [verb for verb, unused in story(converge(open_cloud(), swapped))] == ["grant", "revoke"]


def test_what_a_service_needs_is_not_revoked_by_name_either(fake, open_cloud):
    prepare(fake)
    asked = params([give("admin", user="nova", project="service", state="absent")])
    with pytest.raises(errors.Refused, match="the user belongs to a service; leave it out"):
        converge(open_cloud(), asked)


def test_a_federated_user_is_not_taken_for_a_local_one(fake, open_cloud):
    found = prepare(fake)
    keystone = fake.identity
    twin = keystone.add_user("bob", federated=[{"idp_id": "i", "protocols": []}])
    keystone.give("member", twin, "project", found["project"])
    asked = params([give("member", user="bob", project="research/climate")])
    with pytest.raises(errors.DeclarationError, match="'Default/bob' is a federated user, and anybody's"):
        converge(open_cloud(), asked)
    bob = keystone.add_user("bob")
    assert story(converge(open_cloud(), asked)) == [("grant", "member of user Default/bob on project research/climate")]
    assert ("users", bob["id"], "role-member", "project", found["project"], False) in keystone.assignments
    result = converge(open_cloud(), dict(asked, scopes=[dict(PURGED, project="research/climate")]))
    assert twin["id"] in [row["user"] for row in result["left"] if "user" in row]
    gone = params([give("member", user="bob", project="research/climate", state="absent")])
    converge(open_cloud(), gone)
    assert [one[1] for one in keystone.assignments if one[1] in (bob["id"], twin["id"])] == [twin["id"]]


def test_pending_objects_may_be_named_and_those_that_go_take_their_roles_along(fake, open_cloud):
    prepare(fake)
    pending = [{"verb": "create", "kind": kind, "name": name} for kind, name in (
        ("domain", "new"), ("project", "new/p"), ("group", "new/g"), ("user", "new/u"))]
    pending.append({"verb": "delete", "kind": "group", "name": "research/crew", "before": {"id": "x"}})
    asked = params([give("member", group="new/g", project="new/p"), give("reader", user="new/u", domain="new")],
                   [dict(PURGED, domain="research")], pending=pending)
    checked = converge(open_cloud(), asked, True)
    assert [verb for verb, unused in story(checked)] == ["grant", "grant"]
    with pytest.raises(errors.DeclarationError) as caught:
        converge(open_cloud(), asked)
    assert len(caught.value.problems) == 4


def test_unknown_names_name_the_nearest(fake, open_cloud):
    prepare(fake)
    asked = params([give("membre", group="research/crw", project="research/climat"),
                    give("reader", user="anne", domain="reserch")], [dict(PURGED, project="research/clmate")])
    with pytest.raises(errors.DeclarationError) as caught:
        converge(open_cloud(), asked)
    assert [one.rpartition("the nearest is ")[2] for one in caught.value.problems] == [
        "'member'", "'research/crew'", "'research/climate'", "'Default/ann'", "'research'", "'research/climate'"]


def test_what_cannot_be_right_is_said_at_once():
    found = role_assignments.validate(params(
        [give("member"), give("member", user="a", group="b", project="c", domain="d"), give("", user="a", system=True),
         give("reader", user="a", system=True, inherited=True), give("reader", user="a/b/c", project="/x"),
         give("reader", group="g", domain="d"), give("reader", group="Default/g", domain="d")], [PURGED]))
    assert len(found) == 10, found


ACTORS = st.sampled_from([("user", "Default/a"), ("user", "Default/b"), ("group", "Default/g")])
SCOPES = st.sampled_from([("project", "Default/p"), ("domain", "d"), ("system", "all")])
ROLES = st.sampled_from(["admin", "member"])


@st.composite
def grants(draw):
    """A Grant that may be declared."""
    kind, name = draw(ACTORS)
    where, scope = draw(SCOPES)
    item = give(draw(ROLES), **{kind: name, where: True if where == "system" else scope})
    item["inherited"] = where != "system" and draw(st.booleans())
    return item


@settings(max_examples=300, deadline=None)
@given(st.lists(grants(), max_size=6), st.lists(grants(), max_size=8), st.lists(SCOPES, max_size=3), st.data())
def test_a_plan_is_safe_and_leads_to_what_is_declared(wanted, existing, scopes, data):
    for item in wanted:
        item["state"] = data.draw(st.sampled_from(["present", "present", "absent"]))
    asked = params(wanted, [dict(PURGED, **{kind: True if kind == "system" else name}) for kind, name in scopes])
    if role_assignments.validate(asked):
        return
    there = {role_assignments.declared_grant(item): {"role": "r", "actor": "a", "scope": "s", "gone": False}
             for item in existing}
    ids = {"role": {"admin": "1", "member": "2"}, "user": {"Default/a": "3", "Default/b": "4"},
           "group": {"Default/g": "5"}, "project": {"Default/p": "6"}, "domain": {"d": "7"}}
    guarded = {one: "why" for one in there if data.draw(st.integers(0, 7)) == 0}
    left = {one: "why" for one in there if one not in guarded and data.draw(st.integers(0, 7)) == 0}
    try:
        plan = role_assignments.decide(asked, Observed(there, ids, frozenset(), guarded, left))
    except errors.Refused:
        return
    after = dict(there)
    for action in plan:
        if action.verb == "grant":
            assert action.details not in after
            after[action.details] = {"role": "r", "actor": "a", "scope": "s", "gone": False}
        else:
            assert action.details not in guarded and action.details not in left
            after.pop(action.details)
    assert role_assignments.decide(asked, Observed(after, ids, frozenset(), guarded, left)) == []
    assert set(role_assignments.declared(asked)) <= set(after)
    purged = set(scopes)
    for one in there:
        if (one.scope_kind, one.scope) not in purged and one not in role_assignments.declared(asked, "absent"):
            assert one in after, "nothing outside the purged scopes is revoked"
