# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Kata's shims put a configuration together from its base and the files in ``config.d``. Pure.

Tables are merged, everything else is replaced, a list as a whole too (runtime-rs: ``merge`` in
``kata-types/src/config/drop_in.rs``; the Go shim copies each key that a drop-in has, ``updateFromDropIn`` in
``pkg/katautils/config.go``). All files of the directory are read in the order of their names, whatever they are called.
"""

from __future__ import annotations

from .._core import errors

# What is between the parts of a text that can be appended to.
_SEPARATORS = {"kernel_params": " ", "cpu_features": ",", "machine_accelerators": ","}
# A list of arguments: an item may be there twice, and its neighbours belong to it.
_SEQUENCES = ("virtio_fs_extra_args",)


def merge(base, over):
    """Return the mapping ``base`` with ``over`` laid over it. Neither is changed."""
    merged = dict(base)
    for key, value in over.items():
        here = merged.get(key)
        merged[key] = merge(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return merged


def together(base, drop_ins):
    """Return the configuration as a shim sees it.

    Args:
        base: mapping of the main file.
        drop_ins: list of (file name, mapping), in any order.
    """
    for one in sorted(drop_ins, key=lambda one: one[0]):
        base = merge(base, one[1])
    return base


def leaves(tree, above=()):
    """Return [(path, value), ...] of all that is no table; an empty table counts as a value of its own."""
    found = []
    for key, value in tree.items():
        path = above + (key,)
        found += leaves(value, path) if isinstance(value, dict) and value else [(path, value)]
    return found


_NOTHING = object()


def at(tree, path, default=None):
    """Return what is at a path, a tuple of keys, or ``default``."""
    for key in path:
        tree = tree.get(key, _NOTHING) if isinstance(tree, dict) else _NOTHING
        if tree is _NOTHING:
            return default
    return tree


def same(one, other):
    """Whether two values are equal for a shim: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def dotted(path):
    """Return a path as an operator writes it, such as ``hypervisor.qemu.path``."""
    return ".".join(str(one) for one in path)


def nested(path, value):
    """Return a mapping that has only this value, at this path."""
    for key in reversed(path):
        value = {key: value}
    return value


def overridden(declared, drop_ins, ours):
    """Return a sentence for each declared value that a file read after ours sets otherwise.

    Args:
        declared: what our drop-in has.
        drop_ins: list of (file name, mapping) of the others.
        ours: file name of our drop-in.
    """
    found = []
    later = sorted([one for one in drop_ins if one[0] > ours], key=lambda one: one[0])
    for path, value in leaves(declared):
        # An empty table says nothing that could be taken back.
        for name, tree in reversed(later) if value != {} else ():
            reached, theirs = _touching(tree, path)
            if reached == len(path) and same(theirs, value):
                break
            if reached:
                found.append("config.d/{0}: it sets {1} to {2!r}, and {3} {4!r} is declared; the shim reads it after "
                             "{5}, so it wins: take it out there, or declare its value".format(
                                 name, dotted(path[:reached]), theirs, dotted(path), value, ours))
                break
    return found


def _touching(tree, path):
    """Return (how many keys of a path a tree sets, what it has there): fewer where it has no table above the value,
    none where it does not touch it."""
    for place, key in enumerate(path):
        if not isinstance(tree, dict):
            return place, tree
        if key not in tree:
            return 0, None
        tree = tree[key]
    return len(path), tree


def appended(base, additions):
    """Return a mapping with the values of ``additions`` added to those of ``base``; what is there already stays.

    Args:
        base: the configuration without ours.
        additions: mapping of the same shape: texts and lists to append.
    """
    result = {}
    for path, value in leaves(additions):
        key, here = path[-1], at(base, path)
        if isinstance(value, str):
            separator = _SEPARATORS[key]
            has = [one for one in (here or "").split(separator) if one]
            new = [one for one in value.split(separator) if one and one not in has]
            combined = separator.join(has + new)
        elif key in _SEQUENCES:
            has = list(here or [])
            known = any(has[start:start + len(value)] == value for start in range(len(has) + 1 - len(value)))
            combined = has if known else has + value
        else:
            combined = list(here or [])
            combined += [one for place, one in enumerate(value) if one not in combined and one not in value[:place]]
        result = merge(result, nested(path, combined))
    return result


def append_problems(additions, settings, option="append"):
    """Return what cannot be appended, a sentence each."""
    found = []
    for path, value in leaves(additions):
        where = "{0}.{1}".format(option, dotted(path))
        if at(settings, path, _NOTHING) is not _NOTHING:
            found.append("{0}: the same key is in settings, which replaces its value; put all of it there".format(
                where))
        elif isinstance(value, str) and path[-1] not in _SEPARATORS:
            found.append("{0}: a text to which nothing can be appended; only {1} and lists can be, so put the whole "
                         "value into settings".format(where, ", ".join(sorted(_SEPARATORS))))
        elif not isinstance(value, (str, list)):
            found.append("{0}: {1!r} is neither text nor a list; put it into settings".format(where, value))
    return found


def difference(before, after):
    """Return (before, after) with only the values that differ, by their dotted paths; None where there is none."""
    old, new = dict(leaves(before)), dict(leaves(after))
    paths = sorted(path for path in set(old) | set(new)
                   if path not in old or path not in new or not same(old[path], new[path]))
    return {dotted(path): old.get(path) for path in paths}, {dotted(path): new.get(path) for path in paths}


def parsed(reader, path, text):
    """Return a file's content as a mapping.

    Args:
        reader: the TOML library.
        path: of the file, for the message.
        text: its content.

    Raises:
        Refused: it is no TOML; the shim would not start either.
    """
    try:
        return reader.loads(text)
    except (reader.TOMLDecodeError, RecursionError) as error:
        raise errors.Refused("{0}: no valid TOML, so the shim does not start with it: {1}; mend or remove it".format(
            path, error)) from error
