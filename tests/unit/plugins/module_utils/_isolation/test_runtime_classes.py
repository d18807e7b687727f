# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RuntimeClasses: upstream's overheads, computed ones, and the nodes that a class leads to."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes, runtime_classes_overheads
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    CONFIDENTIAL,
    GPUS,
    PLAIN,
    changed,
)
from hypothesis import given
from hypothesis import strategies as st


def classes(declaration):
    return {one["metadata"]["name"]: one for one in kubernetes.render(declaration)["manifests"]
            if one["kind"] == "RuntimeClass"}


def overhead(**handler):
    declaration = changed(PLAIN, "handlers", value=[dict({"name": "kata-qemu"}, **handler)])
    return kubernetes.render(declaration)["manifests"][0]["overhead"]["podFixed"]


# As upstream's chart has them, written down a second time.
@pytest.mark.parametrize(("name", "memory", "cpu"), [
    ("kata-clh-runtime-rs", "130Mi", "250m"), ("kata-fc", "130Mi", "250m"), ("kata-qemu", "320Mi", "250m"),
    ("kata-qemu-coco-dev", "160Mi", "250m"), ("kata-qemu-coco-dev-runtime-rs", "320Mi", "250m"),
    ("kata-qemu-snp", "2048Mi", "1.0"), ("kata-qemu-tdx-runtime-rs", "2048Mi", "1.0"),
    ("kata-qemu-se-runtime-rs", "1024Mi", "1.0"), ("kata-qemu-nvidia-gpu-runtime-rs", "10240Mi", "1.0"),
    ("kata-qemu-nvidia-cpu", "320Mi", "250m"), ("kata-remote", "120Mi", "250m"),
])
def test_overheads_are_upstreams(name, memory, cpu):
    assert overhead(name=name) == {"memory": memory, "cpu": cpu}


def test_a_handler_of_another_name_says_its_shim():
    assert overhead(name="kata", handler="kata-active", shim="qemu-runtime-rs") == {"memory": "320Mi", "cpu": "250m"}
    assert classes(changed(PLAIN, "handlers", value=[{"name": "kata", "handler": "kata-qemu"}]))["kata"][
        "handler"] == "kata-qemu"


def test_a_declared_overhead_is_taken_and_told_when_it_is_small():
    declaration = changed(PLAIN, "handlers", 0, "overhead", value={"memory": "256Mi", "cpu": "500m"})
    rendered = kubernetes.render(declaration)
    assert rendered["manifests"][0]["overhead"]["podFixed"] == {"memory": "256Mi", "cpu": "500m"}
    assert "less than upstream's 320Mi and 250m" in rendered["warnings"][0]
    assert overhead(name="own", overhead={"memory": "1Gi", "cpu": "1"}) == {"memory": "1Gi", "cpu": "1"}


def test_what_a_pool_needs_is_at_least_upstreams():
    assert overhead(sizing={"memory_mib": 4000, "cpus": 1.25}) == {"memory": "4000Mi", "cpu": "1250m"}
    assert overhead(sizing={"memory_mib": 100, "cpus": 0.1}) == {"memory": "320Mi", "cpu": "250m"}
    assert overhead(name="own", sizing={"memory_mib": 100, "cpus": 0.1}) == {"memory": "100Mi", "cpu": "100m"}


@given(st.integers(1, 10**6), st.floats(0, 1000), st.sampled_from([None, *runtime_classes_overheads.UPSTREAM]))
def test_computed_is_never_less_than_either(memory, cpus, shim):
    quantity, cpu = runtime_classes_overheads.computed(shim, {"memory_mib": memory, "cpus": cpus})
    least = runtime_classes_overheads.UPSTREAM.get(shim, ("0Mi", "0m"))
    assert runtime_classes_overheads.mebibytes(quantity) >= max(memory, runtime_classes_overheads.mebibytes(least[0]))
    assert runtime_classes_overheads.millicores(cpu) >= runtime_classes_overheads.millicores(least[1])
    assert runtime_classes_overheads.millicores(cpu) >= cpus * 1000 - 0.001


def test_a_class_without_a_pool_leads_to_every_node_with_kata():
    assert classes(GPUS)["kata-qemu-runtime-rs"]["scheduling"] == {
        "nodeSelector": {"katacontainers.io/kata-runtime": "true"}}


def test_a_class_of_a_pool_leads_to_its_nodes_and_through_their_taint():
    scheduling = classes(GPUS)["kata-qemu-nvidia-gpu-runtime-rs"]["scheduling"]
    nodes = kubernetes.render(GPUS)["nodes"]
    assert scheduling["nodeSelector"] == {
        "katacontainers.io/kata-runtime": "true", "sovereign.region/pool": "h200", "nvidia.com/cc.ready.state": "false"}
    taint = nodes["gpu-1"]["taints"][0]
    assert scheduling["tolerations"] == [dict(taint, operator="Equal")]
    assert nodes["cpu-1"] == {"labels": {"katacontainers.io/kata-runtime": "true"}, "taints": [], "cdi": None}


def test_nodes_have_what_classes_select():
    for declaration in (PLAIN, GPUS, CONFIDENTIAL):
        rendered = kubernetes.render(declaration)
        # What other programs set when they are done is not ours to set.
        theirs = {"nvidia.com/cc.ready.state", "amd.feature.node.kubernetes.io/snp"}
        for one in classes(declaration).values():
            selector = {k: v for k, v in one["scheduling"]["nodeSelector"].items() if k not in theirs}
            pool = selector.get("sovereign.region/pool")
            for node in rendered["nodes"].values():
                if node["labels"].get("sovereign.region/pool") == pool:
                    assert selector.items() <= node["labels"].items()


def test_a_confidential_class_takes_a_key_and_waits_for_the_gpus_mode():
    one = classes(CONFIDENTIAL)["kata-qemu-nvidia-gpu-snp-runtime-rs"]
    assert one["overhead"]["podFixed"] == {"memory": "10240Mi", "cpu": "1.0", "sev-snp.amd.com/esids": "1"}
    assert one["scheduling"]["nodeSelector"]["nvidia.com/cc.ready.state"] == "true"
    assert one["scheduling"]["nodeSelector"]["amd.feature.node.kubernetes.io/snp"] == "true"


@pytest.mark.parametrize(("model", "switches", "mode"), [
    ("H200", 4, "ppcie"), ("H100 80GB", 4, "ppcie"), ("H200", 0, "on"), ("B200", 4, "on")])
def test_hopper_with_switches_is_protected_as_one(model, switches, mode):
    declaration = changed(changed(CONFIDENTIAL, "pools", 0, "model", value=model), "pools", 0, "nvswitches",
                          value=switches)
    rendered = kubernetes.render(declaration)
    assert rendered["nodes"]["gpu-1"]["labels"]["nvidia.com/cc.mode"] == mode
    assert rendered["gpu_operator"]["ccManager"]["defaultMode"] == mode


def test_a_pool_can_be_left_without_a_taint():
    assert kubernetes.render(changed(GPUS, "pools", 0, "taint", value=False))["nodes"]["gpu-1"]["taints"] == []
