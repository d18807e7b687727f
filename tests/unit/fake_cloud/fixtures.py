# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests against the simulator; conftest files import them."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from pytest_httpserver import HTTPServer

from .cloud import FakeCloud


@pytest.fixture(scope="session")
def faulty_server():
    """One listening server for the whole session: starting one for each test would cost half a second."""
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    server.clear()
    server.stop()


@pytest.fixture()
def fake(faulty_server):
    """An empty simulated cloud."""
    return FakeCloud(faulty_server)


@pytest.fixture()
def waited():
    """The seconds that a Cloud asked to sleep, in order."""
    return []


@pytest.fixture()
def open_cloud(fake, waited):
    """A function that connects to the simulated cloud; it sleeps into ``waited``."""

    def opened(**options):
        return connect(dict(fake.options(), **options), sleep=waited.append)

    return opened
