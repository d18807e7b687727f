# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of things converges in one call as each of them would alone, and is refused as a whole."""

from __future__ import annotations

import types

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.change import Action
from ansible_collections.sovereign.region.plugins.module_utils._core.host_list import OneOrMany


def domain(world):
    """Lamps in a world: a mapping of name to colour. A lamp that is ``stuck`` cannot be changed."""
    def validate(params):
        found = [] if params["colour"] != "none" else ["colour: 'none' is no colour"]
        return found + ([] if params["room"].startswith("/") else ["room: {0!r} is no path".format(params["room"])])

    def decide(params, observed):
        if observed == "stuck":
            raise errors.Refused("it is stuck")
        if params["colour"] == "plaid":
            raise errors.DeclarationError("colour: there is no such paint")
        sweep = [Action("delete", "dust", params["room"], {}, None, details="sweep")] if "dust" in world else []
        changed = observed != params["colour"]
        return sweep + ([Action("set", "lamp", params["name"], {"colour": observed}, {"colour": params["colour"]},
                                details=params["colour"])] if changed else [])

    def performer(host, params, observed):
        def perform(action):
            if action.details == "sweep":
                del world["dust"]
            else:
                world[params["name"]] = action.details
        return perform

    return types.SimpleNamespace(
        ARGUMENT_SPEC={"name": {"type": "str", "required": True}, "colour": {"type": "str", "default": "white"},
                       "room": {"type": "path", "default": "/hall"}},
        validate=validate, observe=lambda host, params: world.get(params["name"]), decide=decide, performer=performer,
        describe=lambda params, observed: {"shines": observed})


def converge(world, check_mode=False, **given):
    params = {"name": None, "colour": "white", "room": "/hall", "lamps": None, "allow_interruption": False,
              "expected_actions": None}
    lamps = OneOrMany(domain(world), "lamps", ("name",), ("room",))
    return host_module.converge(lamps, None, dict(params, **given), check_mode)


def lamp(name, colour="white"):
    return {"name": name, "colour": colour}


def test_one_alone_is_as_before():
    world = {}
    assert converge(world, name="a")["shines"] == "white" and world == {"a": "white"}
    assert converge(world, name="a")["changed"] is False


def test_a_list_in_one_call():
    world = {"a": "red", "dust": True}
    asked = {"lamps": [lamp("a"), lamp("b", "blue")]}
    planned = converge(world, check_mode=True, **asked)
    assert world == {"a": "red", "dust": True}
    done = converge(world, **asked)
    assert done["actions"] == planned["actions"]
    assert [one["kind"] for one in done["actions"]] == ["dust", "lamp", "lamp"], "the dust is swept once"
    assert done["results"] == [{"shines": "white"}, {"shines": "blue"}] and world == {"a": "white", "b": "blue"}
    assert converge(world, **asked)["changed"] is False


@pytest.mark.parametrize("asked, said", [
    ({}, "name: missing; say it, or declare a list in lamps"),
    ({"name": "a", "lamps": [lamp("b")]}, "name: stands beside lamps; put it into an entry there"),
    ({"lamps": [lamp("a"), lamp("a", "red")]}, "lamps[1]: 'a' is declared already by lamps[0]"),
    ({"lamps": [lamp("a"), lamp("b", "none")]}, "lamps[1].colour: 'none' is no colour"),
    ({"lamps": [lamp("a", "plaid"), lamp("b", "plaid")]}, "lamps[1]: colour: there is no such paint"),
])
def test_what_cannot_be_right(asked, said):
    with pytest.raises(errors.DeclarationError) as raised:
        converge({}, **asked)
    assert said in raised.value.problems


def test_what_holds_for_all_is_said_once():
    with pytest.raises(errors.DeclarationError) as raised:
        converge({}, room="hall", lamps=[lamp("a"), lamp("b")])
    assert raised.value.problems == ["room: 'hall' is no path"]


def test_one_that_is_refused_stops_all():
    world = {"b": "stuck"}
    with pytest.raises(errors.Refused, match=r"lamps\[1\]: it is stuck"):
        converge(world, lamps=[lamp("a"), lamp("b")])
    assert world == {"b": "stuck"}


def test_options_of_one_need_nothing_and_those_of_a_list_do():
    spec = OneOrMany(domain({}), "lamps", ("name",), ("room",)).ARGUMENT_SPEC
    assert spec["name"]["required"] is False and spec["lamps"]["options"]["name"]["required"] is True
    assert "room" not in spec["lamps"]["options"]
