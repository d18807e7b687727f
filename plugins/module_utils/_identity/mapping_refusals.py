# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which Keystone refuses a claim set while it evaluates a mapping: an id, its exception, what it means.

Source: keystone/federation/utils.py, class RuleProcessor and the classes that inherit it (Keystone 30.0.0).
"""

from __future__ import annotations

import reprlib

# id: (class of the exception that leaves Keystone's processor, what it means).
# Keystone turns ValidationError, and what inherits it, into 401; TypeError into 400; everything else into 500.
# Python's own classes depend on its release: "error" (of re) is PatternError from Python 3.13 on, and what is nested
# too deeply ends in RecursionError or in MemoryError.
REFUSALS = {
    "no_rule_matched": ("ValidationError", "no rule matched the claims"),
    "nothing_mapped": ("ValidationError", "rules matched, but their 'local' lists are empty"),
    "no_such_value": ("DirectMappingError", "a text refers to a {n}, or to a part of one, that does not exist"),
    "named_field": ("KeyError", "a text refers to a value by name, and remote values have numbers only"),
    "malformed_text": ("ValueError", "braces or format of a text are not what Python's str.format reads"),
    "unformattable": ("TypeError", "a text asks for a format or a part that the value has not"),
    "attribute_in_text": ("AttributeError", "a text asks for an attribute that the value has not, as {0.mail} does"),
    "oversized_text": ("MemoryError", "a text pads a value to more characters than any name can have"),
    "bad_expression": ("error", "a regular expression cannot be compiled"),
    "oversized_expression": ("OverflowError", "a regular expression repeats more often than Python can count"),
    "nested_expression": ("RecursionError", "a regular expression is nested too deeply"),
    "expression_not_text": ("TypeError", "an item of a list of regular expressions is not a string"),
    "unhashable_item": ("TypeError", "an item of an operator's list is itself a list or a dictionary"),
    "groups_without_domain": ("ValidationError", "'groups' without 'domain' beside it"),
    "named_groups_without_domain": (
        "ValidationError",
        "the text of 'groups' contains the letters 'name', and one of its items has no 'domain' of its own",
    ),
    "group_not_text": (
        "AttributeError",
        "the text of 'groups' contains the letters 'name', and one of its items is no text",
    ),
    "bad_group_json": ("JSONDecodeError", "a group that begins with JSON: is not followed by JSON"),
    "group_json_not_object": ("TypeError", "a group that begins with JSON: is followed by a number, a boolean or null"),
    "unhashable_literal": ("TypeError", "a list is written with a set or a dictionary whose keys cannot be keys"),
    "unhashable_group_id": ("TypeError", "the list in 'group_ids' has an item that is itself a list or a dictionary"),
    "nested_literal": ("RecursionError", "a list or JSON text is nested too deeply to be read"),
    "projects_json_text": ("SchemaValidationError", "'projects_json' does not begin with a number, such as {0}"),
    "projects_json_index": ("IndexError", "'projects_json' refers to a {n} that does not exist"),
    "projects_json_not_json": ("JSONDecodeError", "the value for 'projects_json' is not JSON"),
    "projects_json_structure": ("ValidationError", "the JSON for 'projects_json' is not a list of projects with roles"),
}


class Refusal(Exception):
    """Keystone would refuse the claims here.

    Args:
        reason: a key of REFUSALS.
        message: one sentence for the operator, with path and value.
        exception: the exception's class where it is not the usual one of the reason.
    """

    def __init__(self, reason, message, exception=None):
        self.reason = reason
        self.message = message
        self.exception = exception or REFUSALS[reason][0]
        super().__init__(message)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80


def brief(value):
    """Return a value as it would be written in Python, shortened; claims may hold any literal, nested deeply. Pure."""
    try:
        return _BRIEF.repr(value)
    except ValueError:
        # Python writes no integers of more than 4300 digits.
        return "a number of too many digits"


def where(path):
    """Return ``rules[0].local[1].user`` for the parts ("rules", 0, "local", 1, "user"). Pure."""
    return path[0] + "".join("[{0}]".format(one) if isinstance(one, int) else "." + one for one in path[1:])


def listed(values, most=12):
    """Return values as people read a list: ``[a, b, … 40 in all]``. Pure."""
    shown = [str(value) for value in values[:most]]
    if len(values) > most:
        shown.append("… {0} in all".format(len(values)))
    return "[{0}]".format(", ".join(shown))
