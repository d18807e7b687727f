# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated host of the benchmark: an HGX board with 8 H200, 400 PCI functions and 2,000 processes, as plain files.

Synthetic: no hardware stands behind it. Nothing in the files reacts to a write, and none is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from environment import CHECKOUT

sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "roles" / "embedded_region" / "files"),
                str(CHECKOUT / "playbooks" / "collections")]

from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts
from region_hosts import hand_out
from simulator import MemoryHost, Model, describe, export

FUNCTIONS, PROCESSES, GPUS = 400, 2000, 8


def description():
    """The simulated machine."""
    return describe("hgx_h200", gpus=GPUS, functions=FUNCTIONS, processes=PROCESSES)


def pools() -> list[dict]:
    """What an operator declares for it: all cards to servers, as the module region returns it for a host."""
    return [{"name": "h200", "site": "munich", "model": "H200", "mode": "passthrough", "consumer": "nova",
             "devices": GPUS, "cards_per_host": GPUS, "profile": None, "slices": 1}]


def write(directory: Path, handed_out: bool) -> dict:
    """Writes the tree and says what is in it.

    Args:
        directory: is made.
        handed_out: whether the cards are already on VFIO, as pools() wants them; else they are on NVIDIA's driver.
    """
    cards = [one.address for one in description().functions if (one.vendor, one.pci_class) == ("10de", "030200")]
    files = export(description(), directory, (lambda model: hand_out(model, cards)) if handed_out else None)
    return {"gpus": len(cards), "functions": len(list((directory / "sys/bus/pci/devices").iterdir())),
            "processes": sum(path.name.isdigit() for path in (directory / "proc").iterdir()), "files": files}


class _Listening(MemoryHost):
    """A simulated host that remembers what its programs answered."""

    def __init__(self, model: Model):
        super().__init__(model)
        self.answers: dict[str, str] = {}

    def run(self, argv: list, timeout: float, changes: bool = False):
        """As that of the simulator. Raises ValueError when a program is asked twice: a stand-in has one answer."""
        done = super().run(argv, timeout, changes)
        if argv[0] in self.answers or done.status != 0:
            raise ValueError(f"{argv} has no single answer")
        self.answers[argv[0]] = done.stdout
        return done


def stand_ins(directory: Path) -> list[str]:
    """Writes a program for each that accelerator_info starts: it prints what the simulator answers, and at once."""
    host = _Listening(Model(description()))
    facts.collect(host)
    directory.mkdir()
    for name, text in host.answers.items():
        (directory / f"{name}.txt").write_text(text, encoding="utf-8")
        (directory / name).write_text(f"#!/bin/sh\nexec cat '{directory}/{name}.txt'\n", encoding="utf-8")
        (directory / name).chmod(0o755)
    return sorted(host.answers)
