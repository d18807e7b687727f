# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests on the newest ansible-core with Python 3.13, in a Debian trixie root. Needs root.

    tools/trixie.py STEP TESTS      runs pytest on TESTS, counts into build/test/STEP.xml

The root is made once by mmdebstrap and kept in the cache, keyed by what goes into it. Python packages are installed
from outside, for the other Python, so that nothing in the root needs a network or pip.
"""

from __future__ import annotations

import argparse
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
from step import CHECKOUT, LOGS

LOCK = CHECKOUT / "requirements" / "core-2.21.txt"
PYTHON = "3.13"
# On the path of Debian's Python, also for the processes that tests start.
PACKAGES = f"usr/local/lib/python{PYTHON}/dist-packages"
RECIPE = "2"
GLIBC = ("2_39", "2_34", "2_28", "2_17", "2_12", "2_5")  # manylinux tags that run on trixie, newest first

# Runs inside a mount namespace of its own, so that nothing stays mounted whatever happens.
ENTER = """
set -eu
mount --make-rprivate /
mount --bind "$CHECKOUT" "$ROOT/checkout"
mount -o remount,bind,ro "$ROOT/checkout"
mount --bind "$LOGS" "$ROOT/logs"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot "$ROOT" /usr/bin/env -i HOME=/tmp PATH=/usr/bin:/bin LC_ALL=C.UTF-8 \\
    PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis ANSIBLE_NOCOLOR=1 CI="${CI:-}" \\
    sh -c 'cd /checkout && exec python3 -m pytest -q --junitxml="/logs/$0.xml" "$@"' "$STEP" "$@"
"""


def root() -> Path:
    """The Debian root with the locked packages in it, made now unless it exists."""
    key = hashlib.sha256(LOCK.read_bytes() + f"{RECIPE} {PYTHON} {platform.machine()}".encode()).hexdigest()[:16]
    directory = cache.root() / "roots" / f"trixie-{key}"
    stamp = directory / ".complete"
    if not stamp.exists():
        with cache.locked(directory, "the Debian trixie root"):
            if not stamp.exists():
                _make(directory)
                stamp.touch()
    return directory


def _make(directory: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        progress.say("  installing the system package mmdebstrap: it makes the Debian trixie root")
        variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        progress.run(["apt-get", "update", "-q"], "apt-get update", variables)
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "mmdebstrap"]
        progress.run(install, "mmdebstrap", variables)
    shutil.rmtree(directory, ignore_errors=True)
    debootstrap = [*debian.OWN_MOUNTS, "mmdebstrap", "--variant=minbase", "--include=python3", "trixie", str(directory)]
    progress.run(debootstrap, "Debian trixie root")
    os.chmod(directory, 0o755)
    for name in ("checkout", "logs"):
        (directory / name).mkdir()
    tags = [part for glibc in GLIBC for part in ("--platform", f"manylinux_{glibc}_{platform.machine()}")]
    progress.run(
        [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-compile", "--no-input",
         "--progress-bar", "off", "--disable-pip-version-check", "--only-binary=:all:", "--implementation", "cp",
         "--ignore-requires-python",  # it would look at the Python that runs pip, not at the one that gets the packages
         "--python-version", PYTHON, *tags, "--target", str(directory / PACKAGES), "-r", str(LOCK)],
        "packages for Python " + PYTHON, {**os.environ, "PIP_CACHE_DIR": str(cache.root() / "pip")},
    )


def main() -> int:
    """Makes the root and runs pytest in it, with the checkout mounted read-only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step")
    parser.add_argument("tests", nargs="+")
    arguments = parser.parse_args()
    try:
        variables = {"CHECKOUT": str(CHECKOUT), "ROOT": str(root()), "LOGS": str(LOGS), "STEP": arguments.step}
    except (cache.CacheError, progress.CommandFailed, OSError) as error:
        progress.say(f"trixie: {error}")
        return 1
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", *arguments.tests]
    return subprocess.call(command, env={**os.environ, **variables}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
