# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the configuration keys of Kata's runtime-rs from its sources. For ``kata_keys.py``."""

from __future__ import annotations

import re

SOURCE = "src/libs/kata-types/src/config"
_ROOT = "TomlConfig"
# Examples for vendors; upstream builds without them.
_LEFT_OUT = ("vendor.rs", "agent_vendor.rs", "runtime_vendor.rs")
_MOST = 2**63 - 1
_INTEGERS = {"u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1), "u64": (0, _MOST), "usize": (0, _MOST),
             "i8": (-(2**7), 2**7 - 1), "i32": (-(2**31), 2**31 - 1), "i64": (-(2**63), _MOST)}
_ITEM = re.compile(r"((?:#\[(?:[^\[\]]|\[[^\]]*\])*\]\s*)*)pub (struct|enum) (\w+) \{(.*?)\n\s*\}", re.S)
_FIELD = re.compile(r"((?:#\[(?:[^\[\]]|\[[^\]]*\])*\]\s*)*)(?:pub )?(\w+): ([\w<>:, ]+?),\s*\n", re.S)
_VARIANT = re.compile(r"((?:#\[[^\]]*\]\s*)*)(\w+),", re.S)
_FUNCTION = re.compile(r"^\s*(?:pub )?fn (\w+)\(\) -> [\w<>]+ \{\s*([^{};]+?)\s*\}", re.M)
_CONSTANT = re.compile(r"pub (?:const|static) (\w+): [&'\w ]+ =\s*([^;]+);")


def tables(sources):
    """Return ``keys``, ``strict`` and ``aliases`` for the checkout ``sources``."""
    structs, enums, functions, constants = {}, {}, {}, {}
    for path in sorted((sources / SOURCE).rglob("*.rs")):
        if path.name in _LEFT_OUT:
            continue
        text = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests")[0]
        text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
        constants.update(_CONSTANT.findall(text))
        functions.update(_FUNCTION.findall(text))
        for attributes, what, name, body in _ITEM.findall(text):
            if what == "struct":
                structs[name] = ("deny_unknown_fields" in attributes, _FIELD.findall(body + "\n"))
            else:
                enums[name] = tuple(_serde(one, "rename") or variant for one, variant in _VARIANT.findall(body + "\n"))
    reader = _Reader(structs, enums, functions, constants)
    for attributes, field, kind in structs[_ROOT][1]:
        inner = re.sub(r"HashMap<String, (\w+)>", r"\1", kind)
        reader.read(inner, (_serde(attributes, "rename") or field) + (".*" if inner != kind else ""))
    return {"keys": reader.keys, "strict": tuple(sorted(reader.strict)), "aliases": reader.aliases}


class _Reader:
    def __init__(self, structs, enums, functions, constants):
        self.structs, self.enums, self.functions, self.constants = structs, enums, functions, constants
        self.keys, self.strict, self.aliases = {}, set(), {}

    def read(self, struct, section):
        """Read a struct, and those in it, as a section."""
        rows = self.keys.setdefault(section, {})
        denies, fields = self.structs[struct]
        if denies:
            self.strict.add(section)
        for attributes, field, kind in fields:
            key, alias = _serde(attributes, "rename") or field, _serde(attributes, "alias")
            if re.search(r"\bflatten\b", attributes):
                self.read(kind, section)
                continue
            inner = re.sub(r"(?:Option|Vec)<([\w:]+)>", r"\1", kind)
            if inner in self.structs:
                rows[key] = ("list of tables" if kind.startswith("Vec<") else "table", None)
                self.read(inner, "{0}.{1}".format(section, key))
            else:
                # Where the file has another unit than the struct, the default is none that a file could have.
                same = "deserialize_with" not in attributes
                rows[key] = self._entry(kind, _serde(attributes, "default"), same)
            if alias:
                rows[alias] = rows[key]
                self.aliases.setdefault(section, {})[alias] = key

    def _entry(self, kind, function, same):
        optional = kind.startswith("Option<")
        kind = re.sub(r"Option<(\w+)>", r"\1", kind)
        default = self._value(self.functions.get(function)) if function else None
        if kind == "Vec<String>":
            return ("list of strings", ())
        if kind == "Vec<u32>":
            return ("list of integers", ())
        if kind == "bool":
            return ("boolean", None if optional else bool(default))
        if kind == "String":
            return ("string", default if optional or default is not None else "")
        if kind in ("f32", "f64"):
            return ("number", None if optional else 0.0)
        if kind in _INTEGERS:
            default = 0 if default is None and not optional else default
            return ("integer", default if same else None) + _INTEGERS[kind]
        return ("string", None, tuple(sorted(self.enums[kind])))

    def _value(self, words):
        """Return what a function or a constant gives, where it is a literal."""
        words = (words or "").strip()
        text = re.fullmatch(r'(?:String::from\()?"([^"]*)"\)?(?:\.to_(?:string|owned)\(\))?', words)
        if text:
            return text.group(1)
        if re.fullmatch(r"(?:0x)?[0-9a-fA-F_]+", words):
            return int(words.replace("_", ""), 0)
        if words in ("true", "false"):
            return words == "true"
        name = re.sub(r"\.to_(?:string|owned)\(\)$", "", words).split("::")[-1]
        return self._value(self.constants[name]) if name in self.constants else None


def _serde(attributes, name):
    """Return the text that one of serde's attributes has, or None."""
    found = re.search(r'\b{0} = "([^"]*)"'.format(name), " ".join(re.findall(r"serde\((.*?)\)\]", attributes, re.S)))
    return found.group(1) if found else None
