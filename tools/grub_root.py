# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian trixie root with GRUB's own update-grub in it, for the tests in tests/contract/grub. Needs root.

    tools/grub_root.py COMMAND ...     runs COMMAND with GRUB_ROOT set to the root

The root is made once by mmdebstrap and kept in the cache, keyed by this recipe.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import cache
import progress
from machine import debian

# grub-probe asks the kernel for the disk below a directory, and there is none below ours.
PROBE = """\
#!/bin/sh
case "$*" in
*--target=device*) echo /dev/vda1 ;;
*--target=fs_uuid*) echo 6f3c1f0e-5d3e-4f0a-9a3b-0d0d7f1c2b3a ;;
*--target=partuuid*) echo 12345678-01 ;;
*--target=fs*) echo ext2 ;;
*--target=abstraction*) ;;
*--target=compatibility_hint*) echo hd0,msdos1 ;;
*--target=hints_string*) echo "--hint-bios=hd0,msdos1" ;;
*--target=drive*) echo "(hd0,msdos1)" ;;
*--target=partmap*) echo msdos ;;
*) exit 1 ;;
esac
"""
PACKAGES = "grub2-common,grub-common"
RECIPE = "1"


def root() -> Path:
    """The Debian root, made now unless it exists."""
    key = hashlib.sha256(f"{RECIPE} {PACKAGES} {PROBE} {platform.machine()}".encode()).hexdigest()[:16]
    directory = cache.root() / "roots" / f"grub-{key}"
    stamp = directory / ".complete"
    if not stamp.exists():
        with cache.locked(directory, "the Debian root with GRUB"):
            if not stamp.exists():
                _make(directory)
                stamp.touch()
    return directory


def _make(directory: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        progress.say("  installing the system package mmdebstrap: it makes the Debian root with GRUB")
        variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        progress.run(["apt-get", "update", "-q"], "apt-get update", variables)
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "mmdebstrap"]
        progress.run(install, "mmdebstrap", variables)
    shutil.rmtree(directory, ignore_errors=True)
    progress.run([*debian.OWN_MOUNTS, "mmdebstrap", "--variant=essential", f"--include={PACKAGES}",
                  '--aptopt=APT::Install-Recommends "false"', "trixie", str(directory)], "Debian root with GRUB")
    os.chmod(directory, 0o755)
    probe = directory / "usr/sbin/grub-probe"
    probe.write_text(PROBE, encoding="utf-8")
    probe.chmod(0o755)
    (directory / "boot/grub").mkdir(parents=True, exist_ok=True)


def main() -> int:
    """Makes the root and runs the command."""
    if len(sys.argv) < 2:
        progress.say(__doc__ or "")
        return 2
    try:
        place = root()
    except (cache.CacheError, progress.CommandFailed, OSError) as error:
        progress.say(f"grub_root: {error}")
        return 1
    return subprocess.call(sys.argv[1:], env={**os.environ, "GRUB_ROOT": str(place)}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
