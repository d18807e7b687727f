# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: kata_kubernetes
short_description: What a Kubernetes cluster and its nodes have to be told about Kata Containers
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns RuntimeClasses with overhead, nodeSelector and tolerations, labels and taints of nodes, admission policies
    that keep pods without a virtual machine of their own out of namespaces, settings of the kubelet, CDI
    specifications, and values for the Helm charts of NVIDIA's GPU Operator and of Trustee.
  - It asks no cluster and no host anything. What is wrong with a declaration is said all at once, and nothing is
    returned then.
positional: _input
options:
  _input:
    description:
      - What is declared. Keys that are not described here are refused, with the nearest that exists.
      - C(kubernetes) is the version of the cluster, such as C("1.34"). Policies need 1.30.
      - C(production) (default C(true)) refuses debugging variants of handlers, here and in the cluster.
      - C(namespaces) are those in which every pod has to name one of the handlers. Annotations of Kata Containers are
        refused there too, except those listed in C(annotations).
      - C(node_features) says whether Node Feature Discovery runs with the rules for confidential guests.
      - C(handlers) is a list of C(name) (of the RuntimeClass), C(handler) (of the container runtime, the same if left
        out), C(shim) (taken from a name such as C(kata-qemu-runtime-rs)), C(pool), C(debug), and one of C(overhead)
        (with C(memory) and C(cpu)) and C(sizing) (as M(sovereign.region.kata_config) returns it). Without either the
        overhead is upstream's for the shim.
      - C(pools) is a list of C(name), C(model), C(vendor) (C(nvidia), C(amd) or C(intel)), C(count) of GPUs in each
        node, C(nvswitches), C(tee) (C(snp) or C(tdx) for confidential guests), C(resource) (the extended resource that
        its device plugin advertises) and C(taint) (default C(true), keeps all other pods away from its nodes).
      - C(nodes) is a list of C(name), C(pool) and C(devices), where no operator writes CDI specifications. Each device
        has C(address), and C(group) (number of its IOMMU group) or C(cdev) (such as C(vfio0)).
      - C(kubelet) has C(root) (default C(/var/lib/kubelet)) and C(container_timeout) in seconds (default 1200).
      - C(gpu_operator) has C(version) of the chart, C(registry) in place of nvcr.io, C(bind) (whether the operator
        binds GPUs to vfio-pci itself) and C(containers) (whether other nodes give GPUs to ordinary containers).
      - C(attestation) has C(jurisdictions), C(kbs) with C(url) and C(country), C(nvidia) with C(type) (C(local), the
        default, or C(remote)), C(url) and C(country), C(snp) with C(store) and C(node) or C(url) and C(country), C(tdx)
        with C(url) and C(country), C(keys_secret), C(tls_secret), and C(storage) and C(images) of C(kbs), C(as) and
        C(rvps). Where evidence would go to a country that is not among the jurisdictions, it is refused with the
        reason. C(measurements) are reference values by name, C(artefacts) a list of installed files with C(path),
        C(digest), C(version) and C(reference).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Render what the cluster has to be told
  ansible.builtin.set_fact:
    cluster: "{{ declared | sovereign.region.kata_kubernetes }}"
  vars:
    declared:
      kubernetes: "1.34"
      namespaces: [tenant-a]
      handlers:
        - name: kata-qemu-runtime-rs
        - name: kata-qemu-nvidia-gpu-runtime-rs
          pool: h200
      pools:
        - name: h200
          model: H200
          count: 8
          nvswitches: 4
      nodes:
        - name: gpu-1
          pool: h200
      gpu_operator:
        version: v26.3.0

- name: Apply it
  kubernetes.core.k8s:
    definition: "{{ item }}"
  loop: "{{ cluster.manifests }}"
"""

RETURN = r"""
_value:
  description:
    - Mapping with C(manifests) (objects in an order in which they can be created), C(node_feature_rules) (objects that
      need the definitions of Node Feature Discovery), C(nodes) (by name C(labels), C(taints) and C(cdi) with C(path),
      C(specification) and C(content)), C(kubelet) (C(configuration), C(drop_in), C(pod_resources_socket) and
      C(kernel_params)), C(resources) (by pool what a pod asks for to get all GPUs of a node), C(gpu_operator) (values
      of the chart), C(trustee) (C(values) of the chart, C(reference_values), C(reference_message) and
      C(kernel_params)) and C(warnings) (sentences).
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import DeclarationError
from ..module_utils._isolation.kubernetes import render


def kata_kubernetes(declaration):
    """Return what is rendered, or say everything that is wrong with the declaration."""
    try:
        return render(declaration)
    except DeclarationError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"kata_kubernetes": kata_kubernetes}
