# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox through a handler that was wired here: gVisor's runsc, and another kernel answers in it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import tarfile
import time
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import execute
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_daemon import Running
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    ROOTS,
    SOCKET,
    SUITES,
    handler,
)

IMAGE = "test.example/pause:1"
# Without CAP_SYS_RESOURCE, as in a container, nobody may lower the score that the kernel's OOM killer goes by.
MAIN = """\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
"""
# A network of its own needs a kernel on which Debian's runsc recognizes one; what is asked here needs none.
WRAPPER = '#!/usr/bin/dash\nexec /usr/bin/runsc --network=none "$@"\n'
POD = {"metadata": {"name": "a", "uid": "u", "namespace": "default", "attempt": 0},
       "linux": {"security_context": {"namespace_options": {"network": 2}}}}


def image(path, busybox):
    """Writes an image with nothing but busybox, in the format of `docker save`."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as inner:
        for folder in ("bin", "proc", "sys", "dev", "etc", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            inner.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = busybox.stat().st_size, 0o755
        with busybox.open("rb") as stream:
            inner.addfile(entry, stream)
    layer = layer.getvalue()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sleep", "100000"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as outer:
        for name, content in (("config.json", config), ("layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            outer.addfile(entry, io.BytesIO(content))


@pytest.fixture()
def parent():
    """The cgroup of the sandboxes; what is left of it, with nobody in it any more, is removed."""
    name = "sovereign-region-test-{0}".format(os.getpid())
    yield "/" + name
    for folder in sorted(Path("/sys/fs/cgroup").glob("**/" + name + "/**/"), reverse=True):
        for _attempt in range(50):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.1)


@pytest.mark.parametrize("suite", SUITES[1:])
def test_another_kernel_answers_in_a_sandbox(tmp_path, suite, parent):
    with Running(tmp_path, suite, MAIN) as host:
        host.write("/opt/runsc", WRAPPER).chmod(0o755)
        image(tmp_path / "opt/image.tar", ROOTS / suite / "usr/bin/busybox")
        imported = host.ctr("-n", "k8s.io", "images", "import", "/opt/image.tar")
        assert imported.ok, imported.stderr
        wanted = handler("gvisor", runtime_type="io.containerd.runc.v2", runtime_path=None, config_path=None,
                         options={"BinaryName": "/opt/runsc"})
        host.converge([wanted], sandbox_image=IMAGE, allow_interruption=True)
        host.write("/opt/pod.json", json.dumps(dict(POD, linux=dict(POD["linux"], cgroup_parent=parent))))
        crictl = [host.crictl, "--runtime-endpoint", f"unix://{host.root}{SOCKET}", "--timeout", "60s"]
        refused = execute([*crictl, "runp", "--runtime", "nowhere", f"{host.root}/opt/pod.json"], 60)
        assert not refused.ok and "no runtime for" in refused.stderr
        started = execute([*crictl, "runp", "--runtime", "gvisor", f"{host.root}/opt/pod.json"], 90)
        assert started.ok, started.stderr + host.log.read_text()[-2000:]
        sandbox = started.stdout.split()[-1]
        asked = host.ctr("-n", "k8s.io", "tasks", "exec", "--exec-id", "ask", sandbox, "/bin/busybox", "uname", "-r")
        assert asked.ok, asked.stderr + host.log.read_text()[-2000:]
        assert asked.stdout.strip() and asked.stdout.strip() != platform.release()
        # Debian has no shim of gVisor's own, and that of runc does not hear when a sandbox of runsc ends: what is left
        # ends with the process namespace of the daemon.
        host.converge([dict(wanted, state="absent")], sandbox_image="", allow_interruption=True)
        assert host.read("/etc/containerd/config.toml") == MAIN
