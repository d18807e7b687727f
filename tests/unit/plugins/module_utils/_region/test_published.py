# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published about the document is true: the guide, the schema for editors, and the inventories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._region.document import examine, load
from ansible_collections.sovereign.region.plugins.module_utils._region.names import alias, resource_class
from ansible_collections.sovereign.region.plugins.module_utils._region.schema import SCHEMA
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    BROKEN,
    CHECKOUT,
    INVENTORIES,
)

GUIDE = (CHECKOUT / "docs" / "region-document.md").read_text(encoding="utf-8")
TOOL = CHECKOUT / "tools" / "region_schema.py"


def blocks(language):
    """Return the fenced blocks of the guide."""
    return re.findall(r"^```{0}\n(.*?)^```$".format(language), GUIDE, re.DOTALL | re.MULTILINE)


def test_examples_of_the_guide_are_one_valid_document():
    document = {}
    for block in blocks("yaml"):
        part = yaml.safe_load(block)
        assert not set(part) & set(document)
        document.update(part)
    assert sorted(document) == sorted(SCHEMA["$defs"]["region"]["properties"])
    assert load(document).warnings == ()


def test_guide_names_every_key():
    for name, part in SCHEMA["$defs"].items():
        missing = [key for key in part["properties"] if "`{0}`".format(key) not in GUIDE and key + ":" not in GUIDE]
        assert missing == [], name


def test_messages_of_the_guide_are_those_of_the_broken_documents():
    said = set()
    for path in BROKEN:
        found = examine(yaml.safe_load(path.read_text(encoding="utf-8"))["document"])[0]
        said.update(problem.sentence() for problem in found)
    shown = [line for block in blocks("text") for line in block.splitlines() if line.startswith("sovereign_region")]
    assert len(shown) > 15
    assert [line for line in shown if line not in said] == []


def test_derived_names_of_the_guide():
    for mode, profile, model in (
        ("passthrough", None, "H200"),
        ("vf", None, "MI300X"),
        ("vf", "L40S-12Q", "L40S"),
        ("vgpu", "L40S-12Q", "L40S"),
        ("mig", "1g.18gb", "H200"),
    ):
        name = alias(model, mode, profile)
        assert "| `{0}` |{1} |".format(resource_class(model, mode, profile), f" `{name}`" if name else "") in GUIDE


def run_tool(*arguments):
    """Run the generator of the schema."""
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_schema_for_editors_is_up_to_date():
    done = run_tool("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_tool_finds_a_schema_that_is_out_of_date_and_writes_it(tmp_path):
    target = tmp_path / "schema.json"
    target.write_text("{}", encoding="utf-8")
    assert run_tool("--check", "--target", target).returncode == 1
    assert target.read_text(encoding="utf-8") == "{}"
    assert run_tool("--target", target).returncode == 0
    assert json.loads(target.read_text(encoding="utf-8")) == SCHEMA
    assert run_tool("--check", "--target", target).returncode == 0


@pytest.mark.parametrize("name", INVENTORIES)
def test_inventories_work_from_any_directory(name, tmp_path):
    command = [sys.executable, "-m", "ansible", "inventory", "-i", str(CHECKOUT / "inventories" / name), "--list"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert hosts["localhost"]["ansible_connection"] == "local"
    assert hosts["localhost"]["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    assert "ansible_become" not in hosts["localhost"]
    document = load(hosts["localhost"]["sovereign_region"]).data
    if name == "embedded":
        # The hosts are simulated: nothing may try to reach them, and nothing may be done on this machine in their name.
        declared = {host for pool in document["accelerators"]["pools"] for host in pool["hosts"]}
        assert set(hosts) == declared | {"localhost"}
        assert all(hosts[host]["ansible_connection"] == "local" for host in hosts)
        assert all(hosts[host]["region_accelerator_root"].endswith("/hosts/{{ inventory_hostname }}")
                   for host in declared)
        assert hosts["localhost"]["region_cloud"] == "embedded-admin"
    else:
        declared = {host for pool in document["accelerators"]["pools"] for host in pool["hosts"]}
        assert set(hosts) == declared | {"localhost"}
        assert all(hosts[host]["ansible_pipelining"] is True for host in hosts)


@pytest.mark.parametrize("name", INVENTORIES)
def test_documents_point_editors_to_the_schema(name):
    folder = CHECKOUT / "inventories" / name / "group_vars" / "all"
    line = re.search(r"yaml-language-server: \$schema=(\S+)", (folder / "region.yml").read_text(encoding="utf-8"))
    assert (folder / line.group(1)).resolve() == (CHECKOUT / "docs" / "region.schema.json").resolve()


def test_flavors_of_the_embedded_region_fit_into_the_default_quota():
    path = CHECKOUT / "inventories" / "embedded" / "group_vars" / "all" / "region.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))["sovereign_region"]
    for flavor in document["tenancy"]["flavors"]:
        assert flavor["vcpus"] <= 20 and flavor["ram_mib"] <= 51200
