# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are stopped between two actions, or killed at any write, and what the next one makes of that."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release, release_manifest
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    ROOT,
    Machine,
    file,
    layout,
    parameters,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Which releases are there, what is declared, and at how many places at least a run can be killed.
RUNS = {
    "first": ((), {}, "4.1.0", 20),
    "upgrade": (("4.0.9", "4.1.0"), {}, "4.2.0", 25),
    "collect": (("4.0.9", "4.1.0", "4.2.0"), {"keep": 0}, "4.2.0", 5),
    "rollback": (("4.1.0", "4.2.0"), {"state": "rolled_back"}, "4.2.0", 4),
    "absent": (("4.0.9", "4.1.0", "4.2.0"), {"state": "absent"}, "4.1.0", 5),
    "last": (("4.1.0",), {"state": "absent"}, "4.1.0", 5),
}


def prepared(root, run):
    machine = Machine(root)
    there, options, version, unused = RUNS[run]
    few = [one for one in layout("VERSION") if "share/kata-containers" not in one[0].name]
    for one in there:
        machine.converge(**machine.tarball(one, members=[few[0], file("opt/kata/VERSION", one.encode()), *few[2:]]))
    members = [few[0], file("opt/kata/VERSION", version.encode()), *few[2:]]
    return machine, dict(machine.tarball(version, members=members), **options)


@pytest.mark.parametrize("run", sorted(RUNS))
def test_a_run_that_stops_after_any_action_is_continued(tmp_path, run):
    whole, options = prepared(tmp_path / "whole", run)
    plan = whole.converge(**options)["actions"]
    assert plan
    for count in range(len(plan)):
        machine, options = prepared(tmp_path / str(count), run)
        params = parameters(**options)
        observed = release.observe(machine.host, params)
        perform = release.performer(machine.host, params, observed)
        for action in release.decide(params, observed)[:count]:
            perform(action)
        assert machine.converge(**options)["changed"] is True
        assert machine.snapshot() == whole.snapshot()
        assert machine.converge(**options)["changed"] is False


CALLS = ("mkdir", "rename", "symlink", "unlink", "rmdir", "write", "fsync", "chmod", "fchmod", "link")


def killed(machine, options, place):
    """Run in a child that is killed at its call number ``place`` that changes something; return whether it was."""
    child = os.fork()
    if child == 0:
        try:
            count = [0]

            def counted(real):
                def call(*given, **named):
                    count[0] += 1
                    if count[0] == place:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return real(*given, **named)
                return call

            for name in CALLS:
                setattr(os, name, counted(getattr(os, name)))
            machine.converge(**options)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status != 0


@pytest.mark.parametrize("run", sorted(set(RUNS) - {"first"}))
def test_a_run_that_is_killed_at_any_write_is_continued(tmp_path, run):
    whole, options = prepared(tmp_path / "whole", run)
    whole.converge(**options)
    start, options = prepared(tmp_path / "start", run)
    old = {path: found for path, found in start.snapshot().items() if "/" in path}
    place = 0
    while True:
        place += 1
        shutil.rmtree(tmp_path / "host", ignore_errors=True)
        shutil.copytree(tmp_path / "start", tmp_path / "host", symlinks=True)
        machine = Machine(tmp_path / "host")
        if not killed(machine, options, place):
            break
        # Whatever has the name of a release is whole, and the links lead to one.
        for name in machine.names():
            if release_manifest.split_name(name):
                assert (machine.releases / name / release_manifest.FILE).is_file(), (place, name)
            if name.startswith(("current-", "previous-")):
                assert (machine.releases / name).is_dir() or run == "absent", (place, name)
        if run not in ("absent", "collect", "last"):
            left = machine.snapshot()
            assert all(left[path] == found for path, found in old.items()), place
        machine.converge(**options)
        assert machine.snapshot() == whole.snapshot(), place
        assert machine.converge(**options)["changed"] is False
    assert place > RUNS[run][3]


VERSIONS = ("4.1.0", "4.2.0", "4.3.0")
STEPS = st.tuples(st.sampled_from(VERSIONS), st.sampled_from(["present", "current", "rolled_back", "absent"]),
                  st.sampled_from([None, 0, 2]), st.sampled_from([None, *VERSIONS]), st.integers(0, 9))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=7))
def test_any_sequence_of_runs_some_of_them_stopped(tmp_path_factory, steps_taken):
    """What is current or in use stays, check mode tells the same, a second run does nothing, a stopped run goes on."""
    machine = Machine(tmp_path_factory.mktemp("host"))
    tarballs = {version: machine.tarball(version) for version in VERSIONS}
    for version, state, keep, used, stop in steps_taken:
        shutil.rmtree(machine.root / "proc/42", ignore_errors=True)
        used = used if used and f"{used}-static" in machine.names() else None
        if used:
            machine.process(42, cwd=f"{ROOT}/{used}-static")
        options = dict(tarballs[version], state=state, keep=keep if state in ("present", "current") else None)
        current = os.path.realpath(machine.releases / "current-static")
        try:
            planned = machine.converge(check=True, **options)
        except errors.Refused:
            before = machine.snapshot()
            with pytest.raises(errors.Refused):
                machine.converge(**options)
            assert machine.snapshot() == before
            continue
        if stop < len(planned["actions"]):
            params = parameters(**options)
            observed = release.observe(machine.host, params)
            perform = release.performer(machine.host, params, observed)
            for action in release.decide(params, observed)[:stop]:
                perform(action)
        else:
            assert machine.converge(**options)["actions"] == planned["actions"]
            before = machine.snapshot()
            assert machine.converge(**options)["changed"] is False
            assert machine.snapshot() == before
        names = machine.names()
        assert used is None or f"{used}-static" in names
        assert not os.path.lexists(machine.releases / "current-static") or os.path.isdir(
            machine.releases / "current-static")
        assert not os.path.isdir(current) or os.path.exists(current)
        assert not [one for one in names if one.startswith(".")]
