# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command that may take long, and says every few seconds what it is doing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import IO

EVERY_SECONDS = 5.0


class CommandFailed(Exception):
    """A command did not succeed; the message ends with the last lines that it printed."""


def say(text: str) -> None:
    """One line for the person who waits. Standard error: standard output is for results."""
    print(text, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str],
    label: str,
    env: dict[str, str] | None = None,
    describe: Callable[[str], str] = lambda output: "",
) -> str:
    """Runs argv and returns what it printed. `describe` turns the output so far into a few words of progress."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env, text=True
        )
        try:
            while True:
                try:
                    code = child.wait(timeout=EVERY_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    doing = describe(_read(log))
                    say(f"  {label}{': ' + doing if doing else ''}, {time.monotonic() - started:.0f} s")
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        output = _read(log)
    if code != 0:
        tail = "\n".join(output.splitlines()[-25:])
        raise CommandFailed(f"{label}: {argv[0]} ended with status {code}\n{tail}")
    return output


def _read(log: IO[str]) -> str:
    """What the child has written so far. pread, because the child shares this file's position and writes at it."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode("utf-8", "replace")
