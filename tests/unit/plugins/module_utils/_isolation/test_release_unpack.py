# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tarballs that are whole, cut off, wrong and malicious."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import stat
import tarfile
from unittest import mock

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    release_manifest,
    release_stream,
    release_unpack,
)
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import release_trees
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    KINDS,
    ROOT,
    Machine,
    directory,
    file,
    hard_link,
    layout,
    link,
    parameters,
    special,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME = "4.1.0-static"


@pytest.fixture()
def machine(tmp_path):
    return Machine(tmp_path)


def install(machine, members=None, kind="xz", version="4.1.0", flavour="static"):
    declared = machine.tarball(version, flavour, members, kind)
    with mock.patch("os.fsync"):
        release_unpack.install(machine.host, parameters(directory=ROOT, **declared), declared["source"])
    return machine.releases / release_manifest.name_of(version, flavour)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("top", ["./opt/kata", "opt/kata"])
def test_a_release_lies_in_its_own_directory(machine, kind, top):
    where = install(machine, layout(top=top), kind)
    config = (where / "share/defaults/kata-containers/runtime-rs/configuration-qemu.toml").read_text()
    assert f'"{ROOT}/{NAME}/bin/qemu-system-x86_64"' in config and '"/opt/kata/' not in config
    assert os.readlink(where / "bin/qemu-system-x86_64") == "/usr/bin/qemu-system-x86_64"
    assert os.readlink(where / "share/kata-containers/absolute.img") == (
        f"{ROOT}/{NAME}/share/kata-containers/kata-containers.img")
    assert os.readlink(where / "share/kata-containers/vmlinux.container") == "vmlinux-6.18.35-1"
    shim = (where / "runtime-rs/bin/containerd-shim-kata-v2").stat()
    assert (stat.S_IMODE(shim.st_mode), shim.st_uid) == (0o755, os.geteuid())
    assert machine.names() == [NAME]
    record, why = release_manifest.parse((where / release_manifest.FILE).read_text(), NAME)
    assert why is None and record["packaged_version"] == "4.1.0"
    assert record["rewritten"] == ["share/defaults/kata-containers/runtime-rs/configuration-qemu.toml",
                                   "share/kata-containers/absolute.img"]


def test_one_tarball_with_both_shims(machine):
    where = install(machine, layout("3.32.0", ("go", "runtime-rs")), version="3.32.0")
    for path in ("bin", "runtime-rs/bin"):
        assert (where / path / "containerd-shim-kata-v2").is_file()


def test_upstreams_qemu_is_told_where_its_firmware_is(machine):
    members = [one for one in layout() if "qemu-system" not in one[0].name]
    members += [file("./opt/kata/bin/qemu-system-x86_64", b"#!/bin/sh\necho \"$@\"\n", 0o755),
                file("./opt/kata/share/kata-qemu/qemu/bios-256k.bin")]
    where = install(machine, members)
    wrapper = where / "bin/qemu-system-x86_64-installation-prefix"
    assert f'exec "{ROOT}/{NAME}/bin/qemu-system-x86_64" "$@" -L "{ROOT}/{NAME}/share/kata-qemu/qemu/"' in (
        wrapper.read_text())
    assert stat.S_IMODE(wrapper.stat().st_mode) == 0o755
    config = (where / "share/defaults/kata-containers/runtime-rs/configuration-qemu.toml").read_text()
    assert f'\npath = "{ROOT}/{NAME}/bin/qemu-system-x86_64-installation-prefix"' in config


def test_hard_links_and_permissions(machine):
    where = install(machine, [*layout(), file("opt/kata/share/a", b"same", 0o6777),
                              hard_link("opt/kata/share/b", "opt/kata/share/a"),
                              hard_link("opt/kata/share/c.toml", "./opt/kata/share/defaults/kata-containers/runtime-rs/"
                                                                 "configuration-qemu.toml"),
                              directory("opt/kata/closed", 0o2700), file("opt/kata/closed/x", mode=0o400)])
    assert (where / "share/b").read_bytes() == b"same"
    assert stat.S_IMODE((where / "share/b").stat().st_mode) == 0o755
    assert '"/opt/kata/' not in (where / "share/c.toml").read_text()
    assert [stat.S_IMODE((where / one).stat().st_mode) for one in ("closed", "closed/x")] == [0o700, 0o400]


MALICIOUS = {
    "absolute": [file("/opt/kata/bin/x")], "absolute elsewhere": [file("/etc/cron.d/x")],
    "climbing": [file("opt/kata/../../etc/x")], "climbing within": [file("opt/kata/bin/../x")],
    "outside": [file("usr/local/bin/x")], "beside": [file("opt/kata-x/y")],
    "through a link": [link("opt/kata/out", "/etc"), file("opt/kata/out/x")],
    "through a relative link": [link("opt/kata/in", "bin"), file("opt/kata/in/x")],
    "link over a directory": [directory("opt/kata/d"), link("opt/kata/d", "/etc"), file("opt/kata/d/x")],
    "directory over a link": [link("opt/kata/d", "/etc"), directory("opt/kata/d")],
    "link that climbs": [link("opt/kata/bin/x", "../../../etc/passwd")],
    "hard link outside": [hard_link("opt/kata/x", "/etc/passwd")],
    "hard link that climbs": [hard_link("opt/kata/x", "opt/kata/../../etc/passwd")],
    "hard link to a link": [link("opt/kata/l", "/etc/passwd"), hard_link("opt/kata/x", "opt/kata/l")],
    "hard link to nothing": [hard_link("opt/kata/x", "opt/kata/y")],
    "twice": [file("opt/kata/VERSION", b"4.1.0")], "below a file": [file("opt/kata/VERSION/x")],
    "the root is a file": [file("opt/kata", b"x")], "the root is a link": [link("opt/kata", "/etc")],
    "character device": [special("opt/kata/n", tarfile.CHRTYPE)], "disk": [special("opt/kata/n", tarfile.BLKTYPE)],
    "named pipe": [special("opt/kata/n", tarfile.FIFOTYPE)],
    "our record": [file("opt/kata/" + release_manifest.FILE, b"{}")],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", sorted(MALICIOUS))
def test_a_malicious_tarball_leaves_nothing(machine, case, kind):
    (machine.root / "etc").mkdir()
    (machine.root / "etc/passwd").write_text("root")
    with pytest.raises(errors.DeclarationError, match="the tarball has"):
        install(machine, layout() + MALICIOUS[case], kind)
    assert machine.names() == []
    assert [(one.name, one.read_text()) for one in (machine.root / "etc").iterdir()] == [("passwd", "root")]


MEMBERS = st.builds(lambda make, name, other: make(name, other), st.sampled_from([
    lambda name, other: file(name, other.encode()), lambda name, other: link(name, other or "x"),
    lambda name, other: hard_link(name, other), lambda name, other: directory(name or ".")]),
    *[st.lists(st.sampled_from(["opt", "kata", "..", "bin", "a", "b", "", "."]), max_size=5).map(
        lambda parts: "/".join(["opt/kata", *parts])) | st.sampled_from(["/a", "/opt/kata/a", "../a", "etc/a"])] * 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MEMBERS, max_size=6))
def test_whatever_a_tarball_holds_nothing_is_written_elsewhere(tmp_path_factory, members):
    machine = Machine(tmp_path_factory.mktemp("host"))
    try:
        where = install(machine, layout() + members)
    except (errors.DeclarationError, errors.HostError):
        assert machine.names() == []
    else:
        assert machine.names() == [NAME]
        assert all(one.resolve().is_relative_to(where) for one in where.rglob("*") if not one.is_symlink())
    assert sorted(one.name for one in machine.root.iterdir()) == ["opt", "proc", "srv"]
    assert [one.name for one in (machine.root / "opt").iterdir()] == ["kata-releases"]


@pytest.mark.parametrize("kind", KINDS)
def test_another_digest_is_refused_before_anything_is_written(machine, kind):
    declared = dict(machine.tarball("4.1.0", kind=kind), sha256="0" * 64)
    with pytest.raises(errors.HostError, match="its SHA-256 is"):
        release_unpack.install(machine.host, parameters(directory=ROOT, **declared), declared["source"])
    assert machine.names() == []
    with pytest.raises(errors.DeclarationError, match="declared is 0000"):
        machine.converge(**declared)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0, 1, 20, 100, 0.5, 0.9, 0.99])
def test_a_tarball_that_was_cut_off_leaves_nothing(machine, kind, keep):
    """The digest is that of what is left, so that only unpacking can tell."""
    source = machine.root / "srv/whole"
    release_trees.pack(source, layout(shim=os.urandom(50000)), kind)
    content = source.read_bytes()
    cut = machine.root / f"srv/kata-static-4.1.0-amd64.tar.{kind}"
    cut.write_bytes(content[:int(len(content) * keep) if keep < 1 and keep else keep])
    digest = hashlib.sha256(cut.read_bytes()).hexdigest()
    with pytest.raises(change.PartialFailure) as caught:
        machine.converge(version="4.1.0", source="/srv/" + cut.name, sha256=digest)
    assert isinstance(caught.value.cause, (errors.HostError, errors.DeclarationError)), caught.value.cause
    assert machine.names() == []


@pytest.mark.parametrize("length", [0, 512, 700, 3000, 4800, 5120, 5632])
def test_an_archive_that_ends_early_is_no_release(machine, length):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for member, content in layout():
            archive.addfile(member, io.BytesIO(content))
    digest = release_trees.put(machine.root / "srv/a.tar.xz", raw.getvalue()[:length])
    with pytest.raises((errors.HostError, errors.DeclarationError)):
        release_unpack.install(machine.host, parameters(
            version="4.1.0", source="/srv/a.tar.xz", sha256=digest), "/srv/a.tar.xz")
    assert machine.names() == []


def test_a_tarball_that_changes_while_it_is_unpacked(machine, monkeypatch):
    declared = machine.tarball("4.1.0")
    opened = release_stream.opened

    def meddle(*given):
        (machine.root / declared["source"][1:]).write_bytes(lzma.compress(b"another"))
        return opened(*given)

    content = (machine.root / declared["source"][1:]).read_bytes()
    monkeypatch.setattr(release_stream, "opened", lambda *given: _touched(
        machine.root / declared["source"][1:], content, opened, given))
    with pytest.raises(errors.HostError, match="was changed while"):
        release_unpack.install(machine.host, parameters(directory=ROOT, **declared), declared["source"])
    monkeypatch.setattr(release_stream, "opened", meddle)
    with pytest.raises(errors.HostError, match="cannot be unpacked"):
        release_unpack.install(machine.host, parameters(directory=ROOT, **declared), declared["source"])
    assert machine.names() == []


def _touched(path, content, opened, given):
    path.write_bytes(content)
    return opened(*given)


@pytest.mark.parametrize("answer", [
    Finished(("zstd",), 1, stderr="zstd: x : Decoding error (36) : Data corruption"), Finished(("zstd",), None)])
def test_a_program_that_fails_is_told(tmp_path, answer, monkeypatch):
    monkeypatch.setattr(release_stream, "_own_module", lambda: None)
    machine = Machine(tmp_path)
    declared = machine.tarball("4.1.0")
    declared["source"] = "/srv/x.tar.zst"
    (tmp_path / "srv/kata-static-4.1.0-amd64.tar.xz").rename(tmp_path / "srv/x.tar.zst")
    host = Host(str(tmp_path), runner=lambda argv, timeout: answer)
    with pytest.raises(errors.HostError):
        release_unpack.install(host, parameters(directory=ROOT, **declared), declared["source"])
    assert machine.names() == []


@pytest.mark.parametrize("kind", ["file", "empty", "full"])
def test_nothing_is_overwritten(machine, kind):
    where = machine.releases / NAME
    machine.releases.mkdir(parents=True)
    where.write_text("mine") if kind == "file" else where.mkdir()
    if kind == "full":
        (where / "mine").write_text("mine")
    before = machine.snapshot()
    with pytest.raises(errors.HostError, match="nothing is overwritten"):
        install(machine)
    assert machine.snapshot() == before


class OwnZstd:
    """Stands for the module of Python 3.14, with another compression behind it."""

    ZstdError = type("ZstdError", (Exception,), {})

    class ZstdFile(lzma.LZMAFile):
        """Reads what is not Zstandard."""

        def read(self, size=-1):
            """Return bytes."""
            try:
                return super().read(size)
            except lzma.LZMAError as error:
                raise OwnZstd.ZstdError("unknown frame descriptor") from error


@pytest.mark.parametrize("content", [None, b"(\xb5/\xfd and no more"])
def test_a_python_that_knows_zstandard_needs_no_program(machine, monkeypatch, content):
    monkeypatch.setattr(release_stream, "_own_module", lambda: OwnZstd)
    assert release_stream.unpacker(machine.host) == "python"
    declared = machine.tarball("4.1.0")
    source = machine.root / "srv/x.tar.zst"
    source.write_bytes(content or (machine.root / declared["source"][1:]).read_bytes())
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    given = parameters(version="4.1.0", source="/srv/x.tar.zst", sha256=digest)
    if content is None:
        release_unpack.install(machine.host, given, "/srv/x.tar.zst")
        assert machine.names() == [NAME]
    else:
        with pytest.raises(errors.HostError, match="unknown frame descriptor"):
            release_unpack.install(machine.host, given, "/srv/x.tar.zst")
        assert machine.names() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", ["write", "fsync", "mkdir", "symlink", "fchmod", "chmod", "rename"])
def test_a_disk_that_fails_leaves_nothing(machine, monkeypatch, kind, call):
    real, count = getattr(os, call), [0]

    def full(*given, **named):
        count[0] += 1
        if count[0] == 2 or call == "rename":
            raise OSError(28, "No space left on device")
        return real(*given, **named)

    declared = machine.tarball("4.1.0", kind=kind)
    monkeypatch.setattr(os, call, full)
    machine.waits = True
    with pytest.raises(change.PartialFailure, match="No space left on device"):
        machine.converge(**declared)
    monkeypatch.undo()
    assert machine.names() == []
    assert machine.converge(**declared)["changed"] is True


def test_a_release_gets_its_name_when_all_of_it_is_on_the_disk(machine, monkeypatch):
    """A power cut after the name is there must leave no empty file behind it."""
    calls, machine.waits = [], True
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (
        calls.append(os.readlink(f"/proc/self/fd/{descriptor}")), fsync(descriptor)))
    monkeypatch.setattr(os, "rename", lambda old, new: (calls.append((old, new)), rename(old, new)))
    machine.converge(state="present", **machine.tarball("4.1.0"))
    staging, final = str(machine.releases / (".unpacking-" + NAME)), machine.releases / NAME
    place = calls.index((staging, str(final)))
    everything = [one for one in [final, *final.rglob("*")] if not one.is_symlink()]
    assert {str(one).replace(str(final), staging) for one in everything} <= set(calls[:place])
    assert calls[place + 1:] == [str(machine.releases)]


def test_two_runs_at_once(machine):
    """The second one finds the first at work, and neither unpacks into the other's directory."""
    declared = machine.tarball("4.1.0")
    seen = []
    opened = release_stream.opened

    def meanwhile(*given):
        seen.append(True)
        with pytest.raises(errors.Refused, match="another run is unpacking"):
            machine.converge(**declared)
        with pytest.raises(errors.HostError, match="another run may be at work"):
            release_unpack.install(machine.host, parameters(**declared), declared["source"])
        assert machine.converge(state="absent", version="4.1.0", check=True)["actions"] == []
        return opened(*given)

    patch = pytest.MonkeyPatch()
    patch.setattr(release_stream, "opened", meanwhile)
    try:
        machine.converge(**declared)
    finally:
        patch.undo()
    assert seen == [True] and machine.names() == [NAME, "current-static"]
