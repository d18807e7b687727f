# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity of the built artefact, without containers and with no ignore file.

    tools/sanity.py DIR [TEST…]     DIR holds ansible_collections/sovereign/region (see tools/artefact.py)

To be run with the Python of an environment that has the ansible-core to judge with.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import cache

INSIDE = Path("ansible_collections") / "sovereign" / "region"
TOOLS = Path(__file__).resolve().parent


def prepare_home() -> Path:
    """A home of its own per ansible-core and interpreter, where ansible-test keeps the environments it makes."""
    core = metadata.version("ansible-core")
    key = hashlib.sha256(f"{sys.executable} {sys.version}".encode()).hexdigest()[:12]
    home = cache.root() / "ansible-test" / f"{core}-{key}"
    downloads = home / ".ansible" / "test" / "cache"
    downloads.mkdir(parents=True, exist_ok=True)
    shim = (TOOLS / "get_pip.py").read_text(encoding="utf-8").replace("@PIP_PYTHON@", sys.executable)
    (downloads / f"get_pip_{wanted_pip().replace('.', '_')}.py").write_text(shim, encoding="utf-8")
    return home


def wanted_pip() -> str:
    """The version of pip that this ansible-test bootstraps its environments with; it is part of the file's name."""
    source = Path(metadata.distribution("ansible-core").locate_file("ansible_test/_internal/python_requirements.py"))
    found = re.search(r"pip='([\d.]+)'", source.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"sanity: {source} names no version of pip any more; teach tools/sanity.py where it is")
    return found.group(1)


def main() -> int:
    """Runs every sanity test that needs nothing but Python."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("tests", nargs="*", help="only these sanity tests")
    arguments = parser.parse_args()
    collection = arguments.directory.resolve() / INSIDE
    if list(collection.glob("tests/sanity/ignore*.txt")):
        raise SystemExit("sanity: the artefact has an ignore file; this collection passes without one")
    home = prepare_home()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(Path(sys.executable).with_name("ansible-test")), "sanity", "--local", "--python", version,
               "--color", "no", *(part for test in arguments.tests for part in ("--test", test))]
    variables = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"}
    # Two runs in one home would make the same environments side by side.
    with cache.locked(home, f"ansible-test {metadata.version('ansible-core')}"):
        return subprocess.call([sys.executable, *command], cwd=collection, env=variables, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
