# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of the tests is: its name, its tier, and the commands it consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOGS = CHECKOUT / "build" / "test"

# In the order in which they are run and reported; hardware is never required.
TIERS = ("static", "unit", "contract", "embedded", "container", "machine", "hardware")


@dataclass(frozen=True)
class Command:
    """One process of a step, started without a shell and without standard input."""

    argv: list[str]
    cwd: Path = CHECKOUT
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a step runs: its environment's programs, and directories that only this run uses."""

    step: str
    environment: Path
    work: Path
    others: tuple[Path, ...] = ()

    @property
    def python(self) -> str:
        """The interpreter of the step's environment."""
        return str(self.environment / "bin" / "python")

    def tool(self, name: str) -> str:
        """A program of the step's environment."""
        return str(self.environment / "bin" / name)

    def script(self, name: str, *arguments: str) -> list[str]:
        """The command line of one of our own tools, run with the step's environment."""
        return [self.python, str(CHECKOUT / "tools" / name), *arguments]

    def pytest(self, *arguments: str) -> list[str]:
        """The command line of pytest, leaving its counts where the summary finds them."""
        return [self.python, "-m", "pytest", "-q", f"--junitxml={junit(self.step)}", *arguments]


@dataclass(frozen=True)
class Step:
    """Something that can pass or fail by itself."""

    name: str
    tier: str
    environment: str
    commands: Callable[[Place], list[Command]]
    # More environments that its commands use, by name or lock file.
    others: tuple[str, ...] = ()
    # Part of `make test-fast`.
    fast: bool = False
    # Only with FULL=1.
    rare: bool = False
    # Steps whose success this one builds on.
    after: tuple[str, ...] = ()
    # At most one step at a time holds the same thing.
    holds: str = ""
    # Why it cannot run on this machine; empty when it can.
    hindered: str = ""
    # It needs what is no part of this project and cannot be had everywhere: a pipeline goes on without it.
    optional: bool = False
    # Seconds after which it is stopped and failed.
    limit: int = 1200


def log(step: str) -> Path:
    """Where a step's output goes."""
    return LOGS / f"{step}.log"


def junit(step: str) -> Path:
    """Where pytest leaves its counts."""
    return LOGS / f"{step}.xml"
