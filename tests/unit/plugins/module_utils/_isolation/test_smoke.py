# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod is always taken away again, whichever command fails, hangs or is interrupted; nothing is started in vain."""

from __future__ import annotations

import json
import os
import shutil
import stat

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError, Refused
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke, smoke_cri, smoke_host

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


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setattr(smoke_cri.Cri, "pause", lambda self: None)
    (tmp_path / "root").mkdir()
    return Runtime(tmp_path / "root")


def smoked(runtime, check_mode=False, signals=None, **changes):
    private = runtime.root / "tmp"
    private.mkdir(mode=0o700, exist_ok=True)
    return smoke.execute(runtime.host, options(**changes), check_mode, "/tmp", signals)


@pytest.fixture(autouse=True)
def files_of_the_host(monkeypatch):
    """crictl reads its files by the path on the machine; here the host lies below a root."""
    written = smoke_cri.Cri._write
    monkeypatch.setattr(smoke_cri.Cri, "_write",
                        lambda self, name, content: self.host.root + written(self, name, content))


def test_a_virtual_machine_passes_and_nothing_is_left(runtime):
    result = smoked(runtime)
    assert result["passed"], result["msg"]
    assert result["hypervisors"] == [{"pid": 9001, "name": "qemu-system-x86_64", "kvm": False}]
    assert result["changed"] is False
    assert (runtime.pods, runtime.processes()) == ({}, [])
    assert runtime.seen_modes == [0o600]


@pytest.mark.parametrize("privileged", [True, False])
def test_a_privileged_container_gets_a_privileged_sandbox(runtime, privileged):
    """containerd refuses it otherwise: no privileged container allowed in sandbox."""
    shown = []
    runtime.on_call = lambda command: shown.extend(runtime.pods.values()) if command == "create" else None
    container = smoke_cri.container_config("busybox", [], privileged)
    assert smoked(runtime, privileged=privileged)["passed"]
    for one in (shown[0], container):
        assert one["linux"]["security_context"]["privileged"] is privileged


def test_runc_is_not_a_virtual_machine(runtime):
    runtime.kind = "runc"
    runtime.do_exec = lambda _words: ANSWER.format("").replace("6.18.35", "6.12.107").replace("guest", "host")
    result = smoked(runtime)
    assert result["passed"] is False and "not a virtual machine" in result["msg"]
    assert (runtime.pods, runtime.processes()) == ({}, [])


@pytest.mark.parametrize("way", ["status", "timeout"])
@pytest.mark.parametrize("command", ["runp", "inspectp", "create", "start", "exec"])
def test_whatever_fails_the_pod_is_taken_away(runtime, command, way):
    runtime.fails = {command: way}
    result = smoked(runtime)
    assert result["passed"] is False
    assert [one["name"] for one in result["assertions"]] == ["sandbox", "torn down"]
    assert "crictl {0}".format(command) in result["assertions"][0]["message"]
    assert result["assertions"][1]["passed"], result["msg"]
    assert (runtime.pods, runtime.processes()) == ({}, [])


@pytest.mark.parametrize("command", ["runp", "inspectp", "create", "start", "exec"])
def test_a_signal_ends_it_in_good_order(runtime, command):
    signals = smoke.Signals()

    def note(called):
        signals.name = "SIGTERM" if called == command else signals.name

    runtime.on_call = note
    result = smoked(runtime, signals=signals)
    assert result["passed"] is False and "stopped by SIGTERM" in result["msg"]
    assert (runtime.pods, runtime.processes()) == ({}, [])


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


@pytest.mark.parametrize("command", ["runp", "create", "exec", "stopp"])
def test_what_a_killed_run_left_is_removed_by_the_next(runtime, command, monkeypatch):
    def die(called):
        if called == command:
            raise Killed

    runtime.on_call = die
    with monkeypatch.context() as patch, pytest.raises(Killed):
        if command != "stopp":
            patch.setattr(smoke, "tear_down", lambda *_: {})
        smoked(runtime)
    left = list(runtime.pods)
    runtime.on_call = lambda called: None
    # We are not dead in truth: for the next run the process with our number has to be another.
    runtime.write("/proc/{0}/stat".format(os.getpid()), "{0} (x) S 1 {1}".format(os.getpid(), "7 " * 40))
    result = smoked(runtime)
    assert result["passed"] and result["removed"] == left
    assert (runtime.pods, runtime.processes()) == ({}, [])


def test_the_pod_of_a_run_at_work_is_left_alone(runtime):
    other = smoke_cri.pod_config("other", smoke.owner(runtime.host), {})
    runtime.pods["f" * 64] = other
    assert smoked(runtime)["removed"] == []
    assert list(runtime.pods) == ["f" * 64]


def test_what_does_not_go_away_is_named(runtime, monkeypatch):
    monkeypatch.setattr(smoke, "LOOKS", 2)
    runtime.stubborn = True
    result = smoked(runtime)
    message = result["assertions"][-1]["message"]
    assert result["passed"] is False
    for words in ("qemu-system-x86_64 (pid 9001)", "/run/netns/cni-1", BUNDLES):
        assert words in message


def test_a_pod_that_cannot_be_removed_is_named(runtime, monkeypatch):
    monkeypatch.setattr(smoke, "LOOKS", 2)
    runtime.fails = {"stopp": "status", "rmp": "status"}
    result = smoked(runtime)
    assert result["passed"] is False and "the runtime says no" in result["msg"]


def test_check_mode_starts_nothing_and_says_what_it_would_do(runtime):
    result = smoked(runtime, check_mode=True)
    assert result["passed"] is None and result["obstacles"] == []
    assert result["would"][0].startswith("start a sandbox with the runtime handler kata")
    assert set(runtime.calls) <= {"info", "images"}
    assert os.listdir(runtime.root / "tmp") == []


@pytest.mark.parametrize(("changes", "words"), [
    ({"handler": "kata-qemu"}, "the nearest is 'kata'"),
    ({"image": "nothing"}, "ctr --namespace k8s.io images import"),
    ({"devices": [{"address": "0000:99:00.0", "cdi": None}]}, "no PCI function of this host"),
    ({"devices": [{"address": GPU, "cdi": None}]}, "hand it to VFIO first"),
])
def test_what_cannot_be_is_refused_before_anything_is_started(runtime, changes, words):
    runtime.gpu(driver="nvidia")
    given = dict(options(), **changes)
    with pytest.raises(Refused, match=words):
        smoke.execute(runtime.host, given, False, "/tmp")
    assert words in smoke.execute(runtime.host, given, True, "/tmp")["obstacles"][0]
    assert not set(runtime.calls) & {"runp", "create", "rmp"}


def test_a_runtime_that_does_not_answer_is_refused(runtime):
    runtime.fails = {"info": "timeout"}
    with pytest.raises(Refused, match="set crictl to the path"):
        smoked(runtime)


def test_a_device_reaches_the_container_by_its_group_or_by_cdi(runtime):
    runtime.gpu()
    runtime.do_exec = lambda _words: ANSWER.format("pci 0000:01:00.0 0x10de 0x2335 0x10de 0x18be\n")
    device = runtime.root / "proc/9001/fd"

    def hold(command):
        if command == "exec":
            device.mkdir(parents=True)
            (device / "5").symlink_to("/dev/vfio/9")

    runtime.on_call = hold
    result = smoked(runtime, devices=[{"address": GPU, "cdi": None}])
    assert result["passed"], result["msg"]
    with_node = smoke_cri.container_config("busybox", [{"node": "/dev/vfio/9", "cdi": None}], False)
    assert with_node["devices"][0]["host_path"] == "/dev/vfio/9" and with_node["CDI_devices"] == []
    by_name = smoke_cri.container_config("busybox", [{"node": "/dev/vfio/9", "cdi": "nvidia.com/pgpu=0"}], False)
    assert by_name["devices"] == [] and by_name["CDI_devices"] == [{"name": "nvidia.com/pgpu=0"}]


@pytest.mark.parametrize(("changes", "word"), [
    ({"handler": "kata qemu"}, "handler"), ({"image": " "}, "image"), ({"timeout": 0}, "timeout"),
    ({"runtime_endpoint": "/run/x.sock"}, "runtime_endpoint"), ({"annotations": {"a": 1}}, "annotations.a"),
    ({"devices": [{"address": "41:00.0", "cdi": None}]}, "devices[0].address"),
    ({"devices": [{"address": GPU, "cdi": None}] * 2}, "there twice"),
])
def test_bad_options_are_named(runtime, changes, word):
    with pytest.raises(DeclarationError) as caught:
        smoke.execute(runtime.host, dict(options(), **changes), False, "/tmp")
    assert word in str(caught.value)
    assert runtime.calls == []


def test_handlers_are_read_from_what_runtimes_print():
    containerd = {"config": {"containerd": {"runtimes": {"runc": {}, "kata": {}}}}}
    assert smoke_cri.handler_names(containerd) == ["kata", "runc"]
    assert smoke_cri.handler_names({"runtimeHandlers": [{"name": ""}, {"name": "kata"}]}) == ["kata"]
    assert [smoke_cri.handler_names(one) for one in (None, {}, {"config": None}, [])] == [None] * 4
