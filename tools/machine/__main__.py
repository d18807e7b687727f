# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests, from the command line; tools/ has to be on Python's path.

    python -m machine image                                 makes the image that machines boot, and says where it is
    python -m machine up --dir DIR --devices h200,igb       makes it, starts it, waits for SSH
    python -m machine reset|power-off|up|down --dir DIR     the button, the plug, on again, and away with it
    python -m machine run --dir DIR 'lspci -nn'             runs a command in the guest, as root

DIR then holds ssh_config (host `machine`), inventory.json for Ansible, console.log and keeper.log. In --devices, `,`
separates what has a root port of its own and `+` joins what shares a switch and so an IOMMU group: h200,h200+nvme.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import cache
import progress

from . import debian, devices, image
from .control import LIFETIME, Machine, MachineError
from .variants import STANDARD, VARIANTS


def main() -> int:
    """The command line described above."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("machine", description=__doc__, formatter_class=raw)
    parser.add_argument("what", choices=["image", "up", "reset", "power-off", "run", "down"])
    parser.add_argument("command", nargs="?", default="true", help="for run: a shell command")
    parser.add_argument("--dir", type=Path, help="where the machine is kept; everything but image needs it")
    parser.add_argument("--devices", default="", help=f"of {', '.join([*devices.CARDS, *devices.STOCK])}")
    parser.add_argument("--new", action="store_true", help="for up: whatever is in DIR is taken down first")
    parser.add_argument("--first-boot", default="", help="kernel arguments until the guest runs update-grub")
    parser.add_argument("--variant", choices=sorted(VARIANTS), default=STANDARD, help="the kind of machine")
    parser.add_argument("--lifetime", type=int, default=LIFETIME, help="seconds after which it ends by itself")
    arguments = parser.parse_intermixed_args()
    if arguments.what != "image" and arguments.dir is None:
        parser.error("--dir is needed")
    try:
        if hindrance := debian.hindrance():
            raise MachineError(hindrance)
        if arguments.what == "image":
            print(image.make(VARIANTS[arguments.variant]))
        else:
            _act(Machine(arguments.dir), arguments)
    except (MachineError, cache.CacheError, progress.CommandFailed, devices.UnknownDevice, OSError,
            subprocess.SubprocessError) as error:
        progress.say(f"machine: {error}")
        return 1
    return 0


def _act(machine: Machine, arguments: argparse.Namespace) -> None:
    if arguments.what == "up":
        if arguments.new:
            machine.down()
        seconds = machine.up(arguments.devices, arguments.lifetime, arguments.first_boot, arguments.variant)
        progress.say(f"  machine: up after {seconds:.0f} s; ssh -F {machine.directory}/ssh_config machine")
    elif arguments.what == "run":
        print(machine.run(arguments.command), end="")
    else:
        {"reset": machine.reset, "power-off": machine.power_off, "down": machine.down}[arguments.what]()


if __name__ == "__main__":
    sys.exit(main())
