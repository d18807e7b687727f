# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real containerd 1.6, 1.7 and 2.x from Debian's packages, for the tests in tests/contract/containerd. Needs root.

    tools/containerd_packages.py COMMAND ...     runs COMMAND with CONTAINERD_ROOTS set to the directory with the roots

Each suite is a directory with what its packages hold, unpacked and not installed: programs are started in it by chroot,
with the C library that they were built for. Made once and kept in the cache, keyed by this recipe.

With FULL=1 and Go there is one more, "upstream": the root of sid with a containerd 2.3 built from its Go module.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cache
import progress
from machine import debian

# gVisor's runsc is the handler whose sandboxes need no virtualization; dash starts it, busybox is what runs in it.
COMMON = ("containerd", "runc", "libc6", "libseccomp2", "runsc", "dash", "busybox-static")
# dockerd, for `dockerd --validate`, comes with the libraries that it is linked to.
DOCKER = ("docker.io", "libsystemd0", "libcap2", "libgcc-s1")
SUITES = {"bookworm": COMMON, "trixie": (*COMMON, *DOCKER), "sid": COMMON}
MODULE = ("github.com/containerd/containerd/v2/cmd/containerd", "v2.3.4")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
RECIPE = "4"
# Where tests mount what is theirs, and the kernel's own.
MOUNTED = ("dev", "etc/containerd", "etc/docker", "opt", "proc", "run", "sys", "tmp", "var/lib")
# Merged /usr, as the packages of trixie expect it and those of bookworm allow it.
LINKS = ("bin", "sbin", "lib", "lib64")


def roots() -> Path:
    """The directory with one root for each suite, made now unless it exists."""
    key = hashlib.sha256(f"{RECIPE} {SUITES} {platform.machine()}".encode()).hexdigest()[:16]
    directory = cache.root() / "roots" / f"containerd-{key}"
    stamp = directory / ".complete"
    if not stamp.exists():
        with cache.locked(directory, "containerd of three Debian suites"):
            if not stamp.exists():
                shutil.rmtree(directory, ignore_errors=True)
                directory.mkdir()
                for suite, packages in SUITES.items():
                    _make(directory, suite, packages)
                stamp.touch()
    return directory


def upstream(directory: Path) -> None:
    """Adds the root with containerd of its Go module, unless it is there. CGO is off, so that it runs anywhere."""
    root = directory / "upstream"
    with cache.locked(root, f"containerd {MODULE[1]}"):
        if root.exists():
            return
        with tempfile.TemporaryDirectory(dir=directory) as work:
            variables = {**os.environ, "GOBIN": f"{work}/bin", "GOPATH": f"{work}/path", "GOCACHE": f"{work}/cache",
                         "GOFLAGS": "-modcacherw", "CGO_ENABLED": "0"}
            progress.run(["go", "install", "-tags", "no_btrfs", "@".join(MODULE)], f"containerd {MODULE[1]}", variables)
            made = Path(work, "root")
            progress.run(["cp", "-a", str(directory / "sid"), str(made)], "the root of sid")
            shutil.copy(Path(work, "bin", "containerd"), made / "usr/bin/containerd")
            made.rename(root)


def hindrance() -> str:
    """Why the roots cannot be made or used here; empty when they can."""
    if os.getuid() != 0:
        return "containerd of other Debian suites can only be started by root, with chroot"
    missing = [program for program in ("apt-get", "dpkg-deb", "tar") if shutil.which(program) is None]
    return f"there is no {' and no '.join(missing)} to fetch Debian's packages with" if missing else ""


def _make(directory: Path, suite: str, packages: tuple[str, ...]) -> None:
    """Fetches the packages with an apt of its own, which knows one suite and nothing that is installed."""
    work, root = directory / f"{suite}.work", directory / suite
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    (work / "sources.list").write_text(f"deb {signed}{debian.mirror()} {suite} main\n", encoding="utf-8")
    (work / "status").touch()
    options = [
        f"Dir::Etc::SourceList={work}/sources.list", "Dir::Etc::SourceParts=/dev/null", f"Dir::State={work}/state",
        f"Dir::State::status={work}/status", f"Dir::Cache={work}/cache", "Acquire::Languages=none",
        # A mirror that is not refreshed every week still has the packages, and they are signed all the same.
        "Acquire::Check-Valid-Until=false", "APT::Sandbox::User=root",
    ]
    given = [part for option in options for part in ("-o", option)]
    progress.run(["apt-get", *given, "-q", "update"], f"package lists of Debian {suite}")
    progress.run(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(work / "debs"), "apt-get", *given, "-q",
                  "download", *packages], f"containerd of Debian {suite}")
    for link in LINKS:
        (root / "usr" / link).mkdir(parents=True)
        (root / link).symlink_to(f"usr/{link}")
    for package in sorted((work / "debs").glob("*.deb")):
        progress.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink', "sh",
                      str(package), str(root)], package.name)
    for folder in MOUNTED:
        (root / folder).mkdir(parents=True, exist_ok=True)
    # Sockets below it belong to the tests, as all of /run does.
    (root / "var/run").symlink_to("/run")
    # CRI copies them into every sandbox.
    for name in ("hosts", "resolv.conf"):
        (root / "etc" / name).touch()
    shutil.rmtree(work)
    progress.run(["chroot", str(root), "/usr/bin/containerd", "--version"], f"containerd of {suite}")


def main() -> int:
    """Makes the roots and runs the command."""
    if len(sys.argv) < 2:
        progress.say(__doc__ or "")
        return 2
    try:
        place = roots()
        if os.environ.get("FULL") == "1" and shutil.which("go"):
            upstream(place)
    except (cache.CacheError, progress.CommandFailed, OSError) as error:
        progress.say(f"containerd_packages: {error}")
        return 1
    return subprocess.call(sys.argv[1:], env={**os.environ, "CONTAINERD_ROOTS": str(place)}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
