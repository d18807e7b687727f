# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One embedded region, what its servers logged, and playbooks run against it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
FILES = CHECKOUT / "roles" / "embedded_region" / "files"
STATS = re.compile(r"^\s*RUN: (\{.*\})\s*$", re.M)
MUTATING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Request:
    """One request as a server logged it."""

    method: str
    path: str
    status: int


@dataclass
class Outcome:
    """A playbook that ended.

    Attributes:
        code: exit status.
        output: everything that it printed.
        result: sovereign_region_result, or None.
    """

    code: int
    output: str

    @property
    def result(self):
        found = STATS.search(self.output)
        return json.loads(found[1])["sovereign_region_result"] if found else None

    @property
    def changed(self):
        """How many tasks reported a change."""
        return sum(int(number) for number in re.findall(r"^localhost +:.* changed=(\d+)", self.output, re.M))

    def good(self):
        """Itself, after making sure that it ended well."""
        assert self.code == 0, self.output[-6000:]
        return self


class Region:
    """A running embedded region.

    Args:
        directory: where its state is.
    """

    def __init__(self, directory):
        self.directory = Path(directory)
        self.home = self.directory.parent / "home"
        self.home.mkdir(mode=0o700, exist_ok=True)

    # -- the region itself --------------------------------------------------------------------------------------------
    def control(self, *words):
        """Run the region's own command."""
        done = subprocess.run(
            [os.environ["EMBEDDED_PYTHON"], "-m", "embedded_region", *words, "--dir", str(self.directory)],
            env={**os.environ, "PYTHONPATH": str(FILES)}, stdin=subprocess.DEVNULL, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def up(self):
        self.control("up", "--port", "0")
        subprocess.run([sys.executable, str(CHECKOUT / "tools" / "region_hosts.py"), str(self.directory / "hosts")],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def down(self):
        self.control("down")

    def mark(self):
        """Where the servers' logs end now."""
        return {log: log.stat().st_size for log in self._logs()}

    def requests(self, since):
        """Every request of this collection that changes something, as the servers logged it; no logins, no lock."""
        rows = []
        for log in self._logs():
            with open(log, "rb") as lines:
                lines.seek(since.get(log, 0))
                # A line that is being written has no end yet.
                rows += [json.loads(line) for line in lines if line.endswith(b"\n")]
        rows = [row for row in rows if "sovereign.region" in row["user_agent"]]
        return list(_without_lock(sorted(rows, key=lambda row: row["time"])))

    def _logs(self):
        return sorted((self.directory / "log").glob("requests*.jsonl"))

    # -- playbooks ----------------------------------------------------------------------------------------------------
    def environment(self):
        """What a person's shell has, and nothing of the surrounding run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "OS_"))}
        return {
            **kept,
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "OS_CLIENT_CONFIG_FILE": str(self.directory / "clouds.yaml"),
        }

    def command(self, name, *options, **variables):
        """The command line of one playbook."""
        program = Path(sys.executable).parent / "ansible-playbook"
        return [str(program), "-i", str(CHECKOUT / "inventories" / "embedded"),
                str(CHECKOUT / "playbooks" / f"{name}.yml"), "-e", json.dumps(variables), *options]

    def start(self, name, *options, **variables):
        """Start a playbook in a process group of its own and return the process."""
        return subprocess.Popen(
            self.command(name, *options, **variables), env=self.environment(), cwd=CHECKOUT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )

    def run(self, name, *options, **variables):
        """Run a playbook to its end."""
        process = self.start(name, *options, **variables)
        try:
            output, unused = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Outcome(process.returncode, output)


def kill(pid, alone=False):
    """``kill -9`` of a process and all below it: since ansible-core 2.19 each worker has a session of its own."""
    below = [] if alone else _below(pid)
    for one in [pid, *below]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _below(pid):
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    found = [one for one, parent in parents.items() if parent == pid]
    return found + [below for one in found for below in _below(one)]


def _without_lock(rows):
    """The requests that change something, without logins and without the lock, which is no action of a plan."""
    for row in rows:
        path = row["path"].partition("?")[0]
        of_lock = row["user_agent"].startswith("sovereign.region.region_lock")
        if row["method"] in MUTATING and not of_lock and not path.endswith("/auth/tokens"):
            yield Request(row["method"], path, row["status"])


def wait_for(what, seconds=60.0, every=0.002):
    """Return the first true value of ``what()``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(every)
    raise AssertionError("waited {0} s in vain".format(seconds))


def remove(directory):
    """Remove a tree of ours."""
    shutil.rmtree(directory, ignore_errors=True)
