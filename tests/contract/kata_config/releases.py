# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kata's tarballs unpacked below a directory, with paths that lead there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TARBALLS = sorted(Path(os.environ.get("KATA_RELEASES", "/nowhere")).glob("kata-*static-*.tar.zst"))
# Stands for programs of the host that a configuration names: they are asked for their version.
PROGRAM = '#!/bin/sh\necho "QEMU emulator version 10.0.2"\n'


def unpack(tarball, directory):
    """Return the directory of the release."""
    subprocess.run(["tar", "-I", "zstd", "-xf", str(tarball), "-C", str(directory)], check=True)
    release = directory / "opt" / "kata"
    for path in release.rglob("*.toml"):
        if not path.is_symlink():
            path.write_text(path.read_text(encoding="utf-8").replace("/opt/kata/", f"{release}/"), encoding="utf-8")
    for name in ("bin/qemu-system-x86_64", "libexec/virtiofsd"):
        path = release / name
        if not path.exists():
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PROGRAM, encoding="utf-8")
            path.chmod(0o755)
    return release
