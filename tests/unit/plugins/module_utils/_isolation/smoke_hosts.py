# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with a container runtime on which one pod is started and taken away."""

from __future__ import annotations

import json
import os
import shutil
import stat

from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke, smoke_host

BUNDLES = smoke_host.RUN_DIRECTORIES[0]
GPU = "0000:41:00.0"
ANSWER = "smoke 1\nrelease 6.18.35\nboot_id guest\nversion x\n{0}node char /dev/null\nend\n"


class Runtime:
    """A host with a container runtime, of which crictl and /proc show the same.

    fails: {a command of crictl: "status" or "timeout"}; a start that times out has started all the same, late.
    """

    def __init__(self, root, kind="vm"):
        self.root, self.kind = root, kind
        self.fails, self.calls, self.images, self.pods = {}, [], ["busybox"], {}
        self.seen_modes, self.number, self.on_call = [], 0, lambda command: None
        self.stubborn = False
        self.write("/proc/sys/kernel/osrelease", "6.12.107\n")
        self.write("/proc/sys/kernel/random/boot_id", "host\n")
        self.write("/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/vda rw\n")
        mine = self.stat(os.getpid())
        self.write("/proc/{0}/stat".format(os.getpid()), mine)
        self.host = Host(str(root), self.run)

    @staticmethod
    def stat(pid):
        return "{0} (python3) S 1 {1}\n".format(pid, " ".join(str(one) for one in range(1, 45)))

    def write(self, path, text):
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text, encoding="utf-8")

    def gpu(self, driver="vfio-pci"):
        folder = self.root / "sys/bus/pci/devices" / GPU
        for name, value in (("vendor", "10de"), ("device", "2335"), ("subsystem_vendor", "10de"),
                            ("subsystem_device", "18be")):
            self.write("/sys/bus/pci/devices/{0}/{1}".format(GPU, name), "0x{0}\n".format(value))
        (folder / "iommu_group").symlink_to("../../../kernel/iommu_groups/9")
        (folder / "driver").symlink_to("../../drivers/{0}".format(driver))

    def run(self, argv, _timeout):
        """Stands for crictl."""
        assert argv[0] == "crictl" and argv[1] == "--runtime-endpoint" and argv[5] == "--timeout"
        command, words = argv[7], argv[8:]
        self.calls.append(command)
        self.on_call(command)
        failing = self.fails.get(command)
        if failing == "status":
            return Finished(tuple(argv), 1, "", "the runtime says no\n")
        printed = getattr(self, "do_" + command)(words)
        if failing == "timeout":
            return Finished(tuple(argv), None, "", "")
        return Finished(tuple(argv), 0, printed)

    def do_info(self, _words):
        return json.dumps({"config": {"containerd": {"runtimes": {"runc": {}, "kata": {}}}}})

    def do_images(self, words):
        return json.dumps({"images": [{"id": "x"}] if words[-1] in self.images else []})

    def do_pods(self, words):
        wanted = [one.split("=", 1) for one in words[3::2]]
        return json.dumps({"items": [
            {"id": name, "labels": pod["labels"]} for name, pod in self.pods.items()
            if all(pod["labels"].get(key) == value for key, value in wanted)]})

    def do_runp(self, words):
        assert words[:2] == ["--runtime", "kata"]
        self.seen_modes.append(stat.S_IMODE(os.stat(words[2]).st_mode))
        self.number += 1
        name = "{0:064x}".format(self.number)
        with open(words[2], encoding="utf-8") as stream:
            self.pods[name] = json.load(stream)
        self.write("{0}/{1}/config.json".format(BUNDLES, name), json.dumps(self.pods[name]))
        self.write("/run/netns/cni-{0}".format(self.number), "")
        program = {"vm": "/usr/bin/qemu-system-x86_64", "runc": "/usr/bin/containerd-shim-runc-v2"}[self.kind]
        self.write("/proc/{0}/cmdline".format(9000 + self.number), "\0".join([program, "-name", "sandbox-" + name, ""]))
        self.write("/proc/{0}/stat".format(9000 + self.number), self.stat(9000 + self.number))
        return name + "\n"

    def do_inspectp(self, words):
        number = int(words[0], 16)
        return json.dumps({"info": {"runtimeSpec": {"linux": {"namespaces": [
            {"type": "network", "path": "/run/netns/cni-{0}".format(number)}, {"type": "pid"}]}}}})

    def do_create(self, words):
        assert words[0] == "--no-pull" and words[1] in self.pods
        return "c" * 64 + "\n"

    def do_start(self, _words):
        return "c" * 64 + "\n"

    def do_exec(self, _words):
        return ANSWER.format("")

    def do_stopp(self, _words):
        return ""

    def do_rmp(self, words):
        name = words[-1]
        number = int(name, 16)
        self.pods.pop(name, None)
        if not self.stubborn:
            shutil.rmtree(str(self.root / "proc" / str(9000 + number)), ignore_errors=True)
            shutil.rmtree(str(self.root / BUNDLES.lstrip("/") / name), ignore_errors=True)
            (self.root / "run/netns" / "cni-{0}".format(number)).unlink(missing_ok=True)
        return ""

    def processes(self):
        return [path.parent.name for path in self.root.glob("proc/*/cmdline")]


def options(**changes):
    given = {key: one.get("default") for key, one in smoke.ARGUMENT_SPEC.items()}
    return dict(given, handler="kata", image="busybox", **changes)
