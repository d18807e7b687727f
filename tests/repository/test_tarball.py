# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: everything that runs and is read, nothing that only serves to make it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from checkout import ROOT, files, name

SHIPPED = ("plugins", "roles", "playbooks", "meta", "docs")
NEVER = re.compile(
    r"(^|/)(\.[^/]+|__pycache__|build|ansible_collections|requirements/|Makefile|conftest\.py|ansible\.cfg"
    r"|pyproject\.toml)(/|$)|^tools/|^tests/(?!config\.yml)|\.(pyc|retry|tar\.gz|sqlite|log)$"
)


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    """The artefact of this run, or one built now when a person runs this file alone."""
    work = os.environ.get("SOVEREIGN_REGION_WORK")
    if not work:
        work = tmp_path_factory.mktemp("artefact")
        subprocess.run([sys.executable, str(ROOT / "tools" / "artefact.py"), "build", str(work)], check=True)
    with tarfile.open(next(Path(work).glob("*.tar.gz"))) as archive:
        yield archive


def test_ships_everything_that_users_need(tarball):
    shipped = {member.name for member in tarball.getmembers()}
    for path in files(*(f"{directory}/**" for directory in SHIPPED)):
        if not path.name.startswith("."):
            assert name(path) in shipped
    for needed in ("README.md", "LICENSE", "CHANGELOG.md", "meta/runtime.yml", "meta/ee-requirements.txt"):
        assert needed in shipped


def test_ships_nothing_else(tarball):
    assert [member.name for member in tarball.getmembers() if NEVER.search(member.name)] == []


def test_the_unwanted_would_be_found():
    for unwanted in ("tools/test.py", "tests/unit/x.py", "playbooks/collections/ansible_collections/a", ".git/config",
                     "build/embedded/nova.log", "plugins/modules/__pycache__/x.pyc", "conftest.py"):
        assert NEVER.search(unwanted), unwanted
    for wanted in ("docs/build.md", "roles/embedded_region/files/requirements.txt", "tests/config.yml"):
        assert not NEVER.search(wanted), wanted


def test_ships_no_links_and_no_large_files(tarball):
    for member in tarball.getmembers():
        assert member.isfile() or member.isdir(), member.name
        assert member.size < 2_000_000, member.name


def test_the_manifest_is_ours(tarball):
    manifest = json.load(tarball.extractfile("MANIFEST.json"))["collection_info"]
    assert (manifest["namespace"], manifest["name"], manifest["dependencies"]) == ("sovereign", "region", {})
