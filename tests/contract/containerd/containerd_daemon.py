# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A containerd that really runs: systemd is played, the daemon, its sockets and its answers are Debian's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished, execute
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    LIVE,
    MAIN,
    PIVOT,
    ROOTS,
    SOCKET,
    Containerd,
)

# A crictl, where there is one: CRICTL names it, or it is in PATH.
CRICTL = os.environ.get("CRICTL") or shutil.which("crictl")


class Running(Containerd):
    """A host with a daemon.

    Attributes:
        daemon: its process, or None.
        crictl: path of crictl on this machine; None for a host without it.
        starts: how often it was started.
    """

    def __init__(self, root, suite, main=None, crictl=CRICTL):
        super().__init__(root, suite, main)
        self.daemon, self.crictl, self.starts = None, crictl, 0
        self.log = self.root / "daemon.log"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        given = ["--config", MAIN] if (self.root / MAIN.lstrip("/")).exists() else []
        apart = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
        command = [*apart, "sh", "-c", LIVE, "sh", sys.executable, PIVOT, str(self.root), str(ROOTS / self.suite),
                   "containerd", *given]
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.starts += 1
        end = time.monotonic() + 60
        while time.monotonic() < end and self.daemon.poll() is None:
            if self.ctr("version").ok:
                self.active = True
                return True
            time.sleep(0.1)
        return False

    def stop(self):
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon, self.active = None, False
        socket = self.root / SOCKET.lstrip("/")
        socket.unlink(missing_ok=True)

    def ctr(self, *argv):
        return self.inside(["ctr", "--connect-timeout", "2s", *argv], 20)

    def systemctl(self, argv):
        if argv[1] == "is-active":
            alive = self.daemon is not None and self.daemon.poll() is None
            return Finished(tuple(argv), 0 if alive else 3, "active\n" if alive else "failed\n")
        assert argv[1:] == ["restart", "containerd"]
        self.stop()
        if self.start():
            return Finished(tuple(argv), 0)
        return Finished(tuple(argv), 1, "", "Job for containerd.service failed: " + self.log.read_text()[-300:])

    def query(self, argv, timeout):
        if argv[0] == "ctr":
            return self.inside(argv, timeout)
        if argv[0] == "crictl" and self.crictl:
            place = argv.index("--runtime-endpoint") + 1
            path = self.root / argv[place].removeprefix("unix://").lstrip("/")
            return execute([self.crictl, *argv[1:place], f"unix://{path}", *argv[place + 1:]], timeout)
        raise errors.HostError("there is no program {0} on this host".format(argv[0]))
