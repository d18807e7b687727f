# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a shim does not take, words on the guest's command line, and what a configuration allows."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    config_kernel,
    config_merge,
    config_policy,
    config_shims,
    config_values,
)
from ansible_collections.sovereign.region.plugins.module_utils._isolation.config_schema import Schema
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from hypothesis import given
from hypothesis import strategies as st

GO, RUST = config_shims.GO, config_shims.RUST
DENY = "package agent_policy\n\ndefault CreateContainerRequest := false\ndefault ExecProcessRequest := false\n"
INITDATA = "version = '0.1.0'\nalgorithm = 'sha384'\n[data]\n'policy.rego' = '''\n{0}'''\n"


def hypervisor(**rows):
    return {"hypervisor": {"qemu": rows}}


def whole(kind, **rows):
    """Return the packaged configuration with some keys of the hypervisor."""
    text = config_hosts.GO_TEXT if kind == GO else config_hosts.RUST_TEXT
    return config_merge.merge(tomli.loads(text), hypervisor(**rows))


@pytest.mark.parametrize("kind, key, value, words", [
    (GO, "pcie_root_port", 17, "expected 0 to 16, the shim would silently take the nearest"),
    (GO, "default_bridges", 6, "expected 0 to 5"),
    (GO, "default_memory", 128, "expected at least 256, the shim would silently take 2048"),
    (GO, "hypervisor_loglevel", 4, "expected 0 to 3"),
    (GO, "block_device_driver", "virtio-blk-pci", "expected virtio-scsi, virtio-blk, virtio-mmio"),
    (GO, "shared_fs", "virtiofs", "the nearest is 'virtio-fs'"),
    (RUST, "block_device_driver", "virtio-blk", "a value of the Go shim; in runtime-rs it is 'virtio-blk-pci'"),
    (RUST, "cold_plug_vfio", "switch-port", "expected no-port, root-port"),
    (RUST, "default_memory", 63, "expected at least 64"),
    (RUST, "log_level", "verbose", "expected trace, debug, info, warn, error, critical"),
    (RUST, "virtio_fs_cache", "metadata", "expected never, auto, always"),
    (RUST, "block_device_logical_sector_size", 1000, "a power of 2 from 512 to 65536"),
    (RUST, "guest_extension_images", [{"name": "a b"}], "'a b' is no name"),
    (RUST, "guest_extension_images", [{"name": "a"}, {"name": "a"}], "'a' is there twice"),
    (RUST, "guest_extension_images", [{}], "'' is no name"),
])
def test_values_that_a_shim_does_not_take_as_they_are(kind, key, value, words):
    found = config_values.value_problems(kind, (4, 1, 0), hypervisor(**{key: value}), "settings")
    assert len(found) == 1 and words in found[0], found


def test_values_that_came_later():
    tree = {"runtime": {"emptydir_mode": "block-plain"}}
    assert config_values.value_problems(RUST, (4, 1, 0), tree, "settings") == []
    assert "block-encrypted" in config_values.value_problems(RUST, (3, 32, 0), tree, "settings")[0]


@pytest.mark.parametrize("kind, rows, words", [
    (GO, {"initrd": "/x"}, "image and hypervisor.qemu.initrd are both set"),
    (RUST, {"image": ""}, "are both empty"),
    (RUST, {"pcie_root_port": 1, "pcie_switch_port": 1}, "takes only one"),
    (RUST, {"enable_guest_swap": True}, "no guest swap"),
    (RUST, {"dbg_monitor_socket": ""}, "dbg_monitor_socket and extra_monitor_socket are two names"),
    (GO, {"cold_plug_vfio": "root-port", "hot_plug_vfio": "root-port"}, "only one can be"),
])
def test_configurations_with_which_a_shim_does_not_start(kind, rows, words):
    tree = whole(kind, **rows)
    found = config_values.whole_problems(kind, Schema(kind, "4.1.0", tree), tree)
    assert len(found) == 1 and words in found[0], found


def test_two_names_of_one_key_in_two_files():
    tree = config_merge.merge(whole(RUST), {"agent": {"kata": {"mem_agent": {"enable": True}}}})
    found = config_values.whole_problems(RUST, Schema(RUST, "4.1.0", tree), tree)
    assert len(found) == 1
    assert found[0].startswith("agent.kata.mem_agent: enable and mem_agent_enable are two names of one key, ")


@pytest.mark.parametrize("kind", [GO, RUST])
def test_packaged_configurations_are_in_order(kind):
    tree = whole(kind)
    assert config_values.whole_problems(kind, Schema(kind, "4.1.0", tree), tree) == []
    assert config_values.value_problems(kind, (4, 1, 0), tree, "settings") == []
    assert config_policy.debug_problems(tree) == [] and config_policy.annotation_problems(tree, False) == []


@pytest.mark.parametrize("line, word", [
    ("a=1 nokaslr quiet", "nokaslr"), ("foo", "foo"), ("cgroup_no_v1=all bar", "bar"), ("quiet -- x", "--"),
    ('a="b c', "quotation"), ("a=1\nb=2", "control"), ("nomodules3", "nomodules3")])
def test_words_that_would_reach_the_agent(line, word):
    found = config_kernel.problems("hypervisor.qemu.kernel_params", line)
    assert len(found) == 1 and word in found[0]


@pytest.mark.parametrize("line", [
    "", "quiet ro", "agent.log=info systemd.unit=x", 'dyndbg="file a.c +p" nvrc.smi.srs=1', "rd.udev -x=1",
    "cgroup_no_v1=all pci=realloc pci=nocrs pci=assign-busses"])
def test_words_that_do_not(line):
    assert config_kernel.problems("x", line) == []


@given(st.text())
def test_any_command_line_is_judged(line):
    config_kernel.problems("x", line)
    assert all(not word.isspace() for word in config_kernel.words(line))


@pytest.mark.parametrize("pattern", [".*", ".+", "", ".", "[a-z_]+", "^.*$", "(.*)", "a_name|."])
def test_expressions_that_match_everything_are_refused_unless_wanted(pattern):
    tree = hypervisor(enable_annotations=["kernel_params", pattern])
    assert "matches every annotation" in config_policy.annotation_problems(tree, False)[0]
    assert config_policy.annotation_problems(tree, True) == []


def test_expressions_are_looked_for_anywhere_in_a_name():
    assert config_policy.annotation_problems(hypervisor(enable_annotations=["default_vcpus"]), False) == []
    assert "no regular expression" in config_policy.annotation_problems(hypervisor(enable_annotations=["("]), True)[0]
    found = config_policy.annotation_advice(hypervisor(enable_annotations=["path", "^default_memory$"]))
    assert len(found) == 1 and "jailer_path" in found[0] and "guest_hook_path" in found[0]


@pytest.mark.parametrize("tree", [
    hypervisor(enable_debug=True), {"agent": {"kata": {"debug_console_enabled": True}}},
    {"runtime": {"enable_pprof": True}}, {"agent": {"kata": {"log_level": "debug"}}},
    hypervisor(guest_memory_dump_path="/var/crash"), hypervisor(extra_monitor_socket="qmp"),
    hypervisor(kernel_params="quiet agent.debug_console agent.log=info"), hypervisor(kernel_params="agent.log=debug"),
    {"runtime": {"keep_abnormal": True}}])
def test_debugging_is_told(tree):
    assert len(config_policy.debug_problems(tree)) == 1


def test_debugging_that_is_off_is_none():
    tree = hypervisor(enable_debug=False, log_level="info", kernel_params="agent.debug_console=false agent.log=info")
    assert config_policy.debug_problems(tree) == []


@pytest.mark.parametrize("text, words", [
    ("", "no policy for the agent"), (base64.b64encode(DENY.encode()).decode(), "not base64"),
    ("package agent_policy\n", "it has no 'default <request> := false'"),
    (DENY + "default SetPolicyRequest := true\n", "SetPolicyRequest is allowed by default"),
    (DENY + "default AllowRequestsFailingPolicy = true\ndefault CopyFileRequest := true", "are allowed by default"),
])
def test_policies_that_do_not_deny(text, words):
    found = config_policy.policy_problems("agent.kata.policy", text)
    assert len(found) == 1 and words in found[0], found


def test_policies_that_do():
    assert config_policy.policy_problems("x", DENY + "default WaitProcessRequest := true\n") == []


@pytest.mark.parametrize("text, words", [
    ("H4sIAAAA", "no TOML"), ("version = '1'\nalgorithm = 'sha384'\n[data]\n", "expected '0.1.0'"),
    ("version = '0.1.0'\nalgorithm = 'md5'\n[data]\n", "expected sha256, sha384, sha512"),
    ("version = '0.1.0'\nalgorithm = 'sha384'\n", "no table [data]"),
    (INITDATA.format("package agent_policy\ndefault ExecProcessRequest := true\n"), "ExecProcessRequest is allowed"),
])
def test_initdata_that_no_guest_takes(text, words):
    found = config_policy.guest_problems(hypervisor(initdata=text), tomli, False)
    assert len(found) == 1 and words in found[0], found


def test_initdata_that_is_right():
    assert config_policy.guest_problems(hypervisor(initdata=INITDATA.format(DENY)), tomli, False) == []


def test_secrets_are_refused_as_options_and_never_shown():
    tree = {"runtime": {"jaeger_password": "s3cret", "jaeger_user": "me"}}
    assert "s3cret" not in config_policy.secret_problems(tree, "settings")[0]
    assert config_policy.masked(tree) == {"runtime": {"jaeger_password": "********", "jaeger_user": "me"}}
