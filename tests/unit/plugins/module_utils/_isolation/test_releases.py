# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several releases in one call: what one of them does must not take away what another one needs."""

from __future__ import annotations

import itertools
import os
from unittest import mock

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release, releases
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    Machine,
    parameters,
)

STATES = ("present", "current", "rolled_back", "absent", None)
VERSIONS = ("4.0.9", "4.1.0", "4.2.0")


@pytest.fixture()
def machine(tmp_path):
    """A host with 4.0.9, with 4.1.0 before and 4.2.0 now."""
    machine = Machine(tmp_path)
    machine.declared = {version: machine.tarball(version) for version in (*VERSIONS, "4.3.0")}
    for version in VERSIONS:
        machine.converge(**machine.declared[version])
    return machine


def converge(machine, states, check=False, **options):
    """Run the module on a list: pairs of a version and its state."""
    item = {name: spec.get("default") for name, spec in releases.DOMAIN.ARGUMENT_SPEC["releases"]["options"].items()}
    items = [dict(item, **dict(machine.declared[version], state=state)) for version, state in states]
    with mock.patch("os.fsync"):
        return host_module.converge(releases.DOMAIN, machine.host, parameters_of(items, options), check)


def parameters_of(items, options):
    spec = dict(host_module.HOST_SPEC, **releases.DOMAIN.ARGUMENT_SPEC)
    return dict({name: option.get("default") for name, option in spec.items()}, releases=items, **options)


def links(machine):
    return {role: os.readlink(machine.releases / f"{role}-static") for role in ("current", "previous")
            if os.path.lexists(machine.releases / f"{role}-static")}


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_rollback_makes_current_is_not_removed(machine, order):
    asked, before = [("4.2.0", "rolled_back"), ("4.1.0", "absent")][::order], machine.snapshot()
    for check in (True, False):
        with pytest.raises(errors.Refused, match="4.1.0-static cannot be removed: a rollback of the list makes it"):
            converge(machine, asked, check)
    assert machine.snapshot() == before


def test_the_previous_release_that_another_replaces_takes_no_link_with_it(machine):
    asked = [("4.3.0", "current"), ("4.1.0", "absent")]
    planned = converge(machine, asked, check=True)
    assert converge(machine, asked)["actions"] == planned["actions"]
    assert links(machine) == {"current": "4.3.0-static", "previous": "4.2.0-static"}
    assert "4.1.0-static" not in machine.names() and converge(machine, asked)["changed"] is False


@pytest.mark.parametrize("asked", [
    [("4.2.0", "rolled_back"), ("4.1.0", "rolled_back")], [("4.2.0", "rolled_back"), ("4.3.0", "current")]])
def test_two_that_decide_which_one_is_current_are_refused(machine, asked):
    with pytest.raises(errors.DeclarationError, match="releases: 2 of static decide which one is current"):
        converge(machine, asked)


@pytest.mark.parametrize("states", [states for states in itertools.product(STATES, repeat=3) if any(states)])
def test_after_any_list_the_links_lead_to_releases_and_a_second_run_does_nothing(machine, states):
    asked = [(VERSIONS[index], state) for index, state in enumerate(states) if state]
    for several in (asked, asked[::-1]):
        before = machine.snapshot()
        try:
            planned = converge(machine, several, check=True)
        except (errors.Refused, errors.DeclarationError) as error:
            with pytest.raises(type(error)):
                converge(machine, several)
            assert machine.snapshot() == before
            continue
        assert converge(machine, several)["actions"] == planned["actions"]
        assert "current" in links(machine) or states == ("absent",) * 3
        assert all((machine.releases / name).is_dir() for name in links(machine).values())
        assert converge(machine, several)["changed"] is False


def test_what_became_current_since_it_was_planned_is_not_removed(machine):
    params = parameters(version="4.1.0", state="absent")
    observed = release.observe(machine.host, params)
    perform = release.performer(machine.host, params, observed)
    collect = release.decide(params, observed)[-1]
    machine.converge(version="4.2.0", state="rolled_back")
    before = machine.snapshot()
    with pytest.raises(errors.Refused, match="4.1.0-static is used since its removal was planned: it is the current"):
        perform(collect)
    assert machine.snapshot() == before


def test_keep_holds_for_those_that_stay(machine):
    """It is one option for the whole list, in which others go."""
    asked = [("4.2.0", "present"), ("4.0.9", "absent")]
    machine.converge(version="4.2.0", state="rolled_back")
    assert converge(machine, asked, keep=1)["changed"] is True
    assert machine.names() == ["4.1.0-static", "4.2.0-static", "current-static", "previous-static"]
    assert converge(machine, [("4.2.0", "rolled_back")], keep=0)["changed"] is False
    with pytest.raises(errors.DeclarationError, match="keep: only means something"):
        machine.converge(version="4.2.0", state="rolled_back", keep=1)
    with pytest.raises(errors.DeclarationError, match="keep: -1"):
        converge(machine, [("4.2.0", "rolled_back")], keep=-1)


def test_the_only_release_is_not_removed_for_the_sake_of_one_that_comes(tmp_path):
    machine = Machine(tmp_path)
    machine.declared = {version: machine.tarball(version) for version in ("4.1.0", "4.2.0")}
    machine.converge(**machine.declared["4.1.0"])
    with pytest.raises(errors.Refused, match="it is the current release"):
        converge(machine, [("4.1.0", "absent"), ("4.2.0", "current")])
    assert links(machine) == {"current": "4.1.0-static"}
    assert converge(machine, [("4.1.0", "absent")])["changed"] is True
    assert machine.names() == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_list_that_removes_all_releases_of_a_flavour(machine, order):
    asked = [(version, "absent") for version in VERSIONS][::order]
    planned = converge(machine, asked, check=True)
    assert converge(machine, asked)["actions"] == planned["actions"]
    assert machine.names() == [] and converge(machine, asked)["changed"] is False
