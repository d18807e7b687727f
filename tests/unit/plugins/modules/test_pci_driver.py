# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pci_driver as Ansible runs it. Nothing here can move a device: what is declared cannot be right, or is not there."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.modules import pci_driver
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options


def test_what_cannot_be_right_is_told_with_its_path(run_module):
    status, result, unused = run_module("pci_driver", {"devices": [{"address": 2460.0}, {"address": "0000:41:00.0",
                                                                                       "driver": "none"}]})
    assert (status, result["error"], result["changed"]) == (1, "DeclarationError", False)
    assert [one.split(":")[0] for one in result["problems"]] == ["devices[0].address", "devices[1].driver"]
    assert "in quotes" in result["problems"][0]


def test_a_function_that_is_not_there_is_told(run_module):
    status, result, unused = run_module("pci_driver", {"devices": [{"address": "fffe:ff:1f.7"}]}, check=True)
    assert status == 1 and "'fffe:ff:1f.7' is no PCI function of this host" in result["msg"]


def test_nothing_declared_is_nothing_to_do(run_module):
    status, result, unused = run_module("pci_driver", {"devices": []}, check=True)
    assert (status, result["changed"], result["actions"], result["devices"]) == (0, False, [], [])


def test_the_page_and_the_options_are_the_same():
    described = options("pci_driver")
    spec = dict(host_module.HOST_SPEC, **binding.ARGUMENT_SPEC)
    assert set(described) == set(spec)
    for name, option in spec.items():
        assert described[name]["type"] == option["type"]
        assert described[name].get("default") == option.get("default")
        assert described[name].get("required", False) == option.get("required", False)
    assert set(described["devices"]["suboptions"]) == set(spec["devices"]["options"])


def test_the_examples_are_valid():
    for task in yaml.safe_load(pci_driver.EXAMPLES):
        options = task["sovereign.region.pci_driver"]
        rows = [dict({"driver": "vfio"}, **item) for item in options["devices"]]
        assert binding.validate(dict(options, devices=rows)) == []
        assert set(options) <= set(host_module.HOST_SPEC) | set(binding.ARGUMENT_SPEC)


def test_the_module_is_thin():
    text = Path(pci_driver.__file__).read_text(encoding="utf-8")
    assert text.rpartition('"""')[2].count("\n") < 15
