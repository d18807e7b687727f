# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Valid documents: what is filled in, what is normalised, what is accepted; and speed."""

from __future__ import annotations

import copy
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._region.checks_tenancy import RESERVED_MARKS
from ansible_collections.sovereign.region.plugins.module_utils._region.document import InvalidDocument, load
from ansible_collections.sovereign.region.plugins.module_utils._region.jurisdictions import COUNTRIES, within
from ansible_collections.sovereign.region.plugins.module_utils._region.names import owner
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.flavors import MARK
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.names import tag_of
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    INVENTORIES,
    inventory,
)

POOL = {"name": "h200", "site": "a", "hosts": ["h1"], "model": "H200", "mode": "passthrough", "devices": 8}
FLAVOR = {"name": "f", "pool": "h200", "vcpus": 1, "ram_mib": 1, "disk_gib": 0}


def region(pools=(), sites=None, **tenancy):
    """Return a small valid document."""
    return {
        "version": 1,
        "name": "r",
        "sites": sites or [{"name": "a", "jurisdiction": "DE-BE"}],
        "accelerators": {"pools": [dict(POOL, **pool) for pool in pools]},
        "tenancy": tenancy,
    }


def paths(document):
    """Return the paths of all problems of a document."""
    with pytest.raises(InvalidDocument) as caught:
        load(document)
    return [problem.path.replace("sovereign_region.", "") for problem in caught.value.found]


def test_the_least_document_gets_every_default():
    data = load({"version": 1, "name": "r", "sites": [{"name": "a", "jurisdiction": "DE"}]}).data
    assert data == {
        "version": 1,
        "name": "r",
        "sites": [{"name": "a", "jurisdiction": "DE"}],
        "accelerators": {"pools": []},
        "isolation": {},
        "identity": {
            "keystone_release": None,
            "groups": [],
            "users": [],
            "assignments": [],
            "scopes": [],
            "mappings": [],
            "identity_providers": [],
            "service_providers": [],
            "absent": {"mappings": [], "identity_providers": [], "service_providers": []},
            "federation": {
                "trusted_dashboards": [],
                "assertion_prefix": None,
                "remote_id_attribute": None,
                "default_authorization_ttl": None,
                "sso_callback_template": None,
                "attribute_mapping_default_schema_version": None,
            },
            "policy": {"overrides": {}, "enforce_scope": True, "enforce_new_defaults": True, "expect": []},
        },
        "tenancy": {"domains": [], "projects": [], "flavors": []},
        "governance": {},
    }


def test_defaults_of_items():
    data = load(region([{}], projects=[{"name": "p"}], domains=[{"name": "d"}], flavors=[FLAVOR])).data
    assert data["accelerators"]["pools"] == [dict(POOL, consumer="nova", profile=None, slices=1)]
    common = {"description": "", "enabled": True, "tags": []}
    assert data["tenancy"]["domains"] == [dict(common, name="d")]
    assert data["tenancy"]["projects"] == [dict(common, name="p", domain="Default", residency=None)]
    assert data["tenancy"]["flavors"] == [dict(FLAVOR, gpus=1, description="", access=None, extra_specs={})]


def test_what_is_written_in_several_ways_is_returned_in_one():
    flavor = dict(FLAVOR, access=["p", "d/q"], gpus=1.0, extra_specs={"hw:numa_nodes": 2})
    document = region(
        [{"devices": ["0000:AB:00.0"]}],
        domains=[{"name": "d"}],
        projects=[{"name": "p"}, {"name": "q", "domain": "d"}],
        flavors=[flavor],
    )
    before = copy.deepcopy(document)
    data = load(document).data
    assert document == before
    assert data["accelerators"]["pools"][0]["devices"] == ["0000:ab:00.0"]
    (done,) = data["tenancy"]["flavors"]
    assert done["access"] == ["Default/p", "d/q"]
    assert done["extra_specs"] == {"hw:numa_nodes": "2"}
    assert type(done["gpus"]) is int
    assert load(data).data == data


@pytest.mark.parametrize("name", INVENTORIES)
def test_inventories_are_valid_and_leave_no_doubt(name):
    assert load(inventory(name)).warnings == ()


def test_reserved_sections_are_validated_loosely():
    data = load(dict(region(), isolation={"anything": [1]}, governance=None)).data
    assert (data["isolation"], data["governance"]) == ({"anything": [1]}, {})
    assert paths(dict(region(), governance=[])) == ["governance"]


def test_host_mode_has_no_consumer():
    data = load(region([{"mode": "host"}])).data
    assert data["accelerators"]["pools"][0]["consumer"] is None


def test_error_is_one_of_the_collection():
    with pytest.raises(DeclarationError) as caught:
        load([])
    assert caught.value.problems == ["sovereign_region: an empty list, expected a mapping"]


def test_pools_share_a_host_when_it_is_clear_which_card_is_whose():
    load(region([{}, {"name": "l40s", "model": "L40S"}]))
    load(region([{"devices": ["0000:10:00.0"]}, {"name": "other", "devices": ["0000:20:00.0"]}]))
    assert paths(region([{"devices": ["0000:10:00.0"]}, {"name": "other"}])) == ["accelerators.pools[1].devices"]


@pytest.mark.parametrize(("one", "two"), [("AB", "ab"), ("ab", "AB")])
def test_an_address_is_the_same_in_capital_letters(one, two):
    pools = [{"devices": ["0000:{0}:00.0".format(one)]}, {"name": "other", "devices": ["0000:{0}:00.0".format(two)]}]
    assert paths(region(pools)) == ["accelerators.pools[1].devices[0]"]


def test_one_broken_item_is_one_problem():
    document = region([{"mode": "x"}], projects=[{"name": "p", "tags": 1}], flavors=[dict(FLAVOR, access=["p"])])
    assert paths(document) == ["accelerators.pools[0].mode", "tenancy.projects[0].tags"]


def test_a_name_that_cannot_be_read_may_be_the_one_that_is_meant():
    document = region([{}], flavors=[FLAVOR])
    document["accelerators"]["pools"][0]["nmae"] = document["accelerators"]["pools"][0].pop("name")
    assert paths(document) == ["accelerators.pools[0].name", "accelerators.pools[0].nmae"]


def test_residency():
    assert within("DE", "DE") and within("DE-BE", "DE")
    assert not within("DE", "DE-BE") and not within("FR", "DE") and not within("DE-BER", "DE-BE")
    load(region([{}], projects=[{"name": "p", "residency": "DE"}], flavors=[dict(FLAVOR, access=["p"])]))
    # A public flavor of the only site is no way out.
    load(region([{}], projects=[{"name": "p", "residency": "DE-BE"}], flavors=[FLAVOR]))


def test_all_countries():
    assert len(COUNTRIES) == 250
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


def test_marks_of_ownership_are_reserved():
    assert tag_of(owner("r")).startswith(RESERVED_MARKS)
    assert owner("r").startswith(RESERVED_MARKS)
    assert MARK.startswith(RESERVED_MARKS)
    flavor = dict(FLAVOR, extra_specs={MARK: "r"})
    assert paths(region([{}], flavors=[flavor])) == ['tenancy.flavors[0].extra_specs["{0}"]'.format(MARK)]


def large(count):
    """Return a document of many projects, every one with access to a flavor of its own."""
    names = ["project-{0}".format(index) for index in range(count)]
    return region(
        [{}],
        projects=[{"name": name, "tags": ["a", "b"], "residency": "DE"} for name in names],
        flavors=[dict(FLAVOR, name=name, access=[name]) for name in names],
    )


def test_a_thousand_projects_are_quick():
    document = large(1000)
    start = time.process_time()
    load(document)
    # 0.1 s on a slow machine; what grows with the square of the size takes far longer.
    assert time.process_time() - start < 1.0


def test_a_thousand_mistakes_are_bearable():
    document = large(1000)
    for flavor in document["tenancy"]["flavors"]:
        flavor["access"] = ["projekt" + flavor["name"]]
    start = time.process_time()
    assert len(paths(document)) == 1000
    assert time.process_time() - start < 5.0
