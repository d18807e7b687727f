# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant's Kata pod runs on, while the release under it is replaced, containerd restarts, and all is taken back."""

from __future__ import annotations

import time

import pytest
from kata_host import RELEASES

BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture(scope="module")
def upgraded(host):
    """The host with a second release beside the first, unpacked in spite of a power loss in the middle."""
    running = host.modules.start("kata_release", host.release("static-next", state="present"))
    deadline = time.monotonic() + 120
    while not int(host.machine.run(f"find {RELEASES} -newer {host.directory('go-static')} -name '*initrd.img*' "
                                   f"-size +8M | grep -vc -e {host.directory('static')} -e go-static || true")):
        assert time.monotonic() < deadline and running.poll() is None, running.communicate()
    host.machine.power_off()
    running.communicate(timeout=120)
    host.machine.up()
    host.after_boot()
    return host


def test_a_power_loss_leaves_no_release_that_is_not_whole(upgraded):
    assert upgraded.machine.run(f"readlink {RELEASES}/current-static").strip().endswith("4.1.0-static")
    upgraded.machine.run(f"! test -e {upgraded.directory('static-next')}")
    declared = upgraded.release("static-next", state="present")
    assert upgraded.modules.must("kata_release", **declared)["changed"]
    assert upgraded.modules.must("kata_release", **declared, verify=True)["changed"] is False
    names = upgraded.machine.run(f"ls -A {RELEASES}").split()
    assert [name for name in names if "static" not in name] == [], "nothing half unpacked is left"


def test_a_pod_notices_neither_upgrade_nor_restart_nor_rollback(upgraded):
    host = upgraded
    old, new = host.facts["static.tar.zst"]["version"], host.facts["static-next.tar.zst"]["version"]
    sandbox, container = host.start_pod("kata-rs")
    boot, processes = host.inside(container, BOOT), host.processes(sandbox)
    assert {"containerd-shim-kata-v2", "qemu-system-x86_64"} <= set(processes.values())

    def unnoticed():
        assert host.processes(sandbox) == processes
        assert host.inside(container, BOOT) == boot

    containerd = host.machine.run("systemctl show -P MainPID containerd")
    assert host.modules.must("kata_release", **host.release("static-next"))["current"] == f"{new}-static"
    host.wire({**host.configure("static-next"), "go-static": host.config_paths["go-static"]})
    assert host.machine.run("systemctl show -P MainPID containerd") != containerd, "containerd was restarted"
    unnoticed()

    refused = host.modules.call("kata_release", version=old, state="absent")
    assert refused["failed"] and refused["error"] == "Refused", refused
    assert any(pid in refused["msg"] for pid in processes), "it says who uses the release: " + refused["msg"]
    unnoticed()

    second = host.smoke("kata-rs")
    assert second["passed"], second["msg"]
    unnoticed()

    assert host.modules.must("kata_release", version=new, state="rolled_back")["current"] == f"{old}-static"
    host.wire(host.config_paths)
    unnoticed()
    assert host.directory("static") in host.machine.run("containerd config dump")

    gone = host.modules.must("kata_release", version=new, state="absent")
    assert gone["changed"]
    host.machine.run(f"! test -e {host.directory('static-next')}")
    unnoticed()
    host.stop_pod(sandbox)
    deadline = time.monotonic() + 60  # The shim ends after it has answered.
    while host.processes(sandbox):
        assert time.monotonic() < deadline, host.processes(sandbox)
