# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No region is chosen silently."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import catalogue, errors
from keystoneauth1.access.service_catalog import ServiceCatalogV3


def made(**urls):
    """A catalogue with one public compute endpoint for each region."""
    endpoints = [{"id": region, "interface": "public", "region": region, "region_id": region, "url": url}
                 for region, url in urls.items()]
    return ServiceCatalogV3([{"id": "s", "name": "nova", "type": "compute", "endpoints": endpoints}])


def test_one_of_several_regions_has_to_be_named():
    two = made(north="http://n/v2.1", south="http://s/v2.1")
    with pytest.raises(errors.CloudConfigError, match="region_name: north, south"):
        catalogue.endpoint(two, "compute", "public", None)
    assert catalogue.endpoint(two, "compute", "public", "south") == "http://s/v2.1"


def test_one_address_for_all_regions_needs_no_choice():
    assert catalogue.endpoint(made(north="http://k/v3", south="http://k/v3"), "compute", "public", None) == "http://k/v3"


def test_the_only_region_needs_no_name():
    assert catalogue.endpoint(made(north="http://n/v2.1"), "compute", "public", None) == "http://n/v2.1"
    assert catalogue.regions_of(made(north="u", south="v"), "compute", "public") == ["north", "south"]
