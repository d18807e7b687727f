# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments with grubby, as Enterprise Linux and Fedora have it: entries of the Boot Loader Specification.

An entry's ``options`` may name variables, such as ``$kernelopts``, that are kept in GRUB's environment block. ``grubby
--args`` takes out every argument of the names that it adds and appends the new ones, so what should stay of a name that
may be repeated is handed over with them. There is no place for a mark of ours: what goes is named in ``absent``.
Source: the Boot Loader Specification of the UAPI group, grubby(8), ``grubby-bls`` of Fedora 38's package.
"""

from __future__ import annotations

import re

from .._core.change import Action
from .._core.errors import HostError, Refused
from . import arguments

ENTRIES = "/boot/loader/entries"
BLOCK = "/boot/grub2/grubenv"
NEW_KERNELS = "/etc/kernel/cmdline"
_TIMEOUT = 120
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def observe(host):
    """Return ``{"entries": [{"name", "arguments"}, ...], "said": [...] or None, "new_kernels": [...] or None}``.

    ``said`` is what ``grubby --info=ALL`` tells, in the same shape; None when it told nothing. ``new_kernels``: what a
    kernel that is installed later is given, where the host has a file for that.
    """
    block = environment(host.text(BLOCK) or "")
    texts = [(name, host.text("{0}/{1}".format(ENTRIES, name))) for name in host.names(ENTRIES)
             if name.endswith(".conf")]
    later = host.text(NEW_KERNELS)
    return {
        "entries": [entry(name, text, block) for name, text in texts if text],
        "said": _said(host, block),
        "new_kernels": None if later is None else arguments.split(later),
    }


def _said(host, block):
    try:
        done = host.run(["grubby", "--info=ALL"], _TIMEOUT)
    except HostError:
        return None
    return (info(done.stdout, block) or None) if done.ok else None


def environment(text):
    """Return the variables of GRUB's environment block: lines ``name=value`` up to its filling of ``#``. Pure."""
    found = {}
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found[name.strip()] = value
    return found


def entry(name, text, block):
    """Return ``{"name", "arguments"}`` of one entry. Pure. Several lines ``options`` count together.

    Args:
        name: of its file.
        text: its content.
        block: variables of the environment block.
    """
    options = []
    for line in text.splitlines():
        key, unused, value = line.strip().replace("\t", " ").partition(" ")
        if key == "options":
            options.append(value.strip())
    return {"name": name, "arguments": _expanded(" ".join(options), block)}


def info(text, block):
    """Return the entries that ``grubby --info=ALL`` tells: blocks that begin with ``index=``. Pure."""
    found = []
    for line in text.splitlines():
        key, sign, value = line.strip().partition("=")
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        if key == "index":
            found.append({"name": value, "arguments": None})
        elif not found:
            continue
        elif key == "kernel":
            found[-1]["name"] = value
        elif key == "args":
            found[-1]["arguments"] = _expanded(value, block)
    # An entry that loads another boot loader has no arguments.
    return [one for one in found if one["arguments"] is not None]


def _expanded(text, block):
    return arguments.split(_VARIABLE.sub(lambda match: block.get(match.group(1), ""), text))


def plan(declared, absent, observed, deferred):
    """Return the actions: none, or the one call of grubby. Pure.

    Args:
        declared: arguments that every entry should have.
        absent: arguments, or names of arguments, that none should have.
        observed: as ``observe`` returned it.
        deferred: what the change waits for, or None.

    Raises:
        Refused: the entries differ in what should stay of an argument that may be repeated.
    """
    entries = observed["entries"] or observed["said"] or []
    judged = entries + [one for one in observed["said"] or () if one not in entries]
    if not judged:
        raise Refused("{0} holds no boot entry, and grubby --info=ALL tells none; install a kernel first".format(
            ENTRIES))
    missing, unwanted = [], []
    for one in judged:
        missing += [item for item in arguments.missing(one["arguments"], declared) if item not in missing]
        unwanted += [item for item in one["arguments"] if item not in unwanted
                     and any(arguments.matches(item, pattern) for pattern in absent)]
    if not missing and not unwanted:
        return []
    before = {"entries": len(entries), "missing": missing, "unwanted": unwanted}
    details = _call(missing, unwanted, declared, entries)
    return [Action("set", "kernel arguments", "every boot entry", before, dict(before, missing=[], unwanted=[]),
                   deferred=deferred, details=details)]


def _call(missing, unwanted, declared, entries):
    """Return the argument list of grubby. It takes out by name what it adds, so what stays of a name comes along."""
    adding, removing = [], list(unwanted)
    names = [arguments.name_of(one) for one in missing]
    for name in dict.fromkeys("hugepages" if name in arguments.PAGES else name for name in names):
        if name == "hugepages":
            there = [one for item in entries for one in arguments.named(item["arguments"], name)]
            removing += [one for one in dict.fromkeys(arguments.name_of(one) for one in there) if one not in removing]
            adding += arguments.named(declared, name)
        else:
            adding += _staying(name, declared, unwanted, entries)
    call = ["grubby", "--update-kernel=ALL"]
    call += ["--remove-args={0}".format(" ".join(removing))] if removing else []
    return call + (["--args={0}".format(" ".join(adding))] if adding else [])


def _staying(name, declared, unwanted, entries):
    mine = arguments.named(declared, name)
    if not (arguments.is_list(name) or arguments.is_repeated(name)):
        return mine
    others = []
    for one in entries:
        stays = [item for item in arguments.named(one["arguments"], name) if item not in mine and item not in unwanted
                 and not any(arguments.opposed([item], other) for other in mine)]
        others.append((stays, one["name"]))
    first = others[0] if others else ([], "")
    for stays, where in others:
        if stays != first[0]:
            raise Refused("the boot entries differ in {0}: {1} has {2!r}, {3} has {4!r}; grubby would make them equal. "
                          "Declare all values of {0} that are to be there, or make the entries equal first".format(
                              name, first[1], " ".join(first[0]), where, " ".join(stays)))
    return first[0] + mine


def perform(host, action):
    """Carry out the action. Raises HostError."""
    done = host.run(action.details, _TIMEOUT, changes=True)
    if not done.ok:
        raise HostError("{0}; what grubby changed before that is seen by the next run".format(done.words()))


def doubts(declared, observed):
    """Return one sentence when kernels that are installed later would go without what is declared. Pure."""
    later = observed["new_kernels"]
    left = [] if later is None else arguments.missing(later, declared)
    if not left:
        return []
    return ["{0}: a kernel that is installed later takes its arguments from there, and {1} is not among them; "
            "add it to that file".format(NEW_KERNELS, ", ".join(left))]
