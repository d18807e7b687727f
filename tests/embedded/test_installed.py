# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users install works where they install it: the built tarball, in an empty environment, far from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An empty directory with a space in its name, and nothing of the checkout in sight."""
    return tmp_path_factory.mktemp("a controller")


@pytest.fixture(scope="module")
def ansible(place):
    """Runs a program of Ansible there, as a user does who has installed the tarball and nothing else."""
    work = os.environ.get("SOVEREIGN_REGION_WORK")
    if not work:
        work = place / "built"
        subprocess.run([sys.executable, str(ROOT / "tools" / "artefact.py"), "build", str(work)], check=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "OS_", "PYTHON"))}
    variables = {**kept, "HOME": str(place), "ANSIBLE_COLLECTIONS_PATH": str(place / "collections")}

    def run(program, *arguments, **more):
        return subprocess.run(
            [str(PROGRAMS / program), *map(str, arguments)], cwd=place, env={**variables, **more}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )

    tarball = next(Path(work).glob("sovereign-region-*.tar.gz"))
    done = run("ansible-galaxy", "collection", "install", "--offline", "-p", place / "collections", tarball)
    assert done.returncode == 0, done.stdout
    return run


@pytest.fixture(scope="module")
def clouds(place):
    """The clouds.yaml of a region of our own, on free ports."""
    directory = place / "region"
    program = [os.environ["EMBEDDED_PYTHON"], "-m", "embedded_region"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "roles" / "embedded_region" / "files")}
    try:
        subprocess.run([*program, "up", "--dir", str(directory), "--port", "0"], env=variables, check=True)
        yield directory / "clouds.yaml"
    finally:
        subprocess.run([*program, "down", "--dir", str(directory)], env=variables, check=True)


def test_every_playbook_is_understood(ansible, place):
    installed = place / "collections" / "ansible_collections" / "sovereign" / "region" / "playbooks"
    names = sorted(path.stem for path in installed.glob("*.yml"))
    assert {"plan", "site", "verify", "embedded"} <= set(names)
    for name in names:
        done = ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", f"sovereign.region.{name}")
        assert done.returncode == 0, done.stdout


def test_plan_runs_outside_the_checkout(ansible, place, clouds):
    shutil.copytree(ROOT / "inventories" / "embedded", place / "inventory")
    done = ansible("ansible-playbook", "sovereign.region.plan", "-i", place / "inventory",
                   "-e", "region_cloud=embedded-admin", OS_CLIENT_CONFIG_FILE=str(clouds))
    assert done.returncode == 0, done.stdout
    assert "failed=0" in done.stdout and "unreachable=0" in done.stdout
