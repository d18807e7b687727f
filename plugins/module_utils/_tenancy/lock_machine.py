# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are, for a lock: the run, its main process, and what this host knows of others."""

from __future__ import annotations

import hashlib
import os
import pwd
import time

from .._core import processes
from .._core.errors import DeclarationError
from .lock_record import Owner


class Machine:
    """This host as a lock sees it.

    Args:
        host: Host.
        run: id of the run; without it the environment names it, and without that the main process does.
        pid: where to start looking for the main process of Ansible.
        environ: mapping of the environment.
        required: refuse to guess when nothing says which run this is.
    """

    clock = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    def __init__(self, host, run=None, pid=None, environ=None, required=True):
        environ = os.environ if environ is None else environ
        self._host = host
        self._pid = os.getpid() if pid is None else pid
        main = processes.main_of(host, self._pid)
        run = run or environ.get(processes.RUN_VARIABLE)
        if not run and main is None and required:
            raise DeclarationError(
                "owner_run: this module was not started by Ansible on this host; say which run it is, such as "
                "owner_run: my-pipeline-42, the same in each task of the run"
            )
        boot = self._line("/proc/sys/kernel/random/boot_id")
        name = os.uname().nodename
        self.owner = Owner(
            run=run or "{0}-{1}-{2}-{3}".format(name, boot[:8], *((main.pid, main.start) if main else (self._pid, 0))),
            host=name,
            user=_user(),
            uid=os.geteuid(),
            machine=self._machine(),
            boot_id=boot,
            pid_namespace=self._link("/proc/self/ns/pid"),
            pid=main.pid if main else None,
            start=main.start if main else None,
            pipes=self._pipes(main),
        )

    def _pipes(self, main):
        """Return the pipes of the main process that its workers inherit, and that whoever started it does not have."""
        if main is None:
            return ()
        outer = set(processes.descriptors(self._host, main.parent).values())
        pipes = processes.queue_pipes(processes.descriptors(self._host, main.pid))
        return tuple(one for one in pipes if "pipe:[{0}]".format(one) not in outer)

    def uptime(self):
        """Return the seconds since this host's start, or None."""
        try:
            return float(self._line("/proc/uptime").split()[0])
        except (IndexError, ValueError):
            return None

    def process(self, pid):
        """Return the Process with that pid, or None."""
        return None if pid is None else processes.process(self._host, pid)

    def survivors(self, owner):
        """Return the Processes that still work for a run, when it ran on this host."""
        if not owner.same_world(self.owner):
            return []
        spared = {one.pid for one in processes.ancestors(self._host, self._pid)}
        return processes.survivors(self._host, owner.pipes, owner.run, spared)

    def _machine(self):
        """Return a hash of the machine id, which man machine-id asks not to publish."""
        text = self._line("/etc/machine-id")
        return hashlib.sha256("sovereign.region {0}".format(text).encode()).hexdigest()[:32] if text else ""

    def _line(self, path):
        try:
            return self._host.read_text(path).strip()
        except OSError:
            return ""

    def _link(self, path):
        try:
            return self._host.readlink(path)
        except OSError:
            return ""


def _user():
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
