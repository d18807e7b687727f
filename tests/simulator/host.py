# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SimulatedHost: a mounted simulated host for tests, in a process of its own."""

from __future__ import annotations

import contextlib
import ctypes.util
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .description import to_plain
from .state import Record
from .tools import TOOLS

TESTS = Path(__file__).resolve().parent.parent
_START = 30.0


class NotPossible(Exception):
    """No simulated host can be mounted on this machine; the text says why."""


@dataclass(frozen=True)
class Finished:
    """How a tool ended: the shape of ``_core/commands.Finished``, for those who have no collection at hand."""

    argv: tuple
    status: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0

    @property
    def ok(self):
        """Whether it ended in time and with status 0."""
        return self.status == 0

    def words(self):
        """How it ended, in words."""
        return f"{self.argv[0]} ended with status {self.status}: {(self.stderr or self.stdout).strip()[-300:]}"


def reason():
    """Why no host can be mounted here, or None."""
    if os.geteuid() != 0:
        return "mounting a simulated host needs root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if ctypes.util.find_library("fuse3") is None and shutil.which("apt-get") is None:
        return "there is no libfuse3"
    return None if interpreter() else "no Python with mfusepy, and no requirements/simulator.txt to make one from"


def interpreter(lock=TESTS.parent / "requirements" / "simulator.txt"):
    """A Python that has mfusepy, or None.

    This one; else the one that SIMULATOR_PYTHON names; else that of the environment of our own lock file, which
    tools/environment.py makes on the first use.
    """
    if importlib.util.find_spec("mfusepy") is not None:
        return sys.executable
    if os.environ.get("SIMULATOR_PYTHON"):
        return os.environ["SIMULATOR_PYTHON"]
    if not lock.is_file():
        return None
    made = subprocess.run([sys.executable, str(TESTS.parent / "tools" / "environment.py"), str(lock)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return os.path.join(made.stdout.strip(), "bin", "python")


class SimulatedHost:
    """A context manager: ``root`` is the directory that stands for the host's ``/``.

    Args:
        description: Description.
        directory: where to mount; a temporary one by default.
    """

    def __init__(self, description, directory=None):
        self._description = description
        self._directory = directory
        self._home = None
        self._process = None
        self.root = None

    def __enter__(self):
        why = reason()
        if why:
            raise NotPossible(why)
        self._home = tempfile.mkdtemp(prefix="simulated-host-")
        self.root = self._directory or os.path.join(self._home, "root")
        os.makedirs(self.root, exist_ok=True)
        plain = os.path.join(self._home, "description.json")
        Path(plain).write_text(json.dumps(to_plain(self._description)), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
        with open(os.path.join(self._home, "log"), "wb") as log:
            self._process = subprocess.Popen(
                [
                    interpreter(),
                    "-m",
                    "simulator",
                    "up",
                    "--dir",
                    self.root,
                    "--describe",
                    plain,
                    "--until",
                    str(os.getpid()),
                ],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        return self

    def __exit__(self, *about):
        with contextlib.suppress(OSError, ValueError):
            self.call("stop")
        subprocess.call(["umount", "-l", self.root])
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _wait(self):
        deadline = time.monotonic() + _START
        while not os.path.exists(os.path.join(self.root, ".simulator", "call")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = Path(self._home, "log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the simulated host did not start: {said[-2000:]}")
            time.sleep(0.02)

    # What one may ask of it

    def path(self, path):
        """Where a path of the host is on this machine."""
        return self.root + path

    def call(self, name, *arguments, **named):
        """Call a method of the Model: hold, virtual_machine, end, fault, set, say, problems, reboot, text, put."""
        return self._ask({"call": name, "args": list(arguments), "kwargs": named})["value"]

    def hold(self, path, command="python3"):
        """Start a simulated process that has a device node open. Returns its pid."""
        return self.call("hold", path, command)

    def virtual_machine(self, address):
        """Start a simulated virtual machine with a function, or with the mdev of that UUID. Returns its pid."""
        return self.call("virtual_machine", address)

    def end(self, pid):
        """End a simulated process."""
        self.call("end", pid)

    def fault(self, where, kind, times=1, data=None):
        """Let something go wrong: see model.Fault and tools."""
        self.call("fault", where, kind, times, data)

    def problems(self):
        """What is impossible on a real host; empty when the state is sound."""
        return self.call("problems")

    def run(self, *argv, patient=True):
        """Run a simulated tool. Returns its Answer as a dictionary."""
        return self._ask({"run": list(argv), "patient": patient})

    def runner(self, argv, timeout):
        """The runner for ``Host(root=…, runner=host.runner)``: a tool that hangs ends at once, without status."""
        answer = self.run(*argv, patient=False)
        late = answer["hangs"] or answer["seconds"] > timeout
        return finished()(
            tuple(argv),
            None if late else answer["status"],
            "" if late else answer["stdout"],
            "" if late else answer["stderr"],
            float(timeout) if late else answer["seconds"],
        )

    def log(self, since=0):
        """The Records of all changes, from the one after number ``since``."""
        return [Record(**one) for one in self.call("log", since)]

    def kill_after(self, number, groups=(), only=""):
        """Kill whoever makes the ``number``-th change from now on, and these process groups with it; 0 disarms."""
        self.call("kill_after", number, list(groups), only)

    def killed(self, argv, number, environment=None, only="", timeout=120):
        """Run a client of the host and kill it, with all its group, after its ``number``-th change.

        Returns:
            subprocess.CompletedProcess: returncode -9 when it was killed, its own when it made fewer changes.
        """
        # It waits for a line, so that it cannot change anything before its group is known.
        gate = ["sh", "-c", 'read go; exec "$@"', "sh", *argv]
        process = subprocess.Popen(
            gate,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment or self.environment(),
            start_new_session=True,
        )
        self.kill_after(number, [process.pid], only)
        out, err = process.communicate("go\n", timeout)
        self.kill_after(0)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def environment(self):
        """The environment in which the host's tools come first in PATH."""
        places = [self.path(one) for one in ("/usr/sbin", "/usr/bin", "/usr/lib/nvidia", "/opt/nvidia/gpu-admin-tools")]
        return {**os.environ, "PATH": os.pathsep.join([*places, os.environ.get("PATH", "/usr/bin:/bin")])}

    def reboot(self, start=None):
        """Reboot, then run what the host's files ask for: early units, udev's rules, modules, the other units.

        Args:
            start: function of (unit, command line as a list) that returns a status; see ``start`` for the default.

        Returns:
            list of (unit, command line, status); the unit of what a rule runs is ``udev``.
        """
        start, done = start or self.start, []
        for units in (lambda: self.call("begin_boot"), lambda: self.call("end_boot")):
            for unit, commands in units():
                done += [(unit, line, start(unit, line.split())) for line in commands]
                done += self.settle(start)
            done += self.settle(start)
        return done

    def settle(self, start=None):
        """Run what udev's rules want run for functions that have appeared: as ``udevadm settle`` would wait for it."""
        return [("udev", line, (start or self.start)("udev", line.split())) for line in self.call("take_events")]

    def start(self, unit, argv):
        """Run a command line of a unit or rule. Returns its status.

        A simulated tool answers itself. A program that lies in the host's files is run on this machine and gets
        ``--root`` with the host's root as its first argument (and in SIMULATED_ROOT), as those that this collection
        ships take it.
        """
        script = next(
            (place for place, word in enumerate(argv[:4]) if word.startswith("/") and os.path.isfile(self.path(word))),
            None,
        )
        if script is None or os.path.basename(argv[script]) in TOOLS:
            answer = self.run(*argv)
            return 203 if answer["status"] == 127 else answer["status"]
        words = [*argv[:script], self.path(argv[script]), "--root", self.root, *argv[script + 1 :]]
        return subprocess.call(words, env={**self.environment(), "SIMULATED_ROOT": self.root}, stdin=subprocess.DEVNULL)

    def _ask(self, request):
        descriptor = os.open(os.path.join(self.root, ".simulator", "call"), os.O_RDWR)
        try:
            os.write(descriptor, json.dumps(request).encode())
            answer = b""
            while True:
                piece = os.pread(descriptor, 1 << 16, len(answer))
                if not piece:
                    break
                answer += piece
        finally:
            os.close(descriptor)
        found = json.loads(answer)
        if "errno" in found:
            raise OSError(found["errno"], found["error"])
        return found


def finished():
    """The class for a runner's answer: the collection's own where it can be imported."""
    try:
        from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished as real
    except ImportError:
        return Finished
    return real
