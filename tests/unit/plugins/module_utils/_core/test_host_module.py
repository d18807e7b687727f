# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four steps on a host: nothing is touched before every refusal, and nothing but what was planned is done."""

from __future__ import annotations

import types

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.change import Action, PartialFailure, Unverified


class World:
    """A host that is a list of names; ``deaf`` ones accept a change and do not carry it out."""

    def __init__(self, *names, deaf=(), broken=()):
        self.names, self.deaf, self.broken, self.writes = list(names), deaf, broken, 0


def domain(interrupts=None, problems=()):
    def perform(world, action):
        if action.name in world.broken:
            raise errors.HostError("{0}: the kernel refused".format(action.name), 16)
        world.writes += 1
        if action.name not in world.deaf:
            world.names.append(action.name)

    return types.SimpleNamespace(
        ARGUMENT_SPEC={},
        validate=lambda params: list(problems),
        observe=lambda world, params: list(world.names),
        decide=lambda params, observed: [
            Action("bind", "device", name, {"driver": None}, {"driver": "vfio-pci"}, interrupts=interrupts)
            for name in params["wanted"] if name not in observed
        ],
        performer=lambda world, params, observed: lambda action: perform(world, action),
        describe=lambda params, observed: {"names": sorted(observed)},
    )


def params(*wanted, allowed=False, expected=None):
    return {"wanted": wanted, "allow_interruption": allowed, "expected_actions": expected}


def test_it_converges_and_then_has_nothing_to_do():
    world = World("a")
    done = host_module.converge(domain(), world, params("a", "b"), False)
    assert (done["changed"], done["names"], [one["name"] for one in done["actions"]]) == (True, ["a", "b"], ["b"])
    assert host_module.converge(domain(), world, params("a", "b"), False)["changed"] is False
    assert world.writes == 1


def test_a_check_says_the_same_and_touches_nothing():
    world = World("a")
    checked = host_module.converge(domain(), world, params("a", "b"), True)
    assert world.writes == 0
    assert checked["actions"] == host_module.converge(domain(), world, params("a", "b"), False)["actions"]


def test_bad_input_is_refused_before_anything_is_looked_at():
    with pytest.raises(errors.DeclarationError, match="devices"):
        host_module.converge(domain(problems=["devices: none"]), None, params("a"), False)


def test_what_interrupts_is_planned_and_refused_until_it_is_allowed():
    world, gated = World(), domain(interrupts="nvidia loses 0000:41:00.0")
    assert host_module.converge(gated, world, params("a"), True)["changed"]
    with pytest.raises(errors.Refused, match="nvidia loses 0000:41:00.0; nothing was changed. Set allow_interruption"):
        host_module.converge(gated, world, params("a"), False)
    assert world.writes == 0
    assert host_module.converge(gated, world, params("a", allowed=True), False)["changed"]


def test_only_what_was_planned_is_done():
    world = World()
    planned = host_module.converge(domain(), world, params("a", "b"), True)["actions"]
    world.names.append("a")
    with pytest.raises(errors.Refused, match="no longer bind device a; plan again"):
        host_module.converge(domain(), world, params("a", "b", expected=planned), False)
    with pytest.raises(errors.Refused, match="would now bind device c"):
        host_module.converge(domain(), world, params("b", "c", expected=planned[1:]), False)
    assert world.writes == 0
    assert host_module.converge(domain(), world, params("b", expected=planned[1:]), False)["changed"]


def test_an_empty_plan_is_a_promise_too():
    with pytest.raises(errors.Refused, match="would now bind device a"):
        host_module.converge(domain(), World(), params("a", expected=[]), True)


def test_a_fault_in_the_middle_tells_what_was_done():
    with pytest.raises(PartialFailure) as caught:
        host_module.converge(domain(), World(broken="b"), params("a", "b", "c"), False)
    assert [one.name for one in caught.value.done] == ["a"]
    assert caught.value.left == 1


def test_what_the_kernel_accepted_and_did_not_do_is_no_success():
    with pytest.raises(Unverified, match="reading back shows that it is still to be done: bind device b"):
        host_module.converge(domain(), World(deaf="b"), params("a", "b"), False)
