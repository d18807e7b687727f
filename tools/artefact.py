# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection as users get it, and lays it out the way that tools expect.

    tools/artefact.py build DIR     DIR/sovereign-region-<version>.tar.gz, and unpacked, as a git repository, in
                                    DIR/artefact/ansible_collections/sovereign/region (what sanity looks at)
    tools/artefact.py sources DIR   the files of this checkout, without the self-link, in
                                    DIR/sources/ansible_collections/sovereign/region (what linters look at)

To be run with the Python of an environment that has ansible-core.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
INSIDE = Path("ansible_collections") / "sovereign" / "region"
SELF_LINK = Path("playbooks") / "collections"
GIT = ["git", "-c", "user.name=artefact", "-c", "user.email=artefact@localhost", "-c", "init.defaultBranch=main"]


def build(directory: Path) -> Path:
    """Builds the tarball from this checkout, as a maintainer would, and unpacks it; returns the tarball."""
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    subprocess.run(
        [sys.executable, str(galaxy), "collection", "build", "--force", "--output-path", str(directory), str(CHECKOUT)],
        check=True, stdin=subprocess.DEVNULL,
    )
    tarball = max(directory.glob("sovereign-region-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    target = _fresh(directory / "artefact" / INSIDE)
    with tarfile.open(tarball) as archive:
        # Older Pythons, such as the 3.11.2 of Debian 12, have no filters; the archive is our own.
        archive.extractall(target, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    _commit(target)
    return tarball


def sources(directory: Path) -> Path:
    """Copies what git knows or would know of this checkout to where a collection's sources are expected."""
    target = _fresh(directory / "sources" / INSIDE)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        origin, copy = CHECKOUT / name, target / name
        if SELF_LINK in Path(name).parents or not (origin.is_file() or origin.is_symlink()):
            continue  # the self-link would be followed without end; a deleted file is still listed until committed
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, copy, follow_symlinks=False)
    _commit(target)
    return target


def _fresh(directory: Path) -> Path:
    """An empty directory of that name."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _commit(directory: Path) -> None:
    """Makes it a git repository: that is where ansible-test and ansible-lint learn which files there are."""
    for command in (["init", "-q"], ["add", "--all", "--force"], ["commit", "-q", "--no-verify", "-m", "as built"]):
        subprocess.run([*GIT, *command], cwd=directory, check=True, stdin=subprocess.DEVNULL)


def main() -> int:
    """The command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["build", "sources"])
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    print({"build": build, "sources": sources}[arguments.what](arguments.directory.resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
