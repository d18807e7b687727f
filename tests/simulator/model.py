# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host as a pure state machine: paths in, bytes or the kernel's errors out; no file system, no thread.

Every change is one Record in ``log``, whether the kernel took it or not, so that a test can say "after the n-th". An
operation that would wait in the kernel raises Blocked; whoever drives the model decides how to wait.
"""

from __future__ import annotations

import dataclasses
import errno
import fnmatch
import os
import posixpath
import stat
from dataclasses import dataclass

from . import boot, processes, procfs, soundness, sysfs, tools, units
from .state import Blocked, Record
from .tree import File, Folder, Link, walk

GENERATED = ("sys", "proc", "dev")
_MOST_LINKS = 40


@dataclass
class Fault:
    """Something that goes wrong on purpose.

    Attributes:
        where: pattern of paths, or ``tool:NAME``.
        kind: for a path an errno or ``hang``; for a tool a name that tools.run knows.
        times: how often; None for always.
        data: what the fault needs, such as the text of nonsense.
    """

    where: str
    kind: object
    times: int | None = 1
    data: object = None


class Model:
    """One host. All paths are the host's own, from ``/``.

    Args:
        description: Description.
    """

    def __init__(self, description):
        self.state = boot.build(description)
        self.log = []
        self.faults = []
        # Called with every Record once it is in the log, before whoever made the change hears of it.
        self.on_record = lambda record: None
        self._trees = {}
        tools.install(self.state)

    # What is there

    def node(self, path):
        """What is at a path whose directories are real: a node of tree.py or an Entry of files.py. Raises ENOENT."""
        top, _, rest = path.lstrip("/").partition("/")
        if top in GENERATED:
            if not self._trees:
                self._trees = {"sys": sysfs.root(self.state), "proc": procfs.proc(self.state),
                               "dev": procfs.dev(self.state)}
            return walk(self._trees[top], rest)
        return self.state.files.get(path)

    def resolve(self, path, last=True):
        """The path without links; ``last``: whether a link at its end is followed too. Raises ENOENT, ELOOP."""
        todo, done, links = [one for one in path.split("/") if one][::-1], [], 0
        while todo:
            part = todo.pop()
            if part in (".", ".."):
                done = done[:-1] if part == ".." else done
                continue
            here = "/" + "/".join([*done, part])
            if not todo and not last:
                done.append(part)
                break
            target = _target(self.node(here))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            done = [] if target.startswith("/") else done
            todo += [one for one in target.split("/") if one][::-1]
        return "/" + "/".join(done)

    def stat(self, path):
        """(st_mode, st_size, st_mtime) of what is at a path without links."""
        if path in ("", "/"):
            return stat.S_IFDIR | 0o755, 0, 1
        node = self.node(path)
        if isinstance(node, Folder):
            return stat.S_IFDIR | 0o755, 0, 1
        if isinstance(node, Link):
            return stat.S_IFLNK | 0o777, len(node.target), 1
        if isinstance(node, File):
            return stat.S_IFREG | node.mode, node.size, 1
        return node.mode, len(node.content), node.changed

    def names(self, path):
        """The names in a directory."""
        if path in ("", "/"):
            return sorted({*GENERATED, *self.state.files.names("/")})
        node = self.node(path)
        if isinstance(node, Folder):
            return list(node.entries())
        if isinstance(node, (File, Link)) or not node.is_folder:
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return self.state.files.names(path)

    def readlink(self, path):
        """Where a link points to."""
        target = _target(self.node(path))
        if target is None:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return target

    def read(self, path):
        """The content of a file as bytes. Raises OSError, Blocked."""
        node = self.node(path)
        self._fail(path, reading=True)
        if isinstance(node, (Folder, Link)):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return node.content() if isinstance(node, File) else node.content

    def text(self, path):
        """The stripped text of a file, links followed; None when it cannot be read. For tests."""
        try:
            return self.read(self.resolve(path)).decode("utf-8", "replace").strip()
        except OSError:
            return None

    # Changes

    def write(self, path, content, pid=0, offset=0, waited=False):
        """Write to a file without links in its path. Raises OSError, Blocked (call again with ``waited`` later)."""
        node = self.node(path)

        def change():
            self._fail(path)
            if isinstance(node, File):
                if node.write is None:
                    raise OSError(errno.EACCES if node.mode & 0o200 == 0 else errno.EIO, "", path)
                node.write(content.decode("utf-8", "replace"))
            else:
                self.state.files.write(path, content, offset)
        return self._change("write", path, content.decode("utf-8", "replace"), pid, change, waited)

    def put(self, path, text, pid=0):
        """Write as a shell's ``echo`` would, links followed. For tests."""
        self.write(self.resolve(path), text.encode(), pid)

    def alter(self, what, path, *arguments, pid=0):
        """A change of ordinary files: ``create``, ``mkdir``, ``symlink``, ``truncate``, ``chmod``, ``unlink``,
        ``rmdir``, ``rename``. Raises OSError; EPERM in /sys, /proc and /dev, which only take truncating in silence."""
        def change():
            self._fail(path)
            if path.lstrip("/").partition("/")[0] in GENERATED:
                if what in ("truncate", "chmod"):
                    return
                raise OSError(errno.EPERM, os.strerror(errno.EPERM), path)
            _ORDINARY[what](self.state.files, path, *arguments)
        data = str(arguments[0]) if what in ("rename", "symlink") else ""
        if what == "truncate" and path.lstrip("/").partition("/")[0] in GENERATED:
            return None
        return self._change(what, path, data, pid, change)

    def run(self, argv, pid=0):
        """Run a simulated tool. Returns tools.Answer; only those that changed something are in the log."""
        fault = self._take(f"tool:{posixpath.basename(argv[0])}")
        before = self._fingerprint()
        answer = tools.run(self, list(argv), fault)
        if answer.changes or self._fingerprint() != before:
            self._trees = {}
            self._record("run", " ".join(argv), "", answer.status, pid)
        return answer

    def reboot(self):
        """Reboot. Returns the units to start: (name, list of command lines); none is started."""
        self.begin_boot()
        return self.end_boot()

    def begin_boot(self):
        """Reboot up to the earliest units, which are returned."""
        self._record("reboot", "", "", 0, 0)
        boot.begin(self.state)
        tools.install(self.state)
        self._trees = {}
        return units.started(self.state, early=True)

    def end_boot(self):
        """Load modules, and return the units of the running system."""
        boot.go_on(self.state)
        self._trees = {}
        return units.started(self.state, early=False)

    def take_events(self):
        """The command lines that udev's rules want run, and forget them."""
        events, self.state.events = self.state.events, []
        return events

    # Processes and faults

    def hold(self, path, command="python3"):
        """Start a process that has a device node open. Returns its pid."""
        return self._touch(processes.hold, path, command)

    def virtual_machine(self, address):
        """Start a virtual machine with a function, or with the mdev of that UUID. Returns its pid."""
        start = processes.machine_with_mdev if address in self.state.mdevs else processes.virtual_machine
        return self._touch(start, address)

    def end(self, pid):
        """End a simulated process."""
        return self._touch(processes.end, pid)

    def fault(self, where, kind, times=1, data=None):
        """Let something go wrong: see Fault. A path is resolved now when it is there."""
        try:
            where = where if where.startswith("tool:") else self.resolve(where)
        except OSError:
            pass
        self.faults.append(Fault(where, kind, times, data))

    def set(self, address, **values):
        """Set what a card shows: ``recovery``, ``ecc_uncorrected``, ``remapped``, ``cc``, ``mig``, ``instances`` …"""
        for name, value in values.items():
            setattr(self.state.gpus[address], name, value)
        self._trees = {}

    def say(self, text):
        """Add a line to the kernel's log, such as an Xid."""
        self._touch(type(self.state).say, text, 3)

    def problems(self):
        """What is impossible on a real host; an empty list when the state is sound."""
        return [*soundness.problems(self.state)]

    def _touch(self, function, *arguments):
        self._trees = {}
        return function(self.state, *arguments)

    def _change(self, what, path, data, pid, change, waited=False):
        self._trees = {}
        try:
            change()
        except Blocked:
            if not waited:
                self._record(what, path, data, None, pid)
            raise
        except OSError as error:
            self._done(what, path, data, error.errno, pid, waited)
            raise
        finally:
            self._trees = {}
        self._done(what, path, data, 0, pid, waited)
        return None

    def _done(self, what, path, data, error, pid, waited):
        if waited:
            for place, one in reversed(list(enumerate(self.log))):
                if (one.what, one.path, one.data, one.pid, one.error) == (what, path, data, pid, None):
                    self.log[place] = dataclasses.replace(one, error=error)
                    return
        self._record(what, path, data, error, pid)

    def _record(self, what, path, data, error, pid):
        record = Record(len(self.log) + 1, what, path, data, error, pid)
        self.log.append(record)
        self.on_record(record)

    def _take(self, where):
        for fault in self.faults:
            if fnmatch.fnmatchcase(where, fault.where):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    def _fail(self, path, reading=False):
        prefix = "read:" if reading else ""
        fault = self._take(prefix + path)
        if fault is None:
            return
        if fault.kind == "hang":
            fault.times = None
            if fault not in self.faults:
                self.faults.append(fault)
            raise Blocked(f"{path}: made to hang")
        raise OSError(fault.kind, os.strerror(fault.kind), path)

    def _fingerprint(self):
        state = self.state
        return repr((state.devices, state.gpus, state.modules, state.mdevs, state.files.clock))


def _target(node):
    """Where a node points to, or None when it is no link."""
    if isinstance(node, Link):
        return node.target
    if isinstance(node, (Folder, File)) or not node.is_link:
        return None
    return node.content.decode()


_ORDINARY = {
    "create": lambda files, path, mode: files.make(path, stat.S_IFREG | mode),
    "mkdir": lambda files, path, mode: files.make(path, stat.S_IFDIR | mode),
    "symlink": lambda files, path, target: files.make(path, stat.S_IFLNK | 0o777, target.encode()),
    "truncate": lambda files, path, length: files.truncate(path, length),
    "chmod": lambda files, path, mode: files.allow(path, mode),
    "unlink": lambda files, path: files.remove(path),
    "rmdir": lambda files, path: files.remove(path, folder=True),
    "rename": lambda files, path, new: files.rename(path, new),
}
