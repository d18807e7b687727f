# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers in CRI-O: a drop-in of ours, judged by ``crio config``.

CRI-O reads its main file and then every file of ``crio.conf.d`` by name, and merges them table by table: upstream's
``docs/crio.conf.d.5.md``. Kata's shim is of runtime type ``vm`` there, as in kata-deploy of kata-containers 4.1.0.
"""

from __future__ import annotations

import posixpath

from .._core.errors import Refused
from . import cri_declared as declared
from . import cri_effective as effective
from . import cri_files as files
from . import cri_text as text

WORDS = "CRI-O drop-in"
RESTART = "restart"
INTERRUPTS = ("CRI-O restarts: running pods and containers keep running, but until it is back no pod starts or stops, "
              "and open exec, attach and port-forward sessions end")
DROP_IN = "99-sovereign-region.conf"
_TIMEOUT = 60
_RUNTIMES = ("crio", "runtime", "runtimes")


def observe(host, params):
    """Return what is read: ``files``, ``path`` of our drop-in and ``before``, the effective configuration."""
    main, program, _unit = declared.home(params)
    folder = main + ".d"
    paths = [main] + ["{0}/{1}".format(folder, name) for name in host.names(folder)]
    found = [{"path": path, "text": files.read(host, path)} for path in paths]
    for one in found:
        text.parse(one["path"], one["text"] or "")
    return {"files": found, "path": "{0}/{1}".format(folder, DROP_IN), "release": None,
            "before": _ask(host, program, main, folder)}


def _ask(host, program, main, folder):
    argv = [program, "--config", main, "--config-dir", folder, "config"]
    done = host.run(argv, _TIMEOUT)
    if not done.ok:
        raise Refused("CRI-O cannot read {0} with {1}: {2}".format(main, folder, done.words()))
    return effective.of_crio(text.parse(" ".join(argv), done.stdout), done.stdout)


def current(params, host):
    """Return the effective configuration of the files as they are now."""
    main, program, _unit = declared.home(params)
    return _ask(host, program, main, main + ".d")


def table(handler):
    """Return the table that a handler gets. Pure."""
    row = {"runtime_path": handler["runtime_path"], "runtime_type": "vm", "runtime_root": "/run/vc",
           "privileged_without_host_devices": bool(handler["privileged_without_host_devices"])}
    if handler["config_path"]:
        row["runtime_config_path"] = handler["config_path"]
    return row


def _mine(seen):
    own = next((one["text"] for one in seen["files"] if one["path"] == seen["path"]), None)
    if not (own or files.HEAD).startswith(files.HEAD):
        raise Refused("{0}: has the name of the file that this module writes and does not begin with its line {1!r}, "
                      "so it is the operator's; give it another name".format(seen["path"], files.HEAD.strip()))
    return dict(text.at(text.parse(seen["path"], own or ""), _RUNTIMES) or {})


def ours(seen):
    """Return what our drop-in holds: ``{"handlers": {name: table}}``. Pure."""
    return {"handlers": _mine(seen)}


def shown(path, content):
    """Return what an action tells of a file: our drop-in is short. Pure."""
    return {"ours": content}


def wanted(params, seen):
    """Return the table of each handler that is ours once the plan is done. Pure. Raises Refused for theirs."""
    mine, said = _mine(seen), []
    for handler in params["handlers"]:
        name = handler["name"]
        theirs = name in seen["before"]["handlers"] and name not in mine
        row = None if handler["state"] == "absent" else table(handler)
        if theirs and row is not None and all(seen["before"]["handlers"][name].get(key) == row[key] for key in row):
            continue
        if theirs:
            said.append("handler {0!r} is defined in the operator's own files; take it out there, or choose another "
                        "name".format(name))
        elif row is None:
            mine.pop(name, None)
        else:
            mine[name] = row
    if seen["before"]["default"] in declared.absent(params):
        said.append("handler {0!r} is default_runtime; choose another default first".format(seen["before"]["default"]))
    if said:
        raise Refused("\n".join(said))
    return mine


def changes(params, seen):
    """Return {path: new text, or None where the file goes} of the files that have to change. Pure. Raises Refused."""
    mine = wanted(params, seen)
    new = files.HEAD + text.tomli_w.dumps(text.nested(_RUNTIMES, mine)) if mine else None
    old = next((one["text"] for one in seen["files"] if one["path"] == seen["path"]), None)
    return {} if new == old else {seen["path"]: new}


def asked(params, seen):
    """Return the settings beside handlers that may differ between before and after: none. Pure."""
    return {}


def spare(seen):
    """Return the handlers that may change though they are not declared: none. Pure."""
    return {}


def would_be(host, params, seen, changed, folder, write):
    """Return the effective configuration with the changed files, as CRI-O reads them. Raises Refused."""
    program = declared.home(params)[1]
    main = seen["files"][0]
    copied = {one["path"]: one["text"] for one in seen["files"][1:]}
    copied.update(changed)
    write("{0}/crio.conf".format(folder), main["text"] or "")
    directory = "{0}/crio.conf.d".format(folder)
    host.make_directory(directory, 0o700)
    for name in host.names(directory):
        # What a killed run left would be read as well.
        host.remove_file("{0}/{1}".format(directory, name))
    for path, content in copied.items():
        if content is not None:
            write("{0}/{1}".format(directory, posixpath.basename(path)), content)
    return _ask(host, program, "{0}/crio.conf".format(folder), directory)
