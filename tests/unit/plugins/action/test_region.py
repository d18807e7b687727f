# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin, as the installed ansible-core runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible_collections.sovereign.region.plugins.action import region as module
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import inventory

# Where Ansible finds the very collection that is tested, be it a checkout or an installed one.
COLLECTIONS = next(parent.parent for parent in Path(module.__file__).parents if parent.name == "ansible_collections")


def run(args, variables=None):
    """Run the action with arguments and variables."""
    task = MagicMock(args=args, async_val=0, check_mode=True, diff=False, action="sovereign.region.region")
    loader = DataLoader()
    plugin = module.ActionModule(
        task=task,
        connection=MagicMock(),
        play_context=MagicMock(),
        loader=loader,
        templar=Templar(loader=loader, variables=variables or {}),
        shared_loader_obj=None,
    )
    plugin._execute_module = MagicMock(side_effect=AssertionError("no module is sent"))
    return plugin.run(task_vars=variables or {})


def test_valid_document():
    result = run({"document": inventory("embedded")})
    assert not result.get("failed")
    assert result["changed"] is False
    region = result["region"]
    assert (region["name"], region["owner"], region["warnings"]) == ("embedded", "sovereign.region:embedded", [])
    assert [(pool["alias"], pool["total"]) for pool in region["pools"]] == [("h200", 16), ("l40s", 8)]
    assert [site["name"] for site in region["sites"]] == ["site-a", "site-b"]
    assert [len(result["tenancy"][kind]) for kind in ("domains", "projects", "flavors")] == [1, 5, 4]
    assert [pool["resource_class"] for pool in result["pools"]] == ["CUSTOM_GPU_H200", "CUSTOM_GPU_L40S"]
    assert [flavor["name"] for flavor in result["canary"]] == ["h200.1", "h200.8", "l40s.1", "l40s.4"]


def test_result_is_plain_data():
    result = run({"document": inventory("example")})
    assert yaml.safe_load(yaml.safe_dump(result["region"])) == result["region"]
    assert json.loads(json.dumps(result["tenancy"])) == result["tenancy"]


def test_all_problems_in_words_and_as_data():
    document = inventory("embedded")
    document["accelerators"]["pools"][1]["mode"] = "passthru"
    document["tenancy"]["flavors"][1]["gpus"] = 9
    result = run({"document": document})
    assert result["failed"] is True
    assert result["msg"].splitlines() == [
        "The region document has 2 problems:",
        '  sovereign_region.accelerators.pools[1].mode: "passthru", expected one of passthrough, vf, vgpu, mig, host '
        "(nearest: 'passthrough')",
        "  sovereign_region.tenancy.flavors[1].gpus: 9, expected at most 8, because a server lives on one host "
        "and each host of pool h200 has 8",
    ]
    assert result["problems"][0] == {
        "path": "sovereign_region.accelerators.pools[1].mode",
        "value": "passthru",
        "expected": "one of passthrough, vf, vgpu, mig, host",
        "nearest": "passthrough",
        "kind": "shape",
        "message": result["msg"].splitlines()[1].strip(),
    }
    assert "region" not in result


def test_warnings_do_not_fail():
    document = inventory("embedded")
    document["tenancy"]["flavors"] = document["tenancy"]["flavors"][:2]
    result = run({"document": document})
    assert not result.get("failed")
    assert result["warnings"] == ["pool l40s has no flavor: no tenant can use its 8 devices"]
    assert result["region"]["warnings"] == result["warnings"]


def test_without_an_option_the_variable_is_taken():
    assert run({}, {"sovereign_region": inventory("embedded")})["region"]["name"] == "embedded"


def test_no_document_at_all():
    expected = "  sovereign_region: missing, expected the region document in a variable of this name"
    assert run({})["msg"].splitlines()[1].startswith(expected)
    assert run({}, {"sovereign_region": None})["problems"][0]["expected"] == "a mapping"


def test_an_option_that_does_not_exist():
    with pytest.raises(AnsibleError, match="Invalid options for sovereign.region.region: documents"):
        run({"documents": {}})


def test_a_large_variable_is_resolved_quickly():
    document = inventory("embedded")
    document["tenancy"]["projects"] += [{"name": f"p{index}", "tags": ["a", "b"]} for index in range(1000)]
    start = time.process_time()
    assert not run({}, {"sovereign_region": document}).get("failed")
    assert time.process_time() - start < 3.0


PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    place: site-a
    sovereign_region:
      version: 1
      name: "{{ region_name | default('r') }}"
      sites: [{name: "{{ place }}", jurisdiction: DE}]
      accelerators:
        pools:
          - {name: h200, site: "{{ place }}", hosts: [h1], model: H200, mode: passthrough, devices: "{{ count | int }}"}
    count: 8
    undefined_parts: {version: 1, name: "{{ nothing }}", sites: [{name: a, jurisdiction: "{{ nowhere }}"}]}
    encrypted_part:
      version: 1
      name: !vault |
VAULT
      sites: [{name: a, jurisdiction: DE}]
  tasks:
    - name: Values of the controller become plain ones
      sovereign.region.region:
        document: "{{ sovereign_region | combine({'accelerators': {'pools': []}}) }}"
      register: given
    - name: The variable is taken by itself
      sovereign.region.region:
        document: "{{ sovereign_region | combine(whole) }}"
      vars:
        pool: {name: h200, site: site-a, hosts: [h1], model: H200, mode: passthrough, devices: 8}
        whole: {accelerators: {pools: ["{{ pool }}"]}}
      register: whole_region
    - name: An undefined part is named by its path
      sovereign.region.region:
      vars:
        sovereign_region: "{{ undefined_parts }}"
      register: undefined_whole
      ignore_errors: true
    - name: Undefined parts are named by their paths
      sovereign.region.region:
      vars:
        sovereign_region: {version: 1, name: "{{ nothing }}", sites: [{name: a, jurisdiction: "{{ nowhere }}"}]}
      register: undefined
      ignore_errors: true
    # Up to 2.18 a template decrypts before anybody can see that it was encrypted.
    - name: An encrypted part is named by its path
      sovereign.region.region:
        document: "{{ encrypted_part }}"
      when: ansible_version.full is version('2.19', '>=')
      register: encrypted
      ignore_errors: true
    - name: An encrypted part of the variable as well
      sovereign.region.region:
      vars:
        sovereign_region:
          version: 1
          name: !vault |
VAULT
          sites: [{name: a, jurisdiction: DE}]
      register: encrypted_variable
      ignore_errors: true
    - name: Judge
      ansible.builtin.assert:
        that:
          - given.region.name == 'r'
          - given is not changed
          - whole_region.region.pools[0].total == 8
          - whole_region.region.warnings | length == 1
          - undefined_whole is failed
          - undefined is failed
          - undefined.problems | map(attribute='path') | list == expected_paths
          - encrypted is skipped or encrypted is failed
          - encrypted is skipped or encrypted.problems | map(attribute='path') | list == ['sovereign_region.name']
          - encrypted_variable.problems[0].value is none
          - encrypted_variable is failed
          - encrypted_variable.problems | map(attribute='path') | list == ['sovereign_region.name']
      vars:
        expected_paths: [sovereign_region.name, 'sovereign_region.sites[0].jurisdiction']
"""


@pytest.mark.parametrize("mode", [[], ["--check", "--diff"]], ids=["run", "check mode"])
def test_in_a_play(tmp_path, mode):
    vault = VaultLib([("default", VaultSecret(b"a password for this test"))]).encrypt("planted-text").decode()
    (tmp_path / "password").write_text("a password for this test", encoding="utf-8")
    text = PLAY.replace("VAULT", "\n".join(" " * 12 + line for line in vault.strip().splitlines()))
    (tmp_path / "play.yml").write_text(text, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "password"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, "-m", "ansible", "playbook", str(tmp_path / "play.yml"), *mode]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "planted-text" not in done.stdout + done.stderr
