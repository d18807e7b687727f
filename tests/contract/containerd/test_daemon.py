# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real daemon gets handlers, loses them, and does not come back: nothing is left half done, nothing is claimed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_daemon import CRICTL, Running
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    MAIN,
    SOCKET,
    SUITES,
    handler,
    handlers_of,
)
from ansible_collections.sovereign.region.tests.contract.containerd.test_dump import DEBIAN, OPERATOR

NOTE = "run/sovereign-region/cri-containerd-restart.json"


class Killed(BaseException):
    """Stands for kill -9: no except clause of ours sees it."""


def cri_states(host):
    """The states of the CRI plugins in the running daemon, asked without our code."""
    rows = [line.split() for line in host.ctr("plugins", "ls").stdout.splitlines()]
    return {row[-1] for row in rows if row and (row[0] == "io.containerd.cri.v1" or row[1] == "cri")}


def loaded(host):
    """The handlers that CRI itself names, asked without our code; None without crictl."""
    if not host.crictl:
        return None
    done = host.query(["crictl", "--runtime-endpoint", f"unix://{SOCKET}", "info"], 20)
    return sorted(json.loads(done.stdout)["config"]["containerd"]["runtimes"])


@pytest.mark.parametrize("crictl", [CRICTL, None] if CRICTL else [None])
@pytest.mark.parametrize("suite", SUITES)
def test_handlers_are_loaded_and_unloaded(tmp_path, suite, crictl):
    with Running(tmp_path, suite, OPERATOR, crictl) as host:
        before, files = host.dump(), host.files()
        with pytest.raises(errors.Refused, match="running pods and containers keep running"):
            host.converge([handler()])
        assert host.files() == files and host.starts == 1
        planned = host.converge([handler()], check_mode=True)
        result = host.converge([handler()], allow_interruption=True, expected_actions=planned["actions"])
        assert [one["kind"] for one in result["actions"]] == [
            "pending restart", "containerd configuration", "service", "pending restart"]
        assert host.starts == 2 and cri_states(host) == {"ok"} and loaded(host) in (None, ["kata", "mine", "runc"])
        assert host.converge([handler()])["changed"] is False and not (tmp_path / NOTE).exists()
        host.converge([handler(state="absent")], allow_interruption=True)
        assert host.starts == 3 and cri_states(host) == {"ok"} and loaded(host) in (None, ["mine", "runc"])
        assert host.dump() == before and host.files() == files


@pytest.mark.parametrize("suite", SUITES[1:])
def test_a_kill_between_any_two_steps_is_made_up_for(tmp_path, suite):
    with Running(tmp_path, suite, DEBIAN) as host:
        before = host.dump()
        for state in ("present", "absent"):
            for place in range(4):
                starts = host.starts
                kill_at(host, [handler(state=state)], place)
                result = host.converge([handler(state=state)], allow_interruption=True)
                assert result["changed"] is (place < 3) and host.starts > starts
                assert not (tmp_path / NOTE).exists()
                assert ("kata" in handlers_of(host.dump())) is (state == "present")
                assert loaded(host) in (None, ["kata", "runc"] if state == "present" else ["runc"])
                assert host.converge([handler(state=state)])["changed"] is False
                host.converge([handler(state="absent" if state == "present" else "present")], allow_interruption=True)
            host.converge([handler(state=state)], allow_interruption=True)
        assert host.dump() == before


def kill_at(host, handlers, place):
    """Runs until the action of that number is done, and dies there."""
    original, done = change.apply, []

    def dying(plan, perform):
        def one(action):
            perform(action)
            done.append(action)
            if len(done) > place:
                raise Killed
        return original(plan, one)

    change.apply = dying
    try:
        with pytest.raises(Killed):
            host.converge(handlers, allow_interruption=True)
    finally:
        change.apply = original


@pytest.mark.parametrize("suite", SUITES[1:])
def test_a_daemon_that_does_not_start_gets_its_old_files_back(tmp_path, suite):
    with Running(tmp_path, suite, OPERATOR) as host:
        files, failed = host.files(), []

        def fail(argv):
            if argv[:2] == ["systemctl", "restart"] and not failed:
                failed.append(argv)
                host.stop()
                return change_of(argv)
            return None

        host.fail = fail
        with pytest.raises(change.PartialFailure, match="files are as they were before, and it runs with them again"):
            host.converge([handler()], allow_interruption=True)
        assert host.files() == files and cri_states(host) == {"ok"} and not (tmp_path / NOTE).exists()


def change_of(argv):
    from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished

    return Finished(tuple(argv), 1, "", "Job for containerd.service failed because of a timeout.")


@pytest.mark.parametrize("suite", SUITES)
def test_a_daemon_that_is_up_without_its_cri_plugin_is_no_success(tmp_path, suite):
    """The file is right and CRI fails all the same: here by a setting that only the running daemon refuses."""
    broken = OPERATOR.replace('default_runtime_name = "runc"', 'default_runtime_name = "nowhere"')
    with Running(tmp_path, suite, OPERATOR) as host:
        host.write(MAIN, broken)
        with pytest.raises(change.PartialFailure) as told:
            host.converge([handler()], allow_interruption=True)
        assert "with them it does not come back either" in str(told.value)
        assert host.read(MAIN) == broken


def test_a_snapshotter_that_is_not_loaded_is_told_before(tmp_path):
    with Running(tmp_path, "trixie", DEBIAN) as host:
        rows = [line.split() for line in host.ctr("plugins", "ls").stdout.splitlines()]
        states = {row[1]: row[-1] for row in rows if row and row[0] == "io.containerd.snapshotter.v1"}
        name = next(name for name, state in sorted(states.items()) if state != "ok")
        with pytest.raises(errors.Refused, match="has not loaded '{0}'".format(name)):
            host.converge([handler(snapshotter=name)], allow_interruption=True)
        result = host.converge([handler(snapshotter="native")], allow_interruption=True)
        assert "content digest" in result["advice"][0] and cri_states(host) == {"ok"}


def test_files_that_somebody_changes_meanwhile_are_not_loaded(tmp_path):
    with Running(tmp_path, "trixie", DEBIAN) as host:
        def fail(argv):
            if argv[-2:] == ["config", "dump"] and argv[2] == MAIN and (tmp_path / NOTE).exists():
                host.write(MAIN, host.read(MAIN).replace("/usr/lib/cni", "/usr/lib/other"))
            return None

        host.fail = fail
        with pytest.raises(change.PartialFailure, match="it was not restarted.*it was left as it is now"):
            host.converge([handler()], allow_interruption=True)
        assert host.starts == 1 and host.read(MAIN).startswith(DEBIAN.replace("/usr/lib/cni", "/usr/lib/other"))
