# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine, as tests and the command line see it: up, reset, power off, down, and a way to run a command in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import acceleration, devices, image, qemu, ssh
from .state import State
from .variants import STANDARD, VARIANTS

TOOLS = Path(__file__).resolve().parent.parent
# A boot takes 30 s of CPU under TCG, and the host may be busy with as much again and more.
BOOT_SECONDS = 420
LIFETIME = 3600
# The directory of a run of all tests, removed when it ends, and by the next one when it was killed.
RUN = "SOVEREIGN_REGION_WORK"


class MachineError(Exception):
    """A machine did not do what was asked; the message ends with what it said last."""


class Machine:
    """The machine in a directory, which holds its disk, its console's output and how to reach it."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory).resolve()

    @property
    def state(self) -> State:
        """What is known of it; OSError when it was never made."""
        return State.load(self.directory)

    @property
    def exists(self) -> bool:
        """Whether it was made and not taken down."""
        return State.path(self.directory).exists()

    @property
    def addresses(self) -> dict[str, list[str]]:
        """Where the devices are, as {name: [PCI address, …]} in the order of the list that they were asked in."""
        found: dict[str, list[str]] = {}
        for slot in devices.place(self.state.devices):
            found.setdefault(slot.name, []).append(slot.address)
        return found

    def up(self, wanted: str = "", lifetime: int = LIFETIME, first_boot: str = "", variant: str = STANDARD,
           medium: Path | str = "") -> float:
        """Makes the machine unless it is there, starts it unless it runs, waits for SSH; returns the seconds.

        first_boot: kernel arguments until the guest runs update-grub. medium: a file that the guest has as a second
        disk, which it can only read. All parameters are for making it.
        """
        started = time.monotonic()
        if not self.exists:
            self._make(devices.parse(wanted), lifetime, first_boot, variant, str(medium))
        if not self.running:
            self._start()
        self.wait()
        return time.monotonic() - started

    def _make(self, groups: list[list[str]], lifetime: int, first_boot: str, variant: str, medium: str) -> None:
        kind = VARIANTS[variant]
        made = image.make(kind)
        self.directory.mkdir(parents=True, exist_ok=True)
        disk = self.directory / image.DISK
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", str(made / image.DISK), str(disk)], check=True)
        if first_boot:
            image.change_first_boot(disk, first_boot)
        # A path of a socket has room for 107 characters, so they cannot be wherever the machine is.
        sockets = tempfile.mkdtemp(prefix="machine-", dir="/tmp")
        accelerator = "tcg" if kind.nested else acceleration.choose(made)
        State(groups, sockets, ssh.free_port(), str(made), accelerator, lifetime, os.environ.get(RUN, ""), variant,
              medium).save(self.directory)
        ssh.configure(self.directory, self.state.port, str(made), sockets, self.addresses)

    @property
    def running(self) -> bool:
        """Whether its keeper is there, and with it QEMU."""
        keeper = self.state.keeper
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{keeper}/cmdline").read_bytes().split(b"\0")
            return os.fsencode(self.directory) in words
        return False

    def _start(self) -> None:
        state = self.state
        with open(self.directory / "keeper.log", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "machine.keeper", str(self.directory)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, cwd="/", env={**os.environ, "PYTHONPATH": str(TOOLS)},
            )
        state.keeper = child.pid
        state.save(self.directory)
        while not self.running and child.poll() is None:
            ssh.pause()  # its command line is not there from the first moment

    def wait(self, unlike: str = "", seconds: float = BOOT_SECONDS) -> None:
        """Waits until a command can be run in the guest, in a boot other than the one named."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise MachineError(f"the machine ended\n{self.said()}")
            if ssh.answers(self.state.port):
                boot = self.boot_id()
                if boot and boot != unlike:
                    # Drivers are still being loaded, and what they do to devices is what tests look at.
                    ssh.run(self.directory, "udevadm settle --timeout=120", 150)
                    return
            ssh.pause()
        raise MachineError(f"no SSH within {seconds:.0f} s\n{self.said()}")

    def boot_id(self) -> str:
        """The kernel's name for this boot; empty when the guest cannot be asked."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return ssh.run(self.directory, "cat /proc/sys/kernel/random/boot_id", 30).stdout.strip()
        return ""

    def run(self, command: str, timeout: float = 120, given: str = "") -> str:
        """What a shell command prints in the guest; MachineError when it fails."""
        done = ssh.run(self.directory, command, timeout, given)
        if done.returncode:
            raise MachineError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def reboot(self) -> None:
        """The guest's own reboot, in good order."""
        before = self.boot_id()
        ssh.run(self.directory, "systemctl reboot")
        ssh.leave(self.directory)
        self.wait(before)

    def reset(self) -> None:
        """The reset button: the guest is not asked, the devices are reset too."""
        before = self.boot_id()
        qemu.ask(self.state.sockets, "system_reset")
        ssh.leave(self.directory)
        self.wait(before)

    def power_off(self) -> None:
        """Cuts the power: what the guest has not written to its disk is lost."""
        with contextlib.suppress(FileNotFoundError):
            state = self.state
            if self.running:
                os.kill(state.keeper, signal.SIGTERM)
            while self.running:
                time.sleep(0.05)
            ssh.leave(self.directory)

    def down(self) -> None:
        """Cuts the power and removes everything of it; nothing when there is no machine in that directory."""
        if self.exists:
            self.power_off()
            shutil.rmtree(self.state.sockets, ignore_errors=True)
            shutil.rmtree(self.directory, ignore_errors=True)

    def said(self) -> str:
        """The end of what QEMU and the guest's console said."""
        lines = []
        for name in ("keeper.log", "console.log"):
            with contextlib.suppress(OSError):
                text = (self.directory / name).read_text(encoding="utf-8", errors="replace")
                lines += [f"{name}: {line}" for line in text.splitlines()[-15:]]
        return "\n".join(lines)
