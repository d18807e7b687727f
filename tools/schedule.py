# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs steps, a few at a time, each into its own log, and says what happens while it happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import cache
from step import CHECKOUT, Command, Place, Step, junit, log

HEARTBEAT_SECONDS = 20
TAIL_LINES = 40
ENVIRONMENT = CHECKOUT / "tools" / "environment.py"
# What a developer's own shell says must not decide how tests go.
FOREIGN = ("ANSIBLE_", "OS_", "XDG_", "PYTEST_", "MOLECULE_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKE")


@dataclass(frozen=True)
class Result:
    """How a step ended: passed, failed or not run."""

    status: str
    seconds: float = 0.0
    reason: str = ""


class Schedule:
    """The steps of one run and how far they are."""

    def __init__(self, steps: list[Step], work: Path, workers: int) -> None:
        self.waiting = list(steps)
        self.work = work
        self.workers = workers
        self.running: dict[str, tuple[Step, float]] = {}
        self.results: dict[str, Result] = {}
        self.children: dict[str, subprocess.Popen] = {}
        self.stopped = False
        self.change = threading.Condition()

    def run(self) -> dict[str, Result]:
        """Runs everything; an interrupt stops what is running and leaves the rest not run."""
        beat = time.monotonic()
        with self.change:
            try:
                while self.waiting or self.running:
                    self._start_what_can()
                    self.change.wait(timeout=1)
                    if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                        beat = time.monotonic()
                        self._tell_what_runs()
            except KeyboardInterrupt:
                self._stop()
        return self.results

    def _start_what_can(self) -> None:
        # Those that exclude each other are the long chain: they start first, and the others fill the gaps.
        for step in sorted(self.waiting, key=lambda step: not step.holds):
            failed = [name for name in step.after if name in self.results and self.results[name].status != "passed"]
            if step.hindered or failed:
                self.waiting.remove(step)
                self.results[step.name] = Result("not run", reason=step.hindered or f"{failed[0]} did not pass")
                say(f"{step.name:<28} not run: {self.results[step.name].reason}")
            elif len(self.running) < self.workers and self._may_start(step):
                self.waiting.remove(step)
                self.running[step.name] = (step, time.monotonic())
                say(f"{step.name:<28} starts")
                threading.Thread(target=self._work, args=(step,), daemon=True).start()

    def _may_start(self, step: Step) -> bool:
        held = {other.holds for other, _started in self.running.values() if other.holds}
        pending = {other.name for other in self.waiting} | set(self.running)
        return step.holds not in held and not pending.intersection(step.after)

    def _tell_what_runs(self) -> None:
        now = time.monotonic()
        names = ", ".join(f"{name} ({now - started:.0f} s)" for name, (_step, started) in self.running.items())
        if names:
            say(f"  running: {names}; {len(self.waiting)} to go")

    def _work(self, step: Step) -> None:
        started = time.monotonic()
        try:
            reason = self._perform(step)
        except Exception as error:  # whatever it is, the other steps go on and this one is reported as failed
            reason = f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - started
        with self.change:
            self.results[step.name] = Result("failed" if reason else "passed", seconds, reason)
            del self.running[step.name]
            say(f"{step.name:<28} {'FAILED: ' + reason if reason else 'passed'}, {seconds:.0f} s")
            if reason and not self.stopped:
                say(_tail(log(step.name)))
            self.change.notify_all()

    def _perform(self, step: Step) -> str:
        """Runs the step's commands in order; returns why it failed, or nothing."""
        deadline = time.monotonic() + step.limit
        junit(step.name).unlink(missing_ok=True)
        with open(log(step.name), "w", encoding="utf-8") as output:
            made = Command([sys.executable, str(ENVIRONMENT), step.environment, *step.others])
            code, printed = self._command(step, made, output, deadline, capture=True)
            if code != 0:
                return f"an environment could not be made (status {code})"
            environment, *others = map(Path, printed.splitlines())
            place = Place(step.name, environment, self.work, tuple(others))
            for command in step.commands(place):
                code, printed = self._command(step, command, output, deadline, place)
                if code != 0:
                    what = "the time limit" if time.monotonic() > deadline else f"status {code}"
                    return f"{Path(command.argv[0]).name} ended with {what}; see {log(step.name).relative_to(CHECKOUT)}"
        return ""

    def _command(self, step, command, output, deadline, place=None, capture=False) -> tuple[int, str]:
        output.write(f"$ {' '.join(command.argv)}\n")
        output.flush()
        child = subprocess.Popen(
            command.argv, cwd=command.cwd, env=_variables(self.work, place, command.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else output, stderr=output, text=True, start_new_session=True,
        )
        self.children[step.name] = child
        try:
            printed, _nothing = child.communicate(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(child)
            printed = ""
        return child.returncode, printed or ""

    def _stop(self) -> None:
        self.stopped = True
        for step in self.waiting:
            self.results[step.name] = Result("not run", reason="interrupted")
        self.waiting.clear()
        for child in self.children.values():
            if child.poll() is None:
                _kill(child)
        while self.running:
            self.change.wait(timeout=1)


def _variables(work: Path, place: Place | None, extra: dict[str, str]) -> dict[str, str]:
    """An environment with nothing of the developer's own settings, and a home that is empty."""
    if place is None:
        return dict(os.environ)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    home = work / "home"
    home.mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "SOVEREIGN_REGION_CACHE": str(cache.root()),
        # What programs keep for the next run, such as the seed of the embedded region.
        "XDG_CACHE_HOME": str(cache.root() / "steps"),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{place.environment / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PIP_CACHE_DIR": str(cache.root() / "pip"),
        "PY_COLORS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        **extra,
    }


def _kill(child: subprocess.Popen) -> None:
    """Ends a command and everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)
            return


def _tail(path: Path) -> str:
    """The end of a log, headed by the lines that ansible-test marks as errors: they are far from its end."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    marked = [line for line in lines[:-TAIL_LINES] if line.startswith("ERROR: ")][:TAIL_LINES]
    return "\n".join(f"    | {line}" for line in [*marked, *lines[-TAIL_LINES:]])


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)
