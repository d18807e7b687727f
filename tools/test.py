# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests, tier by tier, two steps at a time, and says at the end what ran and what did not.

    tools/test.py                 everything that this machine allows
    tools/test.py --fast          lint, sanity, unit and contract on one ansible-core
    tools/test.py unit-2.16 …     only these steps (and what they build on)
    tools/test.py --list          the names of the steps

FULL=1 adds what is rare and long. With CI=true a step that cannot run is a failure, but for hardware and
for steps that need what is no part of this project (`optional` in tools/steps.py).
JOBS=1 runs one step at a time. Each step's output is in build/test/<step>.log.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import cache
import steps as catalogue
import summary
from schedule import Schedule, say
from step import LOGS, TIERS, Step


def choose(everything: list[Step], names: list[str], fast: bool, full: bool) -> list[Step]:
    """The steps that are asked for, with all that they build on."""
    unknown = sorted(set(names) - {step.name for step in everything})
    if unknown:
        raise SystemExit(f"test: there is no step {', '.join(unknown)}; tools/test.py --list names them")
    wanted = {step.name for step in everything
              if (step.name in names if names else (step.fast or not fast) and (full or not step.rare))}
    for step in reversed(everything):
        if step.name in wanted:
            wanted.update(step.after)
    return [step for step in everything if step.name in wanted]


def without_steps(everything: list[Step]) -> dict[str, str]:
    """Why a tier has nothing to run."""
    present = {step.tier for step in everything}
    reasons = {"hardware": "no test needs a GPU yet"}
    return {tier: reasons.get(tier, "no tests yet") for tier in TIERS if tier not in present}


def workplace() -> Path:
    """A directory for this run alone; those of runs that were killed are removed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.glob("run-*"):
        if not Path("/proc", old.name.removeprefix("run-")).exists():
            shutil.rmtree(old, ignore_errors=True)
    work = LOGS / f"run-{os.getpid()}"
    work.mkdir()
    return work


def main() -> int:
    """Runs and sums up; the exit status says whether everything that had to pass passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    # So that a job that is cancelled leaves nothing behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    everything = catalogue.every()
    if arguments.list:
        print("\n".join(f"{step.tier:<10} {step.name}" for step in everything))
        return 0
    full = os.environ.get("FULL", "") in ("1", "true", "yes")
    chosen = choose(everything, arguments.steps, arguments.fast, full)
    whole = not arguments.steps and not arguments.fast
    started, work = time.monotonic(), workplace()
    workers = int(os.environ.get("JOBS", "2"))
    say(f"{len(chosen)} steps, {workers} at a time; output in build/test/, cache in {cache.root()}")
    schedule = Schedule(chosen, work, workers)
    try:
        results = schedule.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    rare = [step.name for step in everything if step.rare and not full] if whole else []
    for line in summary.table(chosen, results, without_steps(everything) if whole else {}, rare):
        say(line)
    for line in [*summary.findings(chosen, results), *summary.failures(chosen, results)]:
        say(line)
    failed = [name for name, result in results.items() if result.status == "failed"]
    kept_out = [step.name for step in chosen
                if results[step.name].status == "not run" and step.tier != "hardware" and not step.optional]
    if failed:
        say(f"failed: {', '.join(failed)}")
    required = kept_out if os.environ.get("CI") == "true" else []
    if required:
        say(f"required with CI=true, but not run: {', '.join(required)}")
    say(f"wall time {(time.monotonic() - started) / 60:.1f} minutes")
    say(", ".join(f"{number} {name}" for name, number in summary.sum_up(chosen, results, required).items()))
    return 1 if failed or required or schedule.stopped else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except cache.CacheError as error:
        sys.exit(f"test: {error}")
