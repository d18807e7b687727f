# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's part of plugging GPUs: its feature gate only where it exists and is off, and a timeout long enough."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    GPUS,
    PLAIN,
    changed,
)


def kubelet(declaration, **options):
    return kubernetes.render(dict(declaration, **options))["kubelet"]


@pytest.mark.parametrize(("version", "gates"), [
    ("1.30", {"KubeletPodResourcesGet": True}), ("1.33", {"KubeletPodResourcesGet": True}),
    ("1.34", None), ("v1.36.3", None), ("1.37", None)])
def test_the_gate_is_named_only_where_it_is_off(version, gates):
    assert kubelet(GPUS, kubernetes=version)["configuration"].get("featureGates") == gates


def test_without_gpus_nothing_is_plugged():
    found = kubelet(PLAIN, kubernetes="1.30")
    assert found == {
        "configuration": {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
                          "runtimeRequestTimeout": "1200s"},
        "drop_in": "/etc/kubernetes/kubelet.conf.d/60-sovereign-region.conf",
        "pod_resources_socket": "",
        "kernel_params": [],
    }


def test_the_socket_is_below_the_kubelets_folder():
    found = kubelet(GPUS, kubelet={"root": "/data/kubelet/", "container_timeout": 1800})
    assert found["pod_resources_socket"] == "/data/kubelet/pod-resources/kubelet.sock"
    assert found["configuration"]["runtimeRequestTimeout"] == "1800s"
    assert found["kernel_params"] == ["agent.image_pull_timeout=1800"]


def test_an_old_cluster_cannot_tell_kata_its_gpus():
    old = {"production": False, "namespaces": []}
    with pytest.raises(DeclarationError, match=r"KubeletPodResourcesGet came with 1\.27"):
        kubelet(GPUS, kubernetes="1.26", **old)
    assert kubelet(GPUS, kubernetes="1.27", **old)["drop_in"] is None
    assert kubelet(changed(PLAIN, "namespaces", value=None), kubernetes="1.26", production=False)["drop_in"] is None
