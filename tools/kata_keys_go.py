# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the configuration keys of Kata's Go shim from its sources. For ``kata_keys.py``."""

from __future__ import annotations

import re

SOURCE = "src/runtime/pkg/katautils/config.go"
_SETTINGS = "src/runtime/pkg/katautils/config-settings.go.in"
# Where types of other packages that are used in the structs are declared.
_PACKAGES = {"config": "src/runtime/pkg/device/config", "govmmQemu": "src/runtime/pkg/govmm/qemu"}
_ROOT = "tomlConfig"
# TOML's integers end where a signed number of 64 bits does.
_MOST = 2**63 - 1
_INTEGERS = {"int": (-(2**63), _MOST), "int64": (-(2**63), _MOST), "int32": (-(2**31), 2**31 - 1), "uint": (0, _MOST),
             "uint64": (0, _MOST), "uint32": (0, 2**32 - 1), "uint16": (0, 2**16 - 1)}
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r'^\s+(\w+)\s+([\w.\[\]*]+)(?:\s+`toml:"(\w+)"`)?\s*$', re.M)
_GETTER = re.compile(r"^func \((\w) (\w+)\) \w+\([^)]*\) [^\n]*\{\n(.*?)^\}", re.M | re.S)
_CONSTANT = re.compile(r"^(?:const|var) (default\w+)(?: [\w.]+)? = (.+?)(?:\s*//.*)?$", re.M)


def tables(sources):
    """Return ``keys``, ``strict`` and ``aliases`` for the checkout ``sources``."""
    text = (sources / SOURCE).read_text(encoding="utf-8")
    settings = (sources / _SETTINGS).read_text(encoding="utf-8")
    structs = {name: _FIELD.findall(body) for name, body in _STRUCT.findall(text)}
    defaults = _defaults(text, settings)
    keys = {}

    def read(struct, section):
        rows = keys.setdefault(section, {})
        for field, kind, tag in structs[struct]:
            key = tag or field.lower()
            inner = kind.replace("[]", "")
            if inner in structs and kind.startswith("[]"):
                rows[key] = ("list of tables", None)
                read(inner, "{0}.{1}".format(section, key))
            else:
                rows[key] = _entry(sources, kind, defaults.get((struct, field)))

    for field, kind, tag in structs[_ROOT]:
        name, inner = tag or field.lower(), kind.split("]")[-1]
        read(inner, name + ".*" if kind.startswith("map[") else name)
    # Keys of tables that are kept in maps are copied one by one from a drop-in, and one that is unknown is an error.
    return {"keys": keys, "strict": tuple(sorted(one for one in keys if one.endswith(".*"))), "aliases": {}}


def _entry(sources, kind, default):
    kind = kind.lstrip("*")
    if kind == "bool":
        return ("boolean", False if default is None else default)
    if kind in ("float32", "float64"):
        return ("number", 0.0 if default is None else default)
    if kind == "[]string":
        return ("list of strings", ())
    if kind in _INTEGERS:
        return ("integer", 0 if default is None else default) + _INTEGERS[kind]
    if kind == "string":
        return ("string", "" if default is None else default)
    package, unused, name = kind.partition(".")
    return ("string", "", _values(sources / _PACKAGES[package], name))


def _values(folder, name):
    """Return the values of a type that is a string with constants; its zero value is left to the caller."""
    for path in sorted(folder.glob("*.go")):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"^type {0} string$".format(name), text, re.M):
            continue
        blocks = re.findall(r"const \(\n(.*?)^\)", text, re.M | re.S)
        block = next(one for one in blocks if re.search(r"\b{0} = \"".format(name), one))
        found = re.findall(r'^\s+\w+(?: \w+)? = "([^"]*)"', block, re.M)
        return tuple(sorted(one for one in found if not one.startswith("invalid")))
    raise ValueError("{0}: no type {1}".format(folder, name))


def _defaults(text, settings):
    """Return a mapping of struct and field to what the getter gives when it is not set, where that is a literal."""
    constants = {name: _value(words) for name, words in _CONSTANT.findall(settings)}
    found = {}
    for receiver, struct, body in _GETTER.findall(text):
        fields = set(re.findall(r"\b{0}\.([A-Z]\w+)".format(receiver), body))
        names = [one for one in re.findall(r"\b(default[A-Z]\w+)\b", body) if one in constants]
        if len(fields) == 1 and len(names) == 1 and constants[names[0]] is not None:
            found[struct, fields.pop()] = constants[names[0]]
    return found


def _value(words):
    words = re.sub(r"^\w+\((.*)\)$", r"\1", words.strip())
    if words in ("true", "false"):
        return words == "true"
    if re.fullmatch(r'"[^"@]*"', words):
        return words[1:-1]
    return int(words) if re.fullmatch(r"-?\d+", words) else None
