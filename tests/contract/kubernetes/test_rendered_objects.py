# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered for Kubernetes, judged by its own API server: taken strictly, and doing what it is meant to do."""

from __future__ import annotations

import copy
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes, runtime_classes_overheads
from ansible_collections.sovereign.region.tests.contract.kubernetes.api_server import Denied

DECLARED = {
    "kubernetes": "1.36",
    "namespaces": ["tenant-a", "tenant-b"],
    "annotations": ["io.katacontainers.config.hypervisor.cc_init_data"],
    "node_features": True,
    "handlers": [
        {"name": "kata", "handler": "kata-qemu-runtime-rs"},
        {"name": "kata-qemu-nvidia-gpu-runtime-rs", "pool": "h200",
         "sizing": {"memory_mib": 12345, "cpus": 1.5, "timeout": 1200, "devices": 12, "pcie_root_port": 12}},
        {"name": "kata-qemu-nvidia-gpu-snp-runtime-rs", "pool": "h200-snp"},
    ],
    "pools": [
        {"name": "h200", "model": "H200", "count": 8, "nvswitches": 4},
        {"name": "h200-snp", "model": "H200", "count": 8, "nvswitches": 4, "tee": "snp"},
    ],
    "nodes": [{"name": "gpu-1", "pool": "h200"}, {"name": "gpu-2", "pool": "h200-snp"}, {"name": "cpu-1"}],
    "gpu_operator": {"version": "v26.3.0"},
}
DEBUG = "kata-qemu-runtime-rs-debug"


def runtime_class(name):
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name}


def pod(name, runtime_class_name=None, annotations=None, limits=None):
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "main", "image": "mirror.example.org/image:1"}]}}
    if runtime_class_name:
        made["spec"]["runtimeClassName"] = runtime_class_name
    if annotations:
        made["metadata"]["annotations"] = annotations
    if limits:
        made["spec"]["containers"][0]["resources"] = {"limits": limits}
    return made


@pytest.fixture(scope="module")
def rendered():
    return kubernetes.render(DECLARED)


@pytest.fixture(scope="module")
def cluster(api, rendered):
    """The server with tenants, a pod and a class from before, and everything that is rendered; policies in force."""
    for name in ("tenant-a", "tenant-b", "other"):
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api.create(runtime_class(DEBUG))
    api.create(pod("from-before", annotations={"io.katacontainers.x": "1"}), "tenant-a")
    for one in rendered["manifests"]:
        api.try_out(one)
    for one in rendered["manifests"]:
        api.create(one)
    # The server reads policies a moment after they are there.
    end = time.monotonic() + 60
    waiting = [(pod("probe"), "tenant-a"), (pod("probe", DEBUG), "other"), (runtime_class("probe-debug"), "")]
    while waiting and time.monotonic() < end:
        try:
            api.try_out(*waiting[0])
            time.sleep(0.2)
        except Denied as denied:
            assert "ValidatingAdmissionPolicy" in denied.message
            waiting.pop(0)
    assert not waiting
    return api


def test_what_was_created_is_what_was_rendered(cluster, rendered):
    for one in rendered["manifests"]:
        applied = cluster.apply(one)
        assert applied["metadata"]["labels"] == one["metadata"]["labels"]
        for key in set(one) - {"metadata", "overhead"}:
            assert contains(applied[key], one[key])


def contains(whole, part):
    """Whether all of a part is in the whole, which may have defaults beside it."""
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return whole == part


def test_applying_it_again_changes_nothing(cluster, rendered):
    first = [cluster.apply(one)["metadata"]["resourceVersion"] for one in rendered["manifests"]]
    assert [cluster.apply(one)["metadata"]["resourceVersion"] for one in rendered["manifests"]] == first


def test_the_server_is_strict(cluster, rendered):
    one = copy.deepcopy(rendered["manifests"][0])
    one["metadata"]["name"] = "kata-other"
    one["overhead"]["podFixd"] = one["overhead"].pop("podFixed")
    with pytest.raises(Denied, match=r'unknown field "overhead\.podFixd"'):
        cluster.try_out(one)
    policy = copy.deepcopy(next(one for one in rendered["manifests"] if one["kind"] == "ValidatingAdmissionPolicy"))
    policy["metadata"]["name"] = "other"
    policy["spec"]["validations"][0]["expression"] += " &&"
    with pytest.raises(Denied, match="compilation failed"):
        cluster.try_out(policy)


@pytest.mark.parametrize("namespace", ["tenant-a", "tenant-b"])
@pytest.mark.parametrize("name", [None, "runc"])
def test_a_pod_without_a_machine_of_its_own_is_denied(cluster, namespace, name):
    if name:
        try:
            cluster.create(runtime_class(name))
        except Denied as denied:
            assert denied.status == 409
    with pytest.raises(Denied, match=r"set spec\.runtimeClassName to one of kata, kata-qemu") as caught:
        cluster.create(pod("plain", name), namespace)
    assert caught.value.status == 403


def test_other_namespaces_are_as_they_were(cluster):
    cluster.create(pod("plain"), "other")
    cluster.create(pod("annotated", annotations={"io.katacontainers.config.x": "1"}), "other")


def test_a_pod_with_a_class_gets_its_overhead_and_its_nodes(cluster):
    spec = cluster.create(pod("small", "kata"), "tenant-a")["spec"]
    assert spec["overhead"] == {"cpu": "250m", "memory": "320Mi"}
    assert spec["nodeSelector"] == {"katacontainers.io/kata-runtime": "true"}


def test_a_pod_with_gpus_gets_through_the_taint_of_its_pool(cluster, rendered):
    made = pod("large", "kata-qemu-nvidia-gpu-runtime-rs", limits=dict(rendered["resources"]["h200"], memory="64Gi"))
    spec = cluster.create(made, "tenant-a")["spec"]
    assert spec["overhead"] == {"cpu": "1500m", "memory": "12345Mi"}
    assert spec["nodeSelector"]["sovereign.region/pool"] == "h200"
    assert {"key": "sovereign.region/kata", "operator": "Equal", "value": "h200", "effect": "NoSchedule"} in spec[
        "tolerations"]
    assert spec["containers"][0]["resources"]["requests"]["nvidia.com/pgpu"] == "8"


def test_a_confidential_pod_takes_a_key(cluster):
    spec = cluster.create(pod("secret", "kata-qemu-nvidia-gpu-snp-runtime-rs"), "tenant-a")["spec"]
    assert spec["overhead"] == {"cpu": "1", "memory": "10Gi", "sev-snp.amd.com/esids": "1"}
    assert spec["nodeSelector"]["amd.feature.node.kubernetes.io/snp"] == "true"


def test_annotations_of_kata_are_denied_but_for_those_allowed(cluster):
    allowed = {"io.katacontainers.config.hypervisor.cc_init_data": "eA==", "example.org/a": "b"}
    cluster.create(pod("allowed", "kata", allowed), "tenant-a")
    with pytest.raises(Denied, match="are not allowed in this namespace, except .*cc_init_data"):
        cluster.create(pod("bad", "kata", {"io.katacontainers.config.hypervisor.kernel_params": "x"}), "tenant-a")
    with pytest.raises(Denied, match="are not allowed"):
        cluster.patch("Pod", "allowed", {"metadata": {"annotations": {"io.katacontainers.y": "1"}}}, "tenant-a")


def test_a_pod_from_before_can_still_be_changed_and_go(cluster):
    cluster.patch("Pod", "from-before", {"metadata": {"labels": {"a": "b"}}}, "tenant-a")
    with pytest.raises(Denied, match="are not allowed"):
        cluster.patch("Pod", "from-before", {"metadata": {"annotations": {"io.katacontainers.x": "2"}}}, "tenant-a")
    cluster.patch("Pod", "from-before", {"metadata": {"annotations": {"io.katacontainers.x": None}}}, "tenant-a")
    cluster.delete("Pod", "from-before", "tenant-a")


def test_nobody_takes_a_namespace_out(cluster):
    cluster.patch("Namespace", "tenant-b", {"metadata": {"labels": {"kubernetes.io/metadata.name": "other"}}})
    with pytest.raises(Denied, match=r"set spec\.runtimeClassName"):
        cluster.create(pod("plain"), "tenant-b")


def test_debugging_is_denied_everywhere_in_production(cluster):
    with pytest.raises(Denied, match="this cluster is in production"):
        cluster.create(pod("debug", DEBUG), "other")
    # Here two policies say no, and either is named.
    with pytest.raises(Denied, match="sovereign-region-kata-(isolated|no-debug-pods)"):
        cluster.create(pod("debug", DEBUG), "tenant-a")


@pytest.mark.parametrize(("name", "handler"), [
    ("kata-clh-debug", "kata-clh"), ("harmless", "kata-qemu-devkit"), ("kata-qemu-devkit", "kata-qemu")])
def test_no_class_leads_to_a_debugging_handler(cluster, name, handler):
    with pytest.raises(Denied, match="this cluster is in production"):
        cluster.create(dict(runtime_class(name), handler=handler))


def test_nodes_take_their_labels_and_taints(cluster, rendered):
    for name, node in rendered["nodes"].items():
        made = cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": node["labels"]},
                               "spec": {"taints": node["taints"]}})
        assert node["labels"].items() <= made["metadata"]["labels"].items()
        assert all(taint in made["spec"].get("taints", []) for taint in node["taints"])


def test_policies_for_many_tenants_are_within_the_servers_budget(cluster):
    declared = {"kubernetes": "1.36", "namespaces": ["tenant-{0}".format(number) for number in range(300)],
                "annotations": ["io.katacontainers.a{0}".format(number) for number in range(60)],
                "handlers": [{"name": "kata-{0}".format(number), "shim": "qemu"} for number in range(90)]}
    for one in kubernetes.render(declared)["manifests"]:
        one["metadata"]["name"] += "-many"
        cluster.try_out(one)


def test_every_shim_of_upstream_has_a_class_that_is_taken(cluster):
    declared = {"kubernetes": "1.36", "production": False, "node_features": True,
                "handlers": [{"name": "kata-" + shim} for shim in runtime_classes_overheads.UPSTREAM]}
    declared["handlers"].append({"name": "a" * 63, "shim": "fc", "overhead": {"memory": "1Gi", "cpu": "0.125"}})
    for one in kubernetes.render(declared)["manifests"]:
        one["metadata"]["name"] = "x" + one["metadata"]["name"]
        assert cluster.try_out(one)["overhead"]["podFixed"]
