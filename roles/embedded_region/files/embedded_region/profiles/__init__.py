# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may run below Nova: one module for each simulator, chosen by name.

A profile has `install(hosts)`, called in Nova's process before its services start, and `nova(hosts)`, sections for
nova.conf. Each is pinned to the Nova it fits.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """The profiles that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """A profile by its name."""
    return importlib.import_module(f"{__name__}.{name}")
