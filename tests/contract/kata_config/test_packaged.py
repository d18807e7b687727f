# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every packaged configuration of a release has only keys that the tables know, with values that they take."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    config_merge,
    config_policy,
    config_shims,
    config_values,
)
from ansible_collections.sovereign.region.plugins.module_utils._isolation.config_schema import Schema
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from contract.kata_config.releases import TARBALLS

# Upstream packages keys of the Go shim for runtime-rs, which does not read them (Kata 3.32 and 4.1).
FOREIGN = {"firmware_volume", "vhost_user_reconnect_timeout_sec", "use_legacy_serial", "kubelet_root_dir",
           "remote_hypervisor_socket", "remote_hypervisor_timeout"}


@pytest.mark.parametrize("tarball", TARBALLS, ids=lambda path: path.name)
def test_packaged_configurations_are_known_wholly(tarball, tmp_path):
    subprocess.run(["tar", "-I", "zstd", "-xf", str(tarball), "-C", str(tmp_path), "--wildcards", "*.toml", "*VERSION"],
                   check=True)
    release = tmp_path / "opt" / "kata"
    version = (release / "VERSION").read_text(encoding="utf-8").strip()
    found = sorted((release / "share/defaults/kata-containers").rglob("configuration-*.toml"))
    assert found
    for path in found:
        tree = tomli.loads(path.read_text(encoding="utf-8"))
        kind = config_shims.RUST if path.parent.name == "runtime-rs" else config_shims.GO
        schema = Schema(kind, version, tree)
        assert {one.split(".")[-1] for one in schema.ignored(tree)} <= FOREIGN, path.name
        assert schema.mistyped(tree) == [] and schema.fatal(tree) == [], path.name
        assert config_values.whole_problems(kind, schema, tree) == [], path.name
        known = config_merge.merge({}, tree)
        assert config_values.value_problems(kind, config_shims.number(version), known, path.name) == []
        assert config_policy.debug_problems(tree) == [] and config_policy.annotation_problems(tree, False) == []
