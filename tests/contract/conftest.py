# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that need more than the packages of the contract step are collected where that is there."""

from __future__ import annotations

import os

# tools/grub_root.py makes a Debian root with GRUB in it, and names it.
collect_ignore = [] if "GRUB_ROOT" in os.environ else ["grub"]
