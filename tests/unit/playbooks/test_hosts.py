# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task files that all verbs share for hosts, run by ansible-playbook on hosts that nobody can reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
LINK = ROOT / "playbooks" / "collections"
COLLECTIONS = LINK if LINK.is_dir() else ROOT.parents[2]
LOST = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_retries": 0}


def play(tmp_path, hosts):
    """Run the plays of a verb without its region: which hosts, the hosts, the outcome; return (it, output)."""
    tasks, told = ROOT / "playbooks" / "tasks", tmp_path / "told.json"
    local = {"hosts": "localhost", "gather_facts": False}
    plays = [
        dict(local, tasks=[{"ansible.builtin.set_fact": {
            "region_failure": "", "region_hosts_of_run": sorted(hosts),
            "region_declared": {"hosts": {name: [] for name in hosts}}}}]),
        {"hosts": "lost", "gather_facts": False, "ignore_unreachable": True, "vars": {"region_is_plan": False},
         "tasks": [{"ansible.builtin.include_tasks": str(tasks / "host.yml")}]},
        dict(local, tasks=[
            {"ansible.builtin.include_tasks": str(tasks / "collect_hosts.yml")},
            {"ansible.builtin.copy": {"dest": str(told), "content": "{{ region_host_outcomes | to_json }}"}}]),
    ]
    inventory = {"all": {"hosts": {"localhost": {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable}}, "children": {"lost": {
            "hosts": hosts}}}}
    (tmp_path / "plays.yml").write_text(yaml.safe_dump(plays))
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    done = subprocess.run(
        [sys.executable, str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", "plays.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(tmp_path / "home"),
             "ANSIBLE_CONFIG": str(tmp_path / "none.cfg")})
    return json.loads(told.read_text()) if told.exists() else None, done.stdout + done.stderr


@pytest.mark.skipif(not Path(sys.executable).with_name("ansible-playbook").exists(), reason="needs ansible-playbook")
def test_losing_all_hosts_at_once_is_told_for_each_and_does_not_end_the_run(tmp_path):
    outcomes, output = play(tmp_path, {"gpu-1": dict(LOST), "gpu-2": dict(LOST)})
    assert outcomes is not None, output
    assert [(one["host"], one["reached"], one["failure"]) for one in outcomes] == [
        ("gpu-1", False, "it could not be reached"), ("gpu-2", False, "it could not be reached")]
    assert all(one["actions"] == one["accelerators"] == one["deferred"] == [] for one in outcomes)
