# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device nodes and sockets are told apart from what is behind them, and none is opened."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import host_nodes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import host_machine
from hypothesis import given
from hypothesis import strategies as st

# As Debian 13 writes it.
DEVNAME = """\
# Device nodes to trigger on-demand module loading.
vhost_vsock vhost-vsock c10:241
vhost_net vhost-net c10:238
tun net/tun c10:200
vfio vfio/vfio c10:196
"""
PATH = "/dev/vhost-vsock"
DEVICE = {"kind": "character device", "number": (10, 241), "path": PATH}
NOTHING = {"kind": None, "number": None, "path": PATH}


@pytest.fixture()
def machine(tmp_path, monkeypatch):
    return host_machine.made(tmp_path, monkeypatch)


@pytest.mark.parametrize("kind, misc, named, node, driver, available, words", [
    (DEVICE, {"vhost-vsock": 241}, {}, True, True, True, "ok"),
    (NOTHING, {"vhost-vsock": 241}, {}, False, True, False, "absent"),
    (NOTHING, {}, {PATH: "vhost_vsock"}, False, False, False, "absent"),
    (DEVICE, {}, {PATH: "vhost_vsock"}, True, False, True, "not loaded: opening /dev/vhost-vsock would load"),
    (DEVICE, {}, {}, True, False, False, "not loaded: no driver is behind"),
    (DEVICE, None, {PATH: "vhost_vsock"}, True, None, None, "error: /proc/misc cannot be read"),
    (dict(DEVICE, number=(1, 3)), {"vhost-vsock": 241}, {}, False, True, False, "error: /dev/vhost-vsock has the num"),
    (dict(DEVICE, kind="FIFO", number=None), {}, {}, False, False, False, "error: /dev/vhost-vsock is a FIFO"),
])
def test_a_node_is_judged(kind, misc, named, node, driver, available, words):
    found = host_nodes.judge(PATH, kind, "vhost-vsock", misc, named)
    assert (found["node"], found["driver"], found["available"]) == (node, driver, available)
    assert found["status"].startswith(words)


def test_what_a_kernel_would_load_is_read():
    assert host_nodes.loadable(DEVNAME) == {
        PATH: "vhost_vsock", "/dev/vhost-net": "vhost_net", "/dev/net/tun": "tun", "/dev/vfio/vfio": "vfio"}
    assert host_nodes.registered("258 vsock\n200 tun\n232 kvm\n") == {"vsock": 258, "tun": 200, "kvm": 232}


@given(st.one_of(st.none(), st.text()))
def test_any_text_is_read(text):
    assert all(path.startswith("/dev/") for path in host_nodes.loadable(text))
    assert all(isinstance(minor, int) for minor in host_nodes.registered(text).values())


def test_a_node_whose_module_waits_counts_as_available(machine):
    machine.misc({})
    machine.write("lib/modules/" + host_machine.RELEASE + "/modules.devname", DEVNAME)
    facts, handlers = machine.facts()
    assert facts["nodes"]["vhost_vsock"]["loads"] == "vhost_vsock"
    assert facts["sources"]["modules.devname"] == "ok"
    # KVM itself has no such line on x86: its module is chosen by the processor.
    assert [one for one in handlers["qemu-runtime-rs"]["reasons"] if not one.startswith("KVM")] == []


@pytest.mark.parametrize("make, kind", [
    (lambda path: path.write_bytes(b""), "regular file"), (os.mkfifo, "FIFO"), (os.mkdir, "directory"),
    (lambda path: path.symlink_to("/nowhere"), None), (lambda path: path.symlink_to("kvm"), "link"),
])
def test_what_lies_there_is_named(tmp_path, make, kind):
    (tmp_path / "dev").mkdir()
    make(tmp_path / "dev" / "kvm")
    found = host_nodes.look(Host(str(tmp_path)), "/dev/kvm")
    assert (found["kind"], found["number"]) == (kind, None)


def test_a_device_has_its_numbers():
    found = host_nodes.look(Host("/"), "/dev/null")
    assert found == {"kind": "character device", "number": (1, 3), "path": "/dev/null"}


def test_a_socket_is_found_through_its_link(tmp_path):
    for folder in ("dev", "proc/net", "run/systemd/journal"):
        (tmp_path / folder).mkdir(parents=True)
    here = os.getcwd()
    os.chdir(tmp_path / "run/systemd/journal")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        bound.bind("dev-log")
    finally:
        bound.close()
        os.chdir(here)
    (tmp_path / "dev/log").symlink_to("/run/systemd/journal/dev-log")
    host, listed = Host(str(tmp_path)), tmp_path / "proc/net/unix"
    assert host_nodes.syslog(host) == {
        "path": "/dev/log", "listening": None,
        "status": "error: /proc/net/unix cannot be read, so it is unknown whether anything listens on /dev/log"}
    listed.write_text("Num       RefCount Protocol Flags    Type St Inode Path\n")
    # The file outlived the program that made it.
    assert host_nodes.syslog(host) == {
        "path": "/dev/log", "listening": False, "status": "error: nothing listens on /dev/log"}
    listed.write_text("Num Ref\n0: 2 0 10000 0005 01 77 /run/systemd/journal/dev-log\n")
    assert host_nodes.syslog(host) == {"path": "/dev/log", "listening": True, "status": "ok"}


def test_without_any_socket(tmp_path):
    assert host_nodes.syslog(Host(str(tmp_path))) == {"path": None, "listening": False, "status": "absent"}


@pytest.mark.parametrize("mounts, expected", [
    ("tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=8388608k,inode64 0 0\n", (8388608, "ok")),
    ("tmpfs /dev/shm tmpfs rw,size=64k 0 0\ntmpfs /dev/shm tmpfs rw,size=128k 0 0\n", (128, "ok")),
    ("tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n", (None, "error: the mount of /dev/shm shows no size")),
    ("proc /proc proc rw 0 0\n", (None, "error: nothing is mounted on /dev/shm")),
    ("\n\ngarbage\n", (None, "error: nothing is mounted on /dev/shm")),
])
def test_shared_memory(tmp_path, mounts, expected):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mounts").write_text(mounts)
    assert host_nodes.shared_memory(Host(str(tmp_path))) == expected
