# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of this collection, called on a test machine through Ansible's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from checkout import ROOT
from machine import ssh

ANSIBLE = Path(sys.executable).with_name("ansible")


class Modules:
    """Calls modules on a machine (machine.control.Machine)."""

    def __init__(self, machine) -> None:
        self.machine = machine

    def start(self, module: str, arguments: dict, check: bool = False) -> subprocess.Popen:
        """Starts a call and does not wait for it."""
        variables = {
            **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "HOME": str(self.machine.directory / "home"), "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self.machine.state.sockets,
        }
        argv = [str(ANSIBLE), "-i", str(self.machine.directory / ssh.INVENTORY), "-o", *(["--check"] if check else []),
                "-m", f"sovereign.region.{module}", *(["-a", json.dumps(arguments)] if arguments else []), ssh.NAME]
        return subprocess.Popen(argv, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def call(self, module: str, check: bool = False, **arguments) -> dict:
        """Returns what the module returned, with `failed`."""
        child = self.start(module, arguments, check)
        printed, said = child.communicate(timeout=600)
        assert " => " in printed, printed + said
        head, result = printed.split(" => ", 1)
        return {"failed": "FAILED" in head, **json.loads(result)}

    def must(self, module: str, check: bool = False, **arguments) -> dict:
        """As call, for what has to succeed."""
        result = self.call(module, check, **arguments)
        assert not result["failed"], result
        return result
