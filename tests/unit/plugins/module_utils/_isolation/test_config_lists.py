# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several shims in one call of the module: one plan, all problems at once, each named by its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.config_hosts import (
    GO_SHIM,
    RUST_SHIM,
    Dying,
    Killed,
    entry,
    run,
    seen,
)

MEMORY = {"settings": {"hypervisor": {"qemu": {"default_memory": 4096}}}}


@pytest.fixture
def machine(tmp_path):
    return config_hosts.host(tmp_path)


def test_several_shims_in_one_plan(machine):
    bigger = {"settings": {"hypervisor": {"qemu": {"default_memory": 8192}}}}
    several = [entry(**GO_SHIM, **MEMORY), entry(**RUST_SHIM, **bigger)]
    planned = run(machine, check=True, shims=several)
    done = run(machine, shims=several)
    assert done == planned and [one["kind"] for one in done["actions"]] == [
        "configuration drop-in", "configuration file"] * 2
    assert [one["effective"] for one in done["shims"]] == [seen(machine, GO_SHIM), seen(machine, RUST_SHIM)]
    assert "effective" not in done and not run(machine, shims=several)["changed"]
    assert not run(machine, **GO_SHIM, **MEMORY)["changed"]
    gone = run(machine, shims=[dict(several[0], state="absent"), several[1]])
    assert [one["verb"] for one in gone["actions"]] == ["delete", "delete"]


def test_the_order_in_which_keys_are_declared_makes_no_difference(machine):
    memory, kept = {"default_memory": 4096, "default_maxvcpus": 4}, {"sandbox_cgroup_only": True}
    one = {"hypervisor": {"qemu": memory}, "runtime": kept}
    other = {"runtime": kept, "hypervisor": {"qemu": dict(reversed(memory.items()))}}
    run(machine, **RUST_SHIM, settings=one)
    assert not run(machine, **RUST_SHIM, settings=other)["changed"]


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_several_shims_and_a_process_that_is_killed(tmp_path, left):
    machine = config_hosts.host(tmp_path)
    several = [entry(**GO_SHIM, **MEMORY), entry(**RUST_SHIM, **MEMORY)]
    with pytest.raises(Killed):
        run(Dying(str(tmp_path), left), shims=several)
    assert len(run(machine, shims=several)["actions"]) == 4 - left
    assert not run(machine, shims=several)["changed"]


def test_problems_of_several_shims_are_told_at_once_and_by_their_places(machine):
    several = [entry(**GO_SHIM, settings={"hypervisor": {"qemu": {"kernel_params": "nokaslr"}}}),
               entry(**RUST_SHIM, settings={"agent": {"kata": {"dial_timeout": 3}}})]
    with pytest.raises(errors.DeclarationError) as caught:
        run(machine, shims=several)
    first, second = caught.value.problems
    assert first.startswith("shims[0]: hypervisor.qemu.kernel_params: ")
    assert second.startswith("shims[1]: settings.agent.kata.dial_timeout: ")
    with pytest.raises(errors.Refused, match="^release: there is no packaged configuration in /opt/nothing/"):
        run(machine, shims=[several[0], entry(shim="qemu", release="/opt/nothing")])


@pytest.mark.parametrize("options, words", [
    ({"shims": [entry(**GO_SHIM), entry(**GO_SHIM)]},
     "shims[1]: 'qemu', '/opt/kata-releases/4.1.0-go-static' is declared already by shims[0]"),
    ({"shims": [entry(**GO_SHIM)], "settings": {"x": {}}}, "settings: stands beside shims"),
    ({"shims": [entry(**dict(GO_SHIM, release="here"))]}, "shims[0].release: 'here' is no absolute path"),
    ({"shim": None, "release": None}, "shim: missing"),
])
def test_lists_that_cannot_be(machine, options, words):
    with pytest.raises(errors.DeclarationError) as caught:
        run(machine, **dict({"shim": None, "release": None}, **options))
    assert caught.value.problems[0].startswith(words)


def test_one_release_by_two_names(machine):
    (Path(machine.root) / "opt/kata-releases/current-static").symlink_to("4.1.0-static")
    linked = dict(RUST_SHIM, release="/opt/kata-releases/current-static")
    with pytest.raises(errors.DeclarationError, match=r"shims\[1\]: it is the same configuration as shims\[0\]"):
        run(machine, shims=[entry(**RUST_SHIM), entry(**linked)])


def test_no_shims_are_no_work(machine):
    assert run(machine, shims=[]) == {"changed": False, "actions": [], "diff": [], "shims": []}
