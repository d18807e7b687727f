# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings against the keys that a shim reads: unknown and renamed names, wrong types, numbers out of range. Pure."""

from __future__ import annotations

import math

from .._core import errors
from . import config_renames, config_shims
from .config_merge import dotted

# Sections in whose place the configuration has a name of its own.
_NAMED = ("agent", "hypervisor")
_TYPES = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "text",
          "list of strings": "a list of texts", "list of integers": "a list of whole numbers",
          "list of tables": "a list of mappings", "table": "a mapping"}


class Schema:
    """What one shim of one version reads.

    Args:
        kind: GO or RUST of ``config_shims``.
        version: of the release, or None.
        base: the packaged configuration, which says which hypervisors and agents it has; may be empty.
    """

    def __init__(self, kind, version, base):
        self.kind = kind
        self.version = version
        self.table = config_shims.tables(kind, version)
        self.keys = self.table.KEYS
        self._others = config_shims.other(kind, version).KEYS
        self._names = {one: sorted(base[one]) for one in _NAMED if isinstance(base.get(one), dict) and base[one]}

    def __str__(self):
        return "{0} of Kata {1}".format(config_shims.NAMES[self.kind], self.table.VERSION)

    def problems(self, settings, option):
        """Return what is wrong with settings, a sentence each.

        Args:
            settings: nested mapping, as in the file.
            option: what it is called in messages.
        """
        found = []
        roots = sorted({section.split(".")[0] for section in self.keys})
        for name, value in settings.items():
            where = "{0}.{1}".format(option, name)
            if name not in roots:
                found.append(self._elsewhere(where, name, (name,)) if name in self._others else errors.unknown_name(
                    where, name, "section of {0}".format(self), roots))
            elif not isinstance(value, dict):
                found.append(_wrong(where, value, "table"))
            elif name in _NAMED:
                found += self._named(name, value, where)
            else:
                found += self._section(name, value, where)
        return found

    def _named(self, name, value, where):
        found = []
        for one, rows in value.items():
            here = "{0}.{1}".format(where, one)
            if one not in self._names.get(name, [one]):
                found.append(errors.unknown_name(here, one, "{0} of this configuration".format(name),
                                                 self._names[name]))
            elif not isinstance(rows, dict):
                found.append(_wrong(here, rows, "table"))
            else:
                found += self._section(name + ".*", rows, here)
        return found

    def _section(self, section, rows, where):
        found = []
        for key, value in rows.items():
            here, entry = "{0}.{1}".format(where, key), self.keys[section].get(key)
            if entry is None:
                found.append(self._unknown(here, section, key))
                continue
            inner = "{0}.{1}".format(section, key)
            problem = _type_problem(here, value, entry)
            if problem:
                found.append(problem)
            elif entry[0] == "table":
                found += self._section(inner, value, here)
            elif entry[0] == "list of tables":
                for place, row in enumerate(value):
                    found += self._section(inner, row, "{0}[{1}]".format(here, place))
        return found

    def _unknown(self, where, section, key):
        full = "{0}.{1}".format(section, key)
        new = config_renames.renamed(full, self.kind == config_shims.RUST, self.keys)
        if new:
            return "{0}: a key of {1}; {2} does not read it: {3}".format(
                where, self._other_name(), self, self._shown(new))
        if key in self._others.get(section, {}):
            return self._elsewhere(where, key, (section, key))
        moved = sorted(one for one in self.keys if key in self.keys[one])
        if moved:
            return "{0}: {1!r} is no key of [{2}] for {3}; it belongs into [{4}]".format(
                where, key, self._shown(section), self, self._shown("] or [".join(moved)))
        return errors.unknown_name(where, key, "key of [{0}] for {1}".format(self._shown(section), self),
                                   self.keys[section])

    def _shown(self, text):
        """Return a text with the names of this configuration in the place of asterisks."""
        for name in _NAMED:
            names = self._names.get(name, [])
            text = text.replace(name + ".*", "{0}.{1}".format(name, names[0] if len(names) == 1 else "<name>"))
        return text

    def _elsewhere(self, where, key, path):
        way = config_renames.other_way(dotted(path))
        return "{0}: {1!r} is only read by {2}, not by {3}; {4}".format(
            where, key, self._other_name(), self, way or "there is nothing like it there, so leave it out")

    def _other_name(self):
        return config_shims.NAMES[config_shims.GO if self.kind == config_shims.RUST else config_shims.RUST]

    def strangers(self, tree):
        """Return the hypervisors and agents of a drop-in that the packaged configuration has not, dotted."""
        return ["{0}.{1}".format(name, one) for name in self._names if isinstance(tree.get(name), dict)
                for one in sorted(tree[name]) if one not in self._names[name]]

    def ignored(self, tree):
        """Return the dotted keys of a configuration that the shim does not read."""
        return sorted(self._foreign(tree, lambda section: True))

    def fatal(self, tree):
        """Return the dotted keys of a drop-in with which the shim does not start, because it does not know them."""
        return sorted(self._foreign(tree, lambda section: section in self.table.STRICT))

    def _foreign(self, tree, counts):
        found = []
        for name, rows in tree.items():
            if not isinstance(rows, dict):
                continue
            if name in _NAMED:
                for one, inner in rows.items():
                    if isinstance(inner, dict):
                        found += self._foreign_in(name + ".*", inner, (name, one), counts)
            elif name in self.keys:
                found += self._foreign_in(name, rows, (name,), counts)
            elif counts(name):
                found.append(name)
        return found

    def _foreign_in(self, section, rows, path, counts):
        found = []
        for key, value in rows.items():
            inner = "{0}.{1}".format(section, key)
            if key not in self.keys.get(section, {}):
                found += [dotted(path + (key,))] if counts(section) else []
            elif inner in self.keys and isinstance(value, dict):
                found += self._foreign_in(inner, value, path + (key,), counts)
        return found

    def mistyped(self, tree):
        """Return a sentence for each known key of a configuration whose value the shim cannot take."""
        return Schema(self.kind, self.version, {}).problems(self.known(tree), "the file")

    def known(self, tree):
        """Return the part of a configuration that the shim reads."""
        known = {}
        for name, rows in tree.items():
            if name in _NAMED and isinstance(rows, dict):
                known[name] = {one: self._only(name + ".*", inner) if isinstance(inner, dict) else inner
                               for one, inner in rows.items()}
            elif name in _NAMED or name in self.keys:
                known[name] = self._only(name, rows) if isinstance(rows, dict) else rows
        return known

    def _only(self, section, rows):
        """Return the part of a section that the shim knows."""
        found = {}
        for key, value in rows.items():
            if key in self.keys[section]:
                inner = "{0}.{1}".format(section, key)
                nested = inner in self.keys and isinstance(value, dict)
                listed = inner in self.keys and isinstance(value, list)
                found[key] = self._only(inner, value) if nested else [
                    self._only(inner, one) if isinstance(one, dict) else one for one in value] if listed else value
        return found


def _type_problem(where, value, entry):
    kind, is_number = entry[0], isinstance(value, (int, float)) and not isinstance(value, bool)
    good = {
        "boolean": isinstance(value, bool),
        "integer": is_number and isinstance(value, int),
        "number": is_number and math.isfinite(value),
        "string": isinstance(value, str),
        "list of strings": isinstance(value, list) and all(isinstance(one, str) for one in value),
        "list of integers": isinstance(value, list) and all(
            isinstance(one, int) and not isinstance(one, bool) for one in value),
        "list of tables": isinstance(value, list) and all(isinstance(one, dict) for one in value),
        "table": isinstance(value, dict),
    }[kind]
    if not good:
        return _wrong(where, value, kind)
    if kind == "integer" and not entry[2] <= value <= entry[3]:
        return "{0}: {1} is out of range; expected {2} to {3}".format(where, value, entry[2], entry[3])
    if kind == "string" and len(entry) > 2 and value and value not in entry[2]:
        return errors.unknown_name(where, value, "value of it", entry[2])
    return None


def _wrong(where, value, kind):
    hint = ""
    if value is None:
        hint = "; leave the key out where nothing is to be set"
    elif isinstance(value, str) and kind in ("boolean", "integer", "number"):
        filters = {"boolean": "bool", "integer": "int", "number": "float"}
        hint = "; a template gives text, so end it with '| {0}'".format(filters[kind])
    return "{0}: {1!r} is of the wrong type; expected {2}{3}".format(where, value, _TYPES[kind], hint)
