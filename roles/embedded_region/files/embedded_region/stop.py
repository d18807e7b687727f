# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops a region with nothing but the standard library: python -m embedded_region.stop --dir DIR

So a region can be stopped after its environment was removed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from embedded_region import EmbeddedRegionError, supervision
from embedded_region.layout import Layout

Say = Callable[[str], None]


@contextlib.contextmanager
def exclusive(layout: Layout, say: Say) -> Iterator[None]:
    """One command at a time works on a region; a killed one lets go by itself."""
    with open(layout.run / "command.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command works on this region: waiting")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def down(layout: Layout, say: Say, check: bool = False) -> dict[str, Any]:
    """Stops everything; the state stays. A check only says whether there is something to stop."""
    if not layout.run.is_dir():
        say("no region here: nothing to stop")
        return {"changed": False, "state": "absent"}
    if check:
        running = supervision.supervisor_pid(layout) is not None or bool(supervision.service_pids(layout))
        return {"changed": running, "state": "stopped"}
    with exclusive(layout, say):
        changed = supervision.stop(layout)
    say("region stopped" if changed else "region was not running: nothing changed")
    return {"changed": changed, "state": "stopped"}


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--dir", required=True)
    made.add_argument("--json", action="store_true")
    made.add_argument("--check", action="store_true")
    options = made.parse_args()
    try:
        outcome = down(Layout(options.dir), lambda text: print(text, file=sys.stderr, flush=True), options.check)
    except (EmbeddedRegionError, OSError) as error:
        print(f"embedded_region: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
