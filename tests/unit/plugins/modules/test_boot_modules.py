# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel_arguments and confidential_computing as Ansible runs them. Nothing is changed on the machine of the tests."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import boot, confidential
from ansible_collections.sovereign.region.plugins.module_utils._core.host_module import HOST_SPEC
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options


def test_nothing_declared_nothing_changed_and_the_running_kernel_is_told(run_module):
    status, result, unused = run_module("kernel_arguments", {}, check=True)
    assert status == 0
    assert (result["changed"], result["actions"], result["reboot_needed"]) == (False, [], False)
    with open("/proc/cmdline", encoding="utf-8") as stream:
        assert " ".join(result["running"]) in stream.read()


def test_a_declaration_that_cannot_be_right_is_told_as_a_list(run_module):
    options = {"arguments": ["iommu=pt quiet", "a=$b"], "absent": ["root"]}
    status, result, unused = run_module("kernel_arguments", options, check=True)
    assert (status, result["error"], result["changed"]) == (1, "DeclarationError", False)
    assert [one.split(":")[0] for one in result["problems"]] == ["arguments[0]", "arguments[1]", "absent[0]"]


@pytest.mark.parametrize("mode", ["off", False, "devtools"])
def test_yaml_may_read_off_as_false(run_module, tmp_path, mode):
    options = {"tool": str(tmp_path / "none"), "tool_sha256": "0" * 64, "cc_mode": mode}
    status, result, unused = run_module("confidential_computing", options, check=True)
    assert (status, result["error"]) == (1, "HostError")
    assert "No such file or directory" in result["msg"]


def test_a_tool_with_another_checksum_is_not_run(run_module, tmp_path):
    tool, ran = tmp_path / "tool.py", tmp_path / "ran"
    tool.write_text("open({0!r}, 'w').close()\n".format(str(ran)), encoding="utf-8")
    status, result, unused = run_module("confidential_computing", {"tool": str(tool), "tool_sha256": "0" * 64})
    assert (status, result["error"]) == (1, "Refused")
    assert "it was not run" in result["msg"]
    assert not ran.exists()


@pytest.mark.parametrize("name, domain", [("kernel_arguments", boot), ("confidential_computing", confidential)])
def test_documentation_and_specification_say_the_same(name, domain):
    spec, described = dict(HOST_SPEC, **domain.ARGUMENT_SPEC), options(name)
    assert set(described) == set(spec)
    for key, option in spec.items():
        assert (described[key]["type"], described[key].get("default"), described[key].get("choices")) == (
            option["type"], option.get("default"), option.get("choices")), key
