# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kata Containers' tarballs for the tests with real Kata pods, and the disk on which a machine gets them.

They come from the directory that KATA_RELEASES names, else from `shared/kata-bundle` beside the checkout. It holds one
`kata-static-*-amd64.tar.zst` and one `kata-go-static-*-amd64.tar.zst` in upstream's layout, `crictl-amd64.zst`, and two
images to import, `images/pause.tar` and `images/busybox.tar`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from machine import debian, emulator
from step import CHECKOUT

VARIABLE = "KATA_RELEASES"
BESIDE = CHECKOUT.parent / "shared" / "kata-bundle"
TARBALLS = {"static": "kata-static-*-amd64.tar.zst", "go-static": "kata-go-static-*-amd64.tar.zst"}
OTHERS = {"crictl": "crictl-amd64.zst", "pause": "images/pause.tar", "busybox": "images/busybox.tar"}
# What the file VERSION of the second release says, which is otherwise the first one: nothing else has to differ.
NEXT = "99.0.0"
MEDIUM, FACTS = "medium.img", "facts.json"
SIZE = "512M"


def location() -> Path:
    """The directory of the tarballs, whether it is there or not."""
    return Path(os.environ.get(VARIABLE) or BESIDE)


def hindrance() -> str:
    """Why there can be no Kata pods here; empty when there can."""
    if not location().is_dir():
        return f"no Kata tarballs (set {VARIABLE})"
    missing = [pattern for pattern in (*TARBALLS.values(), *OTHERS.values()) if not list(location().glob(pattern))]
    return f"{location()} has no {', no '.join(missing)}" if missing else ""


def crictl(directory: Path) -> dict[str, str]:
    """Unpacks crictl there, where there is one, and returns the variable that names it; Debian has none."""
    packed, program = location() / OTHERS["crictl"], directory / "crictl"
    if not packed.is_file() or shutil.which("zstd") is None:
        return {}
    subprocess.run(["zstd", "-q", "-d", "-f", str(packed), "-o", str(program)], check=True)
    program.chmod(0o755)
    return {"CRICTL": str(program)}


def make_medium(directory: Path) -> Path:
    """Makes a disk with all of it in the directory and returns its path.

    On it: both tarballs as `<flavour>.tar.zst`, the second release as `static-next.tar.zst`, crictl, pause.tar,
    busybox.tar, and facts.json with {name of tarball: {"version": …, "sha256": …}}.
    """
    debian.prepare({"zstd": "zstd"})
    content = directory / "content"
    content.mkdir(parents=True)
    for flavour, pattern in TARBALLS.items():
        shutil.copy(_newest(pattern), content / f"{flavour}.tar.zst")
    for name in ("pause", "busybox"):
        shutil.copy(location() / OTHERS[name], content / f"{name}.tar")
    crictl(content)
    _repack(content / "static.tar.zst", content / "static-next.tar.zst", directory / "plain.tar")
    facts = {path.name: {"version": NEXT if "next" in path.name else _version(_newest(TARBALLS[path.name[:-8]])),
                         "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
             for path in sorted(content.glob("*.tar.zst"))}
    (content / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    medium = directory / MEDIUM
    subprocess.run(emulator.command("usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d",
                                    str(content), str(medium), SIZE), env=emulator.variables(), check=True)
    shutil.rmtree(content)
    return medium


def _newest(pattern: str) -> Path:
    return max(location().glob(pattern), key=lambda path: path.stat().st_mtime)


def _version(tarball: Path) -> str:
    """The version in the name, which upstream's names have after the flavour."""
    return tarball.name.split("static-", 1)[1].split("-", 1)[0]


def _repack(tarball: Path, to: Path, plain: Path) -> None:
    """The same content under another version."""
    subprocess.run(["zstd", "-q", "-d", str(tarball), "-o", str(plain)], check=True)
    changed = plain.with_suffix(".next")
    with tarfile.open(plain) as old, tarfile.open(changed, "w", format=tarfile.GNU_FORMAT) as new:
        for member in old:
            if member.name.endswith("opt/kata/VERSION"):
                version = plain.with_suffix(".version")
                version.write_text(f"{NEXT}\n", encoding="utf-8")
                member.size = version.stat().st_size
                new.addfile(member, version.open("rb"))
            else:
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
    subprocess.run(["zstd", "-q", "-1", "-T0", str(changed), "-o", str(to)], check=True)
    for path in (plain, changed, plain.with_suffix(".version")):
        path.unlink()
