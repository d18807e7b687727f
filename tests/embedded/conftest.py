# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One embedded region for the session, and a seed that each test may start from."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from embedded_content import connection, content
from embedded_helpers import Region, remove


def pytest_sessionstart(session):
    """A run that is ended from outside takes its region with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def region():
    """A running region, as it is before anything was declared; while developing, the one that a variable names."""
    if named := os.environ.get("SOVEREIGN_REGION_DIR"):
        yield Region(named)
        return
    root = Path(tempfile.mkdtemp(prefix="sovereign-embedded-"))
    running = Region(root / "region")
    try:
        running.up()
        yield running
    finally:
        try:
            running.down()
        finally:
            remove(root)


@pytest.fixture(scope="session")
def cloud(region):
    """The administrator, through the plain SDK."""
    return connection(region)


@pytest.fixture(scope="session")
def base(cloud):
    """What the APIs hold before anything was declared."""
    return content(cloud)


@pytest.fixture(scope="session")
def snapshot(region, base):
    """The name of the saved state to which tests return."""
    region.control("snapshot", "--name", "seed")
    return "seed"


@pytest.fixture()
def seed(region, snapshot):
    """The region as it was before anything was declared."""
    region.control("restore", "--name", snapshot)
    return region
