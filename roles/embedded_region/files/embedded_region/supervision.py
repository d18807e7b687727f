# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, watching and stopping: supervisor does it, and this module is all that knows of it.

It is driven by signals and files, without its control socket: a socket's path may have 107 characters at most.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded_region import SERVICES, EmbeddedRegionError
from embedded_region.layout import Layout, write_private

HERE = Path(__file__).resolve().parent

# %(ENV_…)s: a path in the file itself would need escaping for two parsers.
HEAD = """[supervisord]
nodaemon = false
logfile = %(ENV_EMBEDDED_REGION_DIR)s/log/supervisord.log
logfile_maxbytes = 1MB
logfile_backups = 1
pidfile = %(ENV_EMBEDDED_REGION_DIR)s/run/supervisord.pid
childlogdir = %(ENV_EMBEDDED_REGION_DIR)s/log
umask = 077
"""
PROGRAM = """
[program:{name}]
command = "%(ENV_EMBEDDED_REGION_PYTHON)s" -m embedded_region.{module}
redirect_stderr = true
stdout_logfile = %(ENV_EMBEDDED_REGION_DIR)s/log/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 1
autorestart = true
startsecs = 5
startretries = 5
stopsignal = TERM
stopwaitsecs = 5
killasgroup = true
stopasgroup = true
"""


def configuration() -> str:
    programs = {**{service: f"launcher {service}" for service in SERVICES}, "watch": "watch"}
    return HEAD + "".join(PROGRAM.format(name=name, module=module) for name, module in programs.items())


def child_environment(layout: Layout) -> dict[str, str]:
    """What the services get from the user's environment: nothing that would make them speak to another cloud."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "EMBEDDED_REGION_DIR": str(layout.root), "EMBEDDED_REGION_PYTHON": sys.executable,
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true", "no_proxy": "127.0.0.1,localhost",
    }


def start(layout: Layout) -> None:
    """Starts the supervisor, which detaches itself and outlives the caller."""
    layout.supervisor_pid.unlink(missing_ok=True)
    for service in SERVICES:
        layout.pid_file(service).unlink(missing_ok=True)
    (layout.log / "supervisord.log").unlink(missing_ok=True)
    write_private(layout.supervisor_conf, configuration())
    result = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(layout.supervisor_conf)],
        env=child_environment(layout), cwd=layout.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise EmbeddedRegionError(f"the supervisor did not start: {result.stdout.strip()[-2000:]}")
    deadline = time.monotonic() + 20
    while supervisor_pid(layout) is None:
        if time.monotonic() > deadline:
            raise EmbeddedRegionError(f"the supervisor did not start; see {layout.log / 'supervisord.log'}")
        time.sleep(0.02)


def supervisor_pid(layout: Layout) -> int | None:
    """The running supervisor of this region; a number left by a dead one, or reused by another process, is none."""
    pid = _number(layout.supervisor_pid)
    if pid is not None and str(layout.supervisor_conf).encode() in _command(pid):
        return pid
    return None


def service_pids(layout: Layout) -> dict[str, int]:
    """The services that run now."""
    found = {service: running(layout.pid_file(service)) for service in SERVICES}
    return {service: pid for service, pid in found.items() if pid is not None}


def _all_pids(layout: Layout) -> set[int]:
    """The services and what watches them."""
    return {pid for path in layout.run.glob("*.pid") if (pid := running(path)) is not None}


def running(path: Path) -> int | None:
    """The process that wrote a pid file, if it still runs; a later one with its number does not count."""
    with contextlib.suppress(OSError, ValueError):
        pid, born = path.read_text(encoding="ascii").split()
        if birth(int(pid)) == born:
            return int(pid)
    return None


def birth(pid: int) -> str:
    """When a process started: with its number, this is one process and no later one. (Names change: see Neutron.)"""
    # The name in brackets may hold anything, even spaces and brackets.
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]


def stop(layout: Layout) -> bool:
    """Stops everything, and returns whether there was something to stop.

    The supervisor is killed, and the kernel kills the rest with it. To ask it nicely takes seconds and gains nothing:
    the services hold nothing that their databases do not have, and SQLite loses no transaction by a kill.
    """
    pid, others = supervisor_pid(layout), _all_pids(layout)
    if pid is not None:
        _signal(pid, signal.SIGKILL)
        if not _gone([pid], 10):
            raise EmbeddedRegionError(f"the supervisor, process {pid}, does not end")
    # Looked for again: one may have been started just then. One without a pid file yet ends by itself.
    others |= _all_pids(layout)
    for each in others:
        _signal(each, signal.SIGKILL)
    if not _gone(list(others), 10):
        raise EmbeddedRegionError(f"processes {sorted(others)} do not end")
    for path in layout.run.glob("*.pid"):
        path.unlink(missing_ok=True)
    return pid is not None or bool(others)


def gave_up(layout: Layout) -> str | None:
    """The service that the supervisor does not restart any more."""
    with contextlib.suppress(OSError):
        for line in (layout.log / "supervisord.log").read_text(encoding="utf-8", errors="replace").splitlines():
            if "gave up: " in line:
                return line.partition("gave up: ")[2].split()[0]
    return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return []


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _gone(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(_command(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
