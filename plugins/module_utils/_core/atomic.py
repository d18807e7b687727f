# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a file as a whole, so that a power cut leaves the old one or the new one. For ``host.py`` only."""

from __future__ import annotations

import os
import stat
import tempfile

_LABEL = "security.selinux"


def replace(real, content, mode=None):
    """Write a temporary file beside the old one, make it safe on the disk, and put it in its place. Raises OSError.

    Args:
        real: path on this machine, no link.
        content: bytes.
        mode: permissions; those of the old file, or 0644, when not given.
    """
    directory, name = os.path.split(real)
    descriptor, temporary = tempfile.mkstemp(prefix=".{0}.".format(name), dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), _mode_of(real) if mode is None else mode)
            _take_over(real, stream.fileno())
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, real)
    except OSError:
        os.unlink(temporary)
        raise
    sync(directory)


def _mode_of(real):
    try:
        return stat.S_IMODE(os.stat(real).st_mode)
    except FileNotFoundError:
        return 0o644


def _take_over(real, descriptor):
    """Give a new file the owner and the SELinux label of the one that it replaces."""
    try:
        old = os.stat(real)
    except FileNotFoundError:
        return
    if stat.S_ISREG(old.st_mode) and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    try:
        os.setxattr(descriptor, _LABEL, os.getxattr(real, _LABEL))
    except OSError:
        # No SELinux here, or a file system without labels: the kernel's default label stands.
        return


def sync(directory):
    """Make what was done to the names in a directory safe on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
