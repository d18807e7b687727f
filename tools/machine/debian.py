# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian trixie trees made by mmdebstrap, from the mirror that this machine's own apt uses."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import progress

SUITE = "trixie"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
# What this machine needs beside Python, by the program that shows whether it is there.
PACKAGES = {"mmdebstrap": "mmdebstrap", "ssh": "openssh-client"}
# mmdebstrap mounts this machine's /dev, /proc and /sys in the tree. In a mount namespace of its own these end with it,
# so that removing what a killed run left never reaches this machine.
OWN_MOUNTS = ("unshare", "--mount")
# How packages are reached, which is a matter of this machine and not of the suite.
REACHING = re.compile(r"^Acquire::(https?::(Proxy|Timeout|CaInfo|Verify)|Retries|Check-(Valid-Until|Date))\b", re.I)


def hindrance() -> str:
    """Why no machine can be made here; empty when one can."""
    if platform.machine() != "x86_64":
        return "machines are x86-64 and made of this machine's own packages"
    if os.getuid() != 0:
        return "a Debian trixie root (for QEMU and its guests) can only be made by root"
    if shutil.which("apt-get") is None and any(shutil.which(program) is None for program in PACKAGES):
        return f"{' and '.join(PACKAGES.values())} are needed and there is no apt-get to install them"
    return ""


def prepare(packages: Mapping[str, str] = PACKAGES) -> None:
    """Installs the few packages that this machine needs itself, named by the program that shows each."""
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if missing:
        progress.say(f"  installing {', '.join(missing)}: test machines are made and reached with them")
        variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        progress.run(["apt-get", "update", "-q"], "apt-get update", variables)
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing]
        progress.run(install, "apt-get install", variables)


def tree(directory: Path, label: str, packages: Sequence[str], options: Sequence[str] = (), backports: bool = False):
    """Makes a trixie tree in a directory that does not exist yet.

    options: further arguments of mmdebstrap. backports: makes trixie-backports available, for those packages that a
    setup hook pins.
    """
    prepare()
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    suites = [SUITE, f"{SUITE}-updates", *([f"{SUITE}-backports"] if backports else [])]
    apt = ["APT::Install-Recommends \"false\"", *_reaching()]
    argv = [*OWN_MOUNTS, "mmdebstrap", "--mode=root", f"--include={','.join(packages)}",
            *(f"--aptopt={line}" for line in apt), *options, SUITE, str(directory),
            *(f"deb {mirror()} {suite} main" for suite in suites)]
    try:
        progress.run(argv, label, {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, _latest)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    os.chmod(directory, 0o755)


def mirror() -> str:
    """The mirror of Debian that apt uses here; the standard one where apt knows none, as on another distribution."""
    for line in _apt("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"):
        if line.startswith(("http://", "https://")):
            return line.rstrip("/")
    return DEFAULT_MIRROR


def _reaching() -> list[str]:
    """This machine's own settings of apt on how to reach a mirror."""
    return [line for line in _apt("apt-config", "dump") if REACHING.match(line) and not line.endswith('"";')]


def _apt(*argv: str) -> list[str]:
    if shutil.which(argv[0]) is None:
        return []
    found = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def _latest(output: str) -> str:
    """What mmdebstrap is at."""
    steps = re.findall(r"^I: (.+?)(?:\.\.\.)?$", output, re.M)
    return steps[-1] if steps else ""
