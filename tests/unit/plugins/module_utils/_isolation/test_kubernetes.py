# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declaration to what a cluster and its nodes are told: whole, pure, and refused where it cannot be right."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    CONFIDENTIAL,
    GPUS,
    PLAIN,
    changed,
)
from hypothesis import given
from hypothesis import strategies as st


def refused(declaration):
    """Every problem of a declaration."""
    with pytest.raises(DeclarationError) as caught:
        kubernetes.render(declaration)
    return caught.value.problems


def kinds(rendered):
    return [(one["kind"], one["metadata"]["name"]) for one in rendered["manifests"]]


@pytest.mark.parametrize("declaration", [PLAIN, GPUS, CONFIDENTIAL])
def test_a_declaration_is_rendered_the_same_each_time_and_is_left_alone(declaration):
    before = copy.deepcopy(declaration)
    rendered = kubernetes.render(declaration)
    assert declaration == before
    assert kubernetes.render(declaration) == rendered
    assert json.loads(json.dumps(rendered)) == rendered


def test_manifests_are_classes_then_policies_with_their_bindings():
    assert kinds(kubernetes.render(PLAIN)) == [
        ("RuntimeClass", "kata-qemu-runtime-rs"),
        ("ValidatingAdmissionPolicy", "sovereign-region-kata-isolated"),
        ("ValidatingAdmissionPolicyBinding", "sovereign-region-kata-isolated"),
        ("ValidatingAdmissionPolicy", "sovereign-region-kata-no-debug-pods"),
        ("ValidatingAdmissionPolicyBinding", "sovereign-region-kata-no-debug-pods"),
        ("ValidatingAdmissionPolicy", "sovereign-region-kata-no-debug-classes"),
        ("ValidatingAdmissionPolicyBinding", "sovereign-region-kata-no-debug-classes"),
    ]


def test_without_namespaces_and_production_there_is_no_policy():
    rendered = kubernetes.render({"kubernetes": "1.29", "production": False, "handlers": PLAIN["handlers"]})
    assert [kind for kind, name in kinds(rendered)] == ["RuntimeClass"]
    assert rendered["warnings"] == ["namespaces: none, so no pod has to run in a virtual machine of its own"]
    assert rendered["gpu_operator"] is rendered["trustee"] is None


def test_the_selector_of_the_policy_cannot_be_taken_off_a_namespace():
    binding = next(one for one in kubernetes.render(PLAIN)["manifests"] if one["kind"].endswith("Binding"))
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["tenant-a", "tenant-b"]}]
    assert binding["spec"]["validationActions"] == ["Deny"]


def test_what_is_not_declared_right_is_said_all_at_once():
    found = refused({
        "kubernetes": "1.20", "namespaces": ["kube-system"],
        "handlers": [{"name": "kata-qemu-runtime-rs-debug"}, {"name": "kata-fc", "pool": "h20"}, {"name": "mine"},
                     {"name": "kata-fc"}],
        "pools": [{"name": "h200", "model": "H200", "count": 8}],
        "nodes": [{"name": "n", "pool": "h2oo"}],
    })
    assert [sentence.split(":")[0] for sentence in found] == [
        "kubernetes", "namespaces[0]", "handlers[3].name", "handlers[0]", "handlers[1].pool", "handlers[2].overhead",
        "nodes[0].pool", "kubernetes"]
    assert "the nearest is 'h200'" in " ".join(found)


@pytest.mark.parametrize(("path", "value", "said"), [
    (("handlers",), [], "handlers: an empty list, expected at least 1"),
    (("handlers", 0, "name"), "Kata", "handlers[0].name: \"Kata\", expected a name of a-z, 0-9 and -"),
    (("handlers", 0, "overhed"), {}, "nearest: 'overhead'"),
    (("handlers", 0, "overhead"), {"memory": "320M", "cpu": "1"}, "an amount of memory such as 320Mi"),
    (("handlers", 0, "overhead"), {"memory": "320Mi"}, "handlers[0].overhead.cpu: missing"),
    (("handlers", 0, "shim"), "qemu-runtime", "the nearest is 'qemu-runtime-rs'"),
    (("handlers", 0, "debug"), "yes", "handlers[0].debug: \"yes\", expected true or false"),
    (("handlers", 0, "debug"), True, "handlers[0]: kata-qemu-runtime-rs is for debugging"),
    (("kubernetes",), "2.0", "a version of Kubernetes such as \"1.34\""),
    (("kubernetes",), 1.3, "kubernetes: 1.3, expected a version of Kubernetes"),
    (("kubernetes",), "1.34\n", "expected a version of Kubernetes"),
    (("kubernetes",), "1.28", "has no ValidatingAdmissionPolicy"),
    (("annotations",), ["cc_init_data"], "an annotation of Kata Containers such as"),
    (("annotations",), ["io.katacontainers.a/b"], "an annotation of Kata Containers such as"),
    (("pools",), [{"name": "h200_", "model": "H200", "count": 8}], "pools[0].name: \"h200_\", expected a name of"),
    (("pools",), [{"name": "a", "model": "A", "count": 8, "resource": "a..b/c"}], "the name of an extended resource"),
    (("namespaces",), ["a", "a"], "each item once"),
    (("kubelet",), {"container_timeout": 60}, "120 or more"),
    (("kubelet",), {"root": "var"}, "an absolute path"),
])
def test_a_mistake_is_said_with_its_place(path, value, said):
    assert any(said in sentence for sentence in refused(changed(PLAIN, *path, value=value)))


def test_overhead_and_sizing_are_one_thing():
    handler = {"name": "kata-qemu", "overhead": {"memory": "1Gi", "cpu": "1"}, "sizing": {"memory_mib": 1, "cpus": 1}}
    assert "expected one" in refused(changed(PLAIN, "handlers", value=[handler]))[0]


def test_a_pool_of_another_vendor_names_its_resource_and_has_no_switches():
    pool = {"name": "mi300x", "model": "MI300X", "vendor": "amd", "count": 8, "nvswitches": 4, "tee": "snp"}
    found = refused(dict(PLAIN, pools=[pool]))
    assert [sentence.split(":")[0] for sentence in found] == [
        "pools[0].nvswitches", "pools[0].tee", "pools[0].resource"]


@pytest.mark.parametrize(("handler", "tee", "said"), [
    ("kata-clh-runtime-rs", None, "clh-runtime-rs cannot take GPUs of pool h200"),
    ("kata-qemu-nvidia-gpu-snp", None, "starts snp guests, and the GPUs of pool h200 are for ordinary ones"),
    ("kata-qemu-nvidia-gpu", "tdx", "starts ordinary guests, and the GPUs of pool h200 are for tdx ones"),
])
def test_a_handler_fits_its_pool(handler, tee, said):
    declaration = changed(GPUS, "handlers", 1, "name", value=handler)
    declaration["pools"][0]["tee"] = tee
    assert any(said in sentence for sentence in refused(declaration))


def test_a_shim_was_configured_for_the_devices_of_its_pool_and_the_kubelet_waits_as_long():
    sizing = {"memory_mib": 900, "cpus": 1.5, "timeout": 1800, "devices": 8, "pcie_root_port": 8}
    found = refused(changed(GPUS, "handlers", 1, "sizing", value=sizing))
    assert found[0].startswith("kubelet.container_timeout: 1200, expected 1800 or more")
    assert found[1].startswith("handlers[1].sizing.devices: 8, expected 12 or more")


def test_a_pool_without_a_handler_is_told():
    assert kubernetes.render(changed(GPUS, "handlers", 1, "pool", value=None))["warnings"] == [
        "pools: no handler is for h200, so no RuntimeClass leads to it"]


def test_confidential_without_keys_or_attestation_is_told():
    declaration = changed(changed(CONFIDENTIAL, "attestation", value=None), "node_features", value=False)
    rendered = kubernetes.render(declaration)
    assert any("sev-snp.amd.com/esids" in one for one in rendered["warnings"])
    assert any(one.startswith("attestation: missing") for one in rendered["warnings"])
    assert rendered["node_feature_rules"] == []
    assert "sev-snp.amd.com/esids" not in json.dumps(rendered["manifests"])


def test_rules_for_nodes_go_with_what_classes_ask_for():
    rendered = kubernetes.render(CONFIDENTIAL)
    rule = rendered["node_feature_rules"][0]["spec"]["rules"][0]
    fixed = rendered["manifests"][0]["overhead"]["podFixed"]
    assert set(rule["extendedResources"]) < set(fixed)
    assert rule["labels"].items() <= rendered["manifests"][0]["scheduling"]["nodeSelector"].items()


NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.lists(NAMES, max_size=4, unique=True), st.booleans(), st.sampled_from(["1.30", "v1.34.2", "1.36"]),
       st.lists(st.sampled_from(["kata-qemu", "kata-clh", "kata-qemu-snp-runtime-rs", "kata-remote"]), min_size=1,
                unique=True))
def test_whatever_is_accepted_names_every_handler_in_the_policy(namespaces, production, version, handlers):
    rendered = kubernetes.render({
        "kubernetes": version, "production": production, "namespaces": namespaces,
        "handlers": [{"name": name} for name in handlers]})
    classes = [one for one in rendered["manifests"] if one["kind"] == "RuntimeClass"]
    assert [one["metadata"]["name"] for one in classes] == handlers
    policies = [one for one in rendered["manifests"] if one["metadata"]["name"] == "sovereign-region-kata-isolated"]
    assert len(policies) == (2 if namespaces else 0)
    if namespaces:
        expression = policies[0]["spec"]["validations"][0]["expression"]
        assert json.dumps(handlers) in expression


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["handlers", "kubernetes", "pools", "name", "nodes", "attestation", "x"]),
                        inner, max_size=4), max_leaves=12))
def test_nonsense_is_refused_and_never_breaks(value):
    with pytest.raises(DeclarationError):
        kubernetes.render(value)
