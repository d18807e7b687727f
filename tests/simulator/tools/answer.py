# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated tool answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Answer:
    """How a tool ends.

    Attributes:
        status, stdout, stderr: as of a process.
        seconds: how long it takes.
        hangs: it never ends by itself.
        changes: it was asked to change something, whether or not that worked.
    """

    status: int = 0
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    hangs: bool = False
    changes: bool = False


def changed(status=0, stdout="", stderr=""):
    """The Answer of a tool that was asked to change something."""
    return Answer(status, stdout, stderr, changes=True)
