# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System calls that may never return, such as unbinding a device that a virtual machine holds: done in a child."""

from __future__ import annotations

import fcntl
import os
import select

_ABOVE_STANDARD = 10


def within(seconds, call):
    """Return what ``call`` returns, or None when that takes too long. The child is left behind then.

    Args:
        seconds: how long to wait.
        call: function without arguments that returns a number from 0 to 255 and neither prints nor raises.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing of the parent may run here: no handlers, no buffers, no clean-up.
        try:
            kept = fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
            _let_go(kept)
            os.write(kept, bytes([call()]))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        ready = select.select([reading], [], [], seconds)[0]
        answer = os.read(reading, 1) if ready else None
    finally:
        os.close(reading)
    if answer is None:
        return None
    os.waitpid(child, 0)
    # A child that died without an answer did not do what it was asked to.
    return answer[0] if answer else 5


def _let_go(kept):
    """Close what was inherited: whoever reads the parent's output would wait for a child that is left behind."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    most = os.sysconf("SC_OPEN_MAX")
    os.closerange(3, kept)
    os.closerange(kept + 1, min(most, 65536) if most > 0 else 65536)
