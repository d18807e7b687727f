# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flavors against the real Nova of the embedded region: what the simulator cannot vouch for."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import change, cloud_module, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import flavors


@pytest.fixture()
def admin(region):
    """A function that connects anew, as each module does."""
    content = (Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8")
    entry = yaml.safe_load(content)["clouds"]["embedded-admin"]
    return lambda: connect({"cloud": entry})


@pytest.fixture()
def owner(admin):
    """An owner of this test's own, whose flavors are removed afterwards."""
    name = "test-" + uuid.uuid4().hex[:8]
    yield name
    converge(admin(), params(name, [], purge=True))


def flavor(name, **fields):
    base = {
        "name": name,
        "vcpus": 1,
        "ram_mib": 64,
        "disk_gib": 0,
        "description": None,
        "public": True,
        "access": None,
        "extra_specs": None,
        "state": "present",
    }
    return dict(base, **fields)


def params(owner, declared, **options):
    return dict({"owner": owner, "adopt": False, "purge": False, "pending": []}, flavors=list(declared), **options)


def converge(cloud, asked, check_mode=False):
    return cloud_module.converge(flavors, cloud, asked, check_mode)


def story(result):
    return [(action["verb"], action["kind"]) for action in result["actions"]]


def row(admin, name):
    (found,) = [
        one
        for one in admin().list("compute", "/flavors/detail", "flavors", {"is_public": "None"})
        if one["name"] == name
    ]
    return found


def test_create_check_repeat_change_and_purge(admin, owner):
    specs = {"hw:cpu_policy": "dedicated", "odd key": "1", "quota:cpu_shares": 2}
    asked = params(
        owner,
        [
            flavor(owner + " big", description="grüße", extra_specs=specs),
            flavor(owner + "-private", public=False, access=["admin"], extra_specs={}),
        ],
    )
    checked = converge(admin(), asked, True)
    made = converge(admin(), asked)
    assert made["actions"] == checked["actions"]
    assert story(made) == [
        ("create", "flavor"),
        ("create", "flavor extra specs"),
        ("create", "flavor"),
        ("grant", "flavor access"),
    ]
    again = converge(admin(), asked)
    assert again["actions"] == [] and again["api_calls"] == 2 + 2 + 1
    assert row(admin, owner + " big")["id"] == flavors.flavor_id(owner, owner + " big")
    less = params(
        owner,
        [
            flavor(owner + " big", description="", extra_specs={"hw:cpu_policy": "shared"}),
            flavor(owner + "-private", public=False, access=[]),
        ],
    )
    assert story(converge(admin(), less)) == [
        ("update", "flavor"),
        ("update", "flavor extra specs"),
        ("delete", "flavor extra spec"),
        ("delete", "flavor extra spec"),
        ("revoke", "flavor access"),
    ]
    assert converge(admin(), less)["actions"] == []
    assert story(converge(admin(), params(owner, [], purge=True))) == [("delete", "flavor")] * 2


def test_an_extra_spec_that_nova_refuses_is_told_in_its_own_words(admin, owner):
    asked = params(owner, [flavor(owner, extra_specs={"hw:cpu_policy": "sometimes"})])
    with pytest.raises(
        change.PartialFailure, match=r"os-extra_specs: 400 \(refused\): .*'sometimes' is not one of"
    ) as caught:
        converge(admin(), asked)
    assert [action.verb for action in caught.value.done] == ["create"]
    converge(admin(), params(owner, [flavor(owner, extra_specs={"hw:cpu_policy": "shared"})]))


def test_a_flavor_that_somebody_else_made(admin, owner):
    cloud = admin()
    cloud.created("compute", "/flavors", {"flavor": {"name": owner, "vcpus": 1, "ram": 64, "disk": 0}}, "flavor")
    asked = params(owner, [flavor(owner, description="ours")])
    with pytest.raises(errors.Refused, match="not marked as ours"):
        converge(admin(), asked)
    assert story(converge(admin(), dict(asked, adopt=True))) == [("adopt", "flavor"), ("update", "flavor")]
    assert converge(admin(), asked)["actions"] == []
    assert row(admin, owner)["extra_specs"] == {flavors.MARK: owner}


def test_a_long_name_and_an_odd_one(admin, owner):
    declared = [flavor(owner + "x" * (255 - len(owner))), flavor(owner + " größe/α")]
    converge(admin(), params(owner, declared))
    assert converge(admin(), params(owner, declared))["actions"] == []
