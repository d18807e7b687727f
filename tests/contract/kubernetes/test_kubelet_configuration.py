# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's configuration, decoded as strictly as the kubelet decodes it."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes

DECLARED = {
    "handlers": [{"name": "kata-qemu-nvidia-gpu-runtime-rs", "pool": "h200"}],
    "pools": [{"name": "h200", "model": "H200", "count": 8}],
}


@pytest.fixture
def decode(programs, tmp_path):
    """What the kubelet understands, or the sentence with which it refuses."""
    def decoded(configuration):
        path = tmp_path / "kubelet.conf"
        path.write_text(json.dumps(configuration), encoding="utf-8")
        done = subprocess.run([programs / "kubelet-configuration", path], capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else json.loads(done.stdout)

    return decoded


@pytest.mark.parametrize(("version", "gates", "seconds", "timeout"), [
    ("1.33", {"KubeletPodResourcesGet": True}, 1200, "20m0s"), ("1.36", None, 5000, "1h23m20s")])
def test_the_fragment_is_understood(decode, version, gates, seconds, timeout):
    rendered = kubernetes.render(dict(DECLARED, kubernetes=version, kubelet={"container_timeout": seconds}))
    found = decode(rendered["kubelet"]["configuration"])
    assert found["runtimeRequestTimeout"] == timeout
    assert found.get("featureGates") == gates


def test_the_reader_is_strict(decode):
    configuration = kubernetes.render(dict(DECLARED, kubernetes="1.36"))["kubelet"]["configuration"]
    assert 'unknown field "runtimeRequestTimout"' in decode(dict(configuration, runtimeRequestTimout="1s"))
