# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""accelerator_info as Ansible runs it."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts
from ansible_collections.sovereign.region.plugins.modules import accelerator_info
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, h200


@pytest.fixture()
def tree(tmp_path):
    made = Tree(tmp_path / "host")
    h200(made)
    return made


@pytest.mark.parametrize("check", [False, True])
def test_what_it_returns(run_module, tree, check):
    options = {"root": str(tree.root), "vendor_tools": False, "addresses": ["0000:41:00.1", "0000:99:00.0"]}
    status, result, _ = run_module("accelerator_info", options, check=check)
    assert (status, result["changed"]) == (0, False)
    assert [one["model"] for one in result["accelerators"]] == ["H200 SXM 141GB"]
    assert [one["kind"] for one in result["others"]] == ["audio"]
    assert [one["address"] for one in result["not_found"]] == ["0000:99:00.0"]
    assert result["host"]["iommu"]["enabled"] is True
    assert not {"actions", "diff"} & set(result)


@pytest.mark.parametrize("options, words", [
    ({"addresses": ["41:00.0"]}, "addresses[0]: '41:00.0' is no PCI address; expected domain:bus:device.function"),
    # What YAML makes of 0000:41:00.0 without quotes.
    ({"addresses": [2460.0]}, "put it in quotes"),
    ({"root": "/nonexistent/host"}, "root: /nonexistent/host is no directory"),
    ({"root": "relative"}, "root: 'relative' is no absolute path"),
])
def test_bad_options_are_refused(run_module, tree, options, words):
    status, result, _ = run_module("accelerator_info", dict({"root": str(tree.root)}, **options))
    assert status == 1
    assert result["error"] == "DeclarationError"
    assert words in result["msg"]
    assert len(result["problems"]) == 1


def test_this_very_host_is_read_without_an_error(run_module):
    status, result, _ = run_module("accelerator_info", {})
    assert status == 0
    assert result["host"]["kernel"]["release"]
    assert not [text for text in result["host"]["sources"].values() if "Traceback" in text]


def test_the_documentation_names_the_options_that_there_are():
    documented = yaml.safe_load(accelerator_info.DOCUMENTATION)["options"]
    assert set(documented) == set(facts.ARGUMENT_SPEC)
    for name, spec in facts.ARGUMENT_SPEC.items():
        assert documented[name]["type"] == spec["type"]
        assert documented[name]["default"] == spec["default"]


def test_the_documentation_names_the_fields_that_there_are(tree):
    returned = yaml.safe_load(accelerator_info.RETURN)
    found = facts.collect(Host(str(tree.root)), tools=False)
    words = accelerator_info.RETURN
    for fields, contains in ((found["accelerators"][0], returned["accelerators"]["contains"]),
                             (found["host"], returned["host"]["contains"])):
        assert set(contains) <= set(fields)
        assert [name for name in fields if name not in contains and f"C({name})" not in words] == []
