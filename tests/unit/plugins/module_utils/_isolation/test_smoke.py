# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod is always taken away again, whichever command fails, hangs or is interrupted; nothing is started in vain."""

from __future__ import annotations

import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError, Refused
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke, smoke_cri
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.smoke_hosts import (
    ANSWER,
    BUNDLES,
    GPU,
    Runtime,
    options,
)


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
