# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One program, run to its end or to the end of its time. For ``host.py`` only, which says on which host it may run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass

# How long a killed program may take to go before it is left behind: one that waits in the kernel never goes.
_GRACE = 2.0
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        argv: what was run.
        status: its exit status; None when its time was over.
        stdout: what it wrote; what is no UTF-8 is replaced.
        stderr: likewise.
        seconds: how long it ran.
    """

    argv: tuple
    status: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0

    @property
    def ok(self):
        """Whether it ended in time and with exit status 0. It says nothing about what was achieved."""
        return self.status == 0

    def words(self):
        """Return in one sentence how it ended, with the last line that it wrote."""
        name = os.path.basename(self.argv[0])
        if self.status is None:
            return "{0} gave no answer within {1:.0f} s".format(name, self.seconds)
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        lines = lines or [line.strip() for line in self.stdout.splitlines() if line.strip()]
        said = ": " + lines[-1][:300] if lines else " and wrote nothing"
        return "{0} ended with status {1}{2}".format(name, self.status, said)


def search_path(environment):
    """Return the directories in which programs are looked for: PATH, then those that a short PATH leaves out. Pure."""
    given = [one for one in environment.get("PATH", "").split(os.pathsep) if os.path.isabs(one)]
    return given + [one for one in _SYSTEM if one not in given]


def execute(argv, timeout):
    """Return Finished. A program that does not end in time is killed with all that it started, and is not waited for.

    Raises:
        OSError: it could not be started.
    """
    began = time.monotonic()
    environment = dict(os.environ, LC_ALL="C", PATH=os.pathsep.join(search_path(os.environ)))
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd="/",
        start_new_session=True, close_fds=True,
    )
    status = None
    try:
        out, err = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired as late:
        status = process.poll()
        if status is None:
            out, err = _end(process)
        else:
            # It ended in time; something that it left in the background keeps its output open, and is none of ours.
            out, err = late.stdout, late.stderr
    return Finished(tuple(argv), status, _text(out), _text(err), time.monotonic() - began)


def _end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        return b"", b""
    try:
        return process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b""


def _text(content):
    return (content or b"").decode("utf-8", "replace")
