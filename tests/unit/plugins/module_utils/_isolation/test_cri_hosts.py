# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cri_runtime on simulated hosts: containerd 1.x and 2.x, CRI-O and Docker; check mode, kills, and ways back."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.cri_hosts import (
    MAIN,
    Machine,
    handler,
)

OPERATOR = """\
version = 2
# mine
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "mirror.example/pause:3.9"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mine]
    runtime_type = "io.containerd.runc.v2"
"""
VERSION_3 = """\
version = 3
imports = ["conf.d/*.toml"]
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.mine]
runtime_type = "io.containerd.runc.v2"
"""
CRIO = '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.crun]\nruntime_path = "/usr/bin/crun"\n'
DOCKER = '{\n  "data-root": "/srv/docker",\n  "runtimes": {"mine": {"path": "/usr/bin/crun"}}\n}\n'
# (version, files, options): every container runtime with an operator's own files and without.
HOSTS = {
    "1.6": ("1.6.20", {MAIN: OPERATOR}, {}),
    "1.7-none": ("1.7.24", {}, {}),
    "1.7": ("1.7.24", {MAIN: OPERATOR}, {}),
    "1.7-drop-in": ("1.7.24", {MAIN: 'version = 2\nimports = ["/etc/containerd/a/*.toml"]\n',
                               "/etc/containerd/a/x.toml": OPERATOR}, {}),
    "2.1-version-2": ("2.1.9", {MAIN: OPERATOR}, {}),
    "2.2-conf.d": ("2.2.7", {MAIN: VERSION_3}, {}),
    "2.3-none": ("2.3.4", {}, {}),
    "crio": (None, {"/etc/crio/crio.conf": CRIO, "/etc/crio/crio.conf.d/10-crun.conf": CRIO}, {"runtime": "crio"}),
    "crio-none": (None, {}, {"runtime": "crio"}),
    "docker": (None, {"/etc/docker/daemon.json": DOCKER}, {"runtime": "docker"}),
    "docker-none": (None, {}, {"runtime": "docker"}),
}


class Killed(BaseException):
    """Stands for kill -9: no except clause of ours sees it."""


@pytest.fixture(params=HOSTS)
def machine(request, tmp_path):
    release, files, options = HOSTS[request.param]
    made = Machine(tmp_path, release or "1.7.24", files)
    made.options = options
    made.loaded = sorted(made.handlers(options.get("runtime", "containerd")))
    return made


def test_a_handler_comes_and_goes(machine):
    files, loaded = machine.files(), machine.loaded
    planned = machine.converge([handler()], check_mode=True, **machine.options)
    assert machine.files() == files and machine.loaded == loaded
    result = machine.converge([handler()], expected_actions=planned["actions"], **machine.options)
    assert result["actions"] == planned["actions"] and result["diff"] == planned["diff"]
    assert result["handlers_after"] == planned["handlers_after"]
    told = next(one for one in result["actions"] if one["name"].endswith((".toml", ".conf", ".json"))
                and one["kind"] != "pending restart")
    assert "kata" in json.dumps(told["after"]) and "mirror.example" not in json.dumps(result["actions"])
    assert machine.loaded == sorted([*loaded, "kata"])
    assert {row["name"] for row in result["handlers_before"]} | {"kata"} == {
        row["name"] for row in result["handlers_after"]}
    row = next(row for row in result["handlers_after"] if row["name"] == "kata")
    assert (row["runtime_path"], row["config_path"]) == ("/opt/kata/bin/containerd-shim-kata-v2",
                                                         "/opt/kata/share/configuration.toml")
    again = machine.converge([handler()], **machine.options)
    assert (again["changed"], again["actions"], again["restart_pending"]) == (False, [], False)
    machine.converge([handler(state="absent")], **machine.options)
    assert machine.loaded == loaded
    if machine.options.get("runtime") == "docker":
        assert [json.loads(text) for text in machine.files().values()] == [
            json.loads(text) for text in files.values()] or not files
    else:
        assert machine.files() == files


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_kill_anywhere_is_made_up_for(machine, monkeypatch, place, state):
    loaded = machine.loaded
    if state == "absent":
        machine.converge([handler()], **machine.options)
    planned = machine.converge([handler(state=state)], check_mode=True, **machine.options)["actions"]
    # Docker has one write more than the others.
    place = min(place, len(planned) - 1)
    original, done = change.apply, []

    def dying(plan, perform):
        def one(action):
            perform(action)
            done.append(action)
            if len(done) > place:
                raise Killed
        return original(plan, one)

    monkeypatch.setattr(change, "apply", dying)
    with pytest.raises(Killed):
        machine.converge([handler(state=state)], **machine.options)
    monkeypatch.undo()
    machine.converge([handler(state=state)], **machine.options)
    assert machine.loaded == sorted([*loaded, "kata"] if state == "present" else loaded)
    assert machine.converge([handler(state=state)], **machine.options)["changed"] is False


def test_a_daemon_that_does_not_come_back_gets_its_files_back(machine):
    files, tried = machine.files(), []

    def fail(argv):
        if argv[0] == "systemctl" and argv[1] in ("restart", "reload"):
            tried.append(argv)
            return Finished(tuple(argv), 1, "", "Job failed.") if len(tried) == 1 else None
        return None

    machine.fail = fail
    with pytest.raises(change.PartialFailure, match="Job failed.*runs with them again") as told:
        machine.converge([handler()], **machine.options)
    assert isinstance(told.value.cause, errors.HostError)
    assert len(tried) == 2 and machine.files() == files
    machine.fail = None
    assert machine.converge([handler()], **machine.options)["changed"] is True


def test_a_daemon_that_loads_nothing_is_no_success(machine, monkeypatch):
    from ansible_collections.sovereign.region.plugins.module_utils._isolation import cri_service

    monkeypatch.setattr(cri_service, "_READY_SECONDS", 0)
    files, loaded = machine.files(), machine.loaded
    machine.fail = lambda argv: Finished(tuple(argv), 0) if argv[1] in ("restart", "reload") else None
    with pytest.raises(change.PartialFailure, match="it has not loaded kata"):
        machine.converge([handler()], **machine.options)
    assert machine.files() == files and machine.loaded == loaded


def test_nothing_is_restarted_without_leave_and_docker_needs_none(machine):
    files = machine.files()
    if machine.options.get("runtime") == "docker":
        result = machine.converge([handler()], allow_interruption=False, **machine.options)
        assert ["systemctl", "reload", "docker"] in machine.calls and result["changed"] is True
        return
    with pytest.raises(errors.Refused, match="running pods and containers keep running"):
        machine.converge([handler()], allow_interruption=False, **machine.options)
    assert machine.files() == files


@pytest.mark.parametrize("service", ["stopped", "none", "no systemctl"])
def test_a_daemon_that_does_not_run_is_not_restarted(machine, service):
    machine.active = service == "none"
    machine.programs -= {"systemctl"} if service == "no systemctl" else set()
    more = {"service": ""} if service == "none" else {}
    result = machine.converge([handler()], allow_interruption=False, **machine.options, **more)
    assert result["actions"] and all(one["deferred"] is not None for one in result["actions"])
    assert not [argv for argv in machine.calls if argv[0] == "systemctl" and argv[1] != "is-active"]
    assert bool(result["advice"]) is (service == "no systemctl")


def test_a_handler_that_was_never_loaded_is_loaded_now(machine):
    """The files are right and the daemon says otherwise: somebody wrote them and restarted nothing."""
    machine.converge([handler()], **machine.options)
    machine.loaded = [one for one in machine.loaded if one != "kata"]
    result = machine.converge([handler()], **machine.options)
    assert [one["kind"] for one in result["actions"]] == ["service"] and "kata" in machine.loaded


def test_files_that_are_broken_are_told_and_left(machine):
    usual = {"docker": "/etc/docker/daemon.json", "crio": "/etc/crio/crio.conf"}
    machine.write(usual.get(machine.options.get("runtime"), MAIN), "{[broken\n")
    files = machine.files()
    with pytest.raises(errors.Refused, match="repair it first|cannot read|does not accept"):
        machine.converge([handler()], **machine.options)
    assert machine.files() == files


def test_the_default_handler_stays(tmp_path):
    for runtime, path, text in (
            ("crio", "/etc/crio/crio.conf", '[crio.runtime]\ndefault_runtime = "kata"\n'),
            ("docker", "/etc/docker/daemon.json", '{"default-runtime": "kata", "runtimes": {"kata": {"path": "/x"}}}'),
            ("containerd", MAIN, 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n'
                                 'default_runtime_name = "kata"\n')):
        machine = Machine(tmp_path / runtime, files={path: text})
        with pytest.raises(errors.Refused, match="choose another default first"):
            machine.converge([handler(state="absent")], runtime=runtime)


def test_a_containerd_without_cri_is_told(tmp_path):
    """As Docker's package of containerd ships it."""
    machine = Machine(tmp_path, files={MAIN: 'disabled_plugins = ["cri"]\n'})
    with pytest.raises(errors.Refused, match="disabled_plugins has the CRI plugin"):
        machine.converge([handler()])


def test_what_dockerd_does_not_accept_is_refused(tmp_path):
    machine = Machine(tmp_path, files={"/etc/docker/daemon.json": '{"runtimes": {}}'})
    machine.fail = lambda argv: Finished(tuple(argv), 1, "", "unknown runtimeType") if (
        argv[0] == "dockerd" and "candidate" in argv[3]) else None
    with pytest.raises(errors.Refused, match="dockerd does not accept the new .*unknown runtimeType"):
        machine.converge([handler()], runtime="docker")
    assert machine.read("/etc/docker/daemon.json") == '{"runtimes": {}}'


def test_candidates_and_the_note_are_for_root_only_and_go(tmp_path):
    machine = Machine(tmp_path, files={MAIN: OPERATOR})
    modes = {}

    def look(argv):
        for path in (tmp_path / "run").rglob("*"):
            modes[path.name] = path.stat().st_mode & 0o777
        return None

    machine.fail = look
    machine.converge([handler()])
    assert modes == {"sovereign-region": 0o755, "cri-candidate": 0o700, "main.toml": 0o600,
                     "cri-containerd-restart.json": 0o600}
    assert not [path for path in (tmp_path / "run").rglob("*") if path.is_file()]


def test_another_release_of_containerd_brings_its_own_runc(tmp_path):
    """Our lines repeat runc as 1.6 had it; what 1.7 and 2.x have instead is theirs and no loss."""
    machine = Machine(tmp_path, "1.6.20", {MAIN: "version = 2\n"})
    machine.runc = {"runtime_type": "io.containerd.runc.v2", "options": {"CriuPath": ""}}
    machine.converge([handler()])
    for release, runc in (("1.7.24", {"options": {"CriuPath": ""}}), ("2.1.9", {"options": {"Root": ""}})):
        machine.release, machine.runc = release, {"runtime_type": "io.containerd.runc.v2", "sandboxer": "x", **runc}
        result = machine.converge([handler()])
        assert [row["name"] for row in result["handlers_after"]] == ["kata", "runc"]
        assert machine.converge([handler()])["changed"] is False
    machine.converge([handler(state="absent")])
    assert machine.read(MAIN) == "version = 2\n"


def test_settings_go_with_the_last_handler(tmp_path):
    machine = Machine(tmp_path, "2.2.7", {MAIN: VERSION_3})
    machine.converge([handler(), handler("kata-rs")], sandbox_image="a/b:1", enable_cdi=True)
    machine.converge([handler(state="absent")])
    ours = machine.read("/etc/containerd/conf.d/60-sovereign-region.toml")
    assert "a/b:1" in ours and "enable_cdi = true" in ours
    assert machine.converge([handler("kata-rs", state="absent")], check_mode=True, sandbox_image="",
                            enable_cdi=False)["changed"] is True
    machine.converge([handler("kata-rs", state="absent")])
    assert machine.files().keys() == {"etc/containerd/config.toml"}
    machine.converge(sandbox_image="a/b:1")
    assert "a/b:1" in machine.read("/etc/containerd/conf.d/60-sovereign-region.toml")
    assert machine.converge()["changed"] is False
    machine.converge(sandbox_image="")
    assert machine.files().keys() == {"etc/containerd/config.toml"}


def test_our_lines_follow_when_the_operator_moves_things(tmp_path):
    machine = Machine(tmp_path / "2", "2.2.7", {MAIN: "version = 3\n"})
    machine.converge([handler()])
    machine.write(MAIN, 'imports = ["conf.d/*.toml"]\n' + machine.read(MAIN))
    machine.converge([handler()])
    assert machine.read(MAIN) == 'imports = ["conf.d/*.toml"]\nversion = 3\n'
    assert "kata" in machine.read("/etc/containerd/conf.d/60-sovereign-region.toml")
    # On 1.7 a file with a CRI section of its own now hides that of the main file, and ours in it.
    machine = Machine(tmp_path / "1", "1.7.24", {MAIN: 'version = 2\nimports = ["/etc/containerd/x/*.toml"]\n'})
    machine.converge([handler()])
    assert "kata" in machine.read(MAIN)
    machine.write("/etc/containerd/x/mine.toml", OPERATOR)
    result = machine.converge([handler()])
    assert [row["name"] for row in result["handlers_after"]] == ["kata", "mine"]
    assert machine.read("/etc/containerd/x/mine.toml").startswith(OPERATOR) and "kata" not in machine.read(MAIN)
