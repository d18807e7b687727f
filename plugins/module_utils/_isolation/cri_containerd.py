# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers in containerd 1.6, 1.7 and 2.x: what is read, and what our lines have to be."""

from __future__ import annotations

import re

from .._core.errors import HostError, Refused
from . import cri_declared as declared
from . import cri_effective as effective
from . import cri_files as files
from . import cri_service as service
from . import cri_text as text

WORDS = "containerd configuration"
RESTART = "restart"
INTERRUPTS = ("containerd restarts: running pods and containers keep running, but until it is back no pod starts or "
              "stops, and open exec, attach and port-forward sessions end")
_TIMEOUT = 60
_RUNTIMES = ("containerd", "runtimes")
_PLATFORMS = effective.CRI_IMAGES + ("runtime_platforms",)
_ABOUT_RUNC = ("# containerd 1.x has runc by itself only as long as no file has a handler, so it is repeated here. To "
               "change it,\n# move its tables out of this block to your own lines and change them there.\n")


def observe(host, params):
    """Return what is read: ``files``, ``release`` as a list of numbers, ``before`` and ``runc``.

    ``before``: the effective configuration. ``runc``: the table of the handler that containerd has by itself; on 1.x
    only as long as nobody writes one, so that our lines have to. None where it plays no part.
    """
    main, program, _unit = declared.home(params)
    release = _release(host, program)
    found = files.chain(host, main)
    seen = {"files": found, "release": release, "runc": None}
    if any(one["clash"] for one in found):
        # With our lines it is no TOML, so that containerd is asked about the operator's alone.
        rest = {one["path"]: text.split(one["path"], one["text"])[0] for one in found if one["clash"]}
        with service.copies(host, params) as (folder, write):
            seen["before"] = _dump(host, program, files.candidate(host, found, rest, folder, write))
    else:
        seen["before"] = _dump(host, program, main if found[0]["text"] is not None else None)
    if release[0] < 2 or ours(seen)["restated"]:
        default = seen["before"] if found[0]["text"] is None else _dump(host, program, None)
        seen["runc"] = default["handlers"].get("runc")
    return seen


def _release(host, program):
    done = host.run([program, "--version"], _TIMEOUT)
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", done.stdout)
    if not done.ok or not found:
        raise HostError("{0} does not say which version it is: {1}".format(program, done.words()))
    return [int(part) for part in found.groups()]


def _dump(host, program, path):
    """Return the effective configuration with a main file; with that of containerd itself when the path is None."""
    argv = [program, "config", "default"] if path is None else [program, "--config", path, "config", "dump"]
    done = host.run(argv, _TIMEOUT)
    if not done.ok:
        raise Refused("containerd cannot read {0}: {1}".format(path or "its own defaults", done.words()))
    return effective.of_containerd(text.parse(" ".join(argv), done.stdout))


def current(params, host):
    """Return the effective configuration of the files as they are now."""
    main, program, _unit = declared.home(params)
    return _dump(host, program, main if files.read(host, main) is not None else None)


def ours(seen):
    """Return what our lines hold: ``{"handlers": {name: table}, "values": {key: value}, "restated": bool}``. Pure.

    ``restated``: whether they have ``runc`` too.
    """
    handlers, values = {}, {}
    for one in seen["files"]:
        content = one["text"] or ""
        whole = content.startswith(files.HEAD)
        _rest, block, single = text.split(one["path"], content)
        for found in (content if whole else None, block):
            document = text.parse(one["path"], found or "")
            cri = effective.section(document.get("version", 1)) if whole else _section_in(document)
            handlers.update(text.at(document, cri + _RUNTIMES) or {})
            values.update(_values(document))
        for line in single:
            values.update(text.parse(one["path"], line))
    restated = handlers.pop("runc", None) is not None
    for one in (one for one in seen["files"] if one["clash"]):
        # What the operator has written by now is his, and left alone or refused like everything of his.
        for name in _runtimes_in(seen, one["path"]):
            handlers.pop(name, None)
    return {"handlers": handlers, "values": values, "restated": restated}


def shown(path, content):
    """Return what an action tells of a file: our lines in it. Pure."""
    return {"ours": content if content.startswith(files.HEAD) else text.ours(path, content)}


def _section_in(document):
    """Return the path of the CRI section of a block, which says no version itself."""
    for path in (effective.CRI_RUNTIME, effective.CRI):
        if text.at(document, path + ("containerd",)) is not None:
            return path
    return effective.CRI_SHORT


def _values(document):
    found = {}
    for cri in (effective.CRI_RUNTIME, effective.CRI, effective.CRI_SHORT):
        for key in ("sandbox_image", "enable_cdi"):
            value = text.at(document, cri + (key,))
            if value is not None:
                found[key] = value
    sandbox = text.at(document, effective.CRI_IMAGES + ("pinned_images", "sandbox"))
    if sandbox is not None:
        found["sandbox"] = sandbox
    return found


def table(handler):
    """Return the table that a handler gets. Pure."""
    row = {"runtime_type": declared.runtime_type(handler)}
    for key in ("runtime_path", "snapshotter"):
        if handler[key]:
            row[key] = handler[key]
    row["privileged_without_host_devices"] = bool(handler["privileged_without_host_devices"])
    for key in ("pod_annotations", "container_annotations"):
        if handler[key]:
            row[key] = list(handler[key])
    if declared.options(handler):
        row["options"] = declared.options(handler)
    return row


def settings(params, cri):
    """Return {(path of the table, key): value} of the settings beside handlers that are declared. Pure."""
    found = {}
    if params.get("sandbox_image") is not None:
        found[_sandbox(cri)] = params["sandbox_image"]
    if params.get("enable_cdi") is not None:
        found[(cri, "enable_cdi")] = params["enable_cdi"]
    return found


def _sandbox(cri):
    if cri == effective.CRI_RUNTIME:
        return effective.CRI_IMAGES + ("pinned_images",), "sandbox"
    return cri, "sandbox_image"


def wanted(params, seen):
    """Return the table of each handler that is ours once the plan is done. Pure. Raises Refused for those that are not.

    A handler that the operator's files have as it is declared needs nothing of ours.
    """
    mine, said = ours(seen)["handlers"], []
    effective_now = seen["before"]["handlers"]
    for handler in params["handlers"]:
        name, is_ours = handler["name"], handler["name"] in mine
        theirs = name in effective_now and not is_ours
        if handler["state"] == "absent":
            if theirs:
                said.append("handler {0!r} is defined in the operator's own files ({1}); take it out there".format(
                    name, _where(seen, name)))
            mine.pop(name, None)
        elif not theirs:
            mine[name] = table(handler)
        elif any(effective_now[name].get(key) != value for key, value in table(handler).items()):
            said.append("handler {0!r} is defined already, and differently, in {1}; that is the operator's: take it "
                        "out there, or choose another name".format(name, _where(seen, name)))
    default = seen["before"]["default"]
    if default in declared.absent(params):
        said.append("handler {0!r} is default_runtime_name, so containerd would not start pods without it; choose "
                    "another default first".format(default))
    if said:
        raise Refused("\n".join(said))
    return mine


def _where(seen, name):
    found = [one["path"] for one in seen["files"] if name in (text.at(
        files.operators(one), (files.cri_of(one) or effective.CRI) + _RUNTIMES) or {})]
    return ", ".join(found) or "a file that is imported"


def changes(params, seen):
    """Return {path: new text, or None where the file goes} of the files that have to change. Pure. Raises Refused."""
    main, major = seen["files"][0]["path"], seen["release"][0]
    version = files.version_of(seen["files"], major)
    if version is not None and version < 2 <= major:
        raise Refused("{0}: is of version {1}, whose handlers containerd {2} does not read; rewrite it with "
                      "'containerd config migrate' first".format(main, version, _words(seen["release"])))
    target, whole = files.place(seen["files"], major)
    own = next((one for one in seen["files"] if one["path"] == target), {"path": target, "text": None})
    cri = (None if whole else files.cri_of(own)) or effective.section(version or (3 if major >= 2 else 2))
    mine, values = wanted(params, seen), _kept_values(params, seen, cri)
    result = {}
    for one in seen["files"]:
        stripped = _stripped(one)
        if stripped != one["text"]:
            result[one["path"]] = stripped
    if mine or values:
        if whole and not (own["text"] or files.HEAD).startswith(files.HEAD):
            raise Refused("{0}: has the name of the file that this module writes and does not begin with its line "
                          "{1!r}, so it is the operator's; give it another name".format(target, files.HEAD.strip()))
        base = None if own["text"] is None else text.split(target, own["text"])[0]
        tables = _tables(mine, seen, cri, target, whole)
        if whole:
            for (path, key), value in values.items():
                tables = text.merged(tables, text.nested(path, {key: value}))
            result[target] = files.HEAD + text.tomli_w.dumps(dict({"version": version or 3}, **tables))
        else:
            start = files.MADE.format(3 if major >= 2 else 2) if base is None else base
            repeated = "runc" in (text.at(tables, cri + _RUNTIMES) or {})
            result[target] = text.join(target, start, tables, values, _ABOUT_RUNC if repeated else "")
    texts = {one["path"]: one["text"] for one in seen["files"]}
    return {path: content for path, content in result.items() if content != texts.get(path)}


def _stripped(one):
    content = one["text"]
    if content is None or content.startswith(files.HEAD):
        return None
    rest = text.split(one["path"], content)[0]
    # A main file that we made, with nothing of the operator's in it, goes as it came.
    return None if rest in (files.MADE.format(2), files.MADE.format(3)) else rest


def _kept_values(params, seen, cri):
    """Return the settings beside handlers that our lines have to hold: declared, or ours already; not the operator's.

    An empty ``sandbox_image`` takes ours out, and what is not declared goes with the last handler.
    """
    mine, declared_now, kept = ours(seen)["values"], settings(params, cri), {}
    mine = {} if _is_last(params, seen) else mine
    names = {_sandbox(cri): ("sandbox_image", "sandbox"), (cri, "enable_cdi"): ("enable_cdi",)}
    for (path, key), aliases in names.items():
        held = next((mine[one] for one in aliases if one in mine), None)
        value = declared_now.get((path, key), held)
        if value is None or value == "":
            continue
        given = _operators(seen, path + (key,))
        if given is not None and given[1] != value:
            raise Refused("{0}: {1} is {2!r} there, and {3!r} is declared; that file is the operator's: change it "
                          "there, or declare nothing".format(given[0], key, given[1], value))
        if given is None:
            kept[(path, key)] = value
    return kept


def _is_last(params, seen):
    """Whether no handler of ours is left once the plan is done, and there is one now."""
    return bool(ours(seen)["handlers"]) and not wanted(params, seen)


def _operators(seen, path):
    """Return (file, value) of a setting in the operator's own lines, or None."""
    for one in reversed(seen["files"]):
        if (one["text"] or "").startswith(files.HEAD):
            continue
        value = text.at(files.operators(one), path)
        if value is not None:
            return one["path"], value
    return None


def _tables(mine, seen, cri, target, whole):
    """Return the nested tables of our handlers, and of what they need beside them."""
    if not mine:
        return {}
    runtimes = dict(mine)
    theirs = _runtimes_in(seen, target)
    if seen["release"][0] < 2 and seen["runc"] and (not theirs or _part_of_runc(seen)):
        # containerd 1.x has runc by itself only as long as there is no table of a handler; with ours there is one.
        runtimes["runc"] = {key: value for key, value in seen["runc"].items()
                            if (value or key == "options") and key not in theirs.get("runc", ())}
    tables = text.nested(cri + _RUNTIMES, runtimes)
    if seen["release"][0] >= 2:
        # Images are unpacked by the images plugin, which has to know the snapshotter too. containerd carries the
        # handler's over from version 2 under a wrong name (plugins/cri/images/plugin.go, "runtime_platform").
        platforms = {name: {"snapshotter": one["snapshotter"]} for name, one in mine.items() if one.get("snapshotter")}
        if platforms:
            tables = text.merged(tables, text.nested(_PLATFORMS, platforms))
    return tables


def _runtimes_in(seen, target):
    """Return the tables of handlers that the operator's lines in a file have."""
    one = next((one for one in seen["files"] if one["path"] == target), None)
    cri = files.cri_of(one) if one else None
    return (cri and text.at(files.operators(one), cri + _RUNTIMES)) or {}


def _part_of_runc(seen):
    """Return what the operator wrote of ``runc`` in the belief that our block has the rest of it; empty for nothing."""
    if not ours(seen)["restated"]:
        return {}
    found = _runtimes_in(seen, files.place(seen["files"], seen["release"][0])[0]).get("runc") or {}
    return {} if "runtime_type" in found else found


def asked(params, seen):
    """Return {path: value} of the settings beside handlers that may differ between before and after. Pure.

    The value is what has to be there then; None when anything may.
    """
    cri = effective.section(2) if seen["release"][0] < 2 else effective.CRI_RUNTIME
    given = {path + (key,): None if value == "" else value for (path, key), value in settings(params, cri).items()}
    if _is_last(params, seen) or any(one["clash"] for one in seen["files"]):
        path, key = _sandbox(cri)
        for one in (path + (key,), cri + ("enable_cdi",)):
            given.setdefault(one, None)
    return given


def spare(seen):
    """Return {name: table} of handlers that may become that table, though they are not declared. Pure.

    Our lines repeat ``runc`` as the containerd of then had it; another release has it otherwise. None stands for any
    table: where our lines had to be left out to ask, what is in them was not seen before.
    """
    mine = ours(seen)
    found = dict.fromkeys(mine["handlers"]) if any(one["clash"] for one in seen["files"]) else {}
    if seen["runc"] and mine["restated"]:
        part = _part_of_runc(seen)
        found["runc"] = dict(seen["runc"], **part) if seen["release"][0] < 2 else text.merged(seen["runc"], part)
    return found


def would_be(host, params, seen, changed, folder, write):
    """Return the effective configuration with the changed files, as containerd itself reads them.

    Raises Refused when it cannot read them.
    """
    program = declared.home(params)[1]
    main = seen["files"][0]["path"]
    if changed.get(main, "") is None:
        return _dump(host, program, None)
    if seen["files"][0]["text"] is None and main not in changed:
        return seen["before"]
    return _dump(host, program, files.candidate(host, seen["files"], changed, folder, write))


def _words(release):
    return ".".join(str(part) for part in release)
