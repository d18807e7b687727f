# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What personas may do, as a table that people read: Markdown that is also legible as it is. Pure."""

from __future__ import annotations

from .persona_seats import SEATS, TARGETS

MEANING = ("yes: everywhere · own: only in the own project or domain · self: only the user's own · -: no · "
           "?: only the running service can know")
_CELLS = {"no": "-", "unknown": "?"}


def of_table(rows):
    """Return the table of ``persona_policy.table`` as text, one part for each service."""
    parts = []
    for service in dict.fromkeys(row["service"] for row in rows):
        parts.append("### {0}\n\n{1}".format(
            service.capitalize(), _grid([row for row in rows if row["service"] == service])))
    return "\n\n".join([MEANING, *parts]) + "\n"


def _grid(rows):
    head = [""] + ["{0} {1}".format(seat.persona, seat.scope) for seat in SEATS]
    body = [[row["title"]] + [_cell(row["answers"][seat.persona][seat.scope]) for seat in SEATS] for row in rows]
    widths = [max(3, *(len(line[index]) for line in [head, *body])) for index in range(len(head))]
    lines = [_line(head, widths), _line(["-" * width for width in widths], widths)]
    return "\n".join(lines + [_line(line, widths) for line in body])


def _cell(word):
    return _CELLS.get(word, word)


def _line(cells, widths):
    return "| {0} |".format(" | ".join(cell.ljust(width) for cell, width in zip(cells, widths)))


def of_widened(rows):
    """Return one sentence for each persona that may do more than by default, and for each thing that makes it so.

    Args:
        rows: changes of ``persona_policy.differences``.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row["service"], row["persona"], tuple(row["through"])), []).append(row)
    return [_widened(key, changes) for key, changes in groups.items()]


def _widened(key, changes):
    service, persona, through = key
    named = [_change(row) for row in changes[:3]]
    if len(changes) > 3:
        named.append("and {0} more".format(len(changes) - 3))
    return "widened: on {0}, {1} makes that {2} may also: {3}".format(
        service, ", ".join(through), persona, "; ".join(named))


def _change(row):
    operation = " ({0})".format(row["operations"][0]) if row["operations"] else ""
    where = "" if len(row["targets"]) == len(TARGETS) else " " + " and ".join(_TARGETS[one] for one in row["targets"])
    return "{0}{1}{2} with a token of a {3}".format(row["rule"], operation, where, " or ".join(row["scopes"]))


_TARGETS = {"self": "on the user's own", "own": "in the own project or domain", "other": "in those of others"}
