# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role, run on the machine as an operator runs it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml
from checkout import ROOT
from kata_host import HANDLERS
from machine import ssh
from machine_modules import ANSIBLE

# Tasks that run something on the host; the others are the controller's own.
MODULES = ("What would be installed", "What this host can run", "Releases", "Configuration of the shims",
           "Handlers of the container runtime", "Remove releases that nothing uses")
_TASK = r"^TASK \[sovereign\.region\.kata : ([^\]]+)\].*\n(?:(?!TASK ).*\n)*?(ok|changed|skipping|fatal): "


class Role:
    """Runs the role on a KataHost.

    Attributes:
        output: what the last run printed.
    """

    def __init__(self, host, directory: Path) -> None:
        self.host, self.play, self.output = host, directory / "play.yml", ""

    def declared(self, *tarballs: str) -> dict:
        """The variables for handlers of these tarballs, without any for those that the fixture `host` has."""
        handlers = []
        for tarball in tarballs or HANDLERS:
            name, shim, _program = HANDLERS[tarball.removesuffix("-next")]
            handlers.append({"name": name, "shim": shim, "settings": self.host.settings(tarball),
                             "release": self.host.directory(tarball).rpartition("/")[2],
                             "pod_annotations": ["io.katacontainers.*"]})
        return {"kata_releases": [self.host.release(one) for one in tarballs or HANDLERS], "kata_handlers": handlers}

    def run(self, check: bool = False, **variables) -> tuple[bool, dict[str, str]]:
        """Returns whether it succeeded, and {task that ran something on the host: its outcome}."""
        play = {"hosts": ssh.NAME, "gather_facts": False, "roles": [{"role": "sovereign.region.kata"}],
                "vars": {**self.declared(), **variables}}
        self.play.write_text(yaml.safe_dump([play]), encoding="utf-8")
        machine = self.host.machine
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
                       "HOME": str(machine.directory / "home"), "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_SSH_CONTROL_PATH_DIR": machine.state.sockets}
        done = subprocess.run(
            [str(Path(ANSIBLE).with_name("ansible-playbook")), "-i", str(machine.directory / ssh.INVENTORY),
             *(["--check"] if check else []), str(self.play)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=900)
        self.output = done.stdout
        found = dict(re.findall(_TASK, done.stdout, re.M))
        return done.returncode == 0, {name: how for name, how in found.items() if name in MODULES and how != "skipping"}
