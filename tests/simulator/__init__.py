# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator of hosts with accelerators: sysfs, /proc, /dev, /etc and vendors' tools that react to what is written.

No hardware stands behind it; what is not backed by a capture or a kernel document says "synthetic" where it is made.

    from simulator import SimulatedHost, describe
    with SimulatedHost(describe("hgx", gpus=2)) as host:      # mounted by FUSE, in a process of its own
        ...host.root...
    model = Model(describe("l40s"))                            # the same without a mount, in this process
    export(describe("mi300x"), directory)                      # a plain, read-only tree
"""

from __future__ import annotations

from .description import Description, Function, Sriov
from .export import export
from .host import SimulatedHost
from .memory import Killed, MemoryHost
from .model import Model
from .presets import PRESETS, describe
from .state import Blocked, Record

__all__ = ["PRESETS", "Blocked", "Description", "Function", "Killed", "MemoryHost", "Model", "Record", "SimulatedHost",
           "Sriov", "describe", "export"]
