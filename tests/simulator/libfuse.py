# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FUSE for Python: mfusepy from PyPI (ISC licence, pure Python over ctypes) with Debian's libfuse3.

Only the process that serves a simulated host imports this; clients need neither.
"""

from __future__ import annotations

import ctypes.util
import os
import subprocess

# The package is named after the library's version: 3 on Debian 12, 4 from Debian 13 on.
PACKAGES = ("libfuse3-3", "libfuse3-4")


def ensure():
    """Install Debian's libfuse3 unless there is one. Raises OSError."""
    if ctypes.util.find_library("fuse3") is not None:
        return
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": variables}
    subprocess.call(["apt-get", "update", "-q"], **quiet)
    for package in PACKAGES:
        if subprocess.call(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], **quiet) == 0:
            return
    raise OSError(f"could not install any of {', '.join(PACKAGES)}: needed for a mounted simulated host")


ensure()
import mfusepy

FUSE = mfusepy.FUSE
FuseOSError = mfusepy.FuseOSError
Operations = mfusepy.Operations
fuse_get_context = mfusepy.fuse_get_context
