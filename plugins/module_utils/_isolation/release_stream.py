# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a compressed tarball as a stream, so that a release of gigabytes is never on the disk twice."""

from __future__ import annotations

import io
import lzma
import os
import select
import threading
import time
from contextlib import contextmanager
from importlib import import_module

from .._core.errors import HostError, RegionError

_PIECE = 1 << 20
_PAUSE = 0.01


def unpacker(host):
    """Return what unpacks Zstandard here: ``python`` since 3.14, else the path of the program, or None."""
    return "python" if _own_module() is not None else host.program("zstd")


def damages():
    """Return the classes of the errors that say that a compressed file is damaged."""
    own = _own_module()
    return (lzma.LZMAError, EOFError) + (() if own is None else (own.ZstdError,))


def _own_module():
    try:
        return import_module("compression.zstd")
    except ImportError:
        return None


@contextmanager
def opened(host, real, kind, timeout, scratch):
    """Open a tarball.

    Args:
        host: Host.
        real: path of the tarball on this machine.
        kind: ``zst`` or ``xz``.
        timeout: how long unpacking may take, in seconds.
        scratch: a directory on this machine in which a named pipe may be made.

    Raises:
        HostError: the program that unpacks it failed.
    """
    own = _own_module()
    if kind == "zst" and own is None:
        with _through_program(host, real, timeout, scratch) as stream:
            yield stream
        return
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_CLOEXEC), "rb") as raw:
        with (lzma.LZMAFile(raw) if kind == "xz" else own.ZstdFile(raw)) as stream:
            yield stream


@contextmanager
def _through_program(host, real, timeout, scratch):
    """``zstd`` writes into a named pipe, and we read from it; either may end first."""
    pipe = os.path.join(scratch, "stream")
    os.mkfifo(pipe, 0o600)
    ended = []

    def work():
        try:
            # --no-sparse: it would seek in what it writes, which no pipe can do.
            ended.append(host.run(["zstd", "-d", "-q", "-f", "--no-sparse", "-o", pipe, real], timeout))
        except RegionError as error:
            ended.append(error)
        except Exception as error:
            ended.append(HostError("zstd could not be run: {0}".format(error)))

    # Opened before the program starts, so that it neither waits for a reader nor outlives us: a pipe whose reader is
    # gone ends it.
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        stream = _Pipe(descriptor, worker)
        yield stream
        stream.drain()
    finally:
        # A program that still waits to open the pipe needs a reader, whatever went wrong here.
        _Pipe(descriptor, worker).drain()
        os.close(descriptor)
        os.unlink(pipe)
        worker.join()
    if isinstance(ended[0], RegionError):
        raise ended[0]
    if not ended[0].ok:
        raise HostError("{0}: {1}".format(real, ended[0].words()))


class _Pipe(io.RawIOBase):
    """Bytes from a named pipe until its writer, a program that a thread runs, has ended."""

    def __init__(self, descriptor, worker):
        super().__init__()
        self._descriptor = descriptor
        self._worker = worker

    def read(self, size=-1):
        """Return ``size`` bytes, or fewer at the end."""
        pieces, left = [], size
        while left:
            piece = self._some(min(left, _PIECE) if left > 0 else _PIECE)
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        return b"".join(pieces)

    def drain(self):
        """Read what is left."""
        while self._some(_PIECE):
            pass

    def _some(self, size):
        while True:
            alive = self._worker.is_alive()
            try:
                piece = os.read(self._descriptor, size)
            except BlockingIOError:
                select.select([self._descriptor], [], [], 1)
                continue
            if piece or not alive:
                return piece
            # Nobody has opened it for writing yet, or the program is just ending.
            time.sleep(_PAUSE)
