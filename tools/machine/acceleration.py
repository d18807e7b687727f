# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether guests are run by KVM. /dev/kvm may be there and boot nothing, so the answer is a boot, and kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import cache
import progress

from . import emulator, qemu, ssh

DEVICE = Path("/dev/kvm")
# With KVM a boot takes a few seconds; what takes longer is no better than TCG.
PROOF_SECONDS = 60


def choose(image: Path) -> str:
    """`kvm` where a guest was seen to boot with it, else `tcg`, which works everywhere."""
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return "tcg"
    kept = cache.root() / "machine" / f"accelerator-{_here()}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with cache.locked(kept, "the trial of KVM"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            return json.loads(kept.read_text(encoding="utf-8"))["accelerator"]
        why = _try(image)
        answer = {"accelerator": "tcg" if why else "kvm", "why": why or "a guest booted with it"}
        progress.say(f"  machines are run by {answer['accelerator']}: {answer['why']}")
        kept.write_text(json.dumps(answer) + "\n", encoding="utf-8")
    return answer["accelerator"]


def _here() -> str:
    """A name for all that the answer depends on: kernel, processor and QEMU."""
    processor = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("flags", "model"))]
    text = "\0".join((os.uname().release, *sorted(set(processor)), emulator.location().name))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _try(image: Path) -> str:
    """Boots a copy of the image with KVM; returns why that did not work, or nothing."""
    with tempfile.TemporaryDirectory(prefix="machine-", dir="/tmp") as directory:
        disk, port = Path(directory, "disk.raw"), ssh.free_port()
        subprocess.run(["cp", "--sparse=always", str(image / "disk.raw"), str(disk)], check=True)
        command = qemu.command(disk, image / "grub.lnx", directory, Path(directory, "console.log"), [], port, "kvm")
        with open(Path(directory, "output"), "w+b") as output:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                     env=emulator.variables())
            try:
                deadline = time.monotonic() + PROOF_SECONDS
                while time.monotonic() < deadline:
                    if child.poll() is not None:
                        output.seek(0)
                        said = output.read().decode("utf-8", "replace").strip().splitlines()
                        return f"with KVM, QEMU ended: {said[-1] if said else child.returncode}"
                    if ssh.answers(port, timeout=2):
                        return ""
                    ssh.pause()
                return f"with KVM, no SSH within {PROOF_SECONDS} s"
            finally:
                child.kill()
                child.wait()
