# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a machine between two commands, in its directory."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from .variants import STANDARD


@dataclass
class State:
    """devices: names per root port. sockets: a directory whose path is short. port: of loopback, to the guest's SSH.

    image: the directory of the image that it was made from. accelerator: tcg or kvm. lifetime: seconds of one start.
    run: a directory without which it ends; empty for none. variant: its kind. medium: a file that is its second disk;
    empty for none. keeper: the process that keeps it running, 0 when it is off.
    """

    devices: list[list[str]]
    sockets: str
    port: int
    image: str
    accelerator: str
    lifetime: int
    run: str = ""
    variant: str = STANDARD
    medium: str = ""
    keeper: int = 0

    @staticmethod
    def path(directory: Path) -> Path:
        return directory / "machine.json"

    @classmethod
    def load(cls, directory: Path) -> State:
        """The state of the machine in that directory; OSError when there is none."""
        return cls(**json.loads(cls.path(directory).read_text(encoding="utf-8")))

    def save(self, directory: Path) -> None:
        """Written as a whole, because the keeper reads it while others write."""
        draft = directory / "machine.json.new"
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        os.replace(draft, self.path(directory))
