# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small interpreter of the part of JSON Schema (2020-12) that this collection uses.

It exists because ``jsonschema`` is not a dependency, and because an operator needs more than a verdict:
every problem at once, each with path, value, what was expected and the nearest valid name.
A test holds its verdict equal to that of ``jsonschema``.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

from .errors import nearest as nearest_name

# What the interpreter decides on, and what it only carries along for editors.
ASSERTIONS = frozenset((
    "$ref", "additionalProperties", "const", "enum", "items", "maxItems", "maxLength", "maximum", "minItems",
    "minLength", "minimum", "pattern", "properties", "propertyNames", "required", "type", "uniqueItems",
))
ANNOTATIONS = frozenset((
    "$comment", "$defs", "$schema", "default", "description", "examples", "patternErrorMessage", "title",
))

TYPE_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing (null)",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}

# A difflib search costs about 10 µs a candidate; beyond this many names it is not worth the wait.
MOST_CANDIDATES = 2000

PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        path: where, such as ``sovereign_region.accelerators.pools[1].mode``.
        value: what stands there; None when it is missing; the key itself when the key is unknown.
        expected: what would be right, in words.
        nearest: the valid name that was probably meant, or None.
        kind: ``shape``, ``reference`` or ``meaning``.
        state: ``value``, or in words what stands there instead, such as ``missing`` or ``unknown key``.
    """

    path: str
    value: Any
    expected: str
    nearest: str | None = None
    kind: str = "shape"
    state: str = "value"

    def sentence(self):
        """Return the problem as one line for people."""
        found = shown(self.value) if self.state == "value" else self.state
        text = "{0}: {1}, expected {2}".format(self.path or "document", found, self.expected)
        return text + " (nearest: {0!r})".format(self.nearest) if self.nearest else text

    def as_dict(self):
        """Return the problem as data."""
        return {
            "path": self.path,
            "value": self.value,
            "expected": self.expected,
            "nearest": self.nearest,
            "kind": self.kind,
            "message": self.sentence(),
        }


def shown(value):
    """Return a value in at most 80 characters."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list of {0}".format(len(value)) if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:76] + '..."'


def child(path, key):
    """Return the path of a key or an index below a path."""
    if isinstance(key, int):
        return "{0}[{1}]".format(path, key)
    if not PLAIN_KEY.match(key):
        return "{0}[{1}]".format(path, json.dumps(key, ensure_ascii=False))
    return "{0}.{1}".format(path, key) if path else key


def close(value, candidates):
    """Return the nearest candidate of a text, or None; a search that would take long is not made."""
    names = [name for name in candidates if isinstance(name, str)]
    if not isinstance(value, str) or not value or len(value) > 255 or len(names) > MOST_CANDIDATES:
        return None
    return nearest_name(value, names)


def is_type(value, name):
    """Say whether a value is of a JSON type: true is no number, 1.0 is an integer."""
    if name == "integer":
        whole = isinstance(value, float) and value.is_integer()
        return whole or (isinstance(value, int) and not isinstance(value, bool))
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    kind = {"array": list, "boolean": bool, "null": type(None), "object": dict, "string": str}[name]
    return isinstance(value, kind)


def same(one, two):
    """Say whether two values are the same in JSON: 1 equals 1.0 and differs from true."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two))
    return isinstance(one, bool) == isinstance(two, bool) and one == two


def repeats(items):
    """Return the index of each item that was there before, with the index of its first."""
    if all(isinstance(item, str) for item in items):
        first = {}
        return [(i, first[item]) for i, item in enumerate(items) if first.setdefault(item, i) != i]
    found = []
    for index, item in enumerate(items):
        before = next((i for i in range(index) if same(items[i], item)), None)
        if before is not None:
            found.append((index, before))
    return found


class Schema:
    """A schema, ready to be asked.

    Args:
        schema: the schema as plain data. A keyword that this interpreter does not know is an error,
            because passing over it would accept what ``jsonschema`` rejects.
    """

    def __init__(self, schema):
        self.root = schema
        self.patterns = {}
        self._prepare(schema, "#")

    def problems(self, value, path=""):
        """Return every problem of a value, in the order of the document."""
        found = []
        self._check(self.root, value, path, found)
        return found

    def complete(self, value):
        """Return a copy of a valid value with defaults filled in and whole numbers as int."""
        return self._complete(self.root, value)

    def complete_part(self, name, value):
        """Return the same for a value of one of the schema's ``$defs``."""
        return self._complete(self.root["$defs"][name], value)

    def _prepare(self, schema, where):
        unknown = set(schema) - ASSERTIONS - ANNOTATIONS
        if unknown:
            raise ValueError("{0}: no such keyword here: {1}".format(where, ", ".join(sorted(unknown))))
        if "pattern" in schema:
            self.patterns[schema["pattern"]] = re.compile(schema["pattern"])
        for keyword in ("properties", "$defs"):
            for name, part in schema.get(keyword, {}).items():
                self._prepare(part, "{0}/{1}/{2}".format(where, keyword, name))
        for keyword in ("items", "propertyNames", "additionalProperties"):
            if isinstance(schema.get(keyword), dict):
                self._prepare(schema[keyword], "{0}/{1}".format(where, keyword))

    def _target(self, schema):
        return self.root["$defs"][schema["$ref"][len("#/$defs/"):]]

    def _check(self, schema, value, path, found):
        if "$ref" in schema:
            self._check(self._target(schema), value, path, found)
        types = schema.get("type", ())
        types = (types,) if isinstance(types, str) else types
        if types and not any(is_type(value, name) for name in types):
            # The other keywords would only repeat the same complaint.
            found.append(Problem(path, value, self._expected(schema, types), self._close_enum(schema, value)))
            return
        for keyword in ("const", "enum"):
            valid = [schema[keyword]] if keyword == "const" and keyword in schema else schema.get(keyword)
            if valid is not None and not any(same(value, one) for one in valid):
                found.append(Problem(path, value, one_of(valid), close(value, valid)))
        if isinstance(value, str):
            self._check_text(schema, value, path, found)
        elif isinstance(value, list):
            self._check_list(schema, value, path, found)
        elif isinstance(value, dict):
            self._check_mapping(schema, value, path, found)
        elif is_type(value, "number"):
            if value < schema.get("minimum", value):
                found.append(Problem(path, value, "{0} or more".format(schema["minimum"])))
            if value > schema.get("maximum", value):
                found.append(Problem(path, value, "{0} or less".format(schema["maximum"])))

    def _expected(self, schema, types):
        if "patternErrorMessage" in schema:
            return schema["patternErrorMessage"]
        if "enum" in schema:
            return one_of(schema["enum"])
        return " or ".join(TYPE_WORDS[name] for name in types)

    def _close_enum(self, schema, value):
        return close(value, schema.get("enum", ()))

    def _check_text(self, schema, value, path, found):
        if len(value) < schema.get("minLength", 0):
            found.append(Problem(path, value, "at least {0} characters".format(schema["minLength"])))
        elif len(value) > schema.get("maxLength", len(value)):
            expected = "at most {0} characters, these are {1}".format(schema["maxLength"], len(value))
            found.append(Problem(path, value, expected))
        elif "pattern" in schema and not self.patterns[schema["pattern"]].search(value):
            expected = schema.get("patternErrorMessage", "text like {0}".format(schema["pattern"]))
            found.append(Problem(path, value, expected))

    def _check_list(self, schema, value, path, found):
        if len(value) < schema.get("minItems", 0):
            found.append(Problem(path, value, "at least {0}".format(schema["minItems"])))
        if len(value) > schema.get("maxItems", len(value)):
            found.append(Problem(path, value, "at most {0}".format(schema["maxItems"])))
        if schema.get("uniqueItems"):
            for index, first in repeats(value):
                expected = "each item once, this one is {0} already".format(child(path, first))
                found.append(Problem(child(path, index), value[index], expected))
        if "items" in schema:
            for index, item in enumerate(value):
                self._check(schema["items"], item, child(path, index), found)

    def _check_mapping(self, schema, value, path, found):
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                expected = in_sentence(properties.get(name, {}).get("description", "a value"))
                found.append(Problem(child(path, name), None, expected, state="missing"))
        rest = schema.get("additionalProperties", True)
        for key, item in value.items():
            if "propertyNames" in schema:
                self._check(schema["propertyNames"], key, child(path, key), found)
            if key in properties:
                self._check(properties[key], item, child(path, key), found)
            elif rest is False:
                free = [name for name in properties if name not in value]
                found.append(
                    Problem(child(path, key), key, one_of(sorted(properties)), close(key, free), state="unknown key")
                )
            elif isinstance(rest, dict):
                self._check(rest, item, child(path, key), found)

    def _complete(self, schema, value):
        if "$ref" in schema:
            return self._complete(self._target(schema), value)
        if isinstance(value, list) and "items" in schema:
            return [self._complete(schema["items"], item) for item in value]
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            done = {}
            for name, part in properties.items():
                if name in value:
                    done[name] = self._complete(part, value[name])
                elif "default" in part:
                    done[name] = self._complete(part, copy.deepcopy(part["default"]))
            for key, item in value.items():
                if key not in properties:
                    done[key] = copy.deepcopy(item)
            return done
        if isinstance(value, float) and value.is_integer() and "integer" in schema.get("type", ()):
            return int(value)
        return value


def in_sentence(description):
    """Return a description as part of a sentence: no capital at the start, unless it is an abbreviation."""
    text = description.rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def one_of(values):
    """Return the valid values in words."""
    words = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return words[0] if len(words) == 1 else "one of {0}".format(", ".join(words))
