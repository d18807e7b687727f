# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kata_host_info says of a host that can run Kata pods, and of the same host with a piece missing."""

from __future__ import annotations

QEMU = {"qemu", "qemu-runtime-rs"}


def offered(facts):
    return {one["name"] for one in facts["handlers"] if one["offered"]}


def modules(host):
    return sorted(line.split()[0] for line in host.machine.run("cat /proc/modules").splitlines())


def test_it_can_run_a_guest_and_looking_changes_nothing(bare):
    before = modules(bare)
    facts = bare.modules.must("kata_host_info", timeout=60)
    assert modules(bare) == before
    assert facts["changed"] is False
    assert facts["kata"]["kvm"]["usable"] and facts["kata"]["kvm"]["level"] == "run", facts["kata"]["kvm"]
    assert facts["kata"]["cpu"]["virtualization"] == "svm"
    assert QEMU <= offered(facts)
    assert facts["kata"]["runtimes"]["containerd"]["version"] in bare.machine.run("containerd --version")
    for one in facts["handlers"]:
        assert one["offered"] == (not one["reasons"])


def test_without_vsock_no_handler_with_qemu_is_offered_and_the_reason_is_said(bare):
    bare.machine.run("modprobe -r vhost_vsock && rm -f /dev/vhost-vsock")
    try:
        before = modules(bare)
        facts = bare.modules.must("kata_host_info", timeout=60)
        assert modules(bare) == before, "looking loads no module"
    finally:
        bare.machine.run("modprobe vhost_vsock && udevadm settle && test -e /dev/vhost-vsock")
    assert not QEMU & offered(facts)
    for one in facts["handlers"]:
        if one["name"] in QEMU:
            assert "vhost_vsock" in " ".join(one["reasons"])
