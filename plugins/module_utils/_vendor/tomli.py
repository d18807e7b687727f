# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tomli, as its package offers it: ``loads``, ``load`` and ``TOMLDecodeError``."""

from __future__ import annotations

from .tomli_2_0_2._parser import TOMLDecodeError, load, loads

__all__ = ("TOMLDecodeError", "load", "loads")
