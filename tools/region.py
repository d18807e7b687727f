# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded region for a person: up, planned, built, verified with a GPU server, and drawn; or down.

    tools/region.py up --dir build/embedded --port 20000
    tools/region.py down --dir build/embedded

`make region` runs it with the environment of requirements/run.txt; EMBEDDED_PYTHON is the interpreter of the
region's own environment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import cache
import progress
import region_hosts
import region_words
from region_playbook import CHECKOUT, Run, playbook

NOTE = "Real APIs, simulated hardware: no GPU on this page exists."


def up(directory: Path, port: int) -> None:
    """Everything from nothing to a verified region, or nothing at all when it is there already."""
    started = time.monotonic()
    changes = 0
    cloud = {"OS_CLIENT_CONFIG_FILE": str(directory / "clouds.yaml")}

    step = playbook("embedded", {"embedded_region_dir": str(directory), "embedded_region_port": port,
                                 "embedded_region_python": os.environ["EMBEDDED_PYTHON"]}, cloud, "starting")
    changes += step.changed
    region_hosts.write(directory / "hosts")
    _told("1 of 5  embedded  real Keystone, Placement, Nova, Glance and Neutron, simulated GPUs", step)

    step = playbook("plan", {}, cloud, "planning")
    lines = region_words.plan(step.result)
    _told(f"2 of 5  plan      {lines[0]}", step, lines[1:])

    step = playbook("site", {}, cloud, "building")
    changes += len(step.result["actions"])
    _told(f"3 of 5  site      {step.result['message']}", step)

    step = playbook("verify", {"region_canary": True}, cloud, "verifying")
    lines = region_words.verdicts(step.result)
    _told(f"4 of 5  verify    {lines[-1]}", step, lines[:-1])

    step = playbook("page", {"region_page_path": str(directory / "region.html"), "region_page_note": NOTE}, cloud,
                    "drawing")
    _told("5 of 5  page      region.html", step)

    print("\n".join(region_words.closing(directory, port)))
    said = "No change anywhere: nothing to do." if not changes else f"{changes} changes."
    print(f"{said} {time.monotonic() - started:.0f} s in all.", flush=True)


def down(directory: Path) -> None:
    """Ends every process of that region. Its state stays, for the next start."""
    files = CHECKOUT / "roles" / "embedded_region" / "files"
    subprocess.run([os.environ["EMBEDDED_PYTHON"], "-m", "embedded_region", "down", "--dir", str(directory)],
                   env={**os.environ, "PYTHONPATH": str(files)}, stdin=subprocess.DEVNULL, check=True)


def _told(headline: str, run: Run, lines: list[str] | tuple[str, ...] = ()) -> None:
    print(f"{headline}  [{run.seconds:.1f} s]")
    for line in lines:
        print(f"          {line}")
    sys.stdout.flush()


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "down"):
        one = verbs.add_parser(verb)
        one.add_argument("--dir", type=Path, default=CHECKOUT / "build" / "embedded")
        if verb == "up":
            one.add_argument("--port", type=int, default=20000)
    given = parser.parse_args()
    if not os.environ.get("EMBEDDED_PYTHON"):
        parser.error("EMBEDDED_PYTHON is not set: use make region and make region-down")
    try:
        if given.verb == "up":
            up(given.dir.absolute(), given.port)
        else:
            down(given.dir.absolute())
    except (cache.CacheError, progress.CommandFailed, subprocess.CalledProcessError, OSError) as error:
        progress.say(f"region: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
