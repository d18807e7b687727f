# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large machines become, from one GPU to a whole board."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    config_merge,
    config_shims,
    config_sizing,
)
from ansible_collections.sovereign.region.plugins.module_utils._isolation.config_schema import Schema
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.config_hosts import sized
from hypothesis import given
from hypothesis import strategies as st

GO, RUST = config_shims.GO, config_shims.RUST
BASES = {GO: tomli.loads(config_hosts.GO_TEXT), RUST: tomli.loads(config_hosts.RUST_TEXT)}


def whole(kind, sizing):
    tree, problems = config_sizing.settings(sizing, kind, (4, 1, 0), BASES[kind])
    assert problems == []
    return config_merge.merge(BASES[kind], tree)


@pytest.mark.parametrize("kind", [GO, RUST])
def test_a_whole_board_fits(kind):
    sizing = sized(gpus=8, nvswitches=4, guest_memory=65536)
    tree = whole(kind, sizing)
    rows = tree["hypervisor"]["qemu"]
    assert (rows["pcie_root_port"], rows["cold_plug_vfio"], rows["default_memory"]) == (12, "root-port", 65536)
    result = config_sizing.result(sizing, kind, tree)
    # 128 MiB of tables for the IOMMU, and as many for the processor.
    assert result == {
        "devices": 12, "pcie_root_port": 12, "timeout": 1200, "cpus": 1.0 if kind == GO else 1.2,
        "memory_mib": (65536 if kind == GO else 32) + 320 + 256}
    agent = tree["agent"]["kata"]
    if kind == GO:
        assert (agent["dial_timeout"], tree["runtime"]["create_container_timeout"]) == (1200, 1200)
        assert rows["hot_plug_vfio"] == "no-port"
    else:
        assert (agent["create_container_timeout"], agent["reconnect_timeout_ms"], agent["dial_timeout_ms"]) == (
            1200, 1200000, 1000)


@given(st.sampled_from([GO, RUST]), st.integers(0, 8), st.integers(0, 4), st.integers(0, 4),
       st.one_of(st.none(), st.integers(256, 2**20)))
def test_every_pool_that_is_accepted_fits(kind, gpus, nvswitches, others, memory):
    sizing = sized(gpus=gpus, nvswitches=nvswitches if gpus else 0, other_devices=others, guest_memory=memory)
    assert config_sizing.problems(sizing) == []
    tree, problems = config_sizing.settings(sizing, kind, (4, 1, 0), BASES[kind])
    assert problems == []
    assert Schema(kind, "4.1.0", BASES[kind]).problems(tree, "sizing") == []
    full = config_merge.merge(BASES[kind], tree)
    assert config_sizing.short_problems(sizing, kind, full) == []
    result = config_sizing.result(sizing, kind, full)
    assert result["pcie_root_port"] >= result["devices"] == config_sizing.devices(sizing)
    assert result["memory_mib"] >= 320 and result["timeout"] >= (1200 if result["devices"] else 30)
    assert tree == {} or config_sizing.settings(sizing, kind, (4, 1, 0), full)[0] is not None


def test_what_is_larger_already_stays():
    base = config_merge.merge(BASES[RUST], {
        "hypervisor": {"qemu": {"pcie_root_port": 16, "default_maxmemory": 4096}},
        "agent": {"kata": {"create_container_timeout": 3600, "reconnect_timeout_ms": 9999999}}})
    tree, problems = config_sizing.settings(sized(gpus=1, guest_memory=8192), RUST, (4, 1, 0), base)
    assert problems == [] and tree["hypervisor"]["qemu"]["pcie_root_port"] == 16
    assert tree["hypervisor"]["qemu"]["default_maxmemory"] == 8192
    assert tree["agent"]["kata"]["create_container_timeout"] == 3600


@pytest.mark.parametrize("sizing, kind, version, name, words", [
    (sized(gpus=17), GO, (4, 1, 0), "qemu", "has 16 at most"),
    (sized(gpus=25), RUST, (4, 1, 0), "qemu", "has 24 at most"),
    (sized(gpus=8, nvswitches=4), RUST, (3, 32, 0), "qemu", "from 4.1 on"),
    (sized(gpus=1), RUST, (4, 1, 0), "clh", "only handed to machines of QEMU"),
])
def test_what_no_machine_can_have(sizing, kind, version, name, words):
    found = config_sizing.device_problems(sizing, kind, version, name)
    assert len(found) == 1 and words in found[0]


@pytest.mark.parametrize("sizing, words", [
    (sized(gpus=-1), "sizing.gpus: -1 is out of range"), (sized(nvswitches=4), "without a GPU"),
    (sized(guest_memory=0), "0 is no size")])
def test_pools_that_cannot_be(sizing, words):
    assert words in config_sizing.problems(sizing)[0]


@pytest.mark.parametrize("rows, words", [({"pcie_root_port": 8}, "8 is too few for 12 devices"),
                                         ({"cold_plug_vfio": "no-port"}, "no device reaches the machine")])
def test_what_somebody_else_took_away_is_seen(rows, words):
    sizing = sized(gpus=8, nvswitches=4)
    tree = config_merge.merge(whole(RUST, sizing), {"hypervisor": {"qemu": rows}})
    found = config_sizing.short_problems(sizing, RUST, tree)
    assert len(found) == 1 and words in found[0]
