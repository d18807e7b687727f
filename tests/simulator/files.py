# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ordinary files of a simulated host, in memory: /etc, /boot, /lib, /usr and all that is not /sys, /proc or /dev."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from dataclasses import dataclass

# What a reboot empties.
VOLATILE = ("/run", "/tmp")


@dataclass
class Entry:
    """A file, directory or link: its type and mode as st_mode has them, and its content or target."""

    mode: int
    content: bytes = b""
    changed: int = 0

    @property
    def is_folder(self):
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self):
        """Whether it is a symbolic link; the content is where to then."""
        return stat.S_ISLNK(self.mode)


class Files:
    """A tree by absolute path. Paths are those that the kernel hands to a file system: no link is followed here."""

    def __init__(self):
        self.entries = {"/": Entry(stat.S_IFDIR | 0o755)}
        self.clock = 1

    def get(self, path):
        """The entry. Raises ENOENT."""
        if path not in self.entries:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self.entries[path]

    def names(self, path):
        """The names in a directory."""
        prefix = path.rstrip("/") + "/"
        return sorted(one[len(prefix):] for one in self.entries
                      if one.startswith(prefix) and one != "/" and "/" not in one[len(prefix):])

    def make(self, path, mode, content=b""):
        """Make an entry; its directory must be there."""
        parent = self.entries.get(posixpath.dirname(path))
        if parent is None or not parent.is_folder:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if path in self.entries:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self.entries[path] = Entry(mode, content, self._tick())

    def write(self, path, content, offset=0):
        """Write at an offset; what lies between is zeros."""
        entry = self.get(path)
        old = entry.content.ljust(offset, b"\0")
        entry.content = old[:offset] + content + old[offset + len(content):]
        entry.changed = self._tick()

    def truncate(self, path, length):
        """Cut or extend a file."""
        entry = self.get(path)
        entry.content = entry.content[:length].ljust(length, b"\0")
        entry.changed = self._tick()

    def allow(self, path, mode):
        """Set permissions."""
        entry = self.get(path)
        entry.mode = stat.S_IFMT(entry.mode) | mode & 0o7777

    def remove(self, path, folder=False):
        """Remove a file or link, or an empty directory."""
        entry = self.get(path)
        if entry.is_folder != folder:
            raise OSError(errno.ENOTDIR if folder else errno.EISDIR, "", path)
        if folder and self.names(path):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        del self.entries[path]

    def rename(self, old, new):
        """Put an entry, with all below it, in the place of another one."""
        self.get(old)
        self.get(posixpath.dirname(new))
        if new in self.entries and self.entries[new].is_folder and self.names(new):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), new)
        moved = [one for one in self.entries if one == old or one.startswith(old + "/")]
        for one in moved:
            self.entries[new + one[len(old):]] = self.entries.pop(one)

    def put(self, path, text, mode=0o644):
        """Make a file with all directories above it, or replace it: for building hosts."""
        parent = posixpath.dirname(path)
        if parent not in self.entries:
            self.folder(parent)
        content = text if isinstance(text, bytes) else text.encode()
        self.entries[path] = Entry(stat.S_IFREG | mode, content, self._tick())

    def folder(self, path):
        """Make a directory and those above it."""
        if path not in self.entries:
            self.folder(posixpath.dirname(path))
            self.entries[path] = Entry(stat.S_IFDIR | 0o755, b"", self._tick())

    def link(self, path, target):
        """Make a symbolic link with all directories above it, or replace it."""
        self.folder(posixpath.dirname(path))
        self.entries[path] = Entry(stat.S_IFLNK | 0o777, target.encode(), self._tick())

    def text(self, path):
        """The text of a file, or None."""
        entry = self.entries.get(path)
        return entry.content.decode("utf-8", "replace") if entry and not entry.is_folder else None

    def forget_volatile(self):
        """What a reboot does to files."""
        for path in [one for one in self.entries if one.startswith(tuple(f"{top}/" for top in VOLATILE))]:
            del self.entries[path]

    def _tick(self):
        self.clock += 1
        return self.clock
