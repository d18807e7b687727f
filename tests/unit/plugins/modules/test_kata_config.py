# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kata_config as Ansible runs it, on this machine, with a release below a directory of the test."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._isolation import config
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from ansible_collections.sovereign.region.plugins.modules import kata_config
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options


@pytest.fixture
def release(tmp_path):
    """A release of the Go shim whose files are where its configuration says."""
    config_hosts.host(tmp_path)
    place = tmp_path / config_hosts.GO.lstrip("/")
    packaged = place / "share/defaults/kata-containers/configuration-qemu.toml"
    packaged.write_text(packaged.read_text().replace(config_hosts.GO, str(place)))
    return place


def test_check_run_again_and_removal(run_module, release):
    declared = {"shim": "qemu", "release": str(release), "sizing": {"gpus": 8, "nvswitches": 4, "guest_memory": 32768},
                "append": {"hypervisor": {"qemu": {"kernel_params": "mitigations=off"}}}}
    planned = run_module("kata_config", declared, check=True)[1]
    status, result, unused = run_module("kata_config", declared)
    assert (status, result["changed"]) == (0, True), result
    assert result["actions"] == planned["actions"] and result["effective"] == planned["effective"]
    with open(result["drop_in"], encoding="utf-8") as stream:
        rows = tomli.loads(stream.read())["hypervisor"]["qemu"]
    assert rows == {"cold_plug_vfio": "root-port", "hot_plug_vfio": "no-port", "pcie_root_port": 12,
                    "default_memory": 32768,
                    "kernel_params": "cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 mitigations=off"}
    assert (result["runtime"], result["kata_version"], result["sizing"]["devices"]) == ("go", "4.1.0", 12)
    assert run_module("kata_config", declared)[1]["changed"] is False
    status, result, unused = run_module("kata_config", {"shim": "qemu", "release": str(release), "state": "absent"})
    assert [one["verb"] for one in result["actions"]] == ["delete", "delete"]


def test_several_shims_in_one_call(run_module, release):
    declared = {"shims": [{"shim": "qemu", "release": str(release), "sizing": {"gpus": 2}}]}
    status, result, unused = run_module("kata_config", declared)
    assert (status, result["changed"], "config_path" in result) == (0, True, False), result
    assert result["shims"][0]["effective"]["hypervisor"]["qemu"]["pcie_root_port"] == 2
    assert run_module("kata_config", {"shim": "qemu", "release": str(release), "sizing": {"gpus": 2}})[1][
        "changed"] is False


def test_every_problem_is_told_at_once(run_module, release):
    status, result, unused = run_module("kata_config", {"shim": "qemu", "release": str(release), "settings": {
        "hypervisor": {"qemu": {"default_memory": "2048", "seccomp_sandbox": "on"}},
        "agent": {"kata": {"policy": ""}}}})
    assert (status, result["error"], result["changed"], len(result["problems"])) == (1, "DeclarationError", False, 3)


def test_advice_is_a_warning_too(run_module, release):
    status, result, unused = run_module("kata_config", {"shim": "qemu", "release": str(release), "append": {
        "hypervisor": {"qemu": {"enable_annotations": ["path"]}}}})
    assert status == 0 and "jailer_path" in result["advice"][0]
    assert len(result["warnings"]) == 1 and "jailer_path" in repr(result["warnings"])


def test_a_secret_is_not_shown(run_module, release):
    folder = release / "share/defaults/kata-containers/runtimes/qemu/config.d"
    folder.mkdir(parents=True)
    (folder / "55-tracing.toml").write_text('[runtime]\njaeger_password = "very-secret"\n')
    status, result, said = run_module("kata_config", {"shim": "qemu", "release": str(release)})
    assert status == 0 and "very-secret" not in said


def test_the_page_and_the_options_are_the_same():
    described = options("kata_config")
    spec = dict(host_module.HOST_SPEC, **config.DOMAIN.ARGUMENT_SPEC)
    assert set(described) == set(spec)
    for name, option in spec.items():
        for key, without in (("type", "str"), ("default", None), ("required", False), ("choices", None),
                             ("elements", None)):
            assert described[name].get(key, without) == option.get(key, without), (name, key)
        assert set(described[name].get("suboptions", ())) == set(option.get("options", ()))
        for inner, row in option.get("options", {}).items():
            for key, without in (("type", "str"), ("default", None), ("required", False), ("choices", None)):
                assert described[name]["suboptions"][inner].get(key, without) == row.get(key, without), (name, inner)


def test_the_examples_are_valid():
    for task in yaml.safe_load(kata_config.EXAMPLES):
        written = dict(task["sovereign.region.kata_config"])
        if "sizing" in written:
            written["sizing"] = config_hosts.sized(**written["sizing"])
        if "shims" in written:
            written["shims"] = [config_hosts.entry(**one) for one in written["shims"]]
        assert config.DOMAIN.validate(config_hosts.params(**written)) == [], task["name"]
