# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kata_host_info as Ansible runs it."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._isolation import handlers, host_facts
from ansible_collections.sovereign.region.plugins.modules import kata_host_info
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, h200


@pytest.fixture()
def tree(tmp_path):
    made = Tree(tmp_path / "host")
    h200(made)
    return made


@pytest.mark.parametrize("check", [False, True])
def test_what_it_returns(run_module, tree, check):
    status, result, _ = run_module("kata_host_info", {"root": str(tree.root)}, check=check)
    assert (status, result["changed"]) == (0, False)
    assert [one["name"] for one in result["handlers"]] == list(handlers.NAMES)
    assert result["kata"]["accelerators"][0]["model"] == "H200 SXM 141GB"
    assert result["kata"]["counts"]["started"] > 0
    assert not {"actions", "diff"} & set(result)


@pytest.mark.parametrize("options, words", [
    ({"root": "/nonexistent/host"}, "root: /nonexistent/host is no directory"),
    ({"root": "relative"}, "root: 'relative' is no absolute path"),
    ({"timeout": 0}, "timeout: 0 is not more than 0"),
    ({"timeout": 601}, "timeout: 601 is not more than 0 and at most 600 seconds"),
    ({"timeout": "nan"}, "timeout: nan is not more than 0"),
])
def test_bad_options_are_refused(run_module, tree, options, words):
    status, result, _ = run_module("kata_host_info", dict({"root": str(tree.root)}, **options))
    assert (status, result["error"]) == (1, "DeclarationError")
    assert words in result["msg"]


def test_a_wrong_level_is_refused(run_module, tree):
    status, result, _ = run_module("kata_host_info", {"root": str(tree.root), "probe": "boot"})
    assert status == 1
    assert "present, openable, create_vm, run" in result["msg"]


@pytest.mark.parametrize("probe", ["present", "openable", "create_vm", "run"])
def test_this_very_host_at_each_level(run_module, probe):
    status, result, _ = run_module("kata_host_info", {"probe": probe, "timeout": 60})
    assert status == 0
    assert result["kata"]["kvm"]["asked"] == probe
    levels = ("present", "openable", "create_vm", "run")
    assert not [one for one in levels[levels.index(probe) + 1:] if result["kata"]["kvm"][one]]


def test_the_documentation_names_the_options_that_there_are():
    documented = yaml.safe_load(kata_host_info.DOCUMENTATION)["options"]
    assert set(documented) == set(host_facts.ARGUMENT_SPEC)
    for name, spec in host_facts.ARGUMENT_SPEC.items():
        assert {key: documented[name].get(key) for key in spec} == spec


def test_the_documentation_names_the_fields_that_there_are(run_module, tree):
    _status, result, _ = run_module("kata_host_info", {"root": str(tree.root)})
    returned = yaml.safe_load(kata_host_info.RETURN)
    words = kata_host_info.RETURN
    contains = returned["kata"]["contains"]
    assert set(contains) <= set(result["kata"])
    assert [name for name in result["kata"] if name not in contains and f"C({name})" not in words] == []
    for part in ("cpu", "kvm"):
        assert set(contains[part]["sample"]) == set(result["kata"][part])
    assert set(result["handlers"][0]) == set(returned["handlers"]["sample"][0])
    for one in result["kata"]["accelerators"]:
        assert [name for name in one if f"C({name})" not in words] == []
