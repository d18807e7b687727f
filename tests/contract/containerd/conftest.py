# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests with the real containerd of three Debian suites; tools/containerd_packages.py unpacks them."""

from __future__ import annotations

import os
import shutil

collect_ignore_glob = [] if "CONTAINERD_ROOTS" in os.environ else ["test_*.py"]
# Debian has no crictl, and only CRI starts a sandbox with a handler: CRICTL names one, or it is in PATH.
if not (os.environ.get("CRICTL") or shutil.which("crictl")):
    collect_ignore_glob.append("test_sandbox.py")
