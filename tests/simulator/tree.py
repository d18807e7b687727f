# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the generated trees: directories, attributes, links. What they say is computed when they are read."""

from __future__ import annotations

import errno
import os
import posixpath


class Folder:
    """A directory whose entries are made when they are needed: ``build()`` returns {name: node}."""

    def __init__(self, build):
        self._build = build
        self._entries = None

    def entries(self):
        """Its nodes by name. Kept: whoever changes the state throws the whole tree away."""
        if self._entries is None:
            self._entries = self._build()
        return self._entries


class File:
    """An attribute.

    Args:
        read: text or bytes, or a function that returns them or raises OSError; None for one that cannot be read.
        write: function of the written text, or None for a read-only one.
        mode: permissions; by default those that fit.
        size: what stat says; sysfs says 4096 whatever is in it.
    """

    def __init__(self, read, write=None, mode=None, size=4096):
        self.read, self.write, self.size = read, write, size
        self.mode = mode if mode is not None else (0o644 if write else 0o444) if read is not None else 0o200

    def content(self):
        """What a read returns, as bytes."""
        if self.read is None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        value = self.read() if callable(self.read) else self.read
        return value if isinstance(value, bytes) else value.encode()


class Records(File):
    """A file of records, such as /dev/kmsg: each read gives the next one, and EAGAIN after the last."""


class Link:
    """A symbolic link."""

    def __init__(self, target):
        self.target = target


def link_to(here, there):
    """The Link at path ``here`` that points to ``there``, relative as the kernel makes them."""
    return Link(posixpath.relpath(there, posixpath.dirname(here)))


def line(value):
    """A File of one line."""
    return File(f"{value}\n")


def walk(node, path):
    """The node at a relative path below ``node``. Raises ENOENT or ENOTDIR; follows no link."""
    for name in [one for one in path.split("/") if one]:
        if not isinstance(node, Folder):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        entries = node.entries()
        if name not in entries:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        node = entries[name]
    return node
