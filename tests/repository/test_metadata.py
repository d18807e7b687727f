# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says of itself agrees with what it is."""

from __future__ import annotations

import ast
import os
import re

import pytest
from checkout import ROOT, files, load, name, tree

MODULES = [path for path in files("plugins/modules/*.py") if path.stem != "__init__"]
GROUP = "sovereign.region.openstack"


def documentation(path):
    """A module's DOCUMENTATION as text."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return ast.literal_eval(node.value)
    return ""


def talks_to_openstack(path):
    return re.search(r"^\s*- sovereign\.region\.openstack$", documentation(path), re.M) is not None


def test_the_action_group_holds_every_openstack_module():
    group = set(load(ROOT / "meta" / "runtime.yml")["action_groups"]["openstack"])
    assert {path.stem for path in MODULES if talks_to_openstack(path)} == group


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_how_it_behaves(path):
    text = documentation(path)
    assert "sovereign.region.attributes" in text
    if talks_to_openstack(path):
        assert "sovereign.region.attributes.actiongroup_openstack" in text


def test_the_collection_depends_on_no_other():
    galaxy = load(ROOT / "galaxy.yml")
    assert galaxy["dependencies"] == {}
    assert "manifest" not in galaxy
    assert load(ROOT / "meta" / "runtime.yml")["requires_ansible"] == ">=2.16.0"


def test_python_dependencies_have_lower_bounds_only():
    lines = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {re.split(r"[<>=~!]", line)[0] for line in lines} == {"openstacksdk", "jmespath", "cryptography", "PyYAML"}
    for line in lines:
        assert re.fullmatch(r"[A-Za-z]+>=[\d.]+", line), line


def test_the_oldest_sdk_that_is_promised_is_the_oldest_that_is_tested():
    promised = re.search(r"openstacksdk>=([\d.]+)", (ROOT / "meta" / "ee-requirements.txt").read_text())[1]
    tested = re.search(r"^openstacksdk==([\d.]+)", (ROOT / "requirements" / "core-2.16.txt").read_text(), re.M)[1]
    assert promised == tested


@pytest.mark.parametrize("path", files("requirements/*.txt", "roles/*/files/requirements.txt"), ids=name)
def test_locks_are_exact_and_hashed(path):
    content = path.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + content)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==", entry) and "--hash=sha256:" in entry, entry[:80]
    assert "index-url" not in content and "find-links" not in content and "://" not in content


def test_the_self_link_leads_home():
    link = ROOT / "playbooks" / "collections" / "ansible_collections" / "sovereign" / "region"
    assert link.is_symlink() and os.readlink(link) == "../../../.."
    assert "playbooks/collections" in load(ROOT / "galaxy.yml")["build_ignore"]


def test_the_readme_names_the_oldest_and_the_newest_sdk():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lock in ("core-2.16", "core-2.19"):
        locked = re.search(r"^openstacksdk==([\d.]+)", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.M)[1]
        assert locked in readme, f"openstacksdk {locked}, tested by requirements/{lock}.txt, is not in README.md"
