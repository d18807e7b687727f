# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private directory outside the region's own, for what several regions share: python -m embedded_region.cache"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from embedded_region import EmbeddedRegionError

NAME = "sovereign-region"


def root() -> Path:
    """$XDG_CACHE_HOME, ~/.cache, or a folder under /var/tmp for users without a home of their own.

    SOVEREIGN_REGION_CACHE names the directory itself.
    """
    if named := os.environ.get("SOVEREIGN_REGION_CACHE", ""):
        return private(Path(named))
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(os.environ.get("HOME") or "/nonexistent")
    for parent in (Path(chosen) if os.path.isabs(chosen) else None, home / ".cache" if _own(home) else None):
        if parent is not None:
            with contextlib.suppress(OSError):
                return private(parent / NAME)
    return private(Path("/var/tmp") / f"{NAME}-{os.getuid()}")


def private(path: Path) -> Path:
    """The directory, made if need be; refused if somebody else could have planted it or can write to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise EmbeddedRegionError(
            f"{path} is not a directory that only you can write: remove it, or set XDG_CACHE_HOME")
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written")
    return path


def _own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


if __name__ == "__main__":
    print(root())
