# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks of this checkout for a person who waits: few words, progress, and the result as data."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cache
import progress

CHECKOUT = Path(__file__).resolve().parent.parent
STATS = re.compile(r"^\s*RUN: (\{.*\})\s*$", re.M)


@dataclass
class Run:
    """One playbook that ended well.

    Attributes:
        result: sovereign_region_result, or an empty mapping.
        changed: how many tasks of the recap changed something.
        seconds: how long it took.
    """

    result: dict
    changed: int
    seconds: float


def playbook(name: str, variables: dict, environment: dict[str, str], label: str) -> Run:
    """Runs playbooks/<name>.yml with the embedded inventory; raises progress.CommandFailed."""
    started = time.monotonic()
    program = Path(sys.executable).parent / "ansible-playbook"
    argv = [str(program), "-i", str(CHECKOUT / "inventories" / "embedded"), str(CHECKOUT / "playbooks" / f"{name}.yml"),
            "-e", json.dumps(variables)]
    output = progress.run(argv, label, ansible_environment(environment), _task)
    found = STATS.search(output)
    result = json.loads(found[1]).get("sovereign_region_result", {}) if found else {}
    changed = sum(int(number) for number in re.findall(r"^localhost +:.* changed=(\d+)", output, re.M))
    return Run(result, changed, time.monotonic() - started)


def ansible_environment(more: dict[str, str]) -> dict[str, str]:
    """What Ansible needs to run for a user who may have no home, no locale and a world-writable directory around."""
    home = cache.root() / "ansible"
    home.mkdir(mode=0o700, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "OS_"))}
    given = kept.get("HOME", "")
    if not (given and os.access(given, os.W_OK)):
        kept["HOME"] = str(home)
    if "utf" not in (kept.get("LC_ALL") or kept.get("LC_CTYPE") or kept.get("LANG") or "").lower():
        kept["LC_ALL"] = "C.UTF-8"
    return {
        **kept,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(home / "tmp"),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        **more,
    }


def _task(output: str) -> str:
    """The task that is running, in the words of the playbook."""
    names = re.findall(r"^TASK \[(.*?)\] \*", output, re.M)
    return names[-1].rpartition(" : ")[2] if names else ""
