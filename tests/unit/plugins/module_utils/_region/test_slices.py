# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a document: names, pools, slices and doubts."""

from __future__ import annotations

import copy
import re

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sovereign.region.plugins.module_utils._region import names
from ansible_collections.sovereign.region.plugins.module_utils._region.document import load
from ansible_collections.sovereign.region.plugins.module_utils._region.pools import describe, of_host
from ansible_collections.sovereign.region.plugins.module_utils._region.slices import expectations, hosts, tenancy
from ansible_collections.sovereign.region.plugins.module_utils._region.warnings import warnings
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import flavors, projects
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    INVENTORIES,
    inventory,
)


@pytest.fixture
def embedded():
    """The normalised document of the embedded region."""
    return load(inventory("embedded")).data


@pytest.fixture
def example():
    """The normalised document of the example."""
    return load(inventory("example")).data


@pytest.mark.parametrize(
    ("pool", "resource_class", "alias"),
    [
        (("H200", "passthrough", None), "CUSTOM_GPU_H200", "h200"),
        (("RTX PRO 6000", "passthrough", None), "CUSTOM_GPU_RTX_PRO_6000", "rtx-pro-6000"),
        (("MI300X", "vf", None), "CUSTOM_GPU_MI300X_VF", "mi300x-vf"),
        (("L40S", "vf", "L40S-12Q"), "CUSTOM_GPU_L40S_VF_L40S_12Q", "l40s-vf-l40s-12q"),
        (("L40S", "vgpu", "L40S-12Q"), "CUSTOM_VGPU_L40S_12Q", None),
        (("H200", "mig", "1g.18gb+me"), "CUSTOM_MIG_H200_1G_18GB_ME", None),
        (("H200", "host", None), None, None),
    ],
)
def test_names_of_pools(pool, resource_class, alias):
    assert names.resource_class(*pool) == resource_class
    assert names.alias(*pool) == alias
    # Placement's own rule for classes and traits.
    assert resource_class is None or re.fullmatch(r"CUSTOM_[A-Z0-9_]{1,248}", resource_class)


def test_names_of_sites_and_owners():
    assert names.site_trait("site-a") == "CUSTOM_SITE_SITE_A"
    assert names.owner("region-a") == "sovereign.region:region-a"


def test_pools_are_counted_with_hosts_and_slices(example):
    keys = ("name", "cards_per_host", "per_host", "total", "jurisdiction")
    counted = [tuple(pool[key] for key in keys) for pool in describe(example)]
    assert counted == [("h200", 8, 8, 16, "DE-BY"), ("l40s-12q", 4, 16, 32, "DE-BY"), ("mi300x", 8, 8, 16, "FR")]
    assert [pool["name"] for pool in of_host(example, "par-gpu02")] == ["mi300x"]


def test_flavors_have_what_nova_places_by(example):
    specs = {flavor["name"]: flavor["extra_specs"] for flavor in tenancy(example)["flavors"]}
    assert specs["gpu.h200.8"] == {
        "hw:cpu_policy": "dedicated",
        "hw:numa_nodes": "2",
        "pci_passthrough:alias": "h200:8",
        "trait:CUSTOM_SITE_MUNICH": "required",
    }
    assert specs["gpu.l40s.12g"] == {"resources:CUSTOM_VGPU_L40S_12Q": "1", "trait:CUSTOM_SITE_MUNICH": "required"}
    assert specs["gpu.mi300x.1"]["pci_passthrough:alias"] == "mi300x-vf:1"


def test_one_site_needs_no_trait(embedded):
    document = inventory("embedded")
    del document["identity"]
    document["sites"].pop()
    document["accelerators"]["pools"].pop()
    document["tenancy"]["projects"] = []
    document["tenancy"]["flavors"] = [dict(document["tenancy"]["flavors"][0], access=[])]
    (flavor,) = tenancy(load(document).data)["flavors"]
    assert flavor["extra_specs"] == {"pci_passthrough:alias": "h200:1"}


def test_tenancy_has_the_shape_of_the_modules(embedded):
    slices = tenancy(embedded)
    assert slices["domains"] == [
        {
            "name": "research",
            "description": "Institutes that share the region",
            "enabled": True,
            "tags": [],
            "state": "present",
        }
    ]
    assert slices["projects"][0] == {
        "name": "clinic",
        "domain": "Default",
        "description": "Patient data, stays in Germany",
        "enabled": True,
        "tags": ["personal-data"],
        "state": "present",
    }
    assert slices["flavors"][1] == {
        "name": "h200.8",
        "vcpus": 16,
        "ram_mib": 49152,
        "disk_gib": 10,
        "description": "8 x H200 (passthrough) at site-a",
        "public": False,
        "access": ["research/genomics"],
        "extra_specs": {"pci_passthrough:alias": "h200:8", "trait:CUSTOM_SITE_SITE_A": "required"},
        "state": "present",
    }


@pytest.mark.parametrize("name", INVENTORIES)
def test_the_modules_take_the_slices(name):
    document = load(inventory(name)).data
    slices = dict(tenancy(document), owner=names.owner(document["name"]))
    for module, keys in ((projects, ("domains", "projects", "owner")), (flavors, ("flavors", "owner"))):
        validated = ArgumentSpecValidator(module.ARGUMENT_SPEC).validate({key: slices[key] for key in keys})
        assert validated.error_messages == []
        assert module.validate(validated.validated_parameters) == []
        for key in keys:
            assert validated.validated_parameters[key] == slices[key]


def test_a_host_gets_its_own_pools_and_nothing_else(example):
    found = hosts(example)
    assert set(found) == {host for pool in example["accelerators"]["pools"] for host in pool["hosts"]}
    for host, pools in found.items():
        declared = [pool["name"] for pool in example["accelerators"]["pools"] if host in pool["hosts"]]
        assert [pool["name"] for pool in pools] == declared
        assert all(set(pool) == {"name", "site", "model", "mode", "consumer", "devices", "cards_per_host", "profile",
                                 "slices"} for pool in pools)


def test_public_flavor(embedded):
    embedded["tenancy"]["flavors"][0]["access"] = None
    flavor = tenancy(embedded)["flavors"][0]
    assert (flavor["public"], flavor["access"]) == (True, [])


def test_expectations(embedded):
    looked_for = expectations(embedded)
    assert looked_for["pools"][0] == {
        "name": "h200",
        "site": "site-a",
        "jurisdiction": "DE",
        "hosts": ["gpu-a1", "gpu-a2"],
        "model": "H200",
        "mode": "passthrough",
        "resource_class": "CUSTOM_GPU_H200",
        "per_host": 8,
        "total": 16,
        "trait": "CUSTOM_SITE_SITE_A",
    }
    assert [(pool["name"], pool["total"]) for pool in looked_for["pools"]] == [("h200", 16), ("l40s", 8)]
    assert looked_for["canary"][1] == {
        "name": "h200.8",
        "pool": "h200",
        "gpus": 8,
        "resource_class": "CUSTOM_GPU_H200",
        "projects": ["research/genomics"],
    }


def test_a_canary_boots_in_a_project_that_is_open(embedded):
    embedded["tenancy"]["projects"][0]["enabled"] = False
    assert expectations(embedded)["canary"][0]["projects"] == ["Default/weather", "research/genomics"]
    embedded["tenancy"]["domains"][0]["enabled"] = False
    assert expectations(embedded)["canary"][0]["projects"] == ["Default/weather"]


def test_pools_that_nova_does_not_hand_out_are_not_expected(embedded):
    embedded["accelerators"]["pools"][1]["consumer"] = "kata"
    embedded["tenancy"]["flavors"] = embedded["tenancy"]["flavors"][:2]
    assert [pool["name"] for pool in expectations(embedded)["pools"]] == ["h200"]


def test_slices_are_copies_for_reading_only(embedded):
    before = copy.deepcopy(embedded)
    tenancy(embedded)
    expectations(embedded)
    assert embedded == before


def test_warnings(embedded):
    section = embedded["tenancy"]
    section["flavors"] = [dict(section["flavors"][0], access=[])]
    embedded["sites"].append({"name": "site-c", "jurisdiction": "DE-BE"})
    embedded["accelerators"]["pools"].append(dict(embedded["accelerators"]["pools"][0], name="h200-b", hosts=["x"]))
    section["projects"] = [dict(section["projects"][0], residency="DE-BE")]
    assert warnings(embedded) == [
        "pool l40s has no flavor: no tenant can use its 8 devices",
        "pool h200-b has no flavor: no tenant can use its 8 devices",
        "pools h200 and h200-b are the same resource class CUSTOM_GPU_H200 at the same site: "
        "a flavor of one also takes devices of the other",
        "flavor h200.1 has an empty access list: nobody can use it",
        "site site-c has no pool",
        "project clinic must stay in DE-BE; site site-a says only DE and does not count",
    ]
