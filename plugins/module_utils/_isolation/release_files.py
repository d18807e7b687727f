# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What releases need of a file system: digests of large files, links that are replaced at once, trees that go.

Paths are as the host names them; every function takes the Host first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat

from .._core import atomic
from .._core.errors import HostError, Refused

_PIECE = 1 << 20
UNPACKING, REMOVING, DOWNLOADING = ".unpacking-", ".removing-", ".downloading-"
TARBALLS = ".tarballs"


def real(host, path):
    """Return what this machine calls a path of the host; links above its last part are resolved as the host would."""
    above, name = os.path.split(path.rstrip("/"))
    return os.path.join(host.real(above), name)


def resolved(host, path):
    """Return the host's own path of what a path leads to, all links followed; the path itself when that fails."""
    try:
        found = os.path.realpath(path) if host.is_real else host.real(path)
    except OSError:
        return path
    return found if host.is_real else "/" + os.path.relpath(found, host.root)


def problem(path, what, error):
    """Return HostError for an OSError: which path, what did not work, why."""
    return HostError("{0}: {1}: {2}".format(path, what, error.strerror or error), error.errno)


def digest(host, path):
    """Return (sha256, size in bytes) of a file. Raises HostError."""
    try:
        with os.fdopen(os.open(host.real(path), os.O_RDONLY | os.O_CLOEXEC), "rb") as stream:
            return digest_of(stream)
    except OSError as error:
        raise problem(path, "could not be read", error) from error


def digest_of(stream, into=None):
    """Return (sha256, size) of what a stream has left; it is written to the descriptor ``into`` where that is given."""
    sha, size = hashlib.sha256(), 0
    for piece in iter(lambda: stream.read(_PIECE), b""):
        sha.update(piece)
        size += len(piece)
        rest = memoryview(piece)
        while into is not None and rest:
            rest = rest[os.write(into, rest):]
    return sha.hexdigest(), size


def fingerprint(host, path):
    """Return what changes whenever a file is written to or replaced. Raises HostError."""
    try:
        now = os.stat(host.real(path))
    except OSError as error:
        raise problem(path, "could not be read", error) from error
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


def tree(host, directory, with_digests):
    """Return {path: entry} of all files and links below a directory, in the shape of a release's record.

    Args:
        host: Host.
        directory: of a release.
        with_digests: whether ``sha256`` is computed; else it is None.

    Raises:
        HostError: something in it cannot be read.
    """
    base, found = host.real(directory), {}
    try:
        for path, status in _walk(base):
            full = os.path.join(base, path)
            if stat.S_ISLNK(status.st_mode):
                found[path] = {"link": os.readlink(full)}
                inside = os.path.realpath(full)
                if inside.startswith(os.path.realpath(base) + "/") and os.path.isfile(inside):
                    found[path]["content"] = _entry(inside, os.stat(inside), True)
            elif stat.S_ISREG(status.st_mode):
                found[path] = _entry(full, status, with_digests)
            else:
                found[path] = {"sha256": "", "size": -1, "mode": stat.S_IMODE(status.st_mode)}
    except OSError as error:
        raise problem(error.filename or directory, "could not be read", error) from error
    return found


def inodes(host, directory):
    """Return {(device, inode)} of the files below a directory; empty when it cannot be read."""
    try:
        return {(status.st_dev, status.st_ino) for unused, status in _walk(host.real(directory))
                if stat.S_ISREG(status.st_mode)}
    except OSError:
        return set()


def _walk(base):
    """Yield (path below, lstat) of everything in a directory that is no directory."""
    todo = [""]
    while todo:
        here = todo.pop()
        for one in sorted(os.scandir(os.path.join(base, here)), key=lambda entry: entry.name):
            path = os.path.join(here, one.name)
            if one.is_dir(follow_symlinks=False):
                todo.append(path)
            else:
                yield path, one.stat(follow_symlinks=False)


def _entry(full, status, with_digests):
    sha = None
    if with_digests:
        with os.fdopen(os.open(full, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as stream:
            sha = digest_of(stream)[0]
    return {"sha256": sha, "size": status.st_size, "mode": stat.S_IMODE(status.st_mode)}


def kind(host, path):
    """Return ``directory``, ``link``, ``file``, ``other``, or None when nothing has that name. Raises HostError."""
    try:
        mode = os.lstat(real(host, path)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise problem(path, "could not be looked at", error) from error
    kinds = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file"}
    return kinds.get(stat.S_IFMT(mode), "other")


def set_link(host, path, target):
    """Put a link in the place of the one of that name, in one step. Raises HostError, Refused."""
    if kind(host, path) not in (None, "link"):
        raise Refused("{0} is no link; move it away first".format(path))
    place = real(host, path)
    above, name = os.path.split(place)
    beside = os.path.join(above, ".{0}.new".format(name))
    try:
        if os.path.lexists(beside):
            os.unlink(beside)
        os.symlink(target, beside)
        os.rename(beside, place)
        atomic.sync(above)
    except OSError as error:
        raise problem(path, "could not be made a link to {0}".format(target), error) from error


def rename(host, old, new):
    """Give a directory another name that is free, and make that safe on the disk. Raises HostError."""
    if kind(host, new) is not None:
        raise HostError("{0} is there already; nothing is overwritten".format(new))
    try:
        os.rename(real(host, old), real(host, new))
        atomic.sync(os.path.dirname(real(host, new)))
    except OSError as error:
        raise problem(old, "could not be renamed to {0}".format(new), error) from error


def lock(descriptor):
    """Take the lock of what is open until it is closed; return whether nobody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def locked(host, path):
    """Return a descriptor with the lock of a directory or file, None while another run has it. Raises HostError."""
    try:
        descriptor = os.open(real(host, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise problem(path, "could not be opened", error) from error
    if lock(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def is_busy(host, path):
    """Whether another run is at work on a directory or file just now."""
    if kind(host, path) not in ("directory", "file"):
        return False
    descriptor = locked(host, path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def remove(host, path):
    """Remove a file, a link, or a directory with all that is in it, unless a run is at work there. Raises HostError."""
    what = kind(host, path)
    if what is None:
        return
    if what != "directory":
        host.remove_file(path)
        return
    descriptor = locked(host, path)
    if descriptor is None:
        raise HostError("{0}: another run is at work there; try again when it is done".format(path))
    try:
        shutil.rmtree(real(host, path))
        atomic.sync(os.path.dirname(real(host, path)))
    except OSError as error:
        raise problem(error.filename or path, "could not be removed", error) from error
    finally:
        os.close(descriptor)
