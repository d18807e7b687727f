# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our lines in a TOML file that is the operator's: a block at its end, and single lines in tables that it has. Pure.

What is the operator's keeps every byte. Without our lines the file is the one that it was, so removal is exact.
"""

from __future__ import annotations

import re

from .._core.errors import Refused
from .._vendor import tomli, tomli_w

_NAME = "sovereign.region.cri_runtime"
BEGIN = "# BEGIN {0}: written by this module, changes by hand between these lines are lost\n".format(_NAME)
END = "# END {0}\n".format(_NAME)
_MARK = "  # {0}\n".format(_NAME)
_BEGIN = re.compile(r"^# BEGIN {0}\b".format(re.escape(_NAME)))
_END = re.compile(r"^# END {0}\b".format(re.escape(_NAME)))


def parse(path, text):
    """Return the document of a TOML file. Raises Refused with the place of what is wrong."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise Refused("{0}: is no TOML: {1}; the container runtime cannot read it either, repair it first".format(
            path, error)) from error


def split(path, text):
    """Return (the text without our lines, our block or None, our single lines). Raises Refused for half a block."""
    kept, block, single, inside = [], None, [], False
    for number, line in enumerate(text.splitlines(True), 1):
        if _BEGIN.match(line):
            if inside or block is not None:
                raise Refused("{0}:{1}: a second block of {2} begins here; remove one of them".format(
                    path, number, _NAME))
            inside, block = True, ""
        elif _END.match(line) and inside:
            inside = False
        elif inside:
            block += line
        elif line.rstrip("\r\n").endswith(_MARK.rstrip("\n")):
            single.append(line)
        else:
            kept.append(line)
    if inside:
        raise Refused("{0}: the block of {1} has no last line {2!r}; put it back, or remove the block".format(
            path, _NAME, END.strip()))
    return "".join(kept), block, single


def ours(path, text):
    """Return our lines in a text, for people to read; empty when there are none. Raises Refused for half a block."""
    _rest, block, single = split(path, text)
    return "".join(single) + (block or "")


def join(path, text, tables, values, comment=""):
    """Return the text with our block at its end, and lines in its own tables.

    Args:
        path: of the file, for messages.
        text: the operator's, without our lines.
        tables: nested mapping of what goes into the block.
        values: mapping of (path of a table as a tuple, key) to a value; into that table where the text has it, else
            into the block.
        comment: lines that the block begins with.

    Raises:
        Refused: the text has one of the tables in a form that TOML cannot add to.
    """
    expected = merged(merged({}, parse(path, text)), tables)
    for (table, key), value in values.items():
        expected = merged(expected, nested(table, {key: value}))
    inserted, rest = _with_lines(text, values)
    for (table, key), value in rest.items():
        tables = merged(tables, nested(table, {key: value}))
    if tables:
        inserted += "" if inserted.endswith("\n") or not inserted else "\n"
        inserted += BEGIN + comment + tomli_w.dumps(tables) + END
    found, why = None, ""
    try:
        found = tomli.loads(inserted)
    except tomli.TOMLDecodeError as error:
        why = " ({0})".format(error)
    if found != expected:
        raise Refused("{0}: nothing can be added to {1}, because the file has it as an inline table or a key of it "
                      "elsewhere{2}; write it as a table of its own, with its name in square brackets".format(
                          path, " and ".join(sorted({_dotted(one) for one in _leaves(tables)})) or "its tables",
                          why))
    return inserted


def _with_lines(text, values):
    """Return (the text with a line of ours below the header of each table that it has, the values left over)."""
    lines, rest = text.splitlines(True), dict(values)
    for place in range(len(lines) - 1, -1, -1):
        header = _header(lines[place])
        mine = [(table, key) for table, key in rest if table == header]
        if not mine or not lines[place].endswith("\n"):
            continue
        for table, key in mine:
            value = rest.pop((table, key))
            lines.insert(place + 1, tomli_w.dumps({key: value}).rstrip("\n") + _MARK)
    return "".join(lines), rest


def _header(line):
    """Return the path of the table that a line opens, as a tuple; None when it opens none."""
    if not line.lstrip().startswith("[") or line.lstrip().startswith("[["):
        return None
    try:
        found, path = tomli.loads(line.strip()), []
    except tomli.TOMLDecodeError:
        return None
    while found:
        (key, found), = found.items()
        path.append(key)
    return tuple(path)


def nested(path, value):
    """Return ``{a: {b: value}}`` for the path ``(a, b)``."""
    for key in reversed(path):
        value = {key: value}
    return value


def merged(one, other):
    """Return a new mapping with both, table by table; of values the other's."""
    result = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else merged({}, value) if isinstance(value, dict) else value
    return result


def at(document, path):
    """Return what is at a path of a nested mapping; None when there is nothing."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def _leaves(document, path=()):
    found = []
    for key, value in document.items():
        found += _leaves(value, path + (key,)) if isinstance(value, dict) else [path]
    return found


def _dotted(path):
    return ".".join(key if re.match("[A-Za-z0-9_-]+$", key) else '"{0}"'.format(key) for key in path)
