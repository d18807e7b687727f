# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on a host that is as declared, on one that is not, and what it refuses."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from checkout import ROOT
from kata_host import HANDLERS
from machine import ssh
from machine_modules import ANSIBLE

# Tasks that run something on the host; the others are the controller's own.
MODULES = ("What would be installed", "What this host can run", "Releases", "Configuration of the shims",
           "Handlers of the container runtime", "Remove releases that nothing uses")


@pytest.fixture
def role(host, tmp_path):
    """A function that runs the role with variables; returns (status, {task: outcome}, output)."""
    def run(check=False, **variables):
        play = {"hosts": ssh.NAME, "gather_facts": False, "roles": [{"role": "sovereign.region.kata"}],
                "vars": {**declared(host), **variables}}
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump([play]), encoding="utf-8")
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
                       "HOME": str(host.machine.directory / "home"), "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_SSH_CONTROL_PATH_DIR": host.machine.state.sockets}
        done = subprocess.run(
            [str(Path(ANSIBLE).with_name("ansible-playbook")), "-i", str(host.machine.directory / ssh.INVENTORY),
             *(["--check"] if check else []), str(path)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=900)
        found = re.findall(r"^TASK \[sovereign\.region\.kata : ([^\]]+)\].*\n(?:.*\n)*?(ok|changed|skipping|fatal): ",
                           done.stdout, re.M)
        return done.returncode, dict(found), done.stdout
    return run


def declared(host):
    """The variables of the role for what the fixture `host` has made already."""
    handlers = []
    for flavour, (name, shim, _program) in HANDLERS.items():
        handlers.append({"name": name, "shim": shim, "settings": host.settings(flavour),
                         "release": host.directory(flavour).rpartition("/")[2],
                         "pod_annotations": ["io.katacontainers.*"]})
    return {"kata_releases": [host.release(flavour) for flavour in HANDLERS], "kata_handlers": handlers}


def test_a_host_that_is_as_declared_costs_three_modules(role):
    for check in (True, False):
        status, tasks, output = role(check)
        assert status == 0, output
        assert {name: how for name, how in tasks.items() if name in MODULES and how != "skipping"} == {
            "What would be installed": "ok", "Configuration of the shims": "ok",
            "Handlers of the container runtime": "ok"}, output


def test_a_restart_has_to_be_allowed_and_a_handler_that_goes_can_come_back(role, host):
    before = host.machine.run("containerd config dump")
    fewer = declared(host)["kata_handlers"]
    fewer[1] = {"name": fewer[1]["name"], "state": "absent"}
    status, tasks, output = role(kata_handlers=fewer)
    assert status != 0 and "allow_interruption" in output
    assert host.machine.run("containerd config dump") == before

    status, tasks, output = role(check=True, kata_handlers=fewer)
    assert status == 0 and tasks["Handlers of the container runtime"] == "changed", output
    assert host.machine.run("containerd config dump") == before
    status, tasks, output = role(kata_handlers=fewer, kata_allow_interruption=True)
    assert status == 0 and tasks["Handlers of the container runtime"] == "changed", output
    assert 'runtimes.kata]' not in host.machine.run("containerd config dump")

    status, tasks, output = role(kata_allow_interruption=True)
    assert status == 0, output
    assert host.machine.run("containerd config dump") == before


def test_what_cannot_be_right_is_said_before_the_host_is_asked(role, host):
    wrong = declared(host)["kata_handlers"]
    wrong[0]["snapshoter"] = "erofs"
    status, tasks, output = role(kata_handlers=wrong)
    assert status != 0 and "the nearest is 'snapshotter'" in output
    assert not set(tasks) & set(MODULES)
