# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip.py that ansible-test would download into the empty environments that it makes.

tools/sanity.py copies it to where ansible-test looks first, with PIP_PYTHON replaced by an interpreter that has pip.
ansible-test calls it with get-pip's arguments, from the environment that is to receive the packages.
"""

from __future__ import annotations

import subprocess
import sys

PIP_PYTHON = "@PIP_PYTHON@"


def main() -> int:
    """Installs the packages that are asked for with the other interpreter's pip."""
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    return subprocess.call([PIP_PYTHON, "-m", "pip", "--python", sys.executable, "install", *arguments])


if __name__ == "__main__":
    sys.exit(main())
