# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator of Kata's keys, on small sources of our own in the shape of upstream's; upstream's are not needed.

Where KATA_SOURCES names a checkout of a version that has tables here, these are what the generator makes of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import kata_keys
import kata_keys_templates
import pytest
from checkout import ROOT

TABLES = ROOT / "plugins" / "module_utils" / "_isolation"
FILES = {
    "VERSION": "9.8.7\n",
    "src/runtime/pkg/katautils/config.go": """\
type tomlConfig struct {
	Hypervisor map[string]hypervisor
	Factory    factory
}

type factory struct {
	Template bool `toml:"enable_template"`
}

type hypervisor struct {
	Path       string          `toml:"path"`
	MemSlots   uint32          `toml:"memory_slots"`
	NumVCPUs   float32         `toml:"default_vcpus"`
	Policy     *uint64         `toml:"snp_guest_policy"`
	Paths      []string        `toml:"valid_paths"`
	HotPlug    config.PCIePort `toml:"hot_plug_vfio"`
	Extensions []extension     `toml:"extensions"`
}

type extension struct {
	Path string `toml:"path"`
}

func (h hypervisor) defaultMemSlots() uint32 {
	slots := h.MemSlots
	if slots == 0 {
		slots = defaultMemSlots
	}
	return slots
}

func (h hypervisor) path() (string, error) {
	p := h.Path
	if h.Path == "" {
		p = defaultHypervisorPath
	}
	return ResolvePath(p)
}
""",
    "src/runtime/pkg/katautils/config-settings.go.in": """\
var defaultHypervisorPath = "@HYPERVISOR@"
const defaultMemSlots uint32 = 10 // slots
""",
    "src/runtime/pkg/device/config/config.go": """\
type PCIePort string

const (
	// RootPort is one
	RootPort PCIePort = "root-port"
	NoPort = "no-port"
	InvalidPort = "invalid-port"
)
""",
    "src/libs/kata-types/src/config/mod.rs": """\
/// All of it.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct TomlConfig {
    /// Agents.
    #[serde(default)]
    pub agent: HashMap<String, Agent>,
    #[serde(default)]
    pub runtime: Runtime,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    #[serde(default, rename = "enable_debug")]
    pub debug: bool,
    #[serde(default = "default_dial")]
    pub dial_timeout_ms: u32,
    #[serde(
        default = "default_request",
        rename = "create_container_timeout",
        deserialize_with = "to_millis"
    )]
    pub request_timeout_ms: u32,
    #[serde(default)]
    pub mem: Option<MemAgent>,
    #[serde(default, flatten)]
    pub more: More,
}

fn default_dial() -> u32 {
    default::DIAL
}

fn default_request() -> u32 {
    30_000
}

#[derive(Debug, Deserialize)]
pub struct MemAgent {
    #[serde(default, alias = "mem_agent_enable")]
    pub enable: bool,
    #[serde(default)]
    pub limit: Option<u8>,
}

pub struct More {
    pub label: Option<String>,
    #[serde(default)]
    pub kind: Kind,
    #[serde(default)]
    pub names: Vec<String>,
    #[serde(default)]
    pub part: f32,
}

pub enum Kind {
    #[serde(rename = "thp")]
    THP,
    /// Other.
    Plain,
}

#[derive(Default)]
pub struct Runtime {
    #[serde(default)]
    pub name: String,
}
""",
    "src/libs/kata-types/src/config/default.rs": "pub const DIAL: u32 = 0x0a;\n",
    "src/libs/kata-types/src/config/vendor.rs": "pub struct Runtime {\n    pub nothing: String,\n}\n",
    "src/runtime/config/configuration-qemu.toml.in": "[hypervisor.qemu]\npath = \"@P@\"\ngone = 1\n# also_gone = 1\n",
    "src/runtime-rs/config/configuration-x.toml.in": "[agent.kata]\nenable_debug = false\n[runtime]\nnam = 1\n",
}


@pytest.fixture
def sources(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def read(text):
    names = {}
    exec(compile(text, "table", "exec"), names)
    return names


def test_the_go_shim(sources):
    table = read(kata_keys.tables_of(sources)["keys_go_9_8_7.py"])
    assert table["VERSION"] == "9.8.7" and table["ALIASES"] == {}
    assert table["STRICT"] == ("hypervisor.*", )
    assert table["KEYS"] == {
        "factory": {"enable_template": ("boolean", False)},
        "hypervisor.*": {
            "path": ("string", ""), "memory_slots": ("integer", 10, 0, 2**32 - 1), "default_vcpus": ("number", 0.0),
            "snp_guest_policy": ("integer", 0, 0, 2**63 - 1), "valid_paths": ("list of strings", ()),
            "hot_plug_vfio": ("string", "", ("no-port", "root-port")), "extensions": ("list of tables", None)},
        "hypervisor.*.extensions": {"path": ("string", "")},
    }


def test_runtime_rs(sources):
    table = read(kata_keys.tables_of(sources)["keys_rust_9_8_7.py"])
    assert table["STRICT"] == ("agent.*",)
    assert table["ALIASES"] == {"agent.*.mem": {"mem_agent_enable": "enable"}}
    assert table["KEYS"] == {
        "agent.*": {
            "enable_debug": ("boolean", False), "dial_timeout_ms": ("integer", 10, 0, 2**32 - 1),
            # The file has seconds, the struct milliseconds.
            "create_container_timeout": ("integer", None, 0, 2**32 - 1), "mem": ("table", None),
            "label": ("string", None), "kind": ("string", None, ("Plain", "thp")), "names": ("list of strings", ()),
            "part": ("number", 0.0)},
        "agent.*.mem": {"enable": ("boolean", False), "mem_agent_enable": ("boolean", False),
                        "limit": ("integer", None, 0, 255)},
        "runtime": {"name": ("string", "")},
    }


def test_keys_of_packaged_files_that_no_shim_reads(sources):
    assert kata_keys_templates.unknown(sources) == [
        "src/runtime/config/configuration-qemu.toml.in: [hypervisor.*] gone",
        "src/runtime-rs/config/configuration-x.toml.in: [runtime] nam"]


def test_two_files_are_written(sources, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kata_keys, "TARGET", tmp_path)
    kata_keys.main([str(sources)])
    assert sorted(path.name for path in tmp_path.glob("keys_*.py")) == ["keys_go_9_8_7.py", "keys_rust_9_8_7.py"]
    kata_keys.main([str(sources), "--templates"])
    assert "[runtime] nam" in capsys.readouterr().out


def test_tables_say_who_made_them_and_are_named_by_their_version():
    paths = sorted(TABLES.glob("keys_*.py"))
    assert len(paths) == 4
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "Generated by tools/kata_keys.py" in text
        shim, version = path.stem.split("_")[1], read(text)["VERSION"]
        assert path.stem == kata_keys.module_name(shim, version)


if os.environ.get("KATA_SOURCES"):
    def test_tables_are_what_the_sources_say():
        for name, text in kata_keys.tables_of(Path(os.environ["KATA_SOURCES"])).items():
            assert (TABLES / name).read_text(encoding="utf-8") == text
