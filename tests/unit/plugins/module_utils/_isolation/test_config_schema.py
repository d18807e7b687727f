# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys and types a shim takes. Every table is asked for every key that it has."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    config_renames,
    config_shims,
    keys_go_3_32_0,
    keys_go_4_1_0,
    keys_rust_3_32_0,
    keys_rust_4_1_0,
)
from ansible_collections.sovereign.region.plugins.module_utils._isolation.config_schema import Schema
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from hypothesis import given
from hypothesis import strategies as st

GO, RUST = config_shims.GO, config_shims.RUST
TABLES = [(GO, keys_go_4_1_0), (GO, keys_go_3_32_0), (RUST, keys_rust_4_1_0), (RUST, keys_rust_3_32_0)]
ROWS = [(kind, table, section, key) for kind, table in TABLES for section in sorted(table.KEYS)
        for key in sorted(table.KEYS[section])]
# Values, and the types that each of them is.
SAMPLES = [(True, {"boolean"}), (1, {"integer", "number"}), (0.5, {"number"}), (float("nan"), set()), (None, set()),
           ("text", {"string"}), ([], {"list of strings", "list of integers", "list of tables"}),
           (["x"], {"list of strings"}), ([1], {"list of integers"}), ([True], set()), ([{}], {"list of tables"}),
           ({}, {"table"})]


def schema(kind, version="4.1.0"):
    base = tomli.loads(config_hosts.GO_TEXT if kind == GO else config_hosts.RUST_TEXT)
    return Schema(kind, version, base)


def at(section, key, value):
    """Return settings with one value; a section in a list of tables is put into a list."""
    parts = [{"hypervisor": "qemu", "agent": "kata"}.get(before, one) if one == "*" else one
             for before, one in zip([""] + section.split("."), section.split("."))]
    tree = {key: value}
    for part in reversed(parts):
        tree = {part: [tree] if part in ("guest_extension_images", "shared_mounts") else tree}
    return tree


@given(st.sampled_from(ROWS), st.sampled_from(SAMPLES))
def test_every_key_takes_its_type_and_nothing_else(row, sample):
    (kind, table, section, key), (value, types) = row, sample
    entry = table.KEYS[section][key]
    if value == "text" and entry[0] == "string" and len(entry) > 2:
        value = entry[2][0]
    found = schema(kind, table.VERSION).problems(at(section, key, value), "settings")
    assert len(found) == (entry[0] not in types)
    assert all(key in one and "of the wrong type; expected" in one for one in found)


@given(st.sampled_from([row for row in ROWS if row[1].KEYS[row[2]][row[3]][0] == "integer"]), st.data())
def test_numbers_out_of_range_are_refused(row, data):
    kind, table, section, key = row
    lowest, highest = table.KEYS[section][key][2:]
    value = data.draw(st.one_of(st.integers(max_value=lowest - 1), st.integers(min_value=highest + 1)))
    found = schema(kind, table.VERSION).problems(at(section, key, value), "settings")
    assert len(found) == 1 and "out of range; expected {0} to {1}".format(lowest, highest) in found[0]


@pytest.mark.parametrize("kind, table", TABLES)
def test_defaults_are_of_their_type(kind, table):
    for section, rows in table.KEYS.items():
        for key, entry in rows.items():
            if entry[1] not in (None, ()):
                assert schema(kind, table.VERSION).problems(at(section, key, entry[1]), "x") == [], (section, key)
    assert set(table.STRICT) <= set(table.KEYS) and set(table.ALIASES) <= set(table.KEYS)


@pytest.mark.parametrize("kind, text", [(GO, config_hosts.GO_TEXT), (RUST, config_hosts.RUST_TEXT)])
def test_packaged_files_are_known_wholly(kind, text):
    tree = tomli.loads(text)
    assert schema(kind).ignored(tree) == [] and schema(kind).mistyped(tree) == []


@pytest.mark.parametrize("kind, section, key, words", [
    (RUST, "agent.*", "dial_timeout", ["dial_timeout_ms in [agent.kata]", "milliseconds", "reconnect_timeout_ms"]),
    (RUST, "agent.*", "cdh_api_timeout", ["cdh_api_timeout_ms", "milliseconds"]),
    (RUST, "hypervisor.*", "seccompsandbox", ["seccomp_sandbox in [hypervisor.qemu]"]),
    (RUST, "hypervisor.*", "hypervisor_loglevel", ["log_level", "word"]),
    (RUST, "runtime", "guest_selinux_label", ["selinux_label in [hypervisor.qemu]"]),
    (RUST, "runtime", "create_container_timeout", ["[agent.kata]", "also in seconds"]),
    (RUST, "runtime", "experimental_force_guest_pull", ["experimental in [runtime]", "force_guest_pull"]),
    (RUST, "hypervisor.*", "enable_numa", ["only read by the Go shim", "no NUMA topology"]),
    # In 4.1 there is no other name for it any more.
    (RUST, "hypervisor.*", "hot_plug_vfio", ["only read by the Go shim"]),
    (GO, "agent.*", "dial_timeout_ms", ["dial_timeout in [agent.kata]", "in seconds"]),
    (GO, "agent.*", "reconnect_timeout_ms", ["dial_timeout in [agent.kata]", "in seconds"]),
    (GO, "agent.*", "policy", ["only read by runtime-rs", "io.katacontainers.config.agent.policy"]),
    (GO, "hypervisor.*", "initdata", ["cc_init_data"]),
    (GO, "agent.*", "create_container_timeout", ["create_container_timeout in [runtime]", "also in seconds"]),
    (RUST, "runtime", "default_memory", ["belongs into [hypervisor.qemu]"]),
    (RUST, "hypervisor.*", "kernel_parms", ["the nearest is 'kernel_params'"]),
])
def test_keys_of_the_other_shim_get_their_new_name(kind, section, key, words):
    found = schema(kind).problems(at(section, key, 1), "settings")
    assert len(found) == 1
    for word in words:
        assert word in found[0], found[0]


def test_a_key_that_went_away_has_its_name_where_it_still_is():
    found = schema(RUST, "3.32.0").problems(at("hypervisor.*", "hot_plug_vfio", "root-port"), "settings")
    assert "hotplug_vfio_on_root_bus in [hypervisor.qemu], true or false" in found[0]


def test_sections_and_names():
    found = schema(RUST).problems({"factory": {}, "runtim": {}, "hypervisor": {"kemu": {}}, "agent": 3}, "settings")
    assert "only read by the Go shim" in found[0]
    assert "the nearest is 'runtime'" in found[1]
    assert "settings.hypervisor.kemu: 'kemu' is no hypervisor of this configuration; the nearest is 'qemu'" == found[2]
    assert "expected a mapping" in found[3]


def test_text_from_a_template_is_told_how_to_become_a_number():
    found = schema(GO).problems(at("hypervisor.*", "default_memory", "2048"), "settings")
    assert found[0].endswith("end it with '| int'")


def test_new_names_exist_in_some_version():
    every = {(kind, section + "." + key) for kind, table in TABLES for section in table.KEYS
             for key in table.KEYS[section]}
    for pair in config_renames._PAIRS:
        assert (GO, pair[0]) in every and (RUST, pair[1]) in every, pair
    for key in config_renames._OTHER_WAYS:
        assert (GO, key) in every or (RUST, key) in every


def test_drop_ins_with_unknown_keys_stop_a_shim_where_it_says_so():
    tree = {"hypervisor": {"qemu": {"nonsense": 1}}, "runtime": {"nonsense": 1}, "agent": {"kata": {"nonsense": 1}}}
    assert schema(GO).fatal(tree) == ["agent.kata.nonsense", "hypervisor.qemu.nonsense"]
    assert schema(RUST).fatal(tree) == ["agent.kata.nonsense"]
    assert schema(RUST).fatal({"agent": {"kata": {"mem_agent": {"x": 1}}}}) == ["agent.kata.mem_agent.x"]
    assert len(schema(RUST).ignored(tree)) == 3


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats()),
                    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
                        ["hypervisor", "qemu", "agent", "kata", "runtime", "mem_agent", "guest_extension_images",
                         "name", "default_memory", "x"]), inner, max_size=3)), max_leaves=12),
       st.sampled_from([GO, RUST]))
def test_nonsense_never_raises(tree, kind):
    judge = schema(kind)
    tree = tree if isinstance(tree, dict) else {"hypervisor": tree}
    for sentence in judge.problems(tree, "settings") + judge.mistyped(tree) + judge.ignored(tree) + judge.fatal(tree):
        assert isinstance(sentence, str)


@pytest.mark.parametrize("version, table", [
    (None, keys_rust_4_1_0), ("4.1.0", keys_rust_4_1_0), ("4.3.0", keys_rust_4_1_0), ("4.0.0", keys_rust_3_32_0),
    ("3.32.0", keys_rust_3_32_0), ("3.20.0", keys_rust_3_32_0), ("4.1.0-rebuilt", keys_rust_4_1_0)])
def test_the_nearest_table_before_a_version_counts(version, table):
    assert config_shims.tables(RUST, version) is table
