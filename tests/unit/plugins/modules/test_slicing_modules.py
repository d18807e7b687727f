# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that slice accelerators, as Ansible runs them on a host that has none of the declared devices."""

from __future__ import annotations

import importlib

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import mig, partitions, vfs, vgpu
from ansible_collections.sovereign.region.plugins.module_utils._core.host_module import HOST_SPEC
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options

# An address that no machine has: the highest domain that the kernel writes with four digits.
NOWHERE = "ffff:ff:1f.7"
MODULES = {
    "sriov_vfs": (vfs, {"vfs": 4}, {"vfs": "-1"}, "expected the number of VFs"),
    "vgpu_profiles": (vgpu, {"profile": "L40S-12Q", "count": 1}, {"profile": "L40S-12Q"}, "count: it is missing"),
    "mig_layout": (mig, {"instances": [{"profile": "1g.18gb"}]}, {"instances": [{"profile": "x"}]}, "a MIG profile"),
    "amd_partitions": (partitions, {"compute": "CPX"}, {}, "neither compute nor memory is declared"),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("check", [True, False])
def test_a_device_that_is_not_there(run_module, name, check):
    item = dict(MODULES[name][1], address=NOWHERE)
    status, result, written = run_module(name, {"devices": [item]}, check=check)
    assert (status, result.get("error"), result.get("changed")) == (1, "DeclarationError", False), written
    assert "devices[0].address: '{0}'".format(NOWHERE) in result["msg"]
    assert result["actions"] == []


@pytest.mark.parametrize("name", MODULES)
def test_bad_input_is_told_with_its_path_and_all_at_once(run_module, name):
    bad = [dict(MODULES[name][2], address="41:00.0"), dict(MODULES[name][1], address=NOWHERE)]
    status, result, written = run_module(name, {"devices": bad})
    assert (status, result.get("error")) == (1, "DeclarationError"), written
    assert len(result["problems"]) == 2
    assert "devices[0].address: '41:00.0', expected a PCI address" in result["msg"]
    assert MODULES[name][3] in result["msg"]


@pytest.mark.parametrize("name", MODULES)
def test_nothing_declared_is_nothing_done(run_module, name):
    status, result, written = run_module(name, {"devices": []})
    assert (status, result["changed"], result["devices"]) == (0, False, []), written


def shape(spec):
    """What must be the same in specification and documentation."""
    return {name: (one["type"], one.get("elements"), one.get("default"), bool(one.get("required")), one.get("choices"),
                   shape(one.get("options") or one.get("suboptions") or {})) for name, one in spec.items()}


@pytest.mark.parametrize("name", MODULES)
def test_documentation_and_specification_say_the_same(name):
    module = importlib.import_module("ansible_collections.sovereign.region.plugins.modules." + name)
    documented = yaml.safe_load(module.DOCUMENTATION)
    assert documented["module"] == name
    assert shape(options(name)) == shape(dict(HOST_SPEC, **MODULES[name][0].ARGUMENT_SPEC))
    yaml.safe_load(module.EXAMPLES)


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_names_every_key_that_comes_back(name):
    module = importlib.import_module("ansible_collections.sovereign.region.plugins.modules." + name)
    assert set(yaml.safe_load(module.RETURN)) == {"actions", "devices", "error", "failed_action", "problems"}
