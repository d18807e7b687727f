# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's own sample of a mediated device (mtty, a serial port), built for the guest's kernel.

Debian ships the framework (mdev.ko) but not the samples; their source is in the package linux-source.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import cache
import progress

from . import debian

SOURCE = "samples/vfio-mdev/mtty.c"
RECIPE = "1"


def install(root: Path, release: str) -> None:
    """Puts mtty.ko among the modules of the guest in that tree; `modprobe mtty` finds it after a depmod."""
    target = root / "usr/lib/modules" / release / "updates" / "mtty.ko"
    target.parent.mkdir(exist_ok=True)
    shutil.copy(_module(release), target)


def _module(release: str) -> Path:
    """The module for that kernel, built now unless it was before."""
    kept = cache.root() / "machine" / f"mtty-{RECIPE}-{release}.ko"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with cache.locked(kept, "the sample mdev driver"):
            if not kept.exists():
                _build(release, kept)
    return kept


def _build(release: str, kept: Path) -> None:
    """Compiles in a throw-away tree with the kernel's headers, sources and compiler."""
    tree = kept.with_suffix(".tree")
    packages = [f"linux-headers-{release}", "linux-source", "gcc", "make", "xz-utils"]
    debian.tree(tree, "compiler for the sample mdev driver", packages, ["--variant=minbase"])
    archive = next((tree / "usr/src").glob("linux-source-*.tar.xz"))
    work = tree / "mtty"
    work.mkdir()
    progress.say("  unpacking the sample mdev driver from the kernel's source")
    with tarfile.open(archive, "r|xz") as packed:
        for member in packed:
            if member.name.endswith(SOURCE):
                (work / "mtty.c").write_bytes(packed.extractfile(member).read())
                break
    (work / "Makefile").write_text("obj-m := mtty.o\n", encoding="utf-8")
    make = f"make -s -C /usr/src/linux-headers-{release} M=/mtty modules"
    # Without /proc the kernel's scripts do not find their own paths.
    enter = f'mount -t proc proc "{tree}/proc" && exec chroot "{tree}" sh -c "{make}"'
    variables = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    progress.run(["unshare", "--mount", "sh", "-c", enter], "sample mdev driver", variables)
    shutil.copy(work / "mtty.ko", kept.with_suffix(".new"))
    os.replace(kept.with_suffix(".new"), kept)
    shutil.rmtree(tree)
