# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one of our tools with the environments that it needs, made first where they are missing.

    tools/go.py region up --dir build/embedded --port 20000
    tools/go.py bench | bench_accelerators | bench_identity | bench_federation | docs

The tool is run by the environment that is named first, with its programs first on PATH. EMBEDDED_PYTHON is the
interpreter of the embedded region's own environment, where a tool needs one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import cache
import environment
import progress

REGION_LOCK = environment.CHECKOUT / "roles" / "embedded_region" / "files" / "requirements.txt"
# Tool, what it is run by, and whether it needs the region's programs.
TOOLS = {"region": ("run", True), "bench": ("bench", True), "bench_accelerators": ("bench", False),
         "bench_identity": ("bench", True), "bench_federation": ("bench", True), "docs": ("run", False)}


def main() -> int:
    """Makes the environments and becomes the tool."""
    if len(sys.argv) < 2 or sys.argv[1] not in TOOLS:
        progress.say(f"usage: tools/go.py {'|'.join(TOOLS)} [arguments]")
        return 2
    name, needs_region = TOOLS[sys.argv[1]]
    script = environment.CHECKOUT / "tools" / f"{sys.argv[1]}.py"
    try:
        home = environment.make(name)
        variables = {**os.environ, "PATH": f"{home / 'bin'}:{os.environ.get('PATH', os.defpath)}"}
        if needs_region:
            variables["EMBEDDED_PYTHON"] = str(environment.python(str(REGION_LOCK)))
    except (cache.CacheError, progress.CommandFailed, OSError, subprocess.CalledProcessError) as error:
        progress.say(f"{sys.argv[1]}: {error}")
        return 1
    python = str(home / "bin" / "python")
    os.execve(python, [python, str(script), *sys.argv[2:]], variables)


if __name__ == "__main__":
    sys.exit(main())
