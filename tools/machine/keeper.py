# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that keeps one machine alive: it serves the identities on its bus and is QEMU's parent.

    python -m machine.keeper DIR

It ends QEMU when its time is over, or when the directory of the machine or of the run that made it is gone, so that a
run that was killed leaves nothing behind, no files either; and QEMU ends when the keeper does, whatever ended it.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import devices, emulator, identity, qemu, vfio_user
from .state import State
from .variants import VARIANTS

LOOK_SECONDS = 0.5
PR_SET_PDEATHSIG = 1


def keep(directory: Path) -> int:
    """Runs the machine until it ends; returns QEMU's status."""
    state = State.load(directory)
    for slot in devices.place(state.devices):
        for name, one in slot.functions():
            path = Path(state.sockets, name)
            path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(path))
            listener.listen()
            served = identity.Device(one)
            threading.Thread(target=vfio_user.serve, args=(served, listener), daemon=True).start()
    command = qemu.command(
        directory / "disk.raw", Path(state.image, "grub.lnx"), state.sockets, directory / "console.log", state.devices,
        state.port, state.accelerator, VARIANTS[state.variant], state.medium,
    )
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=emulator.variables(), preexec_fn=_end_with_parent)
    signal.signal(signal.SIGTERM, lambda *_: child.kill())
    deadline = time.monotonic() + state.lifetime
    while child.poll() is None:
        if time.monotonic() > deadline:
            print(f"keeper: {state.lifetime} s are over", flush=True)
            child.kill()
        elif _is_left(state, directory):
            child.kill()
        time.sleep(LOOK_SECONDS)
    if _is_left(state, directory):
        for path in (state.sockets, directory):
            shutil.rmtree(path, ignore_errors=True)
    return child.returncode


def _is_left(state: State, directory: Path) -> bool:
    """Whether nobody will come back for this machine."""
    return not State.path(directory).exists() or (state.run != "" and not Path(state.run).exists())


def _end_with_parent() -> None:
    """Asks the kernel to end this process with the one that started it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1])))
