# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a service that runs and does not answer, so that the supervisor starts it again; ends a region without files.

Started by the supervisor beside the services: it sees at once when one ends, but not when one hangs.
"""

from __future__ import annotations

import collections
import json
import os
import signal
import sys
import time
from collections.abc import Callable

from embedded_region.answers import ROOT_PATHS, answers
from embedded_region.launcher import enter
from embedded_region.layout import Layout
from embedded_region.supervision import service_pids

# Patient: on a busy machine a slow answer is no reason to kill.
PAUSE, TIMEOUT, CHANCES = 10, 20, 3


class Watch:
    """Counts silences. Only a process that has answered before is judged: starting takes as long as it takes."""

    def __init__(self, asks: Callable[[str], bool], kills: Callable[[int], None]) -> None:
        self.asks = asks
        self.kills = kills
        self.answered: set[int] = set()
        self.silences: collections.Counter[int] = collections.Counter()

    def look(self, pids: dict[str, int]) -> None:
        """One round over the services that run now."""
        for service, pid in pids.items():
            if self.asks(service):
                self.answered.add(pid)
                self.silences[pid] = 0
                continue
            self.silences[pid] += 1
            if pid in self.answered and self.silences[pid] >= CHANCES:
                print(f"{service}, process {pid}, did not answer {CHANCES} times: killing it", flush=True)
                self.kills(pid)


def main() -> int:
    layout = Layout(os.environ["EMBEDDED_REGION_DIR"])
    enter(layout, "watch")
    ports = json.loads(layout.start.read_text(encoding="utf-8"))["ports"]
    watch = Watch(lambda service: answers(ports[service], ROOT_PATHS[service], TIMEOUT),
                  lambda pid: os.kill(pid, signal.SIGKILL))
    while True:
        time.sleep(PAUSE)
        if not layout.root.exists():
            print("the state directory is gone: stopping everything", flush=True)
            os.kill(os.getppid(), signal.SIGTERM)
            return 0
        watch.look(service_pids(layout))


if __name__ == "__main__":
    sys.exit(main())
