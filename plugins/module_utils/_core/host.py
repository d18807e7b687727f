# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of one host below a root: the only file that opens files. Links lead nowhere outside the root."""

from __future__ import annotations

import os

_MOST_LINKS = 40


class Host:
    """What one host shows.

    Args:
        root: the directory that stands for ``/``.
    """

    def __init__(self, root="/"):
        self.root = os.path.realpath(root)

    def read_bytes(self, path):
        """Return the content of a file. Raises OSError."""
        with open(self._resolved(path), "rb") as stream:
            return stream.read()

    def read_text(self, path):
        """Return the content of a file as text; what is no UTF-8 is replaced. Raises OSError."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def listdir(self, path):
        """Return the sorted names in a directory. Raises OSError."""
        return sorted(os.listdir(self._resolved(path)))

    def readlink(self, path):
        """Return the text of a link, which is not followed. Raises OSError."""
        directory, name = os.path.split(path.rstrip("/"))
        return os.readlink(os.path.join(self._resolved(directory), name))

    def _resolved(self, path):
        """Return the real path of ``path`` below the root, every link resolved as the host itself would."""
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
