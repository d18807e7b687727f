# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a regular expression of a mapping lets through. Pure, and nothing is matched with it.

Keystone uses ``re.search`` (``keystone/federation/utils.py``, ``_evaluate_values_by_regex``, 27.0.0 to 30.0.0): what is
not anchored matches anywhere in a value.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

try:  # Python 3.11 moved the parser.
    from re import _constants as sre
    from re import _parser as parser
except ImportError:
    import sre_constants as sre
    import sre_parse as parser

_REPEATS = tuple(getattr(sre, name) for name in ("MAX_REPEAT", "MIN_REPEAT"))
_BEGIN = (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
_END = (sre.AT_END, sre.AT_END_STRING)
_MANY = 10
_SAMPLE = range(9, 127)
_CATEGORIES = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda letter: letter.isalnum() or letter == "_",
    sre.CATEGORY_NOT_DIGIT: lambda letter: not letter.isdigit(),
    sre.CATEGORY_NOT_SPACE: lambda letter: not letter.isspace(),
    sre.CATEGORY_NOT_WORD: lambda letter: not (letter.isalnum() or letter == "_"),
}


@dataclass(frozen=True)
class Pattern:
    """What is known of a regular expression.

    Attributes:
        error: why it is none, or None; then the rest says nothing.
        begins: whether every way through it starts at the beginning of a value, or says openly that it need not.
        ends: the same for the end.
        everything: whether every value matches.
        loose_dot: whether a dot between letters stands for any character.
        slow: whether a long value can keep Keystone busy for longer than a login can wait.
    """

    error: str | None
    begins: bool = False
    ends: bool = False
    everything: bool = False
    loose_dot: bool = False
    slow: bool = False


def pattern_of(text):
    """Return Pattern for a text; never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = list(parser.parse(text))
            # With (?m) they stand at the beginning and end of any line of a value.
            lines = bool(re.compile(text).flags & re.MULTILINE)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        return Pattern(str(error))
    try:
        return Pattern(
            None,
            begins=_anchored(tree, _BEGIN[lines:], 0),
            ends=_anchored(tree, _END[lines:], -1),
            everything=_everything(tree),
            loose_dot=_loose_dot(tree),
            slow=_slow(tree),
        )
    except RecursionError:
        return Pattern("it is nested too deep")


def _children(item):
    """Return the sequences inside of one item of a tree."""
    kind, value = item
    if kind is sre.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind is sre.SUBPATTERN:
        return [list(value[-1])]
    if kind in _REPEATS:
        return [list(value[2])]
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(value[1])]
    return []


def _anchored(tree, anchors, side):
    """Whether the first or last item of a sequence is an anchor, or something that takes all there is."""
    if not tree:
        return False
    item = tree[side]
    kind, value = item
    if kind is sre.AT:
        return value in anchors
    if kind in (sre.BRANCH, sre.SUBPATTERN):
        return all(_anchored(part, anchors, side) for part in _children(item))
    return _is_anything(item)


def _is_anything(item):
    """Whether an item takes all the characters there are: ``.*``, ``.+`` and the like."""
    kind, value = item
    if kind is sre.SUBPATTERN:
        inner = list(value[-1])
        return len(inner) == 1 and _is_anything(inner[0])
    if kind not in _REPEATS or value[1] is not sre.MAXREPEAT or value[0] > 1:
        return False
    inner = list(value[2])
    return len(inner) == 1 and len(_letters(inner[0])) == len(_SAMPLE) - _IGNORED


def _everything(tree):
    """Whether every value matches: there is nothing but anchors and ``.*``, and not both anchors alone."""
    anchors = [item[1] for item in tree if item[0] is sre.AT]
    open_part = len(anchors) < len(tree)
    both = any(one in _BEGIN for one in anchors) and any(one in _END for one in anchors)
    return all(_is_anything(item) or (item[0] is sre.AT and item[1] in _BEGIN + _END) for item in tree) and (
        open_part or not both)


def _letters(item):
    """Return the set of characters that one item takes, among a sample; empty for what is more than one character."""
    kind, value = item
    if kind is sre.ANY:
        return frozenset(code for code in _SAMPLE if code != 10)
    if kind is sre.LITERAL:
        return frozenset((value,)) & frozenset(_SAMPLE)
    if kind is sre.NOT_LITERAL:
        return frozenset(code for code in _SAMPLE if code not in (value, 10))
    if kind is sre.IN:
        negated = bool(value) and value[0][0] is sre.NEGATE
        return frozenset(code for code in _SAMPLE if code != 10 and _in(value, code) is not negated)
    if kind is sre.SUBPATTERN and len(value[-1]) == 1:
        return _letters(list(value[-1])[0])
    return frozenset()


# A value of a claim holds no line feed, so whether a dot takes it does not matter.
_IGNORED = 1


def _in(parts, code):
    for kind, value in parts:
        if kind is sre.LITERAL and value == code:
            return True
        if kind is sre.RANGE and value[0] <= code <= value[1]:
            return True
        if kind is sre.CATEGORY and value in _CATEGORIES and _CATEGORIES[value](chr(code)):
            return True
    return False


def _loose_dot(tree):
    """Whether a bare dot stands between two letters, as in ``corp.example``."""
    around = zip(tree, tree[1:], tree[2:])
    if any(middle[0] is sre.ANY and _letter(before) and _letter(after) for before, middle, after in around):
        return True
    return any(_loose_dot(part) for item in tree for part in _children(item))


def _letter(item):
    return item[0] is sre.LITERAL and chr(item[1]).isalnum()


def _slow(tree):
    """Whether a repetition repeats what can be split in many ways, as in ``(a+)+``: the time doubles with each letter.

    Only what surely does so is found: the repeated part is nothing but repetitions, or its pieces can take over
    each other's characters.
    """
    for item in tree:
        if item[0] in _REPEATS and _unbounded(item) and _ambiguous(_flat(list(item[1][2]))):
            return True
        if any(_slow(part) for part in _children(item)):
            return True
    return False


def _unbounded(item):
    return item[1][1] is sre.MAXREPEAT or item[1][1] > _MANY


def _flat(tree):
    """Return a sequence without the groups around its parts."""
    flat = []
    for item in tree:
        flat += _flat(list(item[1][-1])) if item[0] is sre.SUBPATTERN else [item]
    return flat


def _ambiguous(body):
    repeats = [item for item in body if item[0] in _REPEATS and _unbounded(item)]
    for repeat in repeats:
        others = [item for item in body if item is not repeat and not _optional(item)]
        if not others:
            return True
        mine = _letters(_once(repeat))
        if mine and all(_letters(item) and _letters(item) <= mine for item in map(_once, others)):
            return True
    return False


def _optional(item):
    return item[0] is sre.AT or (item[0] in _REPEATS and item[1][0] == 0)


def _once(item):
    return list(item[1][2])[0] if item[0] in _REPEATS and len(item[1][2]) == 1 else item
