# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine whose processor has nested virtualization, for all tests of this directory; it gets Kata by our modules.

Kata's tarballs are not part of this project: tools/kata_material.py says where they come from.
"""

from __future__ import annotations

import sys
from pathlib import Path

import kata_material
import pytest
from machine.control import Machine

sys.path.insert(0, str(Path(__file__).parent))

from kata_host import HANDLERS, KataHost
from kata_role import Role

# Without these the emulated clock is found unstable, and the kernel waits for entropy that never comes.
ARGUMENTS = "nokaslr tsc=reliable random.trust_cpu=on"
# A network card that is no invention of QEMU's: a real id on the bus, for a pod to see or not to see.
DEVICES = "igb"


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    problem = kata_material.hindrance()
    assert not problem, problem
    directory = tmp_path_factory.mktemp("kata")
    one = Machine(directory / "machine")
    medium = kata_material.make_medium(directory / "medium")
    try:
        one.up(DEVICES, first_boot=ARGUMENTS, variant="kata", medium=medium)
        yield one
    finally:
        one.down()


@pytest.fixture(scope="session")
def bare(machine):
    """The host as its operator has it, before this collection comes."""
    host = KataHost(machine)
    host.prepare()
    return host


@pytest.fixture(scope="session")
def host(bare):
    """The host with both flavours installed, configured and wired."""
    bare.install()
    bare.config_paths = bare.configure(*HANDLERS)
    bare.wire(bare.config_paths)
    return bare


@pytest.fixture
def role(host, tmp_path):
    """The role, for the host."""
    return Role(host, tmp_path)
