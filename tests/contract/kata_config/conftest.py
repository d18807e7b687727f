# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests with Kata's own tarballs are collected where KATA_RELEASES names the directory that has them.

What the Go shim itself makes of a configuration can only be asked where a machine of its own can be put together for
it: namespaces, and strace, which stands for the kernel's vsock.
"""

from __future__ import annotations

import os
import shutil
import subprocess


def _alone():
    if not shutil.which("strace") or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


collect_ignore = []
if not os.environ.get("KATA_RELEASES") or not shutil.which("zstd"):
    collect_ignore = ["test_packaged.py", "test_go_shim.py"]
elif not _alone():
    collect_ignore = ["test_go_shim.py"]
