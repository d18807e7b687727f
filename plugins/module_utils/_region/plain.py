# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible's controller holds them, turned into plain Python.

Ansible wraps texts, numbers, lists and mappings in types of its own (AnsibleUnicode and friends up to 2.18,
tagged values since 2.19), and hands out objects for what is encrypted or undefined.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._core.schema import Problem, child

# By name: these classes moved between releases of ansible-core, and this code also runs without it.
UNDEFINED = ("AnsibleUndefined", "StrictUndefined", "Undefined", "UndefinedMarker", "Marker", "CapturedExceptionMarker")
VAULTED = ("AnsibleVaultEncryptedUnicode", "EncryptedString", "VaultedValue", "VaultExceptionMarker")


def to_plain(value, path=""):
    """Return a value in plain types, and the problems of what has no plain form.

    Where there is a problem, None stands in its place.
    """
    problems = []
    return _plain(value, path, problems), problems


def _plain(value, path, problems):
    names = {kind.__name__ for kind in type(value).__mro__}
    names.update(kind.__name__ for kind in getattr(value, "_ansible_tags_mapping", None) or ())
    if names.intersection(VAULTED):
        expected = "a readable value; the region document holds no secrets, so nothing in it is encrypted"
        problems.append(Problem(path, None, expected, state="an encrypted value"))
        return None
    if names.intersection(UNDEFINED):
        expected = "a value; define the variable or remove the key"
        problems.append(Problem(path, None, expected, state="an undefined variable"))
        return None
    if value is None or isinstance(value, bool):
        return value
    # The unbound methods return the plain type, whatever a subclass does.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Mapping):
        return _mapping(value, path, problems)
    if isinstance(value, (list, tuple)):
        return [_plain(item, child(path, index), problems) for index, item in enumerate(value)]
    problems.append(Problem(path, str(value), "text, a number, true, false, a list or a mapping; put it in quotes"))
    return None


def _mapping(value, path, problems):
    plain = {}
    for key, item in value.items():
        if isinstance(key, str):
            name = str.__str__(key)
            plain[name] = _plain(item, child(path, name), problems)
        else:
            written = "true/false" if isinstance(key, bool) else str(key)
            problems.append(Problem(child(path, written), written, "text as the key; put it in quotes"))
    return plain
