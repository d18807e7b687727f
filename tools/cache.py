# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tools keep what is expensive to make: a private directory outside the clone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

NAME = "sovereign-region"
# Kept over a reboot, unlike /tmp; shared, so that what is found there is checked.
WITHOUT_HOME = Path("/var/tmp")


class CacheError(Exception):
    """No directory can be trusted to keep environments."""


def root() -> Path:
    """$XDG_CACHE_HOME, ~/.cache, or a folder under /var/tmp for users who have no home of their own.

    SOVEREIGN_REGION_CACHE names the directory itself: tests set it, because they run with an empty home.
    """
    if named := os.environ.get("SOVEREIGN_REGION_CACHE", ""):
        return _private(Path(named), make_parents=True)
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    for parent in (Path(chosen) if os.path.isabs(chosen) else None, _home_cache()):
        if parent is None:
            continue
        with contextlib.suppress(OSError):
            return _private(parent / NAME, make_parents=True)
    return _private(WITHOUT_HOME / f"{NAME}-{os.getuid()}")


def _home_cache() -> Path | None:
    """~/.cache, unless that home is somebody else's (sudo keeps HOME) or does not exist."""
    home = Path(os.environ.get("HOME") or "/nonexistent")
    if home.is_dir() and home.stat().st_uid == os.getuid():
        return home / ".cache"
    return None


def _private(path: Path, make_parents: bool = False) -> Path:
    """The directory itself, made with mode 0700; refused when another user could have planted or can change it."""
    if make_parents:
        path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise CacheError(f"{path} is not a directory that only you can write: remove it, or set XDG_CACHE_HOME")
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written")
    return path


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Holds <path>.lock, so that two makes at once build one thing once. A killed owner lets go by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{what}: another process is making it, waiting", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
