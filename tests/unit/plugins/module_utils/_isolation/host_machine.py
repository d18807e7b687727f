# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated hosts for Kata, below a directory, whose device nodes and programs are said and not made."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import host_facts, host_nodes
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import RELEASE, Tree

AMD = ("processor\t: {0}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9654\n"
       "flags\t\t: fpu svm npt popcnt bmi1 bmi2 avx2\n\n")
INTEL = ("processor\t: {0}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu vmx avx2 bmi2\n"
         "vmx flags\t: vnmi ept vpid unrestricted_guest\n\n")
NUMBERS = {"kvm": 232, "vhost-vsock": 241, "vhost-net": 238, "tun": 200, "vfio": 196, "sev": 125}
RAN = [{"level": "openable", "ok": True, "api_version": 12}, {"level": "create_vm", "ok": True},
       {"level": "run", "ok": True, "exit": "io", "value": 127, "expected": 127,
        "instructions": ["long_mode", "paging", "exception", "sse2", "popcnt", "bmi2", "avx2"]}]


class Machine(Tree):
    """A host with everything that Kata needs, which tests take away from.

    Attributes:
        nodes: {path: (major, minor)} of character devices.
        programs: {name: what it prints}; others are absent.
        answers: what the child that asks KVM says, or a function of (arguments, timeout) that returns Finished.
        asked: arguments of the programs that were run.
    """

    def __init__(self, root, cpu=AMD):
        super().__init__(root)
        self.nodes = {path: (10, NUMBERS[driver]) for path, driver in host_nodes.NODES.values() if driver in NUMBERS}
        self.programs = {"containerd": "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+b4\n"}
        self.answers, self.asked = RAN, []
        self.write("proc/cpuinfo", "".join(cpu.format(number) for number in range(2)))
        self.write("proc/sys/kernel/arch", "x86_64\n")
        self.misc(NUMBERS)
        self.write("proc/net/unix", "Num RefCount Protocol Flags Type St Inode Path\n"
                                    "0000: 00000002 00000000 00010000 0005 01 1234 /run/systemd/journal/dev-log\n")
        self.link("dev/log", "/run/systemd/journal/dev-log")
        self.sockets = {"/run/systemd/journal/dev-log"}
        self.write("proc/self/mounts", "tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=8388608k,inode64 0 0\n")
        self.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n")
        self.write("sys/module/kvm_amd/parameters/nested", "1\n")
        self.write("sys/module/kvm/refcnt", "1\n")

    def misc(self, registered):
        """Say which drivers are registered."""
        self.write("proc/misc", "".join(f"{number:3} {name}\n" for name, number in registered.items()))

    def lose(self, *paths):
        """Take nodes and their drivers away."""
        for path in paths:
            self.nodes.pop(path, None)
        drivers = {driver for path, driver in host_nodes.NODES.values() if path in paths}
        self.misc({name: number for name, number in NUMBERS.items() if name not in drivers})

    def look(self, host, path):
        """Stands for host_nodes.look: a test cannot make device nodes."""
        if path in self.nodes:
            return {"kind": "character device", "number": self.nodes[path], "path": path}
        found = _LOOK(host, path)
        return dict(found, kind="socket") if found["path"] in self.sockets else found

    def run(self, argv, timeout):
        """Stands for the programs of the host."""
        self.asked.append(argv)
        if "-c" in argv:
            if callable(self.answers):
                return self.answers(argv, timeout)
            depth = argv[argv.index("-c") + 3]
            told = [one for one in self.answers if LEVELS.index(one["level"]) <= LEVELS.index(depth)]
            return Finished(tuple(argv), 0, "".join(json.dumps(one) + "\n" for one in told))
        if argv[0] not in self.programs:
            raise HostError(f"there is no program {argv[0]} on this host")
        if argv[1:] == ["config", "default"]:
            return Finished(tuple(argv), 0, "version = 2\n")
        return Finished(tuple(argv), 0, self.programs[argv[0]])

    def host(self):
        """The Host, whose programs are ours."""
        host = Host(str(self.root), self.run)
        host.program = lambda name: name if name in self.programs else None
        return host

    def facts(self, probe="run", timeout=20.0):
        """Return the facts and the handlers by name."""
        result = host_facts.execute(self.host(), {"root": str(self.root), "probe": probe, "timeout": timeout})
        return result["kata"], {one["name"]: one for one in result["handlers"]}


LEVELS = ("present", "openable", "create_vm", "run")
_LOOK = host_nodes.look


def made(tmp_path: Path, monkeypatch, cpu=AMD) -> Machine:
    """A Machine whose nodes the code sees."""
    machine = Machine(tmp_path / "host", cpu)
    monkeypatch.setattr(host_nodes, "look", machine.look)
    return machine


__all__ = ("AMD", "INTEL", "LEVELS", "NUMBERS", "RAN", "RELEASE", "Machine", "made")
