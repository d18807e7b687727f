# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tomli-w, as its package offers it: ``dumps`` and ``dump``."""

from __future__ import annotations

from .tomli_w_1_2_0._writer import dump, dumps

__all__ = ("dump", "dumps")
