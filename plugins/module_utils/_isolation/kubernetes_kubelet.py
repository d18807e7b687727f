# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet has to be told so that Kata can plug GPUs when it starts a sandbox.

Keys of kubelet.config.k8s.io/v1beta1, KubeletConfiguration. The feature gate and its history are those of
pkg/features/kube_features.go of Kubernetes 1.36.3.
"""

from __future__ import annotations

from .kubernetes_names import version

# Alpha in 1.27; on by default from 1.34; locked in 1.36 and gone in 1.37, where naming it stops the kubelet.
_GATE = "KubeletPodResourcesGet"
_GATE_FIRST = (1, 27)
_GATE_ON = (1, 34)
# The folder of drop-ins (--config-dir) works without a variable of its environment from 1.30.
_DROP_INS = (1, 30)
DROP_IN = "/etc/kubernetes/kubelet.conf.d/60-sovereign-region.conf"
# How long the guest's agent waits for an image without being told (Kata 4.1.0, agent.image_pull_timeout).
_AGENT_IMAGE_TIMEOUT = 1200


def render(declared, cold_plug):
    """Return what concerns the kubelet of a node.

    Args:
        declared: the declaration with every key.
        cold_plug: whether there are GPUs to be plugged.

    Returns:
        ``configuration`` (a fragment of KubeletConfiguration), ``drop_in`` (where it belongs, None for a kubelet
        without drop-ins: merge it into its own file), ``pod_resources_socket`` (for Kata's ``pod_resource_api_sock``,
        empty without GPUs) and ``kernel_params`` (words for the guest's kernel that go with the timeout).
    """
    kubelet, now = declared["kubelet"], version(declared["kubernetes"])
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # Longer than what the shim itself waits for, else the kubelet gives up first and the shim goes on alone.
        "runtimeRequestTimeout": "{0}s".format(kubelet["container_timeout"]),
    }
    if cold_plug and now < _GATE_ON:
        configuration["featureGates"] = {_GATE: True}
    slow = kubelet["container_timeout"] > _AGENT_IMAGE_TIMEOUT
    return {
        "configuration": configuration,
        "drop_in": DROP_IN if now >= _DROP_INS else None,
        "pod_resources_socket": kubelet["root"].rstrip("/") + "/pod-resources/kubelet.sock" if cold_plug else "",
        "kernel_params": ["agent.image_pull_timeout={0}".format(kubelet["container_timeout"])] if slow else [],
    }


def problems(declared, cold_plug):
    """Return why a kubelet cannot do what is declared, as sentences."""
    if cold_plug and version(declared["kubernetes"]) < _GATE_FIRST:
        return ["kubernetes: {0} cannot tell Kata which GPUs a pod has ({1} came with {2}.{3}); upgrade the cluster, "
                "or declare no pools".format(declared["kubernetes"], _GATE, *_GATE_FIRST)]
    return []
