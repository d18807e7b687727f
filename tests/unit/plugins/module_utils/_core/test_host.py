# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a host below a root: nothing leads outside, nothing is half written, nothing is lost."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import atomic as module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError, Refused
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture()
def host(tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "file").write_text(" inside \n")
    (tmp_path / "secret").write_text("outside")
    return Host(root)


@pytest.mark.parametrize("target", ["/secret", "../../secret", "/../../../secret", "../secret"])
def test_a_link_never_leads_outside(host, target):
    os.symlink(target, os.path.join(host.root, "etc", "link"))
    assert host.text("/etc/link") is None
    assert host.folder("/etc").text("link") is None
    assert not host.exists("/etc/link")


def test_a_link_to_a_directory_never_leads_outside(host, tmp_path):
    os.symlink(str(tmp_path), os.path.join(host.root, "etc", "away"))
    assert host.text("/etc/away/secret") is None
    assert host.names("/etc/away") == []
    with pytest.raises(HostError):
        host.write_file("/etc/away/new", "x")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("target", ["/etc/file", "file", "../etc/file", "/etc/./../etc/file"])
def test_a_link_is_resolved_as_the_host_would(host, target):
    os.symlink(target, os.path.join(host.root, "etc", "link"))
    assert host.text("/etc/link") == "inside"
    assert host.folder("/etc").text("link") == "inside"
    assert host.target_name("/etc/link") == host.folder("/etc").target_name("link") == "file"


def test_links_in_a_circle_end(host):
    for one, other in (("a", "b"), ("b", "a")):
        os.symlink(other, os.path.join(host.root, "etc", one))
    with pytest.raises(OSError, match="too many levels"):
        host.read_text("/etc/a")
    assert host.text("/etc/a") is None and host.folder("/etc").bytes("a") is None


@given(parts=st.lists(st.sampled_from(["..", ".", "etc", "a", "up", ""]), max_size=12))
@settings(max_examples=200, deadline=None)
def test_no_path_leads_outside(tmp_path_factory, parts):
    root = tmp_path_factory.getbasetemp() / "confined"
    (root / "etc" / "a").mkdir(parents=True, exist_ok=True)
    if not (root / "etc" / "up").is_symlink():
        os.symlink("../../../..", root / "etc" / "up")
    found = Host(root).real("/".join(parts))
    assert os.path.realpath(found).startswith(str(root.resolve()))


def test_what_is_not_there_is_none(host):
    assert host.text("/etc/missing") is None
    assert host.target_name("/etc/file") is None
    assert host.names("/none") == host.folder("/none").names() == []
    assert host.folder("/none").text("x") is None
    assert host.folder("/etc").bytes("") is None
    with pytest.raises(FileNotFoundError):
        host.read_text("/etc/missing")


def test_what_is_read_is_counted(host):
    host.text("/etc/file")
    host.folder("/etc").text("file")
    host.names("/etc")
    assert (host.counts.opened, host.counts.listed, host.counts.started) == (2, 1, 0)


def test_a_file_is_replaced_as_a_whole_with_its_mode(host):
    host.write_file("/etc/file", "new", 0o600)
    path = os.path.join(host.root, "etc", "file")
    assert host.text("/etc/file") == "new"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert host.names("/etc") == ["file"]


def test_a_file_keeps_its_mode(host):
    path = os.path.join(host.root, "etc", "file")
    os.chmod(path, 0o600)
    host.write_file("/etc/file", "new")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_link_stays_on_the_real_host_too(tmp_path):
    (tmp_path / "file").write_text("old")
    os.symlink("file", tmp_path / "link")
    Host("/").write_file(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"


def test_a_link_stays_when_its_file_is_written(host):
    os.symlink("file", os.path.join(host.root, "etc", "link"))
    host.write_file("/etc/link", "new")
    assert os.path.islink(os.path.join(host.root, "etc", "link"))
    assert host.text("/etc/file") == "new"


@pytest.mark.parametrize("step", ["fsync", "rename", "fchmod"])
def test_a_fault_while_writing_leaves_the_old_file_and_nothing_else(host, monkeypatch, step):
    def fail(*unused, **more):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(module.os, step, fail)
    with pytest.raises(HostError, match="/etc/file: could not be written: no space") as caught:
        host.write_file("/etc/file", "new")
    assert caught.value.number == errno.ENOSPC
    assert host.text("/etc/file") == "inside"
    assert host.names("/etc") == ["file"]


def test_a_file_is_removed_and_a_link_of_that_name_only(host):
    os.symlink("file", os.path.join(host.root, "etc", "link"))
    host.remove_file("/etc/link")
    host.remove_file("/etc/link")
    assert host.names("/etc") == ["file"]
    os.mkdir(os.path.join(host.root, "etc", "dir"))
    with pytest.raises(HostError, match="/etc/dir: could not be removed"):
        host.remove_file("/etc/dir")


def test_an_attribute_takes_one_write(host):
    host.write_attribute("/etc/file", "0000:41:00.0\n")
    assert host.text("/etc/file").startswith("0000:41:00.0")


def test_a_refusal_of_the_kernel_has_its_number(host):
    with pytest.raises(HostError, match="/etc/none: the kernel refused '1'") as caught:
        host.write_attribute("/etc/none", "1\n")
    assert caught.value.number == errno.ENOENT


def test_a_write_that_hangs_is_left_behind(host):
    path = os.path.join(host.root, "etc", "pipe")
    os.mkfifo(path)
    reading, writing = os.pipe()
    with pytest.raises(HostError, match="did not take '1' within 0.2 s; the write is still pending") as caught:
        host.write_attribute("/etc/pipe", "1", timeout=0.2)
    assert caught.value.number is None
    # What is left behind keeps none of our files open: Ansible would wait for the end of our output.
    os.close(writing)
    assert os.read(reading, 1) == b""
    os.close(reading)
    with open(path, "rb") as stream:
        assert stream.read() == b"1"


def test_records_are_read_without_waiting(host):
    os.mkfifo(os.path.join(host.root, "etc", "kmsg"))
    assert host.read_records("/etc/kmsg") == []
    assert host.read_records("/etc/file") == [" inside \n"]


def test_under_another_root_nothing_changes_this_machine(host):
    with pytest.raises(Refused, match="would change this machine"):
        host.run(["touch", "/tmp/never"], 5, changes=True)
    assert host.run(["true"], 5).ok


def test_a_runner_stands_for_a_simulated_host(tmp_path):
    seen = []

    def runner(argv, timeout):
        seen.append((argv, timeout))
        return Finished(tuple(argv), 0)

    assert Host(tmp_path, runner).run(("modprobe", "vfio-pci"), 7, changes=True).ok
    assert seen == [(["modprobe", "vfio-pci"], 7)]


def test_a_program_that_is_not_there(host):
    with pytest.raises(HostError, match="there is no program no-such-program"):
        host.run(["no-such-program"], 5)
    assert host.program("/no/such") is None
    assert host.program("sh").endswith("/sh")
