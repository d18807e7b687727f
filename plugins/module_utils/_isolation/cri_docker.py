# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers in Docker: the runtimes in ``daemon.json``, judged by ``dockerd --validate``.

A runtime of a shim has ``runtimeType``, a type or the path of the shim, and ``options``: Docker 23 and later,
upstream's "Alternative container runtimes". JSON has no place for a mark of ours, so a record beside the file has the
digests of the entries that we wrote: an entry that is not among them is the operator's.
"""

from __future__ import annotations

import json
import posixpath
import re

from .._core.errors import Refused
from . import cri_declared as declared
from . import cri_effective as effective
from . import cri_files as files
from . import cri_service as service

WORDS = "Docker configuration"
# dockerd reads its runtimes again on SIGHUP, and no container notices: upstream's dockerd reference.
RESTART = "reload"
INTERRUPTS = None
_TIMEOUT = 60
_RECORD = "sovereign-region-"


def observe(host, params):
    """Return what is read: ``files`` and ``before``, the effective configuration."""
    main, program, _unit = declared.home(params)
    content = files.read(host, main)
    if content is not None:
        _validate(host, program, main, main)
    record = posixpath.join(posixpath.dirname(main), _RECORD + posixpath.basename(main))
    found = [{"path": path, "text": text} for path, text in ((main, content), (record, files.read(host, record)))]
    return {"files": found, "release": None, "before": _effective(main, content)}


def _effective(main, content):
    return effective.of_docker(_document(main, content))


def _document(main, content):
    try:
        found = json.loads(content) if (content or "").strip() else {}
    except ValueError as error:
        raise Refused("{0}: is no JSON: {1}; dockerd cannot read it either, repair it first".format(
            main, error)) from error
    if not isinstance(found, dict) or not isinstance(found.get("runtimes", {}), dict):
        raise Refused("{0}: is no JSON object with a mapping of runtimes".format(main))
    return found


def _validate(host, program, path, named):
    done = host.run([program, "--validate", "--config-file", path], _TIMEOUT)
    if not done.ok:
        raise Refused("dockerd does not accept {0}: {1}".format(named, done.words()))


def current(params, host):
    """Return the effective configuration of the file as it is now."""
    main = declared.home(params)[0]
    return _effective(main, files.read(host, main))


def table(handler):
    """Return the entry that a handler gets. Pure."""
    row = {"runtimeType": handler["runtime_path"] or declared.runtime_type(handler)}
    if declared.options(handler):
        row["options"] = declared.options(handler)
    return row


def ours(seen):
    """Return the runtimes that are ours: ``{"handlers": {name: entry}}``. Pure."""
    record = _record(seen)
    return {"handlers": {name: entry for name, entry in seen["before"]["handlers"].items()
                         if _digest(entry) in record.get(name, ())}}


def _record(seen):
    """Return {name: [digests of the entries that we wrote]}; nothing for a record that is none."""
    try:
        found = json.loads(seen["files"][1]["text"] or "{}").get("written")
    except (ValueError, AttributeError):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, list)} if isinstance(found, dict) else {}


def _digest(entry):
    return service.digest(json.dumps(entry, sort_keys=True))


def shown(path, content):
    """Return what an action tells of a file: its runtimes; of the record all, which is digests. Pure."""
    if posixpath.basename(path).startswith(_RECORD):
        return {"ours": content}
    return {"runtimes": _document(path, content).get("runtimes", {})}


def wanted(params, seen):
    """Return the entry of each runtime that is ours once the plan is done. Pure. Raises Refused for theirs.

    A runtime that the operator's file has as it is declared needs nothing of ours.
    """
    mine, there, said = ours(seen)["handlers"], seen["before"]["handlers"], []
    for handler in params["handlers"]:
        name = handler["name"]
        row = None if handler["state"] == "absent" else table(handler)
        if name in there and name not in mine:
            if row != there[name]:
                said.append("{0}: runtime {1!r} is defined there, and not as this module wrote it; it is the "
                            "operator's: take it out there, or choose another name".format(
                                seen["files"][0]["path"], name))
        elif row is None:
            mine.pop(name, None)
        else:
            mine[name] = row
    if seen["before"]["default"] in declared.absent(params):
        said.append("runtime {0!r} is default-runtime, and dockerd does not start without it; choose another default "
                    "first".format(seen["before"]["default"]))
    if said:
        raise Refused("\n".join(said))
    return mine


def changes(params, seen):
    """Return {path: new text, or None where the file goes} of the files that have to change. Pure. Raises Refused."""
    one, record = seen["files"]
    document, mine, before = _document(one["path"], one["text"]), wanted(params, seen), ours(seen)["handlers"]
    runtimes = {name: entry for name, entry in document.get("runtimes", {}).items()
                if name not in before or name in mine}
    runtimes.update(mine)
    result = {}
    if runtimes != document.get("runtimes", {}):
        new = dict(document, runtimes=runtimes)
        if not runtimes:
            del new["runtimes"]
        step = re.search(r"\n([ \t]+)\"", one["text"] or "")
        result[one["path"]] = json.dumps(new, indent=step.group(1) if step else 4, ensure_ascii=False) + "\n"
    # It claims what is there as well as what will be, so that a kill between the two writes leaves nothing unclaimed.
    # An entry too many claims only what equals one that we wrote, so that it may stay.
    claimed, needed = _record(seen), {}
    for entries in (before, mine):
        for name, entry in entries.items():
            needed.setdefault(name, set()).add(_digest(entry))
    if not mine and record["text"] is not None:
        result[record["path"]] = None
    elif mine and any(not digests <= set(claimed.get(name, ())) for name, digests in needed.items()):
        result[record["path"]] = json.dumps({
            "about": "Written by sovereign.region.cri_runtime: digests of the runtimes in {0} that are its own.".format(
                one["path"]), "written": {name: sorted(digests) for name, digests in sorted(needed.items())}},
            indent=2) + "\n"
    return result


def asked(params, seen):
    """Return the settings beside handlers that may differ between before and after: none. Pure."""
    return {}


def spare(seen):
    """Return the handlers that may change though they are not declared: none. Pure."""
    return {}


def would_be(host, params, seen, changed, folder, write):
    """Return the effective configuration with the changed file. Raises Refused when dockerd does not accept it."""
    path = seen["files"][0]["path"]
    if path not in changed:
        return seen["before"]
    content, target = changed[path], "{0}/daemon.json".format(folder)
    write(target, content)
    _validate(host, declared.home(params)[1], target, "the new {0}".format(path))
    return _effective(path, content)
