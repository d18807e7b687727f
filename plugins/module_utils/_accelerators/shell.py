# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of shell assignments, such as ``/etc/default/grub``, read as ``sh`` would source them. Nothing is run. Pure.

Assignments, quotes, comments, continued lines and expansions of variables are understood. What only a shell could tell
(a command's output, an ``if``, another file that is sourced) is not guessed: the variable that it sets is *unclear*.
Source: POSIX.1-2017, Shell Command Language, 2.2 Quoting, 2.6.2 Parameter Expansion, 2.9 Shell Commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ASSIGNS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLOSED_BY = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac", "{": "}", "(": ")"}
_CLOSES = tuple(_CLOSED_BY.values())
_DEEPEST = 20
# A variable that is doubled on every line would fill the memory.
_LONGEST = 65536
_PREFIXES = ("then", "else", "elif", "do", "!")
_DECLARES = ("export", "readonly")


@dataclass
class Sourced:
    """What a shell would know after it read some files.

    Attributes:
        values: mapping of a variable to its pieces, a list of (text, path, line).
        unclear: mapping of a variable to (path, line, why): what is known of it is not the whole truth.
        broken: list of (path, line, why): the shell itself would stop there.
        assigned: list of (variable, path, line), in order.
    """

    values: dict = field(default_factory=dict)
    unclear: dict = field(default_factory=dict)
    broken: list = field(default_factory=list)
    assigned: list = field(default_factory=list)

    def text(self, name):
        """Return the value of a variable; an empty text when it was never set."""
        return "".join(piece[0] for piece in self.values.get(name, ()))


def source(files):
    """Return Sourced.

    Args:
        files: list of (path, text), in the order in which they are sourced.
    """
    state = Sourced()
    for path, text in files:
        _Reader(state, path, text).read()
    return state


def words(pieces):
    """Return the words of a value, a list of (text, path, line); blanks inside double quotes do not separate.

    Args:
        pieces: as in Sourced.values.
    """
    found, word, origin, quoted = [], "", None, False
    for text, path, line in pieces:
        for letter in text:
            quoted = quoted != (letter == '"')
            if letter.isspace() and not quoted:
                if word:
                    found.append((word,) + origin)
                word = ""
                continue
            if not word:
                origin = (path, line)
            word += letter
    return found + ([(word,) + origin] if word else [])


class _Reader:
    """Reads one file into a Sourced."""

    def __init__(self, state, path, text, level=0):
        self.state, self.path, self.text, self.level = state, path, text, level
        self.at, self.nested, self.conditional = 0, [], False

    def line(self):
        """The number of the line that is being read."""
        return self.text.count("\n", 0, self.at) + 1

    def read(self):
        while self.at < len(self.text):
            if not self.command():
                return

    def command(self):
        """Read one simple command; return whether the shell would go on with this file."""
        assignments, first, line = [], None, self.line()
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter in " \t\r\x00":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif letter == "#":
                self.at = self._until("\n")
            elif letter in "\n;&|":
                break
            elif letter in "()":
                self.at += 1
                self._nest(letter)
                # After the pattern of a case, or the brackets of a function, a command begins.
                first = None if letter == ")" else first
            elif letter in "<>":
                self._redirect()
            else:
                line = self.line() if first is None and not assignments else line
                first = self._word(assignments, first)
        going = self._finish(assignments, first, line)
        self._separator()
        return going

    def _until(self, letter):
        end = self.text.find(letter, self.at)
        return len(self.text) if end < 0 else end

    def _redirect(self):
        if self.text.startswith("<<", self.at):
            self.state.unclear.setdefault("*", (self.path, self.line(), "a here-document is not read"))
        self.at += 1

    def _separator(self):
        rest = self.text[self.at:self.at + 2]
        if rest in ("&&", "||"):
            self.at += 2
            self.conditional = True
            return
        self.conditional = rest[:1] == "|"
        self.at += 1

    def _nest(self, word):
        if word in _CLOSED_BY:
            self.nested.append(_CLOSED_BY[word])
        elif self.nested and self.nested[-1] == word:
            self.nested.pop()

    def _word(self, assignments, first):
        """Read a word; return the first word of the command, which is None as long as there are only assignments."""
        match = _ASSIGNS.match(self.text, self.at)
        start, line = self.at, self.line()
        if match and (first is None or first in _DECLARES):
            self.at = match.end()
            assignments.append((match.group(1), match.group(2), self._value(line), line))
            return first
        word = "".join(piece[0] or "?" for piece in self._value(line))
        if self.at == start:
            self.at += 1
        if first is not None:
            if first in _DECLARES + ("unset",):
                assignments.append((word, first, [], line))
            return first
        self._nest(word)
        return None if (word in _CLOSED_BY or word in _CLOSES + _PREFIXES) and not assignments else word

    def _finish(self, assignments, first, line):
        """Take over what one command does."""
        inside = bool(self.nested) or self.conditional
        if first is not None and first not in _DECLARES + ("unset",):
            if first in (".", "source", "eval"):
                self.state.unclear.setdefault("*", (self.path, line, "{0!r} may set anything".format(first)))
            # Assignments before a command are for that command alone.
            return inside or first not in ("return", "exit")
        for name, sign, pieces, where in assignments:
            if inside:
                self.state.unclear[name] = (self.path, where, "it is set under a condition")
            elif sign == "unset":
                self.state.values.pop(name, None)
            elif sign == "+=":
                self.state.broken.append((self.path, where, "sh knows no '+='; write {0}=\"${0} …\"".format(name)))
            elif sign == "=":
                self._assign(name, pieces, where)
        return True

    def _assign(self, name, pieces, where):
        self.state.assigned.append((name, self.path, where))
        self.state.unclear.pop(name, None)
        for piece in pieces:
            if piece[0] is None:
                self.state.unclear[name] = (self.path, where, piece[3])
        if len(pieces) > _LONGEST:
            self.state.unclear[name] = (self.path, where, "its value is too long")
        self.state.values[name] = [piece[:3] for piece in pieces[:_LONGEST] if piece[0]]

    def _value(self, line):
        """Read the rest of a word; return its pieces: (text or None when only a shell could tell, path, line, why)."""
        pieces = []
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter in " \t\r\n;&|<>()":
                break
            if letter == "'":
                end = self.text.find("'", self.at + 1)
                end = self._open("a single quote", line) if end < 0 else end
                pieces.append((self.text[self.at + 1:end], self.path, line, None))
                self.at = end + 1
            elif letter == '"':
                self.at += 1
                self._quoted(pieces, line)
            else:
                self._plain(pieces, line, "")
        return pieces

    def _open(self, what, line):
        self.state.broken.append((self.path, line, "{0} is opened and never closed".format(what)))
        return len(self.text)

    def _quoted(self, pieces, line):
        while self.at < len(self.text):
            if self.text[self.at] == '"':
                self.at += 1
                return
            self._plain(pieces, line, '$`"\\')
        self._open("a double quote", line)

    def _plain(self, pieces, line, escapes):
        """Read one letter, escape or expansion. ``escapes``: what a backslash protects; empty: everything."""
        letter = self.text[self.at]
        if letter == "\\":
            following = self.text[self.at + 1:self.at + 2]
            following = "" if following == "\n" else following
            keep = "" if not escapes or not following or following in escapes else "\\"
            pieces.append((keep + following, self.path, line, None))
            self.at += 2
        elif letter == "`":
            end = self.text.find("`", self.at + 1)
            self.at = (self._open("a backquote", line) if end < 0 else end) + 1
            pieces.append((None, self.path, line, "it is the output of a command"))
        elif letter == "$":
            self._expand(pieces, line)
        else:
            pieces.append((letter, self.path, line, None))
            self.at += 1

    def _expand(self, pieces, line):
        rest = self.text[self.at + 1:self.at + 2]
        match = _VARIABLE.match(self.text, self.at + 1)
        end = match.end() if match else self.at + 1
        if self.text.startswith("\\\n", end):
            # The shell takes line continuations away first, so that the name may go on in the next line.
            self.at = end
            pieces.append((None, self.path, line, "a line ends in the middle of the name of a variable"))
        elif match:
            self.at = match.end()
            self._variable(pieces, match.group(0), line)
        elif rest == "{":
            self._braces(pieces, line)
        elif rest == "(":
            self.at = self._balanced(self.at + 1, line)
            pieces.append((None, self.path, line, "it is the output of a command"))
        elif rest and rest in "$?!#@*-0123456789":
            self.at += 2
            pieces.append((None, self.path, line, "${0} is only known to a shell that runs".format(rest)))
        else:
            self.at += 1
            pieces.append(("$", self.path, line, None))

    def _variable(self, pieces, name, line):
        if name in self.state.unclear:
            pieces.append((None, self.path, line, "${0} is not clear".format(name)))
        pieces.extend(piece + (None,) for piece in self.state.values.get(name, ()))

    def _braces(self, pieces, line):
        """Read ${name}, ${name:-word} and their kin."""
        end = self._balanced(self.at + 1, line, "{}")
        inside = self.text[self.at + 2:end - 1]
        self.at = end
        match = _VARIABLE.match(inside)
        name, rest = (match.group(0), inside[match.end():]) if match else (None, inside)
        sign = rest.lstrip(":")[:1]
        if name is None or (rest and sign not in ("-", "+", "=")) or self.level >= _DEEPEST:
            pieces.append((None, self.path, line, "its expansion is more than is understood here"))
            self._variable(pieces, name, line)
            return
        there = name in self.state.values and (not rest.startswith(":") or bool(self.state.text(name)))
        if there == (sign == "+") and rest:
            self._inside(pieces, rest.lstrip(":")[1:], line)
        elif sign != "+":
            self._variable(pieces, name, line)

    def _inside(self, pieces, word, line):
        """Read the word of an expansion, which may hold others."""
        reader = _Reader(self.state, self.path, word, self.level + 1)
        while reader.at < len(word):
            if word[reader.at] == '"':
                reader.at += 1
            else:
                reader._plain(pieces, line, '$`"\\}')

    def _balanced(self, at, line, pair="()"):
        """Return the place after the bracket that closes the one at ``at``."""
        depth = 0
        for place in range(at, len(self.text)):
            depth += (self.text[place] == pair[0]) - (self.text[place] == pair[1])
            if not depth:
                return place + 1
        return self._open("a bracket", line) + 1
