# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``remote`` half of a mapping's rule: which claims it asks for, and which values it hands to ``local``.

Source: keystone/federation/utils.py, RuleProcessor._verify_all_requirements (Keystone 30.0.0).
"""

from __future__ import annotations

import re
from functools import lru_cache

from .._core.errors import nearest
from .mapping_refusals import Refusal, brief, listed, where

# In the order in which Keystone looks for them. A requirement without any of them asks for presence only.
OPERATORS = ("any_one_of", "not_any_of", "blacklist", "whitelist")
PRESENT = "present"


def operator_of(requirement):
    """Return the operator of one requirement: a name of OPERATORS, or PRESENT. Pure."""
    for name in OPERATORS:
        if name in requirement:
            return name
    return PRESENT


def match_rule(path, remote, claims, given, steps):
    """Check the requirements of one rule, in order, up to the first that is not met.

    Args:
        path: where the list is, as where() takes it.
        remote: the list of requirements.
        claims: mapping of claim name to the list of its values.
        given: the claims as they came, which tells what a claim that is missing may be.
        steps: list that receives one dictionary for each requirement that was looked at, also before a refusal.

    Returns:
        The values for {0}, {1} and so on, each a list of str; None when the rule does not match.

    Raises:
        Refusal: Keystone stops the whole evaluation at a requirement.
    """
    direct, place = [], where(path)
    for index, requirement in enumerate(remote):
        name, operator = requirement["type"], operator_of(requirement)
        values = claims.get(name)
        step = {
            "path": "{0}[{1}]".format(place, index),
            "claim": name,
            "operator": operator,
            "values": list(values or ()),
            "passed": False,
        }
        steps.append(step)
        if values is None:
            step["why"] = _missing(name, given)
            return None
        try:
            passed, kept, step["why"] = _verdict(name, operator, requirement, values)
        except Refusal as refusal:
            step["why"] = refusal.message
            raise
        if not passed:
            return None
        step["passed"] = True
        if kept is not None:
            step["why"] += _SHOWN[min(len(kept), 2)].format(len(kept), len(direct))
            direct.append(kept)
    return direct


# By how many values a requirement hands on: none, one, more.
_SHOWN = (
    "; the rule goes on, and {{{1}}} is the text [] in local",
    "; the value is {{{1}}} in local",
    "; the text of a list of {0} values is {{{1}}} in local",
)


def _missing(name, given):
    if name in given:
        kind = type(given[name]).__name__
        return "{0} is there as {1}, and Keystone sees texts only; join a list by ;".format(name, kind)
    close = _alike(name, tuple(given))
    return "{0} is not among the claims{1}".format(name, "; there is {0}".format(close) if close else "")


@lru_cache(maxsize=1024)
def _alike(name, others):
    """Return the claim that was probably meant, or None: web servers write the same claim in many ways."""
    folded = {_folded(other): str(other) for other in others}
    return folded.get(_folded(name)) or nearest(name, others)


def _folded(name):
    name = str(name).casefold().replace("-", "_")
    return name[len("http_") :] if name.startswith("http_") else name


def _verdict(name, operator, requirement, values):
    """Return (whether the requirement is met, values it hands on or None, sentence)."""
    if operator == PRESENT:
        return True, values, "{0} is {1}".format(name, listed(values))
    wanted, expressions = requirement[operator], requirement.get("regex", False)
    matched = _by_expression(name, wanted, values) if expressions else _by_equality(name, wanted, values)
    if operator == "any_one_of":
        if matched:
            return True, None, "{0} has {1}, which {2} asks for".format(name, listed(matched), listed(wanted))
        return False, None, _none(name, expressions, wanted, values)
    if operator == "not_any_of":
        if matched:
            return False, None, "{0} has {1}, which {2} excludes".format(name, listed(matched), listed(wanted))
        return True, None, _none(name, expressions, wanted, values)
    if operator == "whitelist":
        kept = matched
    else:
        # Keystone takes the difference of two sets: what is left has no order and no duplicates there.
        kept = [value for value in _once(values) if value not in matched]
    sentence = "{0} keeps {1} of {2} by {3} {4}"
    return True, kept, sentence.format(name, listed(kept) if kept else "none", listed(values), operator, listed(wanted))


def _none(name, expressions, wanted, values):
    what = "no value that matches a regular expression" if expressions else "no value"
    return "{0} has {1} of {2}; it has {3}".format(name, what, listed(wanted), listed(values))


def _once(values):
    return list(dict.fromkeys(values))


def _by_equality(name, wanted, values):
    """Return the claim's values that are in the list, once each, in the claim's order; Keystone's order is a set's."""
    try:
        asked = set(wanted)
    except TypeError as error:
        raise Refusal(
            "unhashable_item",
            "the list for {0} has an item that is no text: {1}; Keystone compares with texts".format(name, error),
        )
    return [value for value in _once(values) if value in asked]


def _by_expression(name, wanted, values):
    """Return the claim's values in which any of the expressions is found, duplicates among them, as Keystone does."""
    return [value for value in values if any(_found(name, expression, value) for expression in wanted)]


def _found(name, expression, value):
    try:
        return re.search(expression, value) is not None
    except re.error as error:
        raise Refusal("bad_expression", _expression(name, expression, error))
    except TypeError as error:
        raise Refusal("expression_not_text", _expression(name, expression, error))
    except OverflowError as error:
        raise Refusal("oversized_expression", _expression(name, expression, error))
    except RecursionError as error:
        raise Refusal("nested_expression", _expression(name, expression, error))


def _expression(name, expression, error):
    return "{0}, a regular expression for {1}, cannot be used: {2}".format(brief(expression), name, error)
