# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers in Docker: the runtimes in ``daemon.json``, judged by ``dockerd --validate``.

A runtime of a shim has ``runtimeType``, a type or the path of the shim, and ``options``: Docker 23 and later,
upstream's "Alternative container runtimes". JSON has no place for a mark of ours, so the name is the claim.
"""

from __future__ import annotations

import json
import re

from .._core.errors import Refused
from . import cri_declared as declared
from . import cri_effective as effective
from . import cri_files as files

WORDS = "Docker configuration"
# dockerd reads its runtimes again on SIGHUP, and no container notices: upstream's dockerd reference.
RESTART = "reload"
INTERRUPTS = None
_TIMEOUT = 60


def observe(host, params):
    """Return what is read: ``files`` and ``before``, the effective configuration."""
    main, program, _unit = declared.home(params)
    content = files.read(host, main)
    if content is not None:
        _validate(host, program, main, main)
    return {"files": [{"path": main, "text": content}], "release": None, "before": _effective(main, content)}


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
    """Return the handlers that can be ours: ``{"handlers": {name: entry}}``. Pure."""
    return {"handlers": dict(seen["before"]["handlers"])}


def shown(path, content):
    """Return what an action tells of a file: its runtimes. Pure."""
    return {"runtimes": _document(path, content).get("runtimes", {})}


def wanted(params, seen):
    """Return the entry of each runtime once the plan is done. Pure. Raises Refused."""
    runtimes = dict(seen["before"]["handlers"])
    for handler in params["handlers"]:
        if handler["state"] == "present":
            runtimes[handler["name"]] = table(handler)
        else:
            runtimes.pop(handler["name"], None)
    if seen["before"]["default"] in declared.absent(params):
        raise Refused("runtime {0!r} is default-runtime, and dockerd does not start without it; choose another default "
                      "first".format(seen["before"]["default"]))
    return runtimes


def changes(params, seen):
    """Return {path: new text} when the file has to change. Pure. Raises Refused."""
    one, = seen["files"]
    document = _document(one["path"], one["text"])
    runtimes = wanted(params, seen)
    if runtimes == document.get("runtimes", {}):
        return {}
    new = dict(document, runtimes=runtimes)
    if not runtimes:
        del new["runtimes"]
    step = re.search(r"\n([ \t]+)\"", one["text"] or "")
    return {one["path"]: json.dumps(new, indent=step.group(1) if step else 4, ensure_ascii=False) + "\n"}


def asked(params, seen):
    """Return the settings beside handlers that may differ between before and after: none. Pure."""
    return {}


def spare(seen):
    """Return the handlers that may change though they are not declared: none. Pure."""
    return {}


def would_be(host, params, seen, changed, folder, write):
    """Return the effective configuration with the changed file. Raises Refused when dockerd does not accept it."""
    (path, content), = changed.items()
    target = "{0}/daemon.json".format(folder)
    write(target, content)
    _validate(host, declared.home(params)[1], target, "the new {0}".format(path))
    return _effective(path, content)
