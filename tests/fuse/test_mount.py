# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mounted simulated host: errors, links and waiting as the real Host class and a shell see them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from simulator import SimulatedHost, describe
from simulator.testing import BUS, device

GPU, AUDIO, CARD = "0000:18:00.0", "0000:18:00.1", "0000:41:00.0"


@pytest.fixture
def hgx():
    with SimulatedHost(describe("hgx", gpus=2, switches=1)) as host:
        yield host


@pytest.fixture
def l40s():
    with SimulatedHost(describe("l40s", gpus=1)) as host:
        yield host


def real(host):
    """The collection's own Host over the mount."""
    return Host(root=host.root, runner=host.runner)


def shell(host, line, timeout=30):
    """Run a line of shell in the root of the host, with its tools first in PATH."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=host.root,
        env=host.environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_what_the_real_class_reads(hgx):
    host = real(hgx)
    assert host.text(f"{device(GPU)}/vendor") == "0x10de" and host.text(f"{device(GPU)}/driver_override") == "(null)"
    assert host.target_name(f"{device(GPU)}/driver") == "nvidia"
    assert host.names(f"{device(GPU)}/iommu_group/devices") == [GPU, AUDIO]
    assert host.text("/lib/modules/6.12.94+deb13-amd64/modules.alias").count("vfio_pci") > 0
    folder = host.folder(device(GPU))
    assert folder.text("device") == "0x2335" and folder.bytes("nothing") is None
    assert len(host.folder("/sys/bus/pci/devices").names()) == len(host.names("/sys/bus/pci/devices"))
    assert len(host.read_bytes(f"{device(GPU)}/config")) == 64


def test_a_whole_move_by_the_real_class(hgx):
    host = real(hgx)
    assert host.run(["modprobe", "vfio-pci"], 10, changes=True).ok
    for address in (GPU, AUDIO):
        host.write_attribute(f"{device(address)}/driver_override", "vfio-pci\n")
        host.write_attribute(f"{device(address)}/driver/unbind", address)
    assert not os.path.lexists(hgx.path(f"{device(GPU)}/driver"))
    for address in (GPU, AUDIO):
        host.write_attribute(f"{BUS}/drivers_probe", address)
        assert host.target_name(f"{device(address)}/driver") == "vfio-pci"
    assert [one.what for one in hgx.log()] == ["run"] + ["write"] * 6 and hgx.problems() == []


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [
        (f"{BUS}/drivers/nvidia/bind", GPU, errno.EBUSY),
        (f"{BUS}/drivers/nvidia/bind", AUDIO, errno.ENODEV),
        (f"{device(GPU)}/sriov_numvfs", "4", errno.ENOENT),
        (f"{device(GPU)}/sriov_numvfs", "400", errno.ERANGE),
        (f"{device(GPU)}/driver_override", "x" * 4095, errno.EINVAL),
    ],
)
def test_errno_comes_through(hgx, path, text, number):
    with pytest.raises(HostError) as caught:
        real(hgx).write_attribute(path, text)
    assert caught.value.number == number


def test_files_are_replaced_as_a_whole(hgx):
    host = real(hgx)
    host.make_directory("/etc/mine/deep")
    host.write_file("/etc/mine/deep/file", "one\n", 0o640)
    host.write_file("/etc/mine/deep/file", "two\n", 0o600)
    assert host.text("/etc/mine/deep/file") == "two" and host.names("/etc/mine/deep") == ["file"]
    assert os.stat(hgx.path("/etc/mine/deep/file")).st_mode & 0o777 == 0o600
    host.remove_file("/etc/mine/deep/file")
    assert host.names("/etc/mine/deep") == []
    with pytest.raises(HostError):
        host.write_file("/sys/bus/pci/mine", "no")


def test_names_come_and_go_at_once(l40s):
    for _ in range(3):
        assert l40s.run("sriov-manage", "-e", CARD)["status"] == 0
        assert os.path.exists(l40s.path(f"{device(CARD)}/virtfn31/nvidia/current_vgpu_type"))
        assert l40s.run("sriov-manage", "-d", CARD)["status"] == 0
        assert not os.path.lexists(l40s.path(f"{device(CARD)}/virtfn31")) and not os.path.exists(
            l40s.path(device("0000:41:00.4"))
        )


def test_the_list_shrinks_for_everybody(l40s):
    l40s.run("sriov-manage", "-e", CARD)
    line = (
        "for n in 4 5 6 7; do echo 1153 > sys/bus/pci/devices/0000:41:00.$n/nvidia/current_vgpu_type || exit 9; done; "
        "cat sys/bus/pci/devices/0000:41:01.0/nvidia/creatable_vgpu_types; "
        "echo 1153 > sys/bus/pci/devices/0000:41:01.0/nvidia/current_vgpu_type"
    )
    done = shell(l40s, line)
    assert done.stdout == "ID    : vGPU Name\n" and "Input/output error" in done.stderr


def test_the_log_of_the_kernel_is_read_in_records(hgx):
    hgx.call("say", "NVRM: Xid (PCI:0000:18:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.")
    records = real(hgx).read_records("/dev/kmsg")
    assert len(records) > 2 and records[0].startswith("5,0,") and "Xid (PCI:0000:18:00): 79" in records[-1]


def test_the_tools_run_from_the_path(hgx):
    done = shell(hgx, "nvidia-smi -L && lsmod | grep -c nvidia && command -v nvidia-smi")
    assert done.stdout.startswith("GPU 0: NVIDIA H200") and done.stdout.strip().endswith("/usr/bin/nvidia-smi")
    assert shell(hgx, "rmmod nvidia").returncode == 1


def test_a_tool_that_hangs_can_be_killed_and_the_runner_does_not_wait(hgx):
    hgx.fault("tool:nvidia-smi", "hang", times=2)
    with pytest.raises(subprocess.TimeoutExpired):
        shell(hgx, "exec nvidia-smi", timeout=1)
    began = time.monotonic()
    assert real(hgx).run(["nvidia-smi"], 30).status is None and time.monotonic() - began < 5
    assert real(hgx).run(["nvidia-smi", "-L"], 30).ok


def test_unbinding_a_held_device_waits_until_it_is_let_go(hgx):
    pid = hgx.hold("/dev/nvidia0")
    links = [os.readlink(hgx.path(f"/proc/{pid}/fd/{one}")) for one in os.listdir(hgx.path(f"/proc/{pid}/fd"))]
    assert "/dev/nvidia0" in links
    with pytest.raises(HostError) as caught:
        real(hgx).write_attribute(f"{device(GPU)}/driver/unbind", GPU, timeout=0.5)
    assert caught.value.number is None
    assert real(hgx).target_name(f"{device(GPU)}/driver") == "nvidia" and hgx.log()[-1].error is None
    threading.Timer(0.2, hgx.end, [pid]).start()
    deadline = time.monotonic() + 10
    while os.path.lexists(hgx.path(f"{device(GPU)}/driver")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.lexists(hgx.path(f"{device(GPU)}/driver")) and hgx.log()[-1].error == 0


def test_a_wait_ends_with_the_host():
    host = SimulatedHost(describe("hgx", gpus=1)).__enter__()
    host.hold("/dev/nvidia0")
    writer = subprocess.Popen(
        ["bash", "-c", f"echo {GPU} > {host.root}{BUS}/drivers/nvidia/unbind"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(0.5)
    assert writer.poll() is None
    host.__exit__()
    assert writer.wait(10) != 0 and not os.path.exists(host.root)


def test_the_command_line(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}
    base = [sys.executable, "-m", "simulator"]
    where = str(tmp_path / "host")
    from simulator.host import interpreter

    server = subprocess.Popen(
        [interpreter(), "-m", "simulator", "up", "--dir", where, "--describe", "igb"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while not os.path.exists(f"{where}/.simulator/call") and time.monotonic() < deadline:
        time.sleep(0.05)
    run = {"env": environment, "capture_output": True, "text": True, "check": False}
    assert "igb" in subprocess.run([*base, "run", "--dir", where, "--", "lsmod"], **run).stdout
    assert subprocess.run([*base, "call", "--dir", where, "--", "problems"], **run).stdout == "[]\n"
    assert subprocess.run([*base, "down", "--dir", where], **run).returncode == 0
    assert server.wait(10) == 0
