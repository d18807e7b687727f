# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CDI specifications: the names that Kata looks for, one device a group, and nothing that it would plug wrongly."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cdi, kubernetes
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    GPUS,
    changed,
)
from hypothesis import given
from hypothesis import strategies as st

TWO = [{"address": "0000:19:00.0", "group": 12}, {"address": "0000:3b:00.0", "cdev": "vfio3"}]


def refused(kind, devices):
    with pytest.raises(DeclarationError) as caught:
        cdi.render(kind, devices)
    return caught.value.problems


def test_groups_and_cdevs_have_the_nodes_of_vfio():
    assert cdi.render("amd.com/gpu", TWO) == {
        "cdiVersion": "0.6.0",
        "kind": "amd.com/gpu",
        "devices": [
            {"name": "12", "annotations": {"sovereign.region/pci-address": "0000:19:00.0"},
             "containerEdits": {"deviceNodes": [{"path": "/dev/vfio/12"}]}},
            {"name": "vfio3", "annotations": {"sovereign.region/pci-address": "0000:3b:00.0"},
             "containerEdits": {"deviceNodes": [{"path": "/dev/vfio/devices/vfio3"}]}},
        ],
    }


def test_the_file_does_not_outlive_the_numbers_of_groups():
    assert cdi.file_of("intel.com/gpu") == "/var/run/cdi/intel.com-gpu.json"
    assert json.loads(cdi.text(cdi.render("intel.com/gpu", TWO)))["kind"] == "intel.com/gpu"


@pytest.mark.parametrize("kind", ["gpu", "amd.com", "/gpu", "amd.com/", "1amd.com/gpu", "amd.com/-gpu", "amd.com/gpu-",
                                  "amd com/gpu", "amd.com/gpu\n", "amd.com/a/b", ""])
def test_a_kind_has_a_vendor_and_a_class(kind):
    assert "is no kind of a CDI device, expected vendor/class" in refused(kind, TWO)[0]


@pytest.mark.parametrize(("device", "said"), [
    ({}, "has neither group nor cdev"),
    ({"group": 3, "cdev": "vfio3"}, "has both group and cdev"),
    ({"group": "vfio"}, "devices[1].group: 'vfio' is no number of an IOMMU group"),
    ({"group": "12/../../sda"}, "is no number of an IOMMU group"),
    ({"cdev": "../sda"}, "devices[1].cdev: '../sda' is no VFIO device"),
    ({"group": 9, "name": "a b"}, "devices[1].name: 'a b' is no name of a CDI device"),
    ({"group": 9, "name": "12"}, "devices[1].name: '12' is the name of 0000:19:00.0 already"),
    ({"group": "12"}, "has the same /dev/vfio/12 as 0000:19:00.0: what shares an IOMMU group goes to one guest"),
])
def test_a_device_that_cannot_be_one(device, said):
    found = refused("amd.com/gpu", [TWO[0], dict({"address": "0000:19:00.1"}, **device)])
    assert len(found) == 1
    assert said in found[0]


def test_no_device_is_no_specification():
    assert "no device, expected at least one" in refused("amd.com/gpu", [])[0]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 999)), min_size=1, max_size=20, unique=True))
def test_every_device_has_one_node_of_its_own(numbers):
    devices = [{"address": "0000:00:00.0", ("cdev" if cdev else "group"): "vfio{0}".format(n) if cdev else n}
               for cdev, n in numbers]
    rendered = cdi.render("amd.com/gpu", devices)
    paths = [node["path"] for one in rendered["devices"] for node in one["containerEdits"]["deviceNodes"]]
    assert len(paths) == len(set(paths)) == len(devices) == len({one["name"] for one in rendered["devices"]})
    assert all(re.fullmatch(r"/dev/vfio/(devices/vfio)?\d+", path) for path in paths)
    assert "/dev/vfio/vfio" not in paths


def without_operator(**node):
    return dict(changed(GPUS, "gpu_operator", value=None), nodes=[dict({"name": "gpu-1", "pool": "h200"}, **node)])


def test_a_node_without_an_operator_gets_its_file():
    found = kubernetes.render(without_operator(devices=[{"address": "0000:19:00.0", "group": 12}]))["nodes"]["gpu-1"]
    assert found["cdi"]["path"] == "/var/run/cdi/nvidia.com-pgpu.json"
    assert json.loads(found["cdi"]["content"]) == found["cdi"]["specification"]
    assert "nvidia.com/gpu.workload.config" not in found["labels"]


@pytest.mark.parametrize(("declaration", "said"), [
    (changed(GPUS, "nodes", 0, "devices", value=[TWO[0]]), "writes the CDI devices of pool h200 itself"),
    (without_operator(pool=None, devices=[TWO[0]]), "nodes[0].pool: missing"),
    (without_operator(devices=[{"address": "0000:19:00.0", "group": n} for n in range(13)]),
     "nodes[0].devices: 13, expected at most the 12 of pool h200"),
    (without_operator(devices=[{"address": "0000:19:00.0"}]), "nodes[0].devices[0]: 0000:19:00.0 has neither"),
    (without_operator(devices=[{"address": "19:00.0", "group": 1}]), "a PCI address such as"),
])
def test_devices_of_a_node_that_cannot_be(declaration, said):
    with pytest.raises(DeclarationError) as caught:
        kubernetes.render(declaration)
    assert said in caught.value.problems[0]
