# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity projects against a model and against the simulated Keystone: convergence, order, faults, budget."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.ownership import Existing
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import projects
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.names import tag_of
from hypothesis import given, settings
from hypothesis import strategies as st

MARK = tag_of("sovereign.region")
NAMES = st.sampled_from(["a", "b", "c", "ä b", "研究"])
FIELDS = {
    "description": st.none() | st.sampled_from(["", "x", "grüße"]),
    "enabled": st.none() | st.booleans(),
    "tags": st.none() | st.lists(st.sampled_from(["gpu", "eu", "ü"]), max_size=4),
}
DECLARED_DOMAIN = st.fixed_dictionaries(
    dict(FIELDS, name=NAMES, state=st.sampled_from(["present", "present", "absent"]))
)
EXISTING = st.builds(
    Existing,
    id=st.uuids().map(str),
    fields=st.fixed_dictionaries(
        {
            "description": st.sampled_from(["", "x", "y"]),
            "enabled": st.booleans(),
            "tags": st.sets(st.sampled_from(["gpu", "eu"])).map(sorted),
        }
    ),
    owned=st.booleans(),
    in_use=st.sampled_from([(), (), (), ("it has servers",)]),
)


def domain(name, **fields):
    return dict({"name": name, "description": None, "enabled": None, "tags": None, "state": "present"}, **fields)


def project(name, parent="Default", **fields):
    return dict(domain(name, **fields), domain=parent)


def params(domains=(), declared=(), **options):
    base = {"owner": "sovereign.region", "adopt": False, "purge": False, "pending": []}
    return dict(base, domains=list(domains), projects=list(declared), **options)


@st.composite
def situations(draw):
    """A declaration that is valid, and a Keystone that may be there."""
    domains = draw(st.lists(DECLARED_DOMAIN, max_size=4, unique_by=lambda item: item["name"]))
    there = draw(st.dictionaries(NAMES, EXISTING, max_size=4))
    there["Default"] = Existing("default", {"description": "", "enabled": True, "tags": []}, False)
    parents = sorted(there)
    children = draw(st.dictionaries(st.tuples(st.sampled_from(parents), NAMES), EXISTING, max_size=6))
    choice = sorted(set(parents) | {item["name"] for item in domains})
    wanted = draw(
        st.lists(
            st.fixed_dictionaries(
                dict(
                    FIELDS,
                    name=NAMES,
                    domain=st.sampled_from(choice),
                    state=st.sampled_from(["present", "present", "absent"]),
                )
            ),
            max_size=6,
            unique_by=lambda item: (item["domain"], item["name"]),
        )
    )
    asked = params(domains, wanted, adopt=draw(st.booleans()), purge=draw(st.booleans()))
    observed = projects.Observed(there, {"{0}/{1}".format(*key): found for key, found in children.items()})
    return asked, observed


def with_domains_in_use(asked, observed):
    """Do what observe does: a domain is in use by the projects in it that would stay."""
    leaving = {item.name for item in projects._projects(asked, observed.projects, True).removals}
    domains = {}
    for name, found in observed.domains.items():
        staying = [one for one in observed.projects if one.startswith(name + "/") and one not in leaving]
        domains[name] = Existing(found.id, found.fields, found.owned, found.in_use + tuple(staying))
    return projects.Observed(domains, dict(observed.projects))


def carry_out(plan, observed):
    """Apply a plan to the model, refusing what Keystone would refuse."""
    domains, inner = dict(observed.domains), dict(observed.projects)
    for action in plan:
        rows = domains if action.kind == "domain" else inner
        parent = action.name.rpartition("/")[0]
        if action.verb == "create":
            assert action.name not in rows
            assert action.kind == "domain" or parent in domains, "the domain comes before its projects"
            assert action.kind == "domain" or domains[parent].fields["enabled"], "Keystone refuses it"
            fields = dict({"description": "", "enabled": True, "tags": []}, **action.after)
            rows[action.name] = Existing("new", fields, True)
        elif action.verb == "delete":
            found = rows.pop(action.name)
            assert found.owned and not found.in_use
            if action.kind == "domain":
                assert not found.fields["enabled"], "a domain is disabled before it is removed"
                assert not [one for one in inner if one.startswith(action.name + "/")], "from the inside out"
        else:
            found = rows[action.name]
            assert found.owned or action.verb == "adopt"
            if action.kind == "project" and action.after.get("enabled"):
                assert domains[parent].fields["enabled"], "Keystone refuses it"
            assert action.before == {key: found.fields[key] for key in action.after}
            rows[action.name] = Existing(found.id, dict(found.fields, **action.after), True)
    return projects.Observed(domains, inner)


@settings(max_examples=250, deadline=None)
@given(situations())
def test_a_plan_is_safe_and_leads_to_what_is_declared(situation):
    asked, observed = situation
    if projects.validate(asked):
        return
    observed = with_domains_in_use(asked, observed)
    try:
        plan = projects.decide(asked, observed)
    except errors.Refused:
        return
    after = carry_out(plan, observed)
    assert projects.decide(asked, with_domains_in_use(asked, after)) == []
    if not asked["adopt"]:
        for name, found in list(observed.domains.items()) + list(observed.projects.items()):
            if not found.owned:
                assert after.domains.get(name, after.projects.get(name)).fields == found.fields
    for item in asked["projects"]:
        name = "{0}/{1}".format(item["domain"], item["name"])
        if item["state"] == "present":
            fields = after.projects[name].fields
            assert [] == [key for key in FIELDS if item[key] is not None and key != "tags" and fields[key] != item[key]]
            if item["tags"] is not None:
                assert fields["tags"] == sorted(set(item["tags"]))
            if name in observed.projects:
                kept = observed.projects[name].fields
                assert [] == [key for key in FIELDS if item[key] is None and fields[key] != kept[key]]
        else:
            assert name not in after.projects


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(projects, cloud, asked, check_mode)


BUSY = params(
    [domain("research", description="r", tags=["eu"]), domain("old", state="absent"), domain("mine", enabled=False)],
    [
        project("climate", "research", tags=["gpu", "gpu", "eu"]),
        project("words", "research", enabled=False),
        project("kept", description="new"),
        project("taken", description="theirs"),
        project("gone", state="absent"),
        project("same", "research"),
        project("same", "Default"),
    ],
    adopt=True,
    purge=True,
)


CHANGES = 13


def names(actions):
    return [(action["verb"], action["kind"], action["name"]) for action in actions]


def prepare(fake):
    old = fake.identity.add_domain("old", tags=[MARK])
    fake.identity.add_domain("mine", tags=[MARK])
    fake.identity.add_project("left", old["id"], tags=[MARK])
    fake.identity.add_project("kept", tags=[MARK, "eu"], description="old")
    fake.identity.add_project("taken", tags=["x"])
    fake.identity.add_project("gone", tags=[MARK])
    fake.identity.add_project("surplus", tags=[MARK])
    fake.identity.add_project("foreign")


def test_check_and_run_tell_the_same_story_and_the_next_run_is_silent(fake, open_cloud):
    prepare(fake)
    checked = converge(open_cloud(), BUSY, True)
    assert fake.mutations() == []
    done = converge(open_cloud(), BUSY)
    assert done["actions"] == checked["actions"] and done["diff"] == checked["diff"]
    assert len(fake.mutations()) == len(done["actions"]) == CHANGES
    again = converge(open_cloud(), BUSY)
    assert again["changed"] is False and again["actions"] == [] and again["api_calls"] == 3
    assert fake.identity.by_name() == {
        "Default": ("", True, []),
        "mine": ("", False, [MARK]),
        "research": ("r", True, ["eu", MARK]),
        "research/climate": ("", True, ["eu", "gpu", MARK]),
        "research/words": ("", False, [MARK]),
        "research/same": ("", True, [MARK]),
        "Default/same": ("", True, [MARK]),
        "Default/kept": ("new", True, ["eu", MARK]),
        "Default/taken": ("theirs", True, [MARK, "x"]),
        "Default/foreign": ("", True, []),
    }


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
    assert caught.value.left == len(planned) - nth - 1
    assert len(fake.mutations()) == nth + 1
    rest = converge(open_cloud(), BUSY)["actions"]
    if carried_out:
        # The reply was lost, the change was not: there is one thing less to do.
        assert names(rest) == names(planned[nth + 1 :])
    else:
        assert names(rest) == names(planned[nth:])
    assert converge(open_cloud(), BUSY)["actions"] == []


def test_a_service_that_ignores_changes_is_found_out(fake, open_cloud):
    fake.identity.add_project("kept", tags=[MARK])
    fake.identity.ignore_changes = True
    with pytest.raises(
        change.Unverified, match="1 action accepted, but reading back shows .*: update project Default/kept"
    ):
        converge(open_cloud(), params(declared=[project("kept", description="new")]))


def test_a_failure_to_read_back_tells_what_was_done(fake, open_cloud):
    fake.fail(method="GET", path="/projects$", skip=1, status=500)
    with pytest.raises(change.Unverified, match="1 action accepted, but GET identity /projects: 500") as caught:
        converge(open_cloud(), params(declared=[project("new")]))
    assert [action.name for action in caught.value.done] == ["Default/new"]


def test_the_budget_of_a_hundred_projects(fake, open_cloud):
    for index in range(100):
        fake.identity.add_project("p{0}".format(index), tags=[MARK])
    asked = params(declared=[project("p{0}".format(index)) for index in range(100)], purge=True)
    result = converge(open_cloud(), asked)
    assert result["changed"] is False
    assert result["api_calls"] == len(fake.seen) == 3
    assert len(result["projects"]) == 100


def test_purge_spares_the_domain_that_a_declared_project_names(fake, open_cloud):
    fake.identity.add_domain("research", tags=[MARK])
    asked = params(declared=[project("new", "research")], purge=True)
    assert [str(action["name"]) for action in converge(open_cloud(), asked)["actions"]] == ["research/new"]
    assert converge(open_cloud(), asked)["actions"] == []


def test_names_with_a_slash_are_no_other_projects(fake, open_cloud):
    strange = fake.identity.add_domain("a/b")
    plain = fake.identity.add_domain("a", tags=[MARK])
    fake.identity.add_project("c", strange["id"], tags=[MARK])
    fake.identity.add_project("b/c", plain["id"], tags=[MARK])
    asked = params(domains=[domain("a")], purge=True)
    assert converge(open_cloud(), asked)["actions"] == []
    with pytest.raises(errors.Refused, match="domain 'a' is in use: project a/b/c is in it"):
        converge(open_cloud(), params(domains=[domain("a", state="absent")]))
    assert "a slash" in projects.validate(params(declared=[project("c", "a/b")]))[0]


@pytest.mark.parametrize("held", ["server", "user", "child"])
def test_what_is_in_use_stays(fake, open_cloud, held):
    parent = fake.identity.add_domain("d", tags=[MARK])
    inner = fake.identity.add_project("p", parent["id"], tags=[MARK])
    if held == "server":
        fake.compute.servers.append(inner["id"])
    elif held == "user":
        fake.identity.users.append(parent["id"])
    else:
        fake.identity.add_project("below", parent["id"], parent_id=inner["id"])
    with pytest.raises(errors.Refused, match="it has|is in it"):
        converge(open_cloud(), params(purge=True))
    assert fake.mutations() == []


def test_a_service_that_cannot_say_what_is_used_prevents_removal(fake, open_cloud):
    fake.identity.add_project("p", tags=[MARK])
    fake.fail(method="GET", path="/servers$", status=200, body="{}")
    with pytest.raises(errors.ServiceFailed):
        converge(open_cloud(), params(purge=True))
    assert fake.mutations() == []


def test_what_is_not_ours_is_refused_all_at_once(fake, open_cloud):
    fake.identity.add_project("one")
    fake.identity.add_project("two")
    with pytest.raises(errors.Refused) as caught:
        converge(open_cloud(), params(declared=[project("one"), project("two", state="absent"), project("three")]))
    assert len(str(caught.value).splitlines()) == 2
    assert fake.mutations() == []


def test_an_unknown_domain_names_the_nearest(fake, open_cloud):
    fake.identity.add_domain("research")
    with pytest.raises(errors.DeclarationError, match="'reserch' is no domain; the nearest is 'research'"):
        converge(open_cloud(), params(declared=[project("p", "reserch")]))


def test_a_domain_is_turned_off_after_its_projects_are_made(fake, open_cloud):
    asked = params([domain("d", enabled=False, tags=["eu"])], [project("p", "d")])
    result = converge(open_cloud(), asked)
    assert names(result["actions"]) == [
        ("create", "domain", "d"),
        ("create", "project", "d/p"),
        ("disable", "domain", "d"),
    ]
    assert fake.identity.by_name()["d"] == ("", False, ["eu", MARK])
    assert converge(open_cloud(), asked)["actions"] == []
    with pytest.raises(errors.Refused, match="project 'd/q' cannot be created: its domain is disabled"):
        converge(open_cloud(), params([domain("d")], [project("p", "d"), project("q", "d")]))
    more = params([domain("d", enabled=True)], [project("p", "d"), project("q", "d")])
    assert names(converge(open_cloud(), more)["actions"]) == [("enable", "domain", "d"), ("create", "project", "d/q")]
