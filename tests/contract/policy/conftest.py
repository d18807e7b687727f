# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has oslo.policy and the services' policies, one for each service, asked line by line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


class Oracle:
    """The real thing.

    Args:
        service: whose own checks it knows; ``none`` for oslo.policy alone.
    """

    def __init__(self, service):
        self.process = subprocess.Popen(
            [os.environ["EMBEDDED_PYTHON"], "-W", "ignore", str(Path(__file__).parent / "policy_oracle.py"), service],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, what, **asked):
        """Return the answer to one question."""
        self.process.stdin.write(json.dumps(dict(asked, ask=what)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the oracle ended with status {0}".format(self.process.wait(timeout=10))
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def oracles():
    """A function that returns the oracle of a service."""
    made = {}

    def of(service):
        if service not in made:
            made[service] = Oracle(service)
        return made[service]

    yield of
    for oracle in made.values():
        oracle.close()
