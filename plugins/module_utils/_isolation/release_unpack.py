# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release from its tarball into its directory: beside it first, and under its name when it is whole and on disk.

Nothing of the tarball's owners, devices or links is trusted, although its digest is known: what is written lies in a
directory that nobody else knows, below directories that were made here.
"""

from __future__ import annotations

import os
import tarfile
from datetime import datetime, timezone

from .._core import atomic
from .._core.errors import DeclarationError, HostError
from . import release_files, release_manifest, release_plan, release_stream, release_tarball

# No configuration file is larger; what is may be anything and stays as it is.
_LARGEST_TEXT = 4 << 20
_PIECE = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def install(host, params, tarball):
    """Unpack a tarball whose digest is the declared one. Either the whole release is there afterwards, or nothing.

    Args:
        host: Host.
        params: options of the module.
        tarball: path of the tarball on the host.

    Raises:
        HostError, DeclarationError: the tarball is another one, is damaged, or holds what does not belong there.
    """
    name = release_manifest.name_of(params["version"], params["flavour"])
    final = release_plan.path_of(params, name)
    staging = release_plan.path_of(params, release_files.UNPACKING + name)
    before = release_files.fingerprint(host, tarball)
    size = check(host, tarball, params["sha256"])
    host.make_directory(release_plan.directory_of(params))
    place = release_files.real(host, staging)
    try:
        os.mkdir(place, 0o700)
    except OSError as error:
        raise release_files.problem(staging, "could not be made; another run may be at work", error) from error
    lock = release_files.locked(host, staging)
    if lock is None:
        raise HostError("{0}: another run is at work there; try again when it is done".format(staging))
    try:
        made = _Tree(place)
        _unpack(host, made, release_files.real(host, tarball), params, final)
        if release_files.fingerprint(host, tarball) != before:
            raise HostError("{0} was changed while it was unpacked; nothing of it is kept".format(tarball))
        _finish(made, params, size)
        release_files.rename(host, staging, final)
    except BaseException:
        os.close(lock)
        lock = None
        release_files.remove(host, staging)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def check(host, tarball, expected):
    """Return the size of a tarball with the expected digest. Raises HostError."""
    found, size = release_files.digest(host, tarball)
    if found != expected.lower():
        raise HostError("{0}: its SHA-256 is {1}, declared is {2}; it was not unpacked".format(
            tarball, found, expected.lower()))
    return size


def _unpack(host, made, tarball, params, final):
    kind = release_tarball.compression(params["source"])
    scratch = os.path.join(made.place, ".sovereign-region-stream")
    os.mkdir(scratch, 0o700)
    damages = (tarfile.TarError, ValueError) + release_stream.damages()
    try:
        with release_stream.opened(host, tarball, kind, params["timeout"], scratch) as stream:
            whole = _Whole(stream)
            with tarfile.open(fileobj=whole, mode="r|", bufsize=_PIECE) as archive:
                for member in archive:
                    made.add(archive, member, final)
            whole.finish()
    except damages as error:
        raise HostError("{0}: cannot be unpacked, though its SHA-256 is the declared one: {1}".format(
            tarball, error)) from error
    except OSError as error:
        raise release_files.problem(params["directory"], "the release could not be written", error) from error
    finally:
        os.rmdir(scratch)
    made.relocate(final)


def _finish(made, params, size):
    """Look whether it is what was declared, write the record, and make all of it safe on the disk."""
    packaged = made.text("VERSION")
    packaged = packaged.strip() if packaged is not None else None
    why = release_tarball.content_problem(params["flavour"], params["version"], packaged, made.entries)
    if why:
        raise DeclarationError("{0}: {1}".format(params["source"], why))
    when = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = release_manifest.build(params, size, packaged, made.entries, made.rewritten, when)
    made.write(release_manifest.FILE, release_manifest.text_of(record).encode(), 0o644)
    made.settle()


class _Tree:
    """A directory in which only we write.

    Args:
        place: its path on this machine.

    Attributes:
        entries: {path: entry}, as the record has them.
        rewritten: paths in which packaged paths were replaced, and of what was added.
    """

    def __init__(self, place):
        self.place = place
        self.entries = {}
        self.rewritten = set()
        self._folders = {"": 0o755}

    def add(self, archive, member, final):
        """Write one member of a tarball. Raises DeclarationError when it does not belong there."""
        path = release_tarball.inner_path(member.name)
        if member.isdir():
            self._folder(path, release_tarball.permissions(member.mode) | 0o700)
            return
        if not path or path in self.entries or path in self._folders:
            raise DeclarationError("the tarball has the member {0!r} twice".format(member.name))
        if path == release_manifest.FILE:
            raise DeclarationError("the tarball has a member {0!r}, which is written here".format(member.name))
        self._folder(os.path.dirname(path))
        if member.issym():
            target = release_tarball.link_target(path, member.linkname, final)
            os.symlink(target, self._full(path))
            self.entries[path] = {"link": target}
            if target != member.linkname:
                self.rewritten.add(path)
        elif member.islnk():
            other = release_tarball.inner_path(member.linkname)
            if "sha256" not in self.entries.get(other, {}):
                raise DeclarationError("the tarball has a hard link {0!r} to {1!r}, which is no file before it".format(
                    member.name, member.linkname))
            os.link(self._full(other), self._full(path))
            self.entries[path] = dict(self.entries[other])
        elif member.isreg():
            self._file(path, archive.extractfile(member), release_tarball.permissions(member.mode))
        else:
            raise DeclarationError("the tarball has a member {0!r} that is no file, directory or link".format(
                member.name))

    def relocate(self, final):
        """Let configuration and QEMU find the release in its own directory."""
        files = [path for path, entry in self.entries.items() if "sha256" in entry]
        wrappers = release_tarball.wrappers(files, self._folders)
        for path, data in sorted(wrappers.items()):
            self.write(path + release_tarball.WRAPPED, release_tarball.wrapper_text(final, path, data).encode(), 0o755)
            self.rewritten.add(path + release_tarball.WRAPPED)
        for path in filter(release_tarball.is_configuration, files):
            old = self.text(path) if self.entries[path]["size"] <= _LARGEST_TEXT else None
            new = old if old is None else release_tarball.rewritten(old, final, wrappers)
            if new != old:
                mode = self.entries[path]["mode"]
                os.unlink(self._full(path))
                del self.entries[path]
                self.write(path, new.encode(), mode)
                self.rewritten.add(path)

    def text(self, path):
        """Return the text of a file; None when there is none, or it is no UTF-8."""
        if "sha256" not in self.entries.get(path, {}):
            return None
        with os.fdopen(os.open(self._full(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as stream:
            try:
                return stream.read().decode()
            except UnicodeDecodeError:
                return None

    def write(self, path, content, mode):
        """Write a file of our own. Raises DeclarationError when the tarball has one of that name."""
        if path in self.entries or path in self._folders:
            raise DeclarationError("the tarball has a member {0!r}, which is written here".format(path))
        self._file(path, _Bytes(content), mode)

    def settle(self):
        """Give directories their permissions and make them safe on the disk, the deepest first."""
        for path in sorted(self._folders, key=lambda one: one.count("/") + bool(one), reverse=True):
            os.chmod(self._full(path), self._folders[path])
            atomic.sync(self._full(path))

    def _folder(self, path, mode=None):
        """Make a directory and those above it; each must be one of ours."""
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            here = "/".join(parts[:count])
            if here in self.entries:
                raise DeclarationError("the tarball has members below {0!r}, which is no directory".format(here))
            if here not in self._folders:
                os.mkdir(self._full(here), 0o700)
                self._folders[here] = 0o755
        if mode is not None:
            self._folders[path] = mode

    def _file(self, path, stream, mode):
        descriptor = os.open(self._full(path), _NEW, 0o600)
        try:
            sha, size = release_files.digest_of(stream, descriptor)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.entries[path] = {"sha256": sha, "size": size, "mode": mode}

    def _full(self, path):
        return os.path.join(self.place, path) if path else self.place


class _Whole:
    """A stream of a tar archive that must have its end: without it tarfile takes a part for the whole."""

    _END = bytes(1024)

    def __init__(self, stream):
        self._stream = stream
        self._tail = b""

    def read(self, size):
        """Return up to ``size`` bytes."""
        piece = self._stream.read(size)
        self._tail = (self._tail + piece)[-len(self._END):]
        return piece

    def finish(self):
        """Read what is left. Raises ValueError when the archive has no end."""
        while self.read(_PIECE):
            pass
        if self._tail != self._END:
            raise ValueError("the archive ends in the middle")


class _Bytes:
    """Bytes that can be read as a stream once."""

    def __init__(self, content):
        self._content = content

    def read(self, unused=-1):
        """Return all of it the first time, and nothing after that."""
        content, self._content = self._content, b""
        return content
