# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and commands of one host, below a root: the only file that opens files or starts processes.

Links lead nowhere outside the root: they are resolved as the host itself would.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import atomic
from .commands import execute, search_path
from .deadline import within
from .errors import HostError, Refused

_MOST_LINKS = 40


@dataclass
class Counts:
    """What was asked of a host, so that tests and benchmarks can hold it down.

    Attributes:
        opened: files that were opened or tried.
        listed: directories that were read.
        started: processes that were started.
    """

    opened: int = 0
    listed: int = 0
    started: int = 0


class Host:
    """One host.

    Args:
        root: the directory that stands for ``/``.
        runner: function of (argument list, timeout in seconds) that returns Finished; for hosts that are simulated.
    """

    def __init__(self, root="/", runner=None):
        self.root = os.path.realpath(root)
        self.counts = Counts()
        self._runner = runner

    @property
    def is_real(self):
        """Whether this is the host on which we run."""
        return self.root == "/"

    def read_bytes(self, path):
        """Return the content of a file. Raises OSError."""
        self.counts.opened += 1
        with open(self.real(path), "rb") as stream:
            return stream.read()

    def read_text(self, path):
        """Return the content of a file as text; what is no UTF-8 is replaced. Raises OSError."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_records(self, path, most=20000):
        """Return what can be read at once, a text for each read, such as records of ``/dev/kmsg``. Raises OSError.

        Args:
            path: such as ``/dev/kmsg``. Never waits for more.
            most: how many records at most.
        """
        self.counts.opened += 1
        descriptor = os.open(self.real(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        found = []
        try:
            while len(found) < most:
                try:
                    record = os.read(descriptor, 8192)
                except BlockingIOError:
                    break
                except BrokenPipeError:
                    # Records were overwritten before we read them; the next read goes on after the gap.
                    continue
                if not record:
                    break
                found.append(record.decode("utf-8", "replace"))
        finally:
            os.close(descriptor)
        return found

    def text(self, path):
        """Return the content of a small file without surrounding blanks, or None when it cannot be read."""
        try:
            return self.read_text(path).strip()
        except OSError:
            return None

    def listdir(self, path):
        """Return the sorted names in a directory. Raises OSError."""
        self.counts.listed += 1
        return sorted(os.listdir(self.real(path)))

    def names(self, path):
        """Return the sorted names in a directory; none when it cannot be read."""
        try:
            return self.listdir(path)
        except OSError:
            return []

    def readlink(self, path):
        """Return the text of a link, which is not followed. Raises OSError."""
        directory, name = os.path.split(path.rstrip("/"))
        return os.readlink(os.path.join(self.real(directory), name))

    def target_name(self, path):
        """Return the last part of what a link points to, such as the name of a driver, or None without a link."""
        try:
            return os.path.basename(self.readlink(path))
        except OSError:
            return None

    def exists(self, path):
        """Whether there is a file or directory of that name."""
        return os.path.exists(self.real(path))

    def folder(self, path):
        """Return the Folder: its own path is resolved once, so that reading many files in it stays cheap."""
        return Folder(self, path, self.real(path))

    def write_attribute(self, path, text, timeout=60.0):
        """Write a kernel attribute with one write.

        The kernel may wait in there for as long as a device is in use, and no signal reaches a process that waits so:
        it happens in a child, which is left behind when the time is over.

        Args:
            path: such as ``/sys/bus/pci/drivers_probe``.
            text: what to write.
            timeout: in seconds.

        Raises:
            HostError: the kernel refused, with its errno; or it did not answer in time, with errno None.
        """
        real, content = self.real(path), text.encode()
        self.counts.opened += 1
        number = within(timeout, lambda: _write_once(real, content))
        if number is None:
            raise HostError("{0}: the kernel did not take {1!r} within {2:g} s; the write is still pending, and what "
                            "it waits for is most likely in use".format(path, text.strip(), timeout))
        if number:
            why = os.strerror(number)
            raise HostError("{0}: the kernel refused {1!r}: {2}".format(path, text.strip(), why), number)

    def write_file(self, path, text, mode=None):
        """Replace a file as a whole: a power cut leaves the old one or the new one. Raises HostError.

        Args:
            path: of the file; where it is a link, the file that it leads to is replaced.
            text: its new content.
            mode: its permissions; those of the old file, or 0644, when not given.
        """
        real = os.path.realpath(self.real(path)) if self.is_real else self.real(path)
        try:
            atomic.replace(real, text.encode(), mode)
        except OSError as error:
            raise HostError("{0}: could not be written: {1}".format(path, error.strerror), error.errno) from error

    def make_directory(self, path, mode=0o755):
        """Make a directory and those above it, where they are missing. Raises HostError."""
        try:
            os.makedirs(self.real(path), mode=mode, exist_ok=True)
        except OSError as error:
            raise HostError("{0}: could not be made: {1}".format(path, error.strerror), error.errno) from error

    def remove_file(self, path):
        """Remove a file, or the link of that name; one that is gone already is no error. Raises HostError."""
        directory, name = os.path.split(path.rstrip("/"))
        real = self.real(directory)
        try:
            os.unlink(os.path.join(real, name))
            atomic.sync(real)
        except FileNotFoundError:
            return
        except OSError as error:
            raise HostError("{0}: could not be removed: {1}".format(path, error.strerror), error.errno) from error

    def program(self, name):
        """Return the path of a program on this machine, or None. Also looks where administrators' programs lie."""
        if os.path.isabs(name):
            return name if os.access(name, os.X_OK) else None
        for directory in search_path(os.environ):
            path = os.path.join(directory, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        return None

    def run(self, argv, timeout, changes=False):
        """Run a program: no shell, no standard input, ``LC_ALL=C``, and not for longer than ``timeout`` seconds.

        Args:
            argv: list of arguments, the program first.
            timeout: in seconds.
            changes: whether it changes the state of a host. Under a root that is not ``/`` such a program would
                change the wrong one, so it is refused unless a runner stands for the host.

        Returns:
            Finished.

        Raises:
            HostError: there is no such program.
            Refused: it would change another host than the one under the root.
        """
        self.counts.started += 1
        if self._runner is not None:
            return self._runner(list(argv), timeout)
        if changes and not self.is_real:
            raise Refused("{0} would change this machine, not the one below {1}".format(argv[0], self.root))
        path = self.program(argv[0])
        if path is None:
            raise HostError("there is no program {0} on this host".format(argv[0]))
        try:
            return execute([path] + list(argv[1:]), timeout)
        except OSError as error:
            raise HostError("{0} could not be started: {1}".format(path, error.strerror), error.errno) from error

    def real(self, path):
        """Return the real path of ``path`` below the root."""
        if self.is_real:
            return path
        todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
        done, links = [], 0
        while todo:
            part = todo.pop()
            if part == "..":
                done = done[:-1]
                continue
            here = os.path.join(self.root, *(done + [part]))
            if not os.path.islink(here):
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(40, "too many levels of links", path)
            target = os.readlink(here)
            if target.startswith("/"):
                done = []
            todo += [one for one in target.split("/") if one not in ("", ".")][::-1]
        return os.path.join(self.root, *done)


class Folder:
    """A directory of a host whose own path was resolved once. Nothing here raises: what cannot be read is None.

    Args:
        host: Host.
        path: as the host names it.
        real: as this machine names it.
    """

    def __init__(self, host, path, real):
        self.path = path
        self._host = host
        self._real = real

    def names(self):
        """Return the sorted names in it; none when it cannot be read."""
        self._host.counts.listed += 1
        try:
            return sorted(os.listdir(self._real))
        except OSError:
            return []

    def bytes(self, name):
        """Return the content of a file, or None. A file that is a link is resolved as the host would."""
        self._host.counts.opened += 1
        try:
            descriptor = os.open(os.path.join(self._real, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return self._linked(name)
        try:
            with os.fdopen(descriptor, "rb") as stream:
                return stream.read()
        except OSError:
            return None

    def text(self, name):
        """Return the content of a small file without surrounding blanks, or None."""
        content = self.bytes(name)
        return None if content is None else content.decode("utf-8", "replace").strip()

    def target_name(self, name):
        """Return the last part of what a link points to, or None when there is no such link."""
        try:
            return os.path.basename(os.readlink(os.path.join(self._real, name)))
        except OSError:
            return None

    def _linked(self, name):
        if not os.path.islink(os.path.join(self._real, name)):
            return None
        try:
            return self._host.read_bytes(os.path.join(self.path, name))
        except OSError:
            return None


def _write_once(real, content):
    """Return 0, or the errno with which the kernel refused."""
    try:
        descriptor = os.open(real, os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.write(descriptor, content) != len(content):
                return 5
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.errno or 5
    return 0
