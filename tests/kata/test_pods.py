# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Kata pods on a host that this collection has set up, and what kata_smoke says of them.

Judges beside the module: ps, crictl, ip netns, the mounts and the directories of the runtimes.
"""

from __future__ import annotations

import time

import pytest
from kata_host import CRICTL, HANDLERS, IMAGE, PAUSE


def traces(host):
    """What is there of pods, by nobody's account but the host's own."""
    return {
        "pods": host.machine.run(f"{CRICTL} pods --quiet; {CRICTL} ps --all --quiet").split(),
        "processes": host.machine.run("pgrep -l 'containerd-shim|qemu-system|virtiofsd' || true").split(),
        "namespaces": host.machine.run("ip netns list").split(),
        "mounts": host.machine.run("grep -c -e /run/kata-containers -e io.containerd.runtime /proc/mounts || true")
        .split(),
        "directories": host.machine.run("ls /run/kata /run/vc/sbs /run/kata-containers/shared/sandboxes 2>/dev/null "
                                        "| grep -E '[0-9a-f]{32}' || true").split(),
    }


NOTHING = {"pods": [], "processes": [], "namespaces": [], "mounts": ["0"], "directories": []}


def test_the_operator_has_lost_nothing(host):
    """What containerd makes of its files, and what it has loaded: all that was there, and our two handlers."""
    after = host.machine.run("containerd config dump").splitlines()
    assert [line for line in host.dumped if line not in after] == []
    loaded = host.machine.run(f"{CRICTL} info")
    for words in ('"batch"', '"runc"', '"kata"', '"kata-rs"', PAUSE, "/etc/containerd/certs.d"):
        assert words in loaded


def test_three_calls_find_nothing_to_do(host):
    assert host.install()["changed"] is False
    assert host.configure(*HANDLERS, changed=False) == host.config_paths
    assert host.wire(host.config_paths)["changed"] is False


@pytest.mark.parametrize(("handler", "privileged"), [("kata-rs", False), ("kata", True)])
def test_a_kata_pod_is_a_virtual_machine(host, handler, privileged):
    """A privileged pod, too, sees no device of the host: that is what privileged_without_host_devices is for."""
    result = host.smoke(handler, privileged=privileged)
    assert not result["failed"] and result["passed"], result["msg"]
    assert [one["name"] for one in result["assertions"]] == [
        "sandbox", "kernel", "boot id", "hypervisor", "host devices", "torn down"]
    assert result["host"]["release"] == host.machine.run("uname -r").strip()
    assert result["guest"]["release"] != result["host"]["release"]
    assert result["hypervisors"][0]["kvm"], "QEMU holds a virtual machine of KVM"
    assert {"8086:10c9"} & {one["id"] for one in result["guest"]["pci"]} == set(), "the network card is the host's"
    assert traces(host) == NOTHING


def test_a_runc_pod_is_not_a_virtual_machine(host):
    check = host.modules.must("kata_smoke", True, handler="runc", image=IMAGE)
    assert check["would"] and check["obstacles"] == []
    assert traces(host) == NOTHING, "check mode starts nothing"
    result = host.smoke("runc")
    assert result["failed"] and "not a virtual machine" in result["msg"]
    failed = [one["name"] for one in result["assertions"] if not one["passed"]]
    assert failed == ["kernel", "boot id", "hypervisor", "host devices"]
    assert traces(host) == NOTHING


def test_a_handler_that_is_not_there_is_refused_with_the_nearest(host):
    result = host.smoke("kata-rss")
    assert result["failed"] and "the nearest is 'kata-rs'" in result["msg"]


def test_a_start_that_takes_too_long_leaves_nothing(host):
    result = host.smoke("kata-rs", timeout=5)
    assert result["failed"] and "runp" in result["msg"], result["msg"]
    assert [one["passed"] for one in result["assertions"]] == [False, True], result["msg"]
    assert traces(host) == NOTHING


def test_what_a_killed_run_left_is_removed_by_the_next(host):
    running = host.modules.start("kata_smoke", {"handler": "runc", "image": IMAGE})
    deadline = time.monotonic() + 120
    # Nothing else on this host is run by Python.
    kill = f"{CRICTL} pods --quiet | grep -q . && pkill -9 -x python3 && echo killed || true"
    while "killed" not in host.machine.run(kill):
        assert time.monotonic() < deadline and running.poll() is None, running.communicate()
    running.communicate(timeout=120)
    left = host.machine.run(f"{CRICTL} pods --quiet --no-trunc").split()
    assert len(left) == 1, "it was killed before it could take its pod away"
    result = host.smoke("runc")
    assert result["removed"] == left
    assert traces(host) == NOTHING
