# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans about users and groups that nobody thought of: none locks out, and a plan leads to what is declared."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._core.ownership import Existing
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import users
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_observe import Observed
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._tenancy.people import group, params, user
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c", "ü"])
EXISTING = st.builds(
    Existing, id=st.uuids().map(str), owned=st.booleans(),
    fields=st.fixed_dictionaries({"description": st.sampled_from(["", "x"]), "email": st.just(""),
                                  "enabled": st.booleans(), "default_project": st.just("")}),
    in_use=st.sampled_from([(), (), ("it has servers",)]))
STATES = st.sampled_from(["present", "present", "absent"])


@st.composite
def situations(draw):
    """A declaration, and a Keystone that may be there."""
    there = {"Default/" + name: found for name, found in draw(st.dictionaries(NAMES, EXISTING)).items()}
    groups = {"Default/" + name: found for name, found in draw(st.dictionaries(NAMES, EXISTING)).items()}
    people = [user(name, description=draw(st.none() | st.sampled_from(["", "x"])),
                   enabled=draw(st.none() | st.booleans()), state=draw(STATES))
              for name in draw(st.sets(NAMES))]
    known = sorted({name.partition("/")[2] for name in there} | {one["name"] for one in people if
                                                                 one["state"] == "present"})
    choice = st.none() if not known else st.none() | st.lists(st.sampled_from(known), unique=True)
    wanted = [group(name, description=draw(st.none() | st.sampled_from(["", "x"])), members=draw(choice),
                    state=draw(STATES)) for name in draw(st.sets(NAMES))]
    asked = params(wanted, people, adopt=draw(st.booleans()), purge=draw(st.booleans()))
    inside = {name: {there[who].id: who for who in draw(st.sets(st.sampled_from(sorted(there))))} if there else {}
              for name in users.declared_members(asked) if name in groups}
    caller = draw(st.sampled_from([found.id for found in there.values()] or ["x"]))
    return asked, Observed({"Default": "default"}, groups, there, inside, {name: one.id for name, one in there.items()},
                           names=frozenset(there), caller=caller)


@settings(max_examples=300, deadline=None)
@given(situations())
def test_a_plan_is_safe_and_leads_to_what_is_declared(situation):
    asked, observed = situation
    if users.validate(asked):
        return
    try:
        plan = users.decide(asked, observed)
    except errors.Refused:
        return
    people, groups = dict(observed.users), dict(observed.groups)
    members = {name: dict(inside) for name, inside in observed.members.items()}
    for action in plan:
        rows = people if action.kind == "user" else groups
        if action.kind == "group membership":
            who, where = action.details["name"], members.setdefault(action.details["group"], {})
            if action.verb == "grant":
                where[people[who].id] = who
            else:
                assert where.pop(action.details["user"]) == who
                assert action.details["user"] != observed.caller
        elif action.verb == "create":
            rows[action.name] = Existing("new-" + action.name, dict(
                {"description": "", "email": "", "enabled": True, "default_project": ""}, **action.after), True)
        elif action.verb == "delete":
            found = rows.pop(action.name)
            assert found.owned and not found.in_use and found.id != observed.caller
            for inside in members.values():
                inside.pop(found.id, None)
        else:
            found = rows[action.name]
            assert found.owned or asked["adopt"]
            assert action.after.get("enabled") is not False or found.id != observed.caller
            rows[action.name] = Existing(found.id, dict(found.fields, **action.after), True)
    kept = {name: inside for name, inside in members.items() if name in users.declared_members(asked)}
    after = Observed(observed.domains, groups, people, kept, {name: one.id for name, one in people.items()},
                     names=frozenset(people), caller=observed.caller)
    assert users.decide(asked, after) == []
    for name, inside in users.declared_members(asked).items():
        assert sorted(kept.get(name, {}).values()) == sorted(inside)
