# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host without a mount: the interface of ``_core/host.Host`` over a Model in this process.

For tests that need many hosts and no other process: no root, no FUSE, a whole converge in milliseconds. A test holds
its public methods equal to those of the real class.
"""

from __future__ import annotations

import errno
import os
import posixpath

from .host import finished
from .state import Blocked
from .tools import installed
from .tree import Records


class Killed(BaseException):
    """The client died here, after the change that it just made: nothing of it runs any more."""


class Counts:
    """As that of the real class."""

    def __init__(self):
        self.opened, self.listed, self.started = 0, 0, 0


class MemoryHost:
    """One host.

    Args:
        model: Model.
        kill_after: after how many changes Killed is raised; 0 never.
    """

    root = "/simulated"
    is_real = False

    def __init__(self, model, kill_after=0):
        self.model = model
        self.counts = Counts()
        self._left = kill_after
        model.on_record = self._recorded

    def _recorded(self, record):
        self._left -= 1
        if self._left == 0:
            raise Killed(f"after {record.what} {record.path}")

    def read_bytes(self, path):
        """The content of a file. Raises OSError; what would wait in the kernel is ETIMEDOUT, so that no test hangs."""
        self.counts.opened += 1
        try:
            return self.model.read(self.model.resolve(path))
        except Blocked as waiting:
            raise OSError(errno.ETIMEDOUT, str(waiting)) from waiting

    def read_text(self, path):
        """The same as text."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_records(self, path, most=20000):
        """The records of a file such as /dev/kmsg."""
        self.counts.opened += 1
        node = self.model.node(self.model.resolve(path))
        return node.content().decode().splitlines(keepends=True)[:most] if isinstance(node, Records) else []

    def text(self, path):
        """The text of a small file, or None."""
        try:
            return self.read_text(path).strip()
        except OSError:
            return None

    def listdir(self, path):
        """The sorted names in a directory. Raises OSError."""
        self.counts.listed += 1
        return sorted(self.model.names(self.model.resolve(path)))

    def names(self, path):
        """The same; none when it cannot be read."""
        try:
            return self.listdir(path)
        except OSError:
            return []

    def readlink(self, path):
        """The text of a link. Raises OSError."""
        return self.model.readlink(self.model.resolve(path, last=False))

    def target_name(self, path):
        """The last part of it, or None."""
        try:
            return posixpath.basename(self.readlink(path))
        except OSError:
            return None

    def real(self, path):
        """Nothing of it lies on this machine."""
        raise OSError("{0} is in memory alone".format(path))

    def exists(self, path):
        """Whether there is such a file or directory."""
        try:
            self.model.resolve(path)
        except OSError:
            return False
        return True

    def folder(self, path):
        """A directory whose files are read one after the other."""
        return MemoryFolder(self, path)

    def write_attribute(self, path, text, timeout=60.0):
        """Write a kernel attribute. Raises HostError; with number None when it would wait for longer."""
        self.counts.opened += 1
        try:
            self.model.write(self.model.resolve(path), text.encode(), os.getpid())
        except Blocked as waiting:
            raise _host_error(
                f"{path}: the kernel did not take {text.strip()!r} within {timeout:g} s: {waiting}"
            ) from waiting
        except OSError as error:
            raise _host_error(
                f"{path}: the kernel refused {text.strip()!r}: {os.strerror(error.errno)}", error.errno
            ) from error

    def write_file(self, path, text, mode=0o644):
        """Replace a file as a whole, in the steps of the real class: each of them can be the last."""
        name = posixpath.basename(path)
        try:
            folder = self.model.resolve(posixpath.dirname(path))
            temporary = f"{folder}/.{name}.simulated"
            if temporary in self.model.state.files.entries:
                self.model.alter("unlink", temporary)
            self.model.alter("create", temporary, 0o600)
            self.model.write(temporary, text.encode(), os.getpid())
            self.model.alter("chmod", temporary, mode)
            self.model.alter("rename", temporary, f"{folder}/{name}")
        except OSError as error:
            raise _host_error(f"{path}: could not be written: {error.strerror}", error.errno) from error

    def make_directory(self, path, mode=0o755):
        """Make a directory and those above it."""
        done = ""
        for part in [one for one in path.split("/") if one]:
            done = f"{done}/{part}"
            if not self.exists(done):
                self.model.alter("mkdir", self.model.resolve(done, last=False), mode)

    def remove_file(self, path):
        """Remove a file; one that is gone is no error."""
        try:
            self.model.alter("unlink", self.model.resolve(path, last=False))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _host_error(f"{path}: could not be removed: {error.strerror}", error.errno) from error

    def program(self, name):
        """The path of a tool of the simulated host, or None."""
        if posixpath.isabs(name):
            return name if self.exists(name) else None
        return name if name in installed(self.model.state) else None

    def run(self, argv, timeout, changes=False):
        """Run a simulated tool. Raises HostError when the host has none of that name."""
        self.counts.started += 1
        try:
            answer = self.model.run(argv, os.getpid())
        except Blocked:
            return finished()(tuple(argv), None, "", "", float(timeout))
        if answer.status == 127:
            raise _host_error(f"there is no program {argv[0]} on this host")
        if answer.hangs or answer.seconds > timeout:
            return finished()(tuple(argv), None, "", "", float(timeout))
        return finished()(tuple(argv), answer.status, answer.stdout, answer.stderr, answer.seconds)


class MemoryFolder:
    """A directory of a MemoryHost. Nothing here raises."""

    def __init__(self, host, path):
        self.path = path
        self._host = host

    def names(self):
        """The sorted names in it."""
        return self._host.names(self.path)

    def bytes(self, name):
        """The content of a file, or None."""
        try:
            return self._host.read_bytes(f"{self.path}/{name}")
        except OSError:
            return None

    def text(self, name):
        """The text of a small file, or None."""
        return self._host.text(f"{self.path}/{name}")

    def target_name(self, name):
        """The last part of what a link points to, or None."""
        return self._host.target_name(f"{self.path}/{name}")


def _host_error(words, number=None):
    """The collection's own HostError."""
    from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError

    return HostError(words, number)
