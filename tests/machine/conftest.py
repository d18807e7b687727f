# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that the tests of this directory look at: made once, with one of everything on its bus."""

from __future__ import annotations

import pytest
from machine.control import Machine

DEVICES = "h200,mi300x,gaudi2,nvswitch,unknown,igb,h200+nvme"


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    one = Machine(tmp_path_factory.mktemp("machine"))
    one.up(DEVICES)
    yield one
    one.down()
