# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the operator's stays his: edits meanwhile and later, secrets, names of runtimes, tables that clash."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    cri_declared,
    cri_effective,
    cri_service,
)
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.cri_hosts import (
    CRI,
    MAIN,
    RUNTIME,
    Machine,
    handler,
    params,
)

OWN = "version = 2\n# mine\n"
MIRRORS = '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["https://mirror.example"]\n'
NOTE = "run/sovereign-region/cri-containerd-restart.json"
DOCKER = "/etc/docker/daemon.json"
RECORD = "/etc/docker/sovereign-region-daemon.json"


def failing(times):
    """A function for ``Machine.fail``: so many restarts fail."""
    left = [times]

    def fail(argv):
        if argv[0] == "systemctl" and argv[1] in ("restart", "reload") and left[0]:
            left[0] -= 1
            return Finished(tuple(argv), 1, "", "Job failed.")
        return None

    return fail


def test_a_way_back_that_fails_leaves_no_note_that_outlives_it(tmp_path):
    machine = Machine(tmp_path, files={MAIN: OWN})
    machine.fail = failing(2)
    with pytest.raises(change.PartialFailure, match="with them it does not come back either"):
        machine.converge([handler()])
    assert machine.read(MAIN) == OWN and not (tmp_path / NOTE).exists()
    # The operator repairs it by hand, and restarts.
    machine.write(MAIN, OWN + MIRRORS)
    machine.systemctl(["systemctl", "restart", "containerd"])
    machine.fail = failing(0)
    assert machine.converge()["changed"] is False
    machine.fail = failing(1)
    with pytest.raises(change.PartialFailure, match="runs with them again"):
        machine.converge([handler()])
    assert machine.read(MAIN) == OWN + MIRRORS and not (tmp_path / NOTE).exists()


@pytest.mark.parametrize("release", ["1.7.24", "2.2.7"])
def test_an_edit_between_our_write_and_the_restart_is_left(tmp_path, release):
    machine = Machine(tmp_path, release, {MAIN: OWN})

    def edit(argv):
        if argv[-2:] == ["config", "dump"] and (tmp_path / NOTE).exists() and MIRRORS not in machine.read(MAIN):
            machine.write(MAIN, machine.read(MAIN) + MIRRORS)
        return None

    machine.fail = edit
    with pytest.raises(change.PartialFailure, match="Somebody changed /etc/containerd/config.toml after"):
        machine.converge([handler()])
    assert MIRRORS in machine.read(MAIN) and "kata" not in machine.loaded
    machine.fail = None
    assert machine.converge([handler()])["changed"] is True
    assert "kata" in machine.loaded and MIRRORS in machine.read(MAIN) and not (tmp_path / NOTE).exists()


def test_an_edit_after_a_killed_run_is_what_the_next_one_goes_back_to(tmp_path, monkeypatch):
    """The note of the killed run is right about a file only until somebody else changes it."""
    machine = Machine(tmp_path, files={MAIN: OWN})

    class Killed(BaseException):
        pass

    def killed(*unused):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(cri_service, "restart", killed)
        with pytest.raises(Killed):
            machine.converge([handler()])
    assert (tmp_path / NOTE).exists()
    edited = machine.read(MAIN) + MIRRORS
    machine.write(MAIN, edited)
    machine.fail = failing(1)
    with pytest.raises(change.PartialFailure, match="runs with them again"):
        machine.converge([handler(), handler("kata-rs")])
    assert machine.read(MAIN) == edited
    machine.fail = None
    machine.converge([handler()])
    assert machine.converge([handler()])["changed"] is False


def test_a_killed_run_and_one_that_fails_go_back_to_what_was_loaded(tmp_path, monkeypatch):
    machine = Machine(tmp_path, files={MAIN: OWN})
    with monkeypatch.context() as patched:
        patched.setattr(cri_service, "restart", lambda *unused: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            machine.converge([handler()])
    machine.fail = failing(1)
    with pytest.raises(change.PartialFailure, match="as they were before, and it runs"):
        machine.converge([handler(), handler("kata-rs")])
    assert machine.read(MAIN) == OWN


def test_two_containerds_of_a_host_have_notes_of_their_own():
    usual = cri_service.note_path(params())
    assert usual == "/" + NOTE == cri_service.note_path(params(service="containerd.service"))
    others = [params(runtime_config="/etc/k3s/config.toml"), params(service="k3s"), params(runtime="crio"),
              params(runtime_config="/etc/k3s/config.toml", service="k3s")]
    assert len({usual, *(cri_service.note_path(one) for one in others)}) == 5


def test_a_refusal_tells_no_value_that_is_not_ours():
    secret = ("plugins", "io.containerd.grpc.v1.cri", "registry", "configs", "r", "auth", "password")
    image, cdi = (*CRI, "sandbox_image"), (*RUNTIME, "enable_cdi")
    empty = {"handlers": {}, "settings": {}}
    before = {"handlers": {"mine": {"runtime_type": "a.v2"}}, "settings": {secret: "s3cret", image: "a:1", cdi: True}}
    for one, other in ((before, empty), (empty, before)):
        told = "\n".join(cri_effective.differences(one, other, params(), set(), {})) + cri_service.lost(one, other)
        assert "s3cret" not in told and ".".join(secret) + " would change" in told
        assert "a:1" in told and "True" in told and "handler 'mine'" in told


@pytest.mark.parametrize(("path", "options", "main"), [
    ("/etc/containerd/conf.d/60-sovereign-region.toml", {}, (MAIN, 'version = 3\nimports = ["conf.d/*.toml"]\n')),
    ("/etc/crio/crio.conf.d/99-sovereign-region.conf", {"runtime": "crio"}, ("/etc/crio/crio.conf", "")),
])
def test_an_operators_file_of_our_name_is_refused_by_that_reason(tmp_path, path, options, main):
    machine = Machine(tmp_path, "2.2.7", {path: "[metrics]\naddress = \"s3cret\"\n", main[0]: main[1]})
    files = machine.files()
    with pytest.raises(errors.Refused, match="has the name of the file that this module writes") as told:
        machine.converge([handler()], **options)
    assert machine.files() == files and "s3cret" not in str(told.value) and path in str(told.value)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_operators_runtime_of_docker_is_not_overwritten_or_removed(tmp_path, state):
    text = '{"runtimes": {"kata": {"path": "/usr/bin/his"}}}'
    machine = Machine(tmp_path, files={DOCKER: text})
    with pytest.raises(errors.Refused, match="runtime 'kata' is defined there.*the operator's"):
        machine.converge([handler(state=state)], runtime="docker")
    assert machine.files() == {DOCKER.lstrip("/"): text.encode()}


def test_a_runtime_of_docker_is_ours_as_long_as_it_is_as_we_wrote_it(tmp_path):
    machine = Machine(tmp_path, files={DOCKER: "{}"})
    machine.converge([handler(), handler("kata-rs")], runtime="docker")
    moved = handler(options={"a": 1})
    assert machine.converge([moved], runtime="docker")["managed"] == ["kata", "kata-rs"]
    assert json.loads(machine.read(DOCKER))["runtimes"]["kata"]["options"]["a"] == 1
    assert machine.converge([moved], runtime="docker")["changed"] is False
    document = json.loads(machine.read(DOCKER))
    document["runtimes"]["kata-rs"]["runtimeType"] = "/opt/his"
    machine.write(DOCKER, json.dumps(document))
    for state in ("present", "absent"):
        with pytest.raises(errors.Refused, match="runtime 'kata-rs' is defined there"):
            machine.converge([handler("kata-rs", state=state)], runtime="docker")
    machine.converge([handler(state="absent")], runtime="docker")
    assert sorted(json.loads(machine.read(DOCKER))["runtimes"]) == ["kata-rs"]
    assert machine.converge(runtime="docker")["changed"] is False and RECORD.lstrip("/") not in machine.files()


@pytest.mark.parametrize("record", ["{[", "[]", '{"written": 1}', '{"written": {"kata": 1}}'])
def test_a_record_that_is_none_claims_nothing(tmp_path, record):
    machine = Machine(tmp_path, files={DOCKER: '{"runtimes": {"kata": {"path": "/x"}}}', RECORD: record})
    with pytest.raises(errors.Refused, match="the operator's"):
        machine.converge([handler(state="absent")], runtime="docker")
    machine.converge(runtime="docker")
    assert RECORD.lstrip("/") not in machine.files()


RUNTIMES = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.'


@pytest.mark.parametrize(("lines", "runc"), [
    # Only the options: what else runc needs stays in our block.
    (RUNTIMES + "runc.options]\nSystemdCgroup = true\n",
     {"runtime_type": "io.containerd.runc.v2", "sandbox_mode": "podsandbox", "options": {"SystemdCgroup": True}}),
    (RUNTIMES + 'runc]\nruntime_type = "a.v2"\n', {"runtime_type": "a.v2"}),
])
@pytest.mark.parametrize("at_end", [True, False])
def test_an_operators_runc_beside_ours_is_mended(tmp_path, lines, runc, at_end):
    machine = Machine(tmp_path, files={MAIN: OWN})
    machine.converge([handler(), handler("kata-rs")], sandbox_image="a/b:1")
    assert "move its tables out of this block" in machine.read(MAIN)
    ours = machine.read(MAIN)
    machine.write(MAIN, ours + lines if at_end else OWN + lines + ours[len(OWN):])
    with pytest.raises(tomli.TOMLDecodeError):
        tomli.loads(machine.read(MAIN))
    planned = machine.converge([handler()], check_mode=True)
    assert "has a table twice, in the operator's lines and in the block of sovereign." in planned["advice"][0]
    machine.converge([handler()])
    found = machine.handlers("containerd")
    assert found["runc"] == runc and sorted(found) == ["kata", "kata-rs", "runc"]
    assert machine.read(MAIN).startswith(OWN + lines) and "a/b:1" in machine.read(MAIN)
    assert machine.converge([handler()])["changed"] is False
    gone = [handler(state="absent"), handler("kata-rs", state="absent")]
    if "options" in runc:
        # Nothing would be left to say what runc is.
        with pytest.raises(errors.Refused, match="runtime_type of handler 'runc' would change"):
            machine.converge(gone)
        first = lines
        lines += RUNTIMES + 'runc]\nruntime_type = "io.containerd.runc.v2"\nsandbox_mode = "podsandbox"\n'
        machine.write(MAIN, machine.read(MAIN).replace(OWN + first, OWN + lines))
        machine.converge([handler()])
    machine.converge(gone)
    assert machine.read(MAIN) == OWN + lines


@pytest.mark.parametrize("release", ["1.7.24", "2.1.9"])
def test_a_handler_that_the_operator_adds_beside_ours_is_his(tmp_path, release):
    machine = Machine(tmp_path, release, {MAIN: OWN})
    machine.converge([handler(), handler("kata-rs")])
    text = machine.read(MAIN) + RUNTIMES + 'kata]\nruntime_type = "his.v2"\n'
    machine.write(MAIN, text)
    with pytest.raises(errors.Refused, match=r"'kata' is defined already, and differently, in /etc/containerd/config"):
        machine.converge([handler()])
    assert machine.read(MAIN) == text
    machine.converge([handler("kata-rs")])
    assert machine.handlers("containerd")["kata"] == {"runtime_type": "his.v2"}
    assert "kata-rs" in machine.handlers("containerd")


def test_what_is_broken_without_our_block_too_is_told(tmp_path):
    machine = Machine(tmp_path, files={MAIN: OWN})
    machine.converge([handler()])
    text = machine.read(MAIN) + "[a]\n[a]\n"
    machine.write(MAIN, text)
    with pytest.raises(errors.Refused, match="repair it first"):
        machine.converge([handler()])
    assert machine.read(MAIN) == text


@pytest.mark.parametrize("text", ["", "oom_score = -999\n", '[plugins."io.containerd.cri.v1.runtime"]\nx = 1\n'])
def test_a_file_of_containerd_2_needs_no_version(tmp_path, text):
    machine = Machine(tmp_path, "2.1.9", {MAIN: text})
    machine.converge([handler()])
    assert "kata" in machine.loaded and machine.converge([handler()])["changed"] is False
    machine.converge([handler(state="absent")])
    assert machine.read(MAIN) == text


def test_a_file_of_version_1_is_refused_by_containerd_2(tmp_path):
    machine = Machine(tmp_path, "2.1.9", {MAIN: '[plugins.cri]\nsandbox_image = "a"\n'})
    with pytest.raises(errors.Refused, match="containerd config migrate"):
        machine.converge([handler()])


@pytest.mark.parametrize(("gone", "told"), [({"crictl", "ctr"}, True), ({"crictl"}, False), ({"ctr"}, False)])
def test_a_restart_that_nobody_can_ask_about_is_told(tmp_path, gone, told):
    machine = Machine(tmp_path, files={MAIN: OWN})
    machine.programs, machine.loaded = machine.programs - gone, ["runc"]
    planned = machine.converge([handler()], check_mode=True)
    result = machine.converge([handler()])
    assert planned["advice"] == result["advice"]
    assert any("nobody can be asked after the restart" in one for one in result["advice"]) is told
    assert machine.converge([handler()])["advice"] == []


def test_copies_that_a_killed_run_left_are_not_read(tmp_path):
    left = "/run/sovereign-region/cri-candidate/crio.conf.d/50-gone.conf"
    machine = Machine(tmp_path, files={left: '[crio.image]\npause_image = "x"\n'})
    assert machine.converge([handler()], runtime="crio")["changed"] is True


@pytest.mark.parametrize(("options", "path"), [
    ({"BinaryName": None}, "handlers[0].options.BinaryName"), ({"a": {"b": None}}, "handlers[0].options.a.b"),
    ({"a": [1, None]}, "handlers[0].options.a[1]")])
def test_an_option_that_is_null_is_told_by_name(options, path):
    told, = cri_declared.problems(params([handler(options=options)]))
    assert told.startswith(path + ": is null")
