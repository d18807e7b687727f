# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of one shim's configuration on a host: reading them, and the actions that write and remove ours.

The drop-in is written before the main file: until both are there a shim finds no configuration at all, and never one
without what was declared. They are removed in the opposite order, for the same reason.
"""

from __future__ import annotations

import hashlib
import posixpath
import re

from .._core.change import Action
from .._core.errors import Refused
from .._vendor import tomli, tomli_w
from . import config_merge, config_policy, config_shims, config_values

KIND_DROP_IN = "configuration drop-in"
KIND_FILE = "configuration file"
KIND_LEFT_OVER = "unfinished file"
_HEAD = """\
# Written by sovereign.region.kata_config. Changes by hand are lost; settings of your own go into another file of this
# directory. Of one key the file whose name comes last counts, and lists are replaced as a whole.
"""
_MOST_LINKS = 8
# What a write leaves beside its file when it is killed. A shim reads every file of the directory, so this one as well.
_LEFT_OVER = re.compile(r"\.{0}\.\w+".format(re.escape(config_shims.DROP_IN)))


def observe(host, shim, release, settings):
    """Return plain facts about the configuration of a shim.

    Args:
        host: Host.
        shim: its name.
        release: directory of the release; where it is a link, the directory that it leads to counts.
        settings: what is declared, for the paths that it names.

    Returns:
        ``release``, ``version`` (None when the release does not say), ``packaged`` (a mapping of the kind of a shim to
        the names that the release has), ``kind``, ``paths``, ``base`` (text of the packaged file), ``config`` (text of
        the shim's own, None without one), ``config_link``, ``theirs`` (whether the packaged file is a link to it),
        ``drop_ins`` (rows of name, text, and whether it is a file), ``files`` (path: whether it is there).

    Raises:
        Refused: the release has no such shim.
    """
    release = _resolved(host, release)
    packaged = {kind: _packaged(host, release, kind) for kind in (config_shims.RUST, config_shims.GO)}
    kind = config_shims.choose(shim, release, packaged)
    paths = config_shims.paths(release, kind, shim)
    drop_ins = [[name] + _drop_in(host, posixpath.join(paths["config_d"], name))
                for name in host.names(paths["config_d"])]
    base, link = _text(host, paths["packaged"]), _link(host, paths["packaged"])
    trees = [_mapping(text) for text in [base] + [row[1] for row in drop_ins]] + [settings]
    names = {path for tree in trees for unused, path in config_values.named_files(tree)}
    return {
        "release": release,
        "version": _version(host, release),
        "packaged": packaged,
        "kind": kind,
        "paths": paths,
        "base": base,
        "config": _text(host, paths["config"]),
        "config_link": _link(host, paths["config"]) is not None,
        "theirs": link is not None and posixpath.normpath(
            posixpath.join(posixpath.dirname(paths["packaged"]), link)) == paths["config"],
        "drop_ins": drop_ins,
        "files": {path: host.exists(path) for path in sorted(names)},
    }


def _resolved(host, path):
    path = posixpath.normpath(path)
    target, left = _link(host, path), _MOST_LINKS
    while target is not None and left:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        target, left = _link(host, path), left - 1
    return path


def _packaged(host, release, kind):
    names = [config_shims.shim_of(name) for name in host.names(config_shims.folder(release, kind))]
    return [name for name in names if name]


def _link(host, path):
    try:
        return host.readlink(path)
    except OSError:
        return None


def _text(host, path):
    try:
        return host.read_text(path)
    except OSError:
        return None


def _drop_in(host, path):
    """Return [text or None, what it is]."""
    what = "link" if _link(host, path) is not None else "file"
    text = _text(host, path)
    return [text, what if text is not None else "directory or unreadable"]


def _mapping(text):
    try:
        return tomli.loads(text or "")
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _version(host, release):
    """Return the version of a release: from its file VERSION, else from the name of the directory."""
    text = host.text(posixpath.join(release, "VERSION")) or posixpath.basename(release)
    found = re.match(r"v?(\d+\.\d+\.\d+)", text)
    return found.group(1) if found else None


def left_over(name):
    """Whether a name in ``config.d`` is what a killed write of ours left."""
    return _LEFT_OVER.fullmatch(name) is not None


def others(observed):
    """Return [(name, mapping), ...] of all drop-ins but ours. Pure.

    Raises:
        Refused: with one of them the shim does not start.
    """
    found = []
    for name, text, what in observed["drop_ins"]:
        path = posixpath.join(observed["paths"]["config_d"], name)
        if name == config_shims.DROP_IN or left_over(name):
            continue
        # runtime-rs asks the directory entry itself, so that a link is no file for it (update_from_dropin).
        if text is None or (what == "link" and observed["kind"] == config_shims.RUST):
            raise Refused("{0}: a {1}, and {2} reads everything in this directory as a configuration file and does not "
                          "start without it; take it away".format(path, what, config_shims.NAMES[observed["kind"]]))
        found.append((name, config_merge.parsed(tomli, path, text)))
    return found


def own(observed):
    """Return (text, mapping) of our drop-in; (None, None) without one, and no mapping where it is no TOML. Pure."""
    text = next((row[1] for row in observed["drop_ins"] if row[0] == config_shims.DROP_IN), None)
    try:
        return text, None if text is None else tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError):
        return text, None


def rendered(tree):
    """Return the text of our drop-in, or None when there is nothing in it. Pure."""
    return _HEAD + tomli_w.dumps(_sorted(tree)) if tree else None


def _sorted(tree):
    """Return a mapping with its keys in order: in which order they were declared makes no difference to a shim."""
    return {key: _sorted(tree[key]) if isinstance(tree[key], dict) else tree[key] for key in sorted(tree)}


def drop_in_actions(observed, tree):
    """Return the actions after which our drop-in has these settings, and nothing unfinished is beside it. Pure."""
    directory, path = observed["paths"]["config_d"], observed["paths"]["drop_in"]
    found = [Action("delete", KIND_LEFT_OVER, posixpath.join(directory, row[0]), {"sha256": digest(row[1] or "")}, None)
             for row in observed["drop_ins"] if left_over(row[0])]
    (text, has), wanted = own(observed), rendered(tree)
    is_link = any(row[0] == config_shims.DROP_IN and row[2] == "link" for row in observed["drop_ins"])
    if text == wanted and not is_link:
        return found
    before = None if text is None else {"settings": has if has is None else config_policy.masked(has)}
    after = None if wanted is None else {"settings": config_policy.masked(tree)}
    verb = "create" if text is None else "delete" if wanted is None else "update"
    return found + [Action(verb, KIND_DROP_IN, path, before, after, details=wanted)]


def file_actions(observed):
    """Return the actions after which the shim's own file is a copy of the packaged one. Pure."""
    path, base, here = observed["paths"]["config"], observed["base"], observed["config"]
    if observed["theirs"]:
        return []
    found = []
    if observed["config_link"]:
        # Through a link the shim would look for config.d beside the packaged file.
        found.append(Action("delete", KIND_FILE, path, {"link": True}, None))
        here = None
    if here == base:
        return found
    before, after = {"sha256": digest(here)} if here is not None else None, {"sha256": digest(base)}
    if here is not None:
        old, new = config_merge.difference(_mapping(here), _mapping(base))
        before["settings"], after["settings"] = config_policy.masked(old), config_policy.masked(new)
    return found + [Action("update" if before else "create", KIND_FILE, path, before, after, details=base)]


def removals(observed):
    """Return the actions after which nothing of ours is there. Pure."""
    keeps = observed["theirs"] or any(
        row[0] != config_shims.DROP_IN and not left_over(row[0]) for row in observed["drop_ins"])
    path, here = observed["paths"]["config"], observed["config"]
    found = []
    if not keeps and (here is not None or observed["config_link"]):
        before = {"link": True} if observed["config_link"] else {"sha256": digest(here)}
        found.append(Action("delete", KIND_FILE, path, before, None))
    return found + drop_in_actions(observed, {})


def digest(text):
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def perform(host, action):
    """Carry out one action. Raises HostError."""
    if action.verb == "delete":
        host.remove_file(action.name)
        return
    host.make_directory(posixpath.dirname(action.name))
    host.write_file(action.name, action.details)
