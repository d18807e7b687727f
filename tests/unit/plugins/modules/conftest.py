# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test here may talk to the simulated cloud."""

# ruff: noqa: F401 - pytest finds fixtures by name
from __future__ import annotations

from ansible_collections.sovereign.region.tests.unit.fake_cloud.fixtures import (
    fake,
    faulty_server,
    open_cloud,
    waited,
)
from ansible_collections.sovereign.region.tests.unit.plugins.modules.runner import run_module
