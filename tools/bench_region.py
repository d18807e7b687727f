# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An embedded region for the benchmark: start times, and client calls counted at the servers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from environment import CHECKOUT

PROGRAM = CHECKOUT / "roles" / "embedded_region" / "files"


class Region:
    """One embedded region, driven by the role's own program."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.clouds = directory / "clouds.yaml"

    def start_times(self) -> dict:
        """Seconds of a start from nothing, of a start with what is there, and of one from the cached seed."""
        cache = self.directory.parent / "cache"
        times = {"from_nothing": self._timed("up", cache), "already_up": self._timed("up", cache)}
        self._run("down", cache)
        times["warm"] = self._timed("up", cache)
        self._run("snapshot", cache, "--name", "base")
        self.cache = cache
        return times

    def restore(self) -> None:
        """Puts the region back to the state before the benchmark."""
        self._run("restore", self.cache, "--name", "base")

    def down(self) -> None:
        """Stops it."""
        self._run("down", self.directory.parent / "cache")

    def calls(self) -> int:
        """Requests of clients so far: all but those that the services send to each other."""
        lines = [line for path in sorted((self.directory / "log").glob("requests*.jsonl")) for line in path.open()]
        return sum(_is_client(json.loads(line)) for line in lines if line.endswith("\n"))

    def _timed(self, verb: str, cache: Path) -> float:
        started = time.monotonic()
        self._run(verb, cache)
        return round(time.monotonic() - started, 1)

    def _run(self, verb: str, cache: Path, *options: str) -> None:
        port = ["--port", "0"] if verb == "up" else []
        command = [os.environ["EMBEDDED_PYTHON"], "-m", "embedded_region", verb, "--dir", str(self.directory), *port,
                   *options]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                       env={**os.environ, "PYTHONPATH": str(PROGRAM), "XDG_CACHE_HOME": str(cache)})


def _is_client(row: dict) -> bool:
    """Clients of the benchmark say who they are; services use their own names and health checks name the supervisor."""
    agent = row.get("user_agent") or ""
    return "openstacksdk" in agent or "sovereign.region" in agent
