# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mapping came to its result, as a picture: text for a terminal, and SVG for a page. Pure.

Both show the same: the claims, each rule with the requirements that Keystone looked at, and what became of it. With
assignments, groups lead on to the roles that they give.
"""

from __future__ import annotations

import textwrap
from collections import namedtuple
from html import escape

from .mapping_picture_style import STYLE
from .mapping_roles import qualified, roles

YES, NO, UNSEEN = "✔", "✘", "○"

# What came out, in the words of the picture: kind of line, text, and lines that follow from it.
Outcome = namedtuple("Outcome", "kind text follows")


def outcomes(seen, assignments=None):
    """Return list of Outcome for an Evaluation.

    Args:
        seen: Evaluation.
        assignments: list of mappings with ``group``, ``role`` or ``persona``, and ``project``, ``domain`` or
            ``system``, as the region document has them; None when they are not to be shown.
    """
    if not seen.accepted:
        return [Outcome("refused", "refused: {0}".format(seen.reason), [seen.message or ""])]
    user = seen.user.get("name") or seen.user.get("id") or "REMOTE_USER"
    lines = [Outcome("user", "user {0} ({1})".format(_placed(seen.user, user), seen.user.get("type")), [])]
    given = None if assignments is None else roles(seen, assignments)
    for group in _once(seen.group_names):
        name = _placed(group, group.get("name")) if isinstance(group, dict) else str(group)
        lines.append(Outcome("group", "group {0}".format(name), _rights(group, given)))
    lines += [Outcome("group", "group with id {0}".format(one), []) for one in seen.group_ids]
    for project in seen.projects:
        lines.append(Outcome("project", "project {0}".format(_placed(project, project.get("name"))), [
            "role {0}".format(role.get("name")) for role in project.get("roles") or []]))
    return lines


def _placed(thing, name):
    domain = thing.get("domain")
    place = (domain.get("name") or domain.get("id")) if isinstance(domain, dict) else None
    return "{0}/{1}".format(place, name) if place else str(name)


def _once(items):
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _rights(group, given):
    """Return a text for each role that a group gives; ``given`` as mapping_roles returns it, None when not known."""
    if given is None:
        return []
    rights = []
    for one in given:
        if one.get("group") == qualified(group):
            where = ("the whole system" if one.get("system") else "domain {0}".format(one["domain"])
                     if one.get("domain") else one.get("project"))
            rights.append("{0} {1} {2}".format(one["role"], "below" if one.get("inherited") else "in", where))
    return rights or ["no role that is declared"]


def text(seen, claims, title="", assignments=None):
    """Return a picture for a terminal, of lines.

    Args:
        seen: Evaluation.
        claims: mapping of claim name to text.
        title: what it is about, such as the name of an assertion.
        assignments: as of ``outcomes``.
    """
    lines = [title] if title else []
    width = max([len(name) for name in claims] or [0])
    lines += ["claims"] + _branches(["{0}  {1}".format(name.ljust(width), claims[name]) for name in claims])
    for step in seen.trace:
        lines.append("{0} rules[{1}] {2}".format(*_verdict(step)))
        lines += _branches(["{0} {1}: {2}".format(YES if one["passed"] else NO, one["operator"], one["why"])
                            for one in step.requirements])
    lines.append("result")
    came_out = outcomes(seen, assignments)
    for number, one in enumerate(came_out, 1):
        last = number == len(came_out)
        lines.append(("└─ " if last else "├─ ") + one.text)
        lines += [("   " if last else "│  ") + line for line in _branches(one.follows)]
    return "\n".join(lines) + "\n"


def _verdict(step):
    if step.matched:
        return YES, step.index, "matched"
    return (NO, step.index, "did not match") if step.requirements else (UNSEEN, step.index, "was not reached")


def _branches(lines):
    return [("└─ " if number == len(lines) else "├─ ") + line for number, line in enumerate(lines, 1)]


# Sizes in pixels of the picture. A letter of the font is 0.6 of its height.
_LINE, _GAP, _EDGE = 17, 44, 24
_CLAIMS, _RULES, _RESULT = 250, 440, 290
_LETTER = 7.2


def svg(seen, claims, title, assignments=None):
    """Return a picture for a page: SVG that stands alone, follows the reader's light or dark, and can be read aloud.

    Args:
        seen: Evaluation.
        claims: mapping of claim name to text.
        title: what it is about.
        assignments: as of ``outcomes``.
    """
    left, middle, right = _EDGE, _EDGE + _CLAIMS + _GAP, _EDGE + _CLAIMS + _RULES + 2 * _GAP
    top = 76
    drawn, bottom = [], top
    claim_lines = [line for name in claims for line in [("name", name)] + _wrapped("value", claims[name], _CLAIMS, 3)]
    drawn += _box(left, top, _CLAIMS, claim_lines, "card")
    bottom, ends = max(bottom, top + _height(claim_lines)), []
    place = top
    for step in seen.trace:
        mark, index, word = _verdict(step)
        lines = [("yes head" if step.matched else "no head", "{0} rules[{1}] {2}".format(mark, index, word))]
        for one in step.requirements:
            lines.append(("yes" if one["passed"] else "no", "{0} {1}, {2}".format(
                YES if one["passed"] else NO, one["claim"], one["operator"])))
            lines += _wrapped("value", one["why"], _RULES, 3)
        drawn += _box(middle, place, _RULES, lines, "card hit" if step.matched else "card miss")
        if step.matched:
            ends.append(place + _EDGE)
        place += _height(lines) + 16
    bottom = max(bottom, place - 16)
    lines = []
    for one in outcomes(seen, assignments):
        lines += _wrapped("no head" if one.kind == "refused" else "name", one.text, _RESULT, 3)
        lines += [line for follow in one.follows for line in _wrapped("value", "→ " + follow, _RESULT, 4)]
    drawn += _box(right, top, _RESULT, lines, "card hit" if seen.accepted else "card miss")
    bottom = max(bottom, top + _height(lines)) + _EDGE
    arrows = [_arrow(left + _CLAIMS, top + _EDGE, middle, top + _EDGE)] if seen.trace else []
    arrows += [_arrow(middle + _RULES, end, right, top + _EDGE) for end in ends]
    heads = [_said(x, top - 12, "column", word) for x, word in (
        (left, "claims"), (middle, "rules, in order"), (right, "what becomes of it"))]
    return _document(right + _RESULT + _EDGE, bottom, title, text(seen, claims, "", assignments),
                     [_said(left, 34, "title", title)] + heads + arrows + drawn)


def _wrapped(kind, value, width, most):
    lines = textwrap.wrap(str(value), int((width - 44) / _LETTER)) or [""]
    if len(lines) > most:
        lines = lines[:most - 1] + [lines[most - 1][:-1] + "…"]
    return [(kind, line) for line in lines]


def _height(lines):
    return len(lines) * _LINE + 22


def _box(x, y, width, lines, kind):
    made = ['<rect class="{0}" x="{1}" y="{2}" width="{3}" height="{4}" rx="10"/>'.format(
        kind, x, y, width, _height(lines))]
    for number, (look, line) in enumerate(lines):
        shift = 30 if look == "value" else 14
        made.append(_said(x + shift, y + 25 + number * _LINE, look, line))
    return made


def _said(x, y, look, line):
    return '<text class="{0}" x="{1}" y="{2}">{3}</text>'.format(look, x, y, escape(line, quote=False))


def _arrow(x, y, to_x, to_y):
    half = (x + to_x) // 2
    return ('<path class="arrow" d="M{0} {1} C{4} {1} {4} {3} {5} {3}"/>'
            '<path class="tip" d="M{2} {3} l-9 -5 v10 z"/>').format(x, y, to_x, to_y, half, to_x - 8)


def _document(width, height, title, told, parts):
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" role="img" '
        'aria-labelledby="title desc">'.format(width, height),
        '<title id="title">{0}</title>'.format(escape(title, quote=False)),
        '<desc id="desc">{0}</desc>'.format(escape(told, quote=False)),
        "<style>{0}</style>".format(STYLE),
        '<rect class="paper" width="{0}" height="{1}" rx="14"/>'.format(width, height),
        *parts,
        "</svg>",
        "",
    ])
