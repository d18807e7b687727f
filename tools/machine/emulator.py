# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU, grub and e2fsprogs from a Debian trixie tree, run from there without being installed.

The host's own QEMU may be old or absent: devices over vfio-user need 11.1, which trixie-backports has. The programs are
started by the tree's own dynamic loader, so no chroot and no mount is needed and paths mean what they mean outside.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import cache

from . import debian

PACKAGES = ("qemu-system-x86", "grub-pc-bin", "grub-common", "e2fsprogs")
# Only QEMU and its firmware come from backports.
PIN = "Package: qemu-* seabios ipxe-qemu\\nPin: release n=trixie-backports\\nPin-Priority: 900\\n"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
RECIPE = "1"  # raise it when the way the tree is made changes
STAMP = ".complete"


def location() -> Path:
    """Where the tree is or will be: keyed by what goes into it."""
    text = "\0".join((RECIPE, debian.SUITE, PIN, *PACKAGES))
    return cache.root() / "roots" / f"emulator-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def make() -> Path:
    """The tree, made now unless it exists."""
    directory = location()
    if not (directory / STAMP).exists():
        with cache.locked(directory, "the tree with QEMU"):
            if not (directory / STAMP).exists():
                hooks = [f"--setup-hook=mkdir -p \"$1/etc/apt/preferences.d\" && "
                         f"printf '{PIN}' > \"$1/etc/apt/preferences.d/qemu\""]
                # Unpacked and nothing more: no maintainer script has to run for programs that are never installed.
                debian.tree(directory, "QEMU from trixie-backports", PACKAGES, ["--variant=extract", *hooks], True)
                shutil.rmtree(directory / "usr/share/doc", ignore_errors=True)
                (directory / STAMP).touch()
    return directory


def command(program: str, *arguments: str) -> list[str]:
    """The command line of a program of the tree, such as usr/sbin/mke2fs."""
    root = make()
    libraries = root / LIBRARIES
    paths = [libraries, *sorted(path for path in libraries.glob("*") if path.name in ("blas", "lapack", "pulseaudio"))]
    return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", ":".join(map(str, paths)),
            str(root / program), *arguments]


def qemu(*arguments: str) -> list[str]:
    """The command line of QEMU with its firmware."""
    root = make()
    firmware = [root / "usr/share" / name for name in ("qemu", "seabios")]
    return command("usr/bin/qemu-system-x86_64", *(part for path in firmware for part in ("-L", str(path))), *arguments)


def variables() -> dict[str, str]:
    """What the programs of the tree look for in the environment."""
    root = make()
    return {**os.environ, "QEMU_MODULE_DIR": str(root / LIBRARIES / "qemu"),
            "MKE2FS_CONFIG": str(root / "etc/mke2fs.conf"), "LC_ALL": "C.UTF-8"}
