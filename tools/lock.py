# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings requirements/*.txt up to date with requirements/*.in: exact versions, hashes, for every platform.

    tools/lock.py [NAME…]           all of them, or only these

Uses uv from an environment of its own (requirements/uv.txt). Names no index, so that mirrors work.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import environment

DIRECTORY = environment.CHECKOUT / "requirements"
# The oldest Python that each lock is installed with; ansible-core 2.21 needs 3.12 or newer.
OLDEST = {"core-2.21": "3.12"}
# Locked alone: what it depends on is in the embedded region's environment.
ALONE = ("keystone-",)


def main() -> int:
    """Compiles each lock; what is already locked stays as it is unless the .in file says otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the .in files allow")
    arguments = parser.parse_args()
    uv = environment.make("uv") / "bin" / "uv"
    # Where this user's wheels come from is nobody else's business.
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    for name in arguments.name or sorted(path.stem for path in DIRECTORY.glob("*.in")):
        print(f"locking {name}", flush=True)
        subprocess.run(
            [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header",
             "--python-version", OLDEST.get(name, "3.11"), *(["--upgrade"] if arguments.upgrade else []),
             *(["--no-deps"] if name.startswith(ALONE) else []),
             "--output-file", f"{name}.txt", f"{name}.in"],
            cwd=DIRECTORY, env=variables, check=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
