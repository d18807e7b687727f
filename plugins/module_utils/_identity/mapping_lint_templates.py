# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a mapping with ``{0}`` in them, as ``str.format`` reads them. Pure.

Keystone calls ``text.format(*values)`` (``keystone/federation/utils.py``, ``process_rule_mapping``, 27.0.0 to 30.0.0).
"""

from __future__ import annotations

import re
import string

_HEAD = re.compile(r"\d*")
# What Keystone looks for at the beginning of ``projects_json`` (RuleProcessorForProjectJsonAttribute, from 29.0.0 on).
_PROJECTS_JSON = re.compile(r"\{?(\d+)\}?")


class Template:
    """A text taken apart.

    Attributes:
        text: as it was written.
        slots: the numbers that it uses, in order, each once.
        reaches: the fields that go on after the number, such as ``0.__class__`` or ``0[1]``.
        error: why ``str.format`` cannot read it, or None.
    """

    def __init__(self, text, projects_json=False):
        self.text = text
        self.slots, self.reaches, self.error = [], [], None
        self._automatic = 0
        self._styles = set()
        if projects_json:
            found = _PROJECTS_JSON.match(text)
            self.slots = [int(found.group(1)[:9])] if found else []
            self.error = None if found else "it begins with no number of a claim, such as {0}"
            return
        try:
            self._parse(text, 2)
        except ValueError as error:
            self.error = str(error)
        if self.error is None and len(self._styles) > 1:
            self.error = "it mixes {} with {0}"

    def _parse(self, text, depth):
        if depth == 0:
            if "{" in text or "}" in text:
                raise ValueError("braces are nested too deep")
            return
        for literal_and_field in string.Formatter().parse(text):
            name, spec, conversion = literal_and_field[1:]
            if name is None:
                continue
            head = _HEAD.match(name).group()
            rest = name[len(head):]
            if rest and rest[0] not in ".[":
                raise ValueError("{{{0}}} is no number".format(name))
            self._use(int(head) if head else None)
            if rest:
                self.reaches.append(name)
            if conversion not in (None, "r", "s", "a"):
                raise ValueError("!{0} is no conversion".format(conversion))
            self._parse(spec, depth - 1)

    def _use(self, slot):
        self._styles.add("automatic" if slot is None else "numbered")
        if slot is None:
            slot = self._automatic
            self._automatic += 1
        if slot not in self.slots:
            self.slots.append(slot)

    def filled(self, names):
        """Return the text with a name instead of each number; for comparing texts, not for people."""
        return re.sub(r"\{(\d+)\}", lambda found: "<{0}>".format(_at(names, int(found.group(1)))), self.text)


def _at(names, slot):
    return names[slot] if slot < len(names) else slot
