# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One text for each answer, so that answers of two interpreters can be kept and compared. Standard library only."""

from __future__ import annotations

# Python 3.13 gave the exception of `re` a name of its own.
RENAMED = {"PatternError": "error"}


def exception_name(name: str) -> str:
    """The name under which an exception is compared."""
    return RENAMED.get(name, name)


def of_result(result: dict) -> str:
    """What a processor returned. The order of `group_ids` means nothing: Keystone makes a list of a set."""
    plain = dict(result)
    plain["group_ids"] = sorted(of_value(one) for one in result["group_ids"])
    return of_value(plain)


def of_value(value) -> str:
    """repr(), with the keys of dictionaries and the members of sets in order."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {of_value(value[key])}" for key in value)) + "}"
    if isinstance(value, (list, tuple)):
        left, right = ("[", "]") if isinstance(value, list) else ("(", ")")
        return left + ", ".join(map(of_value, value)) + right
    if isinstance(value, (set, frozenset)):
        return "<" + ", ".join(sorted(map(of_value, value))) + ">"
    return repr(value)


def shuffled(text: str) -> str:
    """The same for texts that differ in the order of their parts alone."""
    return "".join(sorted(text))
