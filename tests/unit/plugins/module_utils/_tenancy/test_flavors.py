# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute flavors against a model and against the simulated Nova: convergence, odd keys, access, faults, budget."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.ownership import Existing
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import flavors
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.names import CANARY_TAG
from hypothesis import given, settings
from hypothesis import strategies as st

OWNER = "sovereign.region"
NAMES = ["gpu 1", "gpu 1 big", "klein-ü", "a/b"]
PROJECTS = {"Default/one": "id-1", "Default/two": "id-2", "research/one": "id-3"}
SPECS = st.dictionaries(st.sampled_from(["hw:a", "b c", "big b", "x.y:z w"]), st.sampled_from(["1", "2", ""]))


def flavor(name, **fields):
    base = {
        "name": name,
        "vcpus": 1,
        "ram_mib": 64,
        "disk_gib": 0,
        "description": None,
        "public": True,
        "access": None,
        "extra_specs": None,
        "state": "present",
    }
    return dict(base, **fields)


def params(declared, **options):
    base = {"owner": OWNER, "adopt": False, "purge": False, "pending": []}
    return dict(base, flavors=list(declared), **options)


@st.composite
def situations(draw):
    """Declared flavors, those that are there, and who has access."""
    there, access = {}, {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        public = draw(st.booleans())
        fields = {
            "vcpus": 1,
            "ram_mib": 64,
            "disk_gib": 0,
            "public": public,
            "description": draw(st.sampled_from(["", "x"])),
            "extra_specs": draw(SPECS),
        }
        there[name] = Existing("id of " + name, fields, draw(st.booleans()))
        if not public:
            access[name] = draw(st.sets(st.sampled_from(["id-1", "id-2", "id-3", "id-of-a-deleted-project"])))
    declared = []
    for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]:
        public = draw(st.booleans())
        declared.append(
            flavor(
                name,
                public=public,
                state=draw(st.sampled_from(["present", "present", "absent"])),
                access=None
                if public
                else draw(st.none() | st.lists(st.sampled_from(["one", "Default/two", "research/one"]), unique=True)),
                extra_specs=draw(st.none() | SPECS),
                description=draw(st.none() | st.sampled_from(["", "x", "ü"])),
            )
        )
    asked = params(declared, adopt=draw(st.booleans()), purge=draw(st.booleans()))
    return asked, flavors.Observed(there, access, PROJECTS)


def carry_out(plan, observed):
    """Apply a plan to the model, each action as one request."""
    rows, access = dict(observed.flavors), {name: set(ids) for name, ids in observed.access.items()}
    for action in plan:
        details = action.details or {}
        name = details.get("flavor", action.name)
        if action.kind == "flavor" and action.verb == "create":
            assert name not in rows
            rows[name] = Existing("new", dict({"description": "", "extra_specs": {}}, **action.after), True)
            if not action.after["public"]:
                access[name] = set()
        elif action.kind == "flavor" and action.verb == "delete":
            assert rows.pop(name).owned
            access.pop(name, None)
        elif action.kind == "flavor":
            assert rows[name].owned or action.verb == "adopt"
            assert set(action.after) <= {"description"}
            rows[name] = Existing(rows[name].id, dict(rows[name].fields, **action.after), True)
        elif action.kind == "flavor access":
            assert rows[name].owned
            if action.verb == "grant":
                assert PROJECTS[details["project"]] not in access[name]
                access[name].add(PROJECTS[details["project"]])
            else:
                access[name].remove(details["id"])
        else:
            assert rows[name].owned
            specs = dict(rows[name].fields["extra_specs"])
            if action.kind == "flavor extra spec":
                assert specs.pop(details["key"]) == action.before[details["key"]]
            else:
                specs.update(action.after)
            rows[name] = Existing(rows[name].id, dict(rows[name].fields, extra_specs=specs), True)
    return flavors.Observed(rows, access, observed.projects)


@settings(max_examples=250, deadline=None)
@given(situations())
def test_a_plan_is_safe_and_leads_to_what_is_declared(situation):
    asked, observed = situation
    assert flavors.validate(asked) == []
    try:
        plan = flavors.decide(asked, observed)
    except errors.Refused:
        return
    after = carry_out(plan, observed)
    assert flavors.decide(asked, after) == []
    assert len({(action.verb, action.kind, action.name) for action in plan}) == len(plan)
    for item in asked["flavors"]:
        if item["state"] == "present" and item["name"] in observed.flavors:
            for key in ("description", "extra_specs"):
                if item[key] is None:
                    assert after.flavors[item["name"]].fields[key] == observed.flavors[item["name"]].fields[key]
    if not asked["adopt"]:
        assert [] == [
            name for name, found in observed.flavors.items() if not found.owned and after.flavors[name] != found
        ]


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(flavors, cloud, asked, check_mode)


BUSY = params(
    [
        flavor("gpu 1", extra_specs={"hw:a": 1, "on": True, "two words": "x"}, description="one GPU"),
        flavor("private", public=False, access=["one", "research/one"], extra_specs={}),
        flavor("kept", public=False, access=["one"], extra_specs={"stays": "1"}),
        flavor("taken", description="theirs"),
        flavor("gone", state="absent"),
    ],
    adopt=True,
    purge=True,
)
CHANGES = 13


def prepare(fake):
    research = fake.identity.add_domain("research")
    fake.identity.add_project("one", id="id-1")
    fake.identity.add_project("one", research["id"], id="id-3")
    for name in ("kept", "gone", "surplus"):
        fake.compute.add(name, id=flavors.flavor_id(OWNER, name), **{"os-flavor-access:is_public": name != "kept"})
    kept = fake.compute.flavors[flavors.flavor_id(OWNER, "kept")]
    kept["extra_specs"] = {"odd key": "1", "odd  key": "2", "stays": "1"}
    fake.compute.access[kept["id"]] = {"id-3"}
    fake.compute.add("taken", extra_specs={"foreign": "yes"})
    fake.compute.add("foreign")


def test_check_and_run_tell_the_same_story_and_the_next_run_is_silent(fake, open_cloud):
    prepare(fake)
    checked = converge(open_cloud(), BUSY, True)
    assert fake.mutations() == []
    done = converge(open_cloud(), BUSY)
    assert done["actions"] == checked["actions"]
    assert len(done["actions"]) == CHANGES
    assert len(fake.mutations()) == CHANGES, "one action for each request"
    again = converge(open_cloud(), BUSY)
    assert again["actions"] == [] and again["api_calls"] == 6
    rows = {row["name"]: row for row in fake.compute.flavors.values()}
    assert sorted(rows) == ["foreign", "gpu 1", "kept", "private", "taken"]
    assert rows["gpu 1"]["extra_specs"] == {"hw:a": "1", "on": "true", "two words": "x"}
    assert rows["kept"]["extra_specs"] == {"stays": "1"}
    assert rows["taken"]["extra_specs"] == {"foreign": "yes", flavors.MARK: OWNER}
    assert fake.compute.access[rows["kept"]["id"]] == {"id-1"}
    assert fake.compute.access[rows["private"]["id"]] == {"id-1", "id-3"}


def names(actions):
    return [(action["verb"], action["kind"], action["name"]) for action in actions]


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("nth", range(CHANGES))
def test_a_fault_at_any_change_tells_what_was_done_and_a_rerun_does_the_rest(fake, open_cloud, nth, carried_out):
    prepare(fake)
    planned = names(converge(open_cloud(), BUSY, True)["actions"])
    fake.fail(skip=nth, times=1, status="cut", carried_out=carried_out)
    with pytest.raises(change.PartialFailure) as caught:
        converge(open_cloud(), BUSY)
    done = names(action.as_dict() for action in caught.value.done)
    assert done == planned[:nth]
    assert len(fake.mutations()) == nth + 1
    converge(open_cloud(), BUSY)
    assert converge(open_cloud(), BUSY)["actions"] == []


def test_the_budget_of_public_flavors(fake, open_cloud):
    declared = [flavor("f{0}".format(index), extra_specs={"a": "b"}) for index in range(10)]
    converge(open_cloud(), params(declared))
    fake.seen.clear()
    assert converge(open_cloud(), params(declared, purge=True))["api_calls"] == len(fake.seen) == 2


def test_the_budget_of_private_flavors(fake, open_cloud):
    fake.identity.add_project("one")
    declared = [flavor("f{0}".format(index), public=False, access=["one"]) for index in range(4)]
    converge(open_cloud(), params(declared))
    fake.seen.clear()
    assert converge(open_cloud(), params(declared))["api_calls"] == len(fake.seen) == 2 + 2 + 4


def test_extra_specs_that_are_not_shown_are_not_taken_for_none(fake, open_cloud):
    row = fake.compute.add("f", id=flavors.flavor_id(OWNER, "f"))
    del row["extra_specs"]
    with pytest.raises(errors.Forbidden, match="does not show extra specs"):
        converge(open_cloud(), params([flavor("f")]))


def test_a_pending_project_counts_in_check_mode_only(fake, open_cloud):
    pending = [{"kind": "project", "verb": "create", "name": "Default/new"}, {"kind": "project"}, {}]
    asked = params([flavor("f", public=False, access=["new"])], pending=pending)
    planned = converge(open_cloud(), asked, True)["actions"]
    assert [action["name"] for action in planned] == ["f", "f for Default/new"]
    with pytest.raises(errors.DeclarationError, match=r"flavors\[0\].access\[0\]: 'new' is no project"):
        converge(open_cloud(), asked)
    assert fake.mutations() == []


def test_the_access_of_a_canary_is_left_alone(fake, open_cloud):
    declared = params([flavor("f", public=False, access=["one"])])
    fake.identity.add_project("one")
    canary = fake.identity.add_project("canary", tags=[CANARY_TAG])
    converge(open_cloud(), declared)
    fake.compute.access[flavors.flavor_id(OWNER, "f")].add(canary["id"])
    assert converge(open_cloud(), declared)["actions"] == []
    assert canary["id"] in fake.compute.access[flavors.flavor_id(OWNER, "f")]


@pytest.mark.parametrize("removed_before", [False, True], ids=["plan", "site"])
def test_access_of_a_project_that_goes_is_called_by_its_name(fake, open_cloud, removed_before):
    fake.identity.add_project("one")
    two = fake.identity.add_project("two")
    converge(open_cloud(), params([flavor("f", public=False, access=["one", "two"])]))
    pending = [{"kind": "project", "verb": "delete", "name": "Default/two", "before": {"id": two["id"]}}]
    if removed_before:
        del fake.identity.projects[two["id"]]
    asked = params([flavor("f", public=False, access=["one"])], pending=pending)
    done = converge(open_cloud(), asked, check_mode=not removed_before)
    assert [(one["verb"], one["name"]) for one in done["actions"]] == [("revoke", "f for Default/two")]


def test_access_for_a_project_that_goes_is_refused_in_the_plan_already(fake, open_cloud):
    two = fake.identity.add_project("two")
    pending = [{"kind": "project", "verb": "delete", "name": "Default/two", "before": {"id": two["id"]}}]
    with pytest.raises(errors.DeclarationError, match="'two' is no project"):
        converge(open_cloud(), params([flavor("f", public=False, access=["two"])], pending=pending), True)


def test_another_size_is_refused(fake, open_cloud):
    fake.compute.add("f", id=flavors.flavor_id(OWNER, "f"), vcpus=2)
    with pytest.raises(errors.Refused, match="vcpus is 2 and declared as 1; Nova cannot change it"):
        converge(open_cloud(), params([flavor("f")]))


@pytest.mark.parametrize(
    "fields, problem",
    [
        ({"extra_specs": {"a": None}}, "extra_specs.a: None; expected text"),
        ({"extra_specs": {"a": ["b"]}}, "extra_specs.a: ['b']; expected text"),
        ({"extra_specs": {"a/b": "1"}}, "the key 'a/b'; Nova takes"),
        ({"extra_specs": {"": "1"}}, "the key ''; Nova takes"),
        ({"extra_specs": {"a": "x" * 256}}, "256 characters; at most 255"),
        ({"extra_specs": {flavors.MARK: "me"}}, "is the mark of the owner"),
        ({"name": " f"}, "begins or ends with a space"),
        ({"name": "f" * 256}, "has 256 characters; at most 255"),
        ({"vcpus": 0}, "vcpus: 0; expected at least 1"),
        ({"ram_mib": None}, "ram_mib: missing"),
        ({"access": ["one"]}, "a public flavor is for everyone"),
        ({"public": False, "access": ["one", "Default/one"]}, "declared already"),
    ],
)
def test_what_nova_would_refuse_is_said_before(fields, problem):
    found = flavors.validate(params([dict(flavor("f"), **fields)]))
    assert len(found) == 1
    assert problem in found[0]


def test_a_long_name_is_no_problem_for_nova():
    assert flavors.validate(params([flavor("f" * 255)])) == []
