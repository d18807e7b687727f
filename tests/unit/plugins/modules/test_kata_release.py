# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kata_release as Ansible runs it, on this machine, below a directory of the test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release, releases
from ansible_collections.sovereign.region.plugins.modules import kata_release
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import release_trees
from ansible_collections.sovereign.region.tests.unit.plugins.modules.documented import options


@pytest.mark.parametrize("kind", release_trees.KINDS)
def test_install_upgrade_and_rollback(run_module, tmp_path, kind):
    root = str(tmp_path / "releases")
    for version in ("4.1.0", "4.2.0"):
        source = tmp_path / f"kata-static-{version}-amd64.tar.{kind}"
        declared = {"version": version, "source": str(source), "directory": root,
                    "sha256": release_trees.pack(source, release_trees.layout(version), kind)}
        planned = run_module("kata_release", declared, check=True)[1]
        status, result, unused = run_module("kata_release", declared)
        assert (status, result["changed"], result["current"]) == (0, True, version + "-static"), result
        assert result["actions"] == planned["actions"]
        assert run_module("kata_release", declared)[1]["changed"] is False
    assert result["previous"] == "4.1.0-static"
    # Its name is no reserved one: Ansible adds facts about a file to what is returned as "path".
    assert result["release_path"] == root + "/4.2.0-static" and "mode" not in result
    status, result, unused = run_module("kata_release", {"version": "4.2.0", "state": "rolled_back", "directory": root})
    assert (status, result["current"], os.readlink(root + "/current-static")) == (0, "4.1.0-static", "4.1.0-static")


def test_what_cannot_be_right_is_told(run_module):
    status, result, unused = run_module("kata_release", {"version": "newest", "sha256": "none", "source": "a.zip"})
    assert (status, result["error"], result["changed"]) == (1, "DeclarationError", False)
    assert [one.split(":")[0] for one in result["problems"]] == ["version", "sha256", "source"]


def test_a_password_is_not_shown(run_module, tmp_path):
    status, result, said = run_module("kata_release", {
        "version": "4.1.0", "sha256": "a" * 64, "source": "http://127.0.0.1:1/kata.tar.xz", "url_username": "me",
        "url_password": "very-secret", "directory": str(tmp_path / "r")})
    assert status == 1 and "could not be downloaded" in result["msg"] and "very-secret" not in said


def test_the_page_and_the_options_are_the_same():
    described = options("kata_release")
    spec = dict(host_module.HOST_SPEC, **releases.DOMAIN.ARGUMENT_SPEC)
    assert set(described) == set(spec)
    for name, option in spec.items():
        for key, without in (("type", "str"), ("default", None), ("required", False), ("choices", None),
                             ("elements", None)):
            assert described[name].get(key, without) == option.get(key, without), (name, key)
        assert set(described[name].get("suboptions", ())) == set(option.get("options", ()))


def test_the_examples_are_valid():
    for task in yaml.safe_load(kata_release.EXAMPLES):
        written = task["sovereign.region.kata_release"]
        plain = {key: "a" * 64 if "{{" in str(value) and key == "sha256" else value for key, value in written.items()}
        plain["images"] = [dict(one, sha256="b" * 64) for one in written.get("images", [])]
        for one in plain.pop("releases", [{}]):
            whole = dict(plain, **one)
            whole.update({"sha256": "a" * 64} if "sha256" in one else {})
            assert release.validate(release_trees.parameters(**whole)) == [], task["name"]


def test_several_in_one_call(run_module, tmp_path):
    root, declared = str(tmp_path / "releases"), []
    for version, state in (("4.1.0", "present"), ("4.2.0", "current")):
        source = tmp_path / f"kata-static-{version}-amd64.tar.xz"
        declared.append({"version": version, "source": str(source), "state": state,
                         "sha256": release_trees.pack(source, release_trees.layout(version), "xz")})
    asked = {"releases": declared, "directory": root, "keep": 1}
    planned = run_module("kata_release", asked, check=True)[1]
    status, result, unused = run_module("kata_release", asked)
    assert status == 0 and result["actions"] == planned["actions"], result
    assert [one["release_path"] for one in result["results"]] == [root + "/4.1.0-static", root + "/4.2.0-static"]
    assert run_module("kata_release", asked)[1]["changed"] is False, "what is declared is not collected"
    declared[0]["state"] = "current"
    status, result, unused = run_module("kata_release", asked)
    assert status == 1 and "2 of static are to be the current one" in result["msg"]


def test_what_is_returned_is_described(tmp_path):
    machine = release_trees.Machine(tmp_path)
    result = machine.converge(**machine.tarball("4.1.0"))
    described = yaml.safe_load(kata_release.RETURN)
    assert set(result) - {"changed", "diff"} <= set(described)
    for name in ("releases", "bill_of_materials"):
        assert set(result[name][0]) == set(described[name]["contains"])


def test_the_module_is_thin():
    text = Path(kata_release.__file__).read_text(encoding="utf-8")
    assert text.rpartition('"""')[2].count("\n") < 15
