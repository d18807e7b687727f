# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cri_runtime as Ansible runs it: what is declared cannot be right, so that nothing here asks a container runtime."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cri_declared
from ansible_collections.sovereign.region.plugins.modules import cri_runtime
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options

USUAL = {name: option.get("default") for name, option in cri_declared.ARGUMENT_SPEC["handlers"]["options"].items()}


def test_what_cannot_be_right_is_told_with_its_path(run_module):
    status, result, unused = run_module("cri_runtime", {"handlers": [{"name": "Kata"}, {"name": "kata",
                                                                                  "runtime_path": "shim"}]})
    assert (status, result["error"], result["changed"]) == (1, "DeclarationError", False)
    assert [one.split(":")[0] for one in result["problems"]] == ["handlers[0].name", "handlers[1].runtime_path"]


def test_a_container_runtime_that_is_not_there_is_told(run_module):
    status, result, unused = run_module("cri_runtime", {"handlers": [], "runtime_binary": "/nonexistent/containerd"})
    assert status == 1 and "there is no program /nonexistent/containerd on this host" in result["msg"]


def test_the_page_and_the_options_are_the_same():
    described, spec = options("cri_runtime"), dict(host_module.HOST_SPEC, **cri_declared.ARGUMENT_SPEC)
    inner = described["handlers"]["suboptions"], spec["handlers"]["options"]
    for said, real in ((described, spec), inner):
        assert set(said) == set(real)
        for name, option in real.items():
            assert said[name]["type"] == option["type"], name
            assert said[name].get("default") == option.get("default"), name
            assert said[name].get("required", False) == option.get("required", False), name
            assert said[name].get("choices") == option.get("choices"), name


def test_the_examples_are_valid():
    for task in yaml.safe_load(cri_runtime.EXAMPLES):
        given = task["sovereign.region.cri_runtime"]
        handlers = [dict(USUAL, **item) for item in given["handlers"]]
        assert cri_declared.problems(dict({"runtime": "containerd"}, **dict(given, handlers=handlers))) == []
        assert set(given) <= set(host_module.HOST_SPEC) | set(cri_declared.ARGUMENT_SPEC)


def test_the_module_is_thin():
    text = Path(cri_runtime.__file__).read_text(encoding="utf-8")
    assert text.rpartition('"""')[2].count("\n") < 15
