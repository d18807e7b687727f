# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values for NVIDIA's GPU Operator: Kata's mode, one owner of each task, and one name for each resource."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    CONFIDENTIAL,
    GPUS,
    PLAIN,
    changed,
)

# The first level of keys of the chart's values.yaml at a22dbf67 that we write to.
CHART = {"ccManager", "daemonsets", "driver", "kataManager", "kataSandboxDevicePlugin", "nfd", "operator",
         "sandboxWorkloads", "toolkit", "validator", "vfioManager"}


def values(declaration):
    return kubernetes.render(declaration)["gpu_operator"]


def operator(**options):
    return changed(GPUS, "gpu_operator", value=dict({"version": "v26.3.0"}, **options))


def second_pool(first=None, second=None):
    return dict(
        changed(GPUS, "pools", 0, "resource", value=first),
        pools=[dict(GPUS["pools"][0], resource=first),
               {"name": "l40s", "model": "L40S", "count": 4, "resource": second}])


def test_sandboxes_are_katas():
    found = values(GPUS)
    assert set(found) <= CHART
    assert found["sandboxWorkloads"] == {"enabled": True, "mode": "kata", "defaultWorkload": "vm-passthrough"}
    assert found["kataManager"] == {"enabled": False}
    assert found["driver"] == found["toolkit"] == {"enabled": False}
    assert found["vfioManager"] == {"enabled": False}
    assert found["ccManager"] == {"enabled": True, "defaultMode": "off"}
    assert {"key": "sovereign.region/kata", "operator": "Exists", "effect": "NoSchedule"} in found["daemonsets"][
        "tolerations"]


def test_other_nodes_can_have_containers_and_the_operator_can_bind():
    found = values(operator(containers=True, bind=True, registry="mirror.example.org/nvcr/"))
    assert found["sandboxWorkloads"]["defaultWorkload"] == "container"
    assert found["driver"]["enabled"] is found["vfioManager"]["enabled"] is True
    assert found["kataSandboxDevicePlugin"]["repository"] == "mirror.example.org/nvcr/nvidia/cloud-native"
    assert found["vfioManager"]["driverManager"]["repository"] == "mirror.example.org/nvcr/nvidia/cloud-native"
    assert found["operator"]["repository"] == "mirror.example.org/nvcr/nvidia"
    assert set(found) <= CHART


def test_resources_of_a_whole_node():
    assert kubernetes.render(GPUS)["resources"] == {"h200": {"nvidia.com/pgpu": "8", "nvidia.com/nvswitch": "4"}}


def test_models_that_have_names_of_their_own():
    rendered = kubernetes.render(second_pool("nvidia.com/GH100_H200_SXM_141GB", "nvidia.com/AD102GL_L40S"))
    assert rendered["gpu_operator"]["kataSandboxDevicePlugin"]["env"] == [{"name": "P_GPU_ALIAS", "value": ""}]
    assert rendered["resources"]["l40s"] == {"nvidia.com/AD102GL_L40S": "4"}


@pytest.mark.parametrize(("declaration", "said"), [
    (operator(version="v25.10.1"), "v25.10.1 has no mode for Kata, expected v26.3.0 or newer"),
    (operator(version="26"), "a version such as v26.3.0"),
    (dict(PLAIN, gpu_operator={"version": "v26.3.0"}), "no pool has NVIDIA's GPUs"),
    (second_pool("nvidia.com/GH100_H200_SXM_141GB"), "pools: l40s has no resource"),
    (second_pool("nvidia.com/pgpu", "nvidia.com/AD102GL_L40S"), "nvidia.com/pgpu beside nvidia.com/AD102GL_L40S"),
])
def test_what_the_operator_cannot_do(declaration, said):
    with pytest.raises(DeclarationError, match=said):
        kubernetes.render(declaration)


def test_confidential_pools_need_the_labels_of_their_nodes():
    found = values(CONFIDENTIAL)
    assert found["nfd"] == {"enabled": True, "nodefeaturerules": True}
    assert found["ccManager"]["defaultMode"] == "ppcie"
