# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as Ansible runs them: a process of their own, options on standard input, one JSON object out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
LINK = ROOT / "playbooks" / "collections"
# In a checkout the collection is found through the link beside the playbooks; ansible-test lays out a tree of its own.
COLLECTIONS = LINK if LINK.is_dir() else ROOT.parents[2]
LAUNCHER = (
    "import runpy, sys; from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder; "
    "_AnsibleCollectionFinder(paths=[{root!r}])._install(); "
    "runpy.run_module('ansible_collections.sovereign.region.plugins.modules.' + sys.argv.pop(1), run_name='__main__')"
)


@pytest.fixture()
def run_module(tmp_path):
    """A function that runs a module and returns (exit status, result, everything it wrote)."""

    def run(name, options, environment=None, check=False):
        wrapped = {"ANSIBLE_MODULE_ARGS": dict(options, _ansible_check_mode=check, _ansible_remote_tmp=str(tmp_path))}
        variables = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        variables.update({"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}, **(environment or {}))
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHER.format(root=str(COLLECTIONS)), name],
            input=json.dumps(wrapped),
            capture_output=True,
            text=True,
            timeout=60,
            cwd=str(tmp_path),
            env=variables,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        return done.returncode, json.loads(lines[-1]), done.stdout + done.stderr

    return run
