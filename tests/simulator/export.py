# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of a simulated host as plain files and links, for whoever only reads: nothing in it reacts to a write."""

from __future__ import annotations

import os
import stat

from .model import Model
from .tools import installed as tools_of
from .tools import path_of

_EMPTY = ("/tmp", "/run", "/root")


def export(description, directory, prepare=None):
    """Write the tree below a directory, which is made.

    Args:
        description: Description.
        directory: path on this machine.
        prepare: function of the Model, called before the tree is written: for binding devices, making VFs, holders.

    Returns:
        How many files and links were written.
    """
    model = Model(description)
    if prepare is not None:
        prepare(model)
    skip = {path_of(name) for name in tools_of(model.state)}
    return _copy(model, "", str(directory), skip)


def _copy(model, path, directory, skip):
    os.makedirs(directory + path, exist_ok=True)
    count = 0
    for name in model.names(path or "/"):
        here = f"{path}/{name}"
        mode, size, _ = model.stat(here)
        if here in skip or here in _EMPTY:
            continue
        if stat.S_ISDIR(mode):
            count += _copy(model, here, directory, skip)
            continue
        count += 1
        if stat.S_ISLNK(mode):
            if os.path.lexists(directory + here):
                os.unlink(directory + here)
            os.symlink(model.readlink(here), directory + here)
            continue
        try:
            content = model.read(here)
        except OSError:
            # Write-only, or not readable now: there, and empty.
            content = b""
        descriptor = os.open(directory + here, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(descriptor, content)
        os.close(descriptor)
    return count
