# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases side by side: installing, switching, going back, collecting."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors, steps
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release, release_manifest, release_plan
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    ROOT,
    Machine,
    layout,
    parameters,
)


@pytest.fixture()
def machine(tmp_path):
    return Machine(tmp_path)


def said(result):
    return [(one["verb"], one["kind"], one["name"]) for one in result["actions"]]


def test_check_mode_tells_what_a_run_then_does_and_the_next_run_does_nothing(machine):
    declared = machine.tarball("4.1.0")
    planned = machine.converge(check=True, **declared)
    assert machine.names() == [] and planned["releases"] == [] and planned["current"] is None
    done = machine.converge(expected_actions=planned["actions"], **declared)
    assert done["actions"] == planned["actions"] and done["diff"] == planned["diff"]
    assert said(done) == [("create", "Kata release", "4.1.0-static"), ("create", "current release", "static")]
    assert machine.names() == ["4.1.0-static", "current-static"]
    assert os.readlink(machine.releases / "current-static") == "4.1.0-static"
    before = machine.snapshot()
    again = machine.converge(verify=True, **declared)
    assert (again["changed"], again["actions"], machine.snapshot()) == (False, [], before)
    assert again["current"] == "4.1.0-static" and again["previous"] is None
    assert again["shims"] == {"runtime-rs": f"{ROOT}/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2"}
    assert again["releases"][0]["damage"] is None and again["releases"][0]["current"] is True
    assert [one["kind"] for one in again["bill_of_materials"]] == [
        "tarball", "shim runtime-rs", "guest image", "guest kernel"]


def test_an_installed_release_needs_no_source(machine):
    declared = machine.tarball("4.1.0")
    machine.converge(**declared)
    shutil.rmtree(machine.root / "srv")
    assert machine.converge(version="4.1.0", sha256=declared["sha256"].upper())["changed"] is False
    with pytest.raises(errors.DeclarationError, match=r"'4.2.0' of 'static' is not installed.*installed: 4.1.0"):
        machine.converge(version="4.2.0", sha256=declared["sha256"])


def test_upgrade_rollback_and_back_again(machine):
    old, new = machine.tarball("4.1.0"), machine.tarball("4.2.0")
    machine.converge(**old)
    content = {path: found for path, found in machine.snapshot().items() if path.startswith("4.1.0-static/")}
    done = machine.converge(**new)
    assert said(done) == [("create", "Kata release", "4.2.0-static"), ("create", "previous release", "static"),
                          ("update", "current release", "static")]
    assert (done["current"], done["previous"]) == ("4.2.0-static", "4.1.0-static")
    # What runs from the old release notices nothing.
    assert {path: found for path, found in machine.snapshot().items() if path.startswith("4.1.0-static/")} == content
    back = {"version": "4.2.0", "state": "rolled_back"}
    planned = machine.converge(check=True, **back)
    done = machine.converge(**back)
    assert done["actions"] == planned["actions"] and len(done["actions"]) == 2
    assert (done["current"], done["previous"]) == ("4.1.0-static", "4.2.0-static")
    assert machine.converge(**back)["changed"] is False
    # The other way round needs no tarball either.
    done = machine.converge(version="4.2.0", sha256=new["sha256"])
    assert (done["current"], done["previous"]) == ("4.2.0-static", "4.1.0-static")


def test_flavours_stand_side_by_side(machine):
    machine.converge(**machine.tarball("4.1.0"))
    done = machine.converge(**machine.tarball("4.1.0", "go-static"))
    assert done["shims"] == {"go": f"{ROOT}/4.1.0-go-static/bin/containerd-shim-kata-v2"}
    assert machine.names() == ["4.1.0-go-static", "4.1.0-static", "current-go-static", "current-static"]


def test_one_tarball_with_both_shims(machine):
    done = machine.converge(**machine.tarball("3.32.0", members=layout("3.32.0", ("go", "runtime-rs"))))
    assert sorted(done["shims"]) == ["go", "runtime-rs"]


def test_present_switches_nothing(machine):
    machine.converge(**machine.tarball("4.1.0"))
    done = machine.converge(state="present", **machine.tarball("4.2.0"))
    assert (done["current"], done["previous"]) == ("4.1.0-static", None)


def test_there_is_nothing_to_go_back_to(machine):
    machine.converge(**machine.tarball("4.1.0"))
    machine.converge(**dict(machine.tarball("4.0.0", members=layout("4.0.0", ("go", "runtime-rs"))), state="present"))
    with pytest.raises(errors.Refused, match=r"no previous release.*4\.0\.0"):
        machine.converge(version="4.1.0", state="rolled_back")
    assert machine.converge(version="9.9.9", state="rolled_back")["changed"] is False


def test_the_current_release_is_not_removed_while_there_are_others(machine):
    machine.converge(**machine.tarball("4.1.0"))
    machine.converge(state="present", **machine.tarball("4.0.9"))
    before = machine.snapshot()
    for check in (True, False):
        with pytest.raises(errors.Refused, match="it is the current release; switch to another one first"):
            machine.converge(check=check, version="4.1.0", state="absent")
    assert machine.snapshot() == before
    assert machine.converge(version="4.2.0", state="absent")["changed"] is False


def test_the_only_release_of_a_flavour_goes_with_its_links(machine):
    machine.converge(**machine.tarball("4.1.0"))
    machine.converge(**machine.tarball("4.1.0", "go-static"))
    gone = {"version": "4.1.0", "state": "absent"}
    machine.process(5, cwd=f"{ROOT}/4.1.0-static")
    with pytest.raises(errors.Refused, match="process 5"):
        machine.converge(**gone)
    shutil.rmtree(machine.root / "proc/5")
    (machine.root / "etc/containerd").mkdir(parents=True)
    (machine.root / "etc/containerd/config.toml").write_text(f'"{ROOT}/current-static/bin/x"')
    with pytest.raises(errors.Refused, match="config.toml names it"):
        machine.converge(**gone)
    (machine.root / "etc/containerd/config.toml").unlink()
    planned = machine.converge(check=True, **gone)
    done = machine.converge(**gone)
    assert done["actions"] == planned["actions"]
    assert said(done) == [("delete", "current release", "static"), ("delete", "Kata release", "4.1.0-static")]
    assert (done["current"], machine.names()) == (None, ["4.1.0-go-static", "current-go-static"])
    assert machine.converge(**gone)["changed"] is False


def test_a_slash_at_the_end_of_the_directory_does_not_count(machine):
    declared = machine.tarball("4.1.0")
    done = machine.converge(directory=ROOT + "/", **declared)
    assert done["release_path"] == f"{ROOT}/4.1.0-static"
    assert done["actions"][0]["after"]["path"] == f"{ROOT}/4.1.0-static"
    assert "releases//" not in "".join(path.read_text() for path in machine.releases.rglob("*.toml"))
    assert machine.converge(**declared)["changed"] is False
    assert machine.converge(directory=ROOT + "//", **declared)["changed"] is False
    assert machine.converge(directory=ROOT + "/", version="4.1.0", state="absent")["changed"] is True


def test_collection_keeps_what_is_wanted_and_what_is_used(machine):
    for version in ("4.1.0", "4.2.0", "4.3.0", "4.10.0"):
        machine.converge(**machine.tarball(version))
    machine.process(5, cwd=f"{ROOT}/4.1.0-static")
    planned = machine.converge(check=True, keep=2, **machine.tarball("4.11.0"))
    done = machine.converge(keep=2, **machine.tarball("4.11.0"))
    assert done["actions"] == planned["actions"]
    # Files first, then the links, and collection last.
    assert said(done) == [
        ("create", "Kata release", "4.11.0-static"), ("update", "previous release", "static"),
        ("update", "current release", "static"), ("delete", "Kata release", "4.2.0-static"),
        ("delete", "Kata release", "4.3.0-static")]
    assert [one["name"] for one in done["kept"]] == ["4.1.0-static"] and "process 5" in done["kept"][0]["reasons"][0]
    shutil.rmtree(machine.root / "proc/5")
    done = machine.converge(keep=0, **machine.tarball("4.11.0"))
    assert said(done) == [("delete", "Kata release", "4.1.0-static")]
    assert machine.names() == ["4.10.0-static", "4.11.0-static", "current-static", "previous-static"]


@pytest.mark.parametrize("meddle", [
    lambda where: (where / "VERSION").unlink(), lambda where: (where / "VERSION").write_text("4.1.0 and more"),
    lambda where: (where / "runtime-rs/bin/containerd-shim-kata-v2").chmod(0o644),
    lambda where: shutil.rmtree(where / "share"),
    lambda where: ((where / "bin/qemu-system-x86_64").unlink(), (where / "bin/qemu-system-x86_64").symlink_to("/q")),
])
def test_a_release_that_was_tampered_with_is_refused(machine, meddle):
    declared, where = machine.tarball("4.1.0"), machine.releases / "4.1.0-static"
    machine.converge(**declared)
    meddle(where)
    before = machine.snapshot()
    with pytest.raises(errors.Refused, match="not as it was unpacked"):
        machine.converge(**declared)
    assert machine.snapshot() == before
    machine.converge(**machine.tarball("4.2.0"))
    with pytest.raises(errors.Refused, match="cannot take over"):
        machine.converge(version="4.2.0", state="rolled_back")
    machine.converge(version="4.1.0", state="absent")
    assert machine.converge(**declared)["changed"] is True


def test_only_a_look_at_every_byte_sees_a_change_of_the_same_size(machine):
    declared = machine.tarball("4.1.0")
    machine.converge(**declared)
    (machine.releases / "4.1.0-static/share/kata-containers/kata-containers.img").write_bytes(b"IMAGE" * 1000)
    assert machine.converge(**declared)["changed"] is False
    with pytest.raises(errors.Refused, match=r"changed: share/kata-containers/kata-containers\.img"):
        machine.converge(verify=True, **declared)


@pytest.mark.parametrize("record", [None, "", "{", "{}", '{"format": 1, "files": {}}'])
def test_a_directory_that_is_not_ours_is_left_alone(machine, record):
    where = machine.releases / "4.1.0-static"
    where.mkdir(parents=True)
    if record is not None:
        (where / release_manifest.FILE).write_text(record)
    with pytest.raises(errors.Refused, match="nothing is overwritten"):
        machine.converge(**machine.tarball("4.1.0"))
    with pytest.raises(errors.Refused, match="remove it by hand"):
        machine.converge(version="4.1.0", state="absent")
    machine.converge(keep=0, **machine.tarball("4.2.0"))
    assert where.exists()


def test_another_tarball_of_the_same_version_is_refused(machine):
    machine.converge(**machine.tarball("4.1.0"))
    with pytest.raises(errors.Refused, match="of its own, such as 4.1.0-2"):
        machine.converge(**machine.tarball("4.1.0", members=layout(shim=b"another")))


@pytest.mark.parametrize("role", ["current", "previous"])
@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("x"),
                                  lambda path: path.symlink_to("/opt/kata"),
                                  lambda path: path.symlink_to("4.1.0-go-static"), lambda path: os.mkfifo(path)])
def test_a_link_that_is_not_ours_is_left_alone(machine, role, make):
    machine.releases.mkdir(parents=True)
    make(machine.releases / f"{role}-static")
    with pytest.raises(errors.Refused, match=f"{role}-static is a"):
        machine.converge(**machine.tarball("4.1.0"))


def test_without_zstd_the_package_is_named(machine, monkeypatch):
    monkeypatch.setattr(release.release_stream, "unpacker", lambda host: None)
    declared = dict(machine.tarball("4.1.0"), source="/srv/x.tar.zst")
    for check in (True, False):
        with pytest.raises(errors.Refused, match="install the package zstd"):
            machine.converge(check=check, **declared)
    assert machine.converge(**machine.tarball("4.1.0"))["changed"] is True


def test_a_tarball_that_is_not_there(machine):
    declared = machine.tarball("4.1.0")
    declared["source"] = declared["source"].replace("amd64", "amd46")
    with pytest.raises(errors.DeclarationError, match="the nearest there is 'kata-static-4.1.0-amd64.tar.xz'"):
        machine.converge(check=True, **declared)


@pytest.mark.parametrize("options,start", [
    ({"version": "latest"}, "version: 'latest'"), ({"sha256": None}, "sha256: is missing"),
    ({"sha256": "none"}, "sha256: 'none' is no SHA-256"), ({"sha256": "a" * 63}, "sha256: 'aaa"),
    ({"sha256": "sha256:" + "a" * 64}, "sha256: 'sha256:"), ({"sha256": "g" * 64}, "sha256: 'ggg"),
    ({"source": "kata.tar.zst"}, "source: 'kata.tar.zst' is neither"), ({"source": "ftp://m/a.tar.xz"}, "source: 'ftp"),
    ({"source": "/srv/a.zip"}, "source: '/srv/a.zip' is no tarball"),
    ({"source": "https://u:secret@m/a.tar.zst"}, "source: 'https://m/a.tar.zst' comes with a user"),
    ({"directory": "/opt/kata"}, "directory: "), ({"directory": "/opt/kata/releases"}, "directory: "),
    ({"directory": "relative"}, "directory: "), ({"directory": "/a/../b"}, "directory: "),
    ({"directory": "/"}, "directory: "),
    ({"keep": -1}, "keep: -1"), ({"keep": 1, "state": "absent"}, "keep: only means"), ({"timeout": 0}, "timeout: 0"),
    ({"configuration": ["etc"]}, "configuration: 'etc'"),
    ({"images": [{"name": "p", "sha256": "x"}]}, "images[0].sha256: 'x'"),
    ({"charts": [{"name": "p", "sha256": ""}]}, "charts[0].sha256: is missing"),
])
def test_what_cannot_be_right_is_told_before_anything_is_looked_at(options, start):
    good = parameters(version="4.1.0", source="/srv/a.tar.zst", sha256="a" * 64)
    assert release.validate(good) == []
    problems = release.validate(dict(good, **options))
    assert len(problems) == 1 and problems[0].startswith(start) and "secret" not in problems[0]


def test_what_fails_in_the_middle_says_what_was_done(machine, monkeypatch):
    def broken(host, path, target):
        raise errors.HostError("no space left on the disk")

    monkeypatch.setattr(release.release_files, "set_link", broken)
    with pytest.raises(change.PartialFailure) as caught:
        machine.converge(**machine.tarball("4.1.0"))
    told = steps.failure(caught.value)
    assert [one["name"] for one in told["actions"]] == ["4.1.0-static"] and told["changed"] is True
    assert told["failed_action"]["kind"] == "current release"


def test_a_plan_needs_nothing_but_facts(machine):
    """The controller can decide from what was observed, as JSON carries it."""
    params = parameters(keep=0, **machine.tarball("4.1.0"))
    observed = json.loads(json.dumps(release.observe(machine.host, params)))
    assert [one.as_dict() for one in release_plan.decide(params, observed)] == machine.converge(
        keep=0, **machine.tarball("4.1.0"))["actions"]


if os.environ.get("KATA_RELEASES"):
    TARBALLS = sorted(name for name in os.listdir(os.environ["KATA_RELEASES"]) if name.endswith(".tar.zst"))

    @pytest.mark.parametrize("name", TARBALLS)
    def test_a_real_release(tmp_path, name):
        machine = Machine(tmp_path)
        (tmp_path / "srv").mkdir()
        shutil.copy(os.path.join(os.environ["KATA_RELEASES"], name), tmp_path / "srv")
        flavour = next(one for one in ("go-static", "tools-static", "static") if name.startswith("kata-" + one))
        version = name[len("kata-" + flavour) + 1:].split("-")[0]
        digest = release.release_files.digest(machine.host, "/srv/" + name)[0]
        declared = {"version": version, "flavour": flavour, "source": "/srv/" + name, "sha256": digest}
        assert machine.converge(**declared)["changed"] is True
        done = machine.converge(verify=True, **declared)
        assert done["changed"] is False and len(done["shims"]) == (0 if flavour == "tools-static" else 1)
        for path in (machine.releases / f"{version}-{flavour}").rglob("*.toml"):
            assert '"/opt/kata/' not in path.read_text(), path
