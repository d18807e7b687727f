# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host as a directory: one FUSE file system with /sys, /proc, /dev, /etc and all the rest below its root.

Runs in a process of its own (``python -m simulator up``), so that killing a client never hurts it. ``.simulator/call``
in the root, which no listing shows, takes JSON requests: see Server.answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import threading
import time

from . import libfuse
from .state import Blocked
from .tree import Records

CONTROL = "/.simulator"
CALL = f"{CONTROL}/call"
_OPEN_TO_ALL = (
    "hold",
    "virtual_machine",
    "end",
    "fault",
    "set",
    "say",
    "problems",
    "reboot",
    "begin_boot",
    "end_boot",
    "take_events",
    "text",
    "put",
)


class Server(libfuse.Operations):
    """The file system. One lock: as slow as it is simple; what waits in the simulated kernel waits in a thread."""

    use_ns = True

    def __init__(self, model):
        self.model = model
        self.changed = threading.Condition(threading.RLock())
        self.closing = False
        self._handles = {}
        self._next = 1
        self._kill = None
        model.on_record = self._recorded

    # Reading

    def getattr(self, path, fh=None):
        """stat()."""
        if path == CONTROL:
            mode, size, changed = stat.S_IFDIR | 0o700, 0, 1
        elif path == CALL:
            mode, size, changed = stat.S_IFREG | 0o600, 0, 1
        else:
            mode, size, changed = self._guarded(self.model.stat, path)
        when = changed * 1_000_000_000
        return {
            "st_mode": mode,
            "st_size": size,
            "st_nlink": 2 if stat.S_ISDIR(mode) else 1,
            "st_uid": 0,
            "st_gid": 0,
            "st_mtime": when,
            "st_ctime": when,
            "st_atime": when,
        }

    def readdir(self, path, fh):
        """The names in a directory."""
        return [".", "..", *(["call"] if path == CONTROL else self._guarded(self.model.names, path))]

    def readlink(self, path):
        """Where a link points to."""
        return self._guarded(self.model.readlink, path)

    def open(self, path, flags):
        """A handle: what is read is taken at the first read, so that it is of one moment, as in sysfs."""
        if path != CALL:
            self._guarded(self.model.stat, path)
        self._handles[self._next] = None
        self._next += 1
        return self._next - 1

    def read(self, path, size, offset, fh):
        """A piece of a file; of a file of records the next record."""
        if path == CALL:
            return (self._handles.get(fh) or b"")[offset : offset + size]
        node = self._guarded(self.model.node, path)
        if isinstance(node, Records):
            records = node.content().splitlines(keepends=True)
            position = self._handles.get(fh) or 0
            if position >= len(records):
                raise libfuse.FuseOSError(errno.EAGAIN)
            self._handles[fh] = position + 1
            return records[position][:size]
        if offset == 0 or self._handles.get(fh) is None:
            self._handles[fh] = self._patiently(lambda waited: self.model.read(path))
        return self._handles[fh][offset : offset + size]

    def release(self, path, fh):
        """close()."""
        self._handles.pop(fh, None)
        return 0

    # Changing

    def write(self, path, data, offset, fh):
        """Write; the kernel's refusal comes back as it would, and what waits there waits here."""
        pid = libfuse.fuse_get_context()[2]
        if path == CALL:
            self._handles[fh] = json.dumps(self.answer(json.loads(data), pid)).encode()
            return len(data)
        self._patiently(lambda waited: self.model.write(path, bytes(data), pid, offset, waited))
        return len(data)

    def create(self, path, mode, fi=None):
        """Make a file and open it."""
        self._alter("create", path, mode & 0o7777)
        return self.open(path, 0)

    def truncate(self, path, length, fh=None):
        """Cut or extend a file."""
        self._alter("truncate", path, length)

    def chmod(self, path, mode):
        """Set permissions."""
        self._alter("chmod", path, mode)

    def mkdir(self, path, mode):
        """Make a directory."""
        self._alter("mkdir", path, mode & 0o7777)

    def rmdir(self, path):
        """Remove a directory."""
        self._alter("rmdir", path)

    def unlink(self, path):
        """Remove a file."""
        self._alter("unlink", path)

    def symlink(self, target, source):
        """Make the link ``target`` that points to ``source``."""
        self._alter("symlink", target, source)

    def rename(self, old, new):
        """Put a file in another's place."""
        self._alter("rename", old, new)

    def chown(self, path, uid, gid):
        """Everything is root's."""
        return 0

    def utimens(self, path, times=None):
        """The simulated clock stands still."""
        return 0

    def fsync(self, path, datasync, fh):
        """Nothing is lost here."""
        return 0

    fsyncdir = fsync

    # What is behind the control file

    def answer(self, request, pid):
        """Answer a request: {"run": argv, "patient": bool} or {"call": name, "args": [...], "kwargs": {...}}."""
        with self.changed:
            try:
                return self._answer(request, pid)
            except OSError as error:
                return {"errno": error.errno or errno.EIO, "error": str(error)}
            except Exception as error:  # pylint: disable=broad-except
                return {"errno": errno.EINVAL, "error": f"{type(error).__name__}: {error}"}
            finally:
                self.changed.notify_all()

    def _answer(self, request, pid):
        if "run" in request:
            try:
                made = (
                    self._patiently(lambda waited: self.model.run(request["run"], pid))
                    if request.get("patient", True)
                    else self.model.run(request["run"], pid)
                )
            except Blocked:
                return {"status": None, "hangs": True, "stdout": "", "stderr": "", "seconds": 0}
            return dataclasses.asdict(made)
        name, arguments = request["call"], request.get("args", [])
        if name == "log":
            return {"value": [dataclasses.asdict(one) for one in self.model.log[(arguments or [0])[0] :]]}
        if name == "kill_after":
            self._kill = {"left": arguments[0], "groups": arguments[1], "only": arguments[2]} if arguments[0] else None
            return {"value": None}
        if name == "clear_faults":
            self.model.faults.clear()
            return {"value": None}
        if name == "stop":
            self.closing = True
            return {"value": None}
        if name not in _OPEN_TO_ALL:
            raise ValueError(f"no such call: {name}")
        return {"value": getattr(self.model, name)(*arguments, **request.get("kwargs", {}))}

    def _recorded(self, record):
        """Called under the lock with every change, before its maker hears of it: the place to kill it from."""
        armed = self._kill
        if armed is None or not record.pid or (armed["only"] and not record.path.startswith(armed["only"])):
            return
        armed["left"] -= 1
        if armed["left"] > 0:
            return
        self._kill = None
        for group in armed["groups"]:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(record.pid, signal.SIGKILL)

    def _alter(self, what, path, *arguments):
        pid = libfuse.fuse_get_context()[2]
        self._guarded(lambda: self.model.alter(what, path, *arguments, pid=pid))

    def _guarded(self, function, *arguments):
        with self.changed:
            try:
                return function(*arguments)
            except OSError as error:
                raise libfuse.FuseOSError(error.errno or errno.EIO) from error

    def _patiently(self, function):
        """Do it, and while it would wait in the kernel, wait for the state to change and try again."""
        with self.changed:
            waited, boots = False, self.model.state.boots
            while True:
                try:
                    value = function(waited)
                    self.changed.notify_all()
                    return value
                except Blocked as waiting:
                    waited = True
                    self.changed.wait()
                    if self.closing or self.model.state.boots != boots:
                        raise libfuse.FuseOSError(errno.EINTR) from waiting
                except OSError as error:
                    raise libfuse.FuseOSError(error.errno or errno.EIO) from error


def serve(model, directory, until=None):
    """Mount the host at a directory and serve it until it is unmounted, or until a process ends.

    Args:
        model: Model.
        directory: an empty one.
        until: pid of the process that it is for, or None.
    """
    if until:
        threading.Thread(target=_leave_with, args=(until, directory), daemon=True).start()
    # Names may be remembered, attributes and what is not there may not: a file that went is asked for again when it is
    # opened, looked at or followed, and walking down a path costs nothing.
    libfuse.FUSE(
        Server(model),
        directory,
        foreground=True,
        direct_io=True,
        attr_timeout=0,
        entry_timeout=3600,
        negative_timeout=0,
        allow_other=True,
        fsname="simulated-host",
    )
    home = os.path.dirname(directory)
    if until and not os.path.exists(f"/proc/{until}") and os.path.basename(home).startswith("simulated-host-"):
        # A temporary directory of a client that can no longer remove it.
        shutil.rmtree(home, ignore_errors=True)


def _leave_with(pid, directory):
    """Unmount when a process ends, and end here even if somebody still waits in the mount."""
    while os.path.exists(f"/proc/{pid}"):
        time.sleep(1)
    subprocess.call(["umount", "-l", directory])
    time.sleep(10)
    os._exit(0)
