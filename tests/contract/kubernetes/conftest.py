# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Kubernetes API server for all tests here; tools/kube_apiserver.py says where its programs are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.tests.contract.kubernetes.api_server import ApiServer

collect_ignore_glob = [] if "KUBE_PROGRAMS" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def programs():
    """The folder with the server and the readers."""
    return Path(os.environ["KUBE_PROGRAMS"])


@pytest.fixture(scope="session")
def api(programs, tmp_path_factory):
    """An API server with nothing in it yet."""
    with ApiServer(programs, tmp_path_factory.mktemp("kubernetes")) as server:
        yield server
