# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running container runtime: whether it has to be restarted, whether it came back, and the way back.

A note below ``/run`` says that files were changed and not loaded yet, and holds what they were and the digests of what
was written. A reboot loads them and takes the note with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import posixpath
import time

from .._core.errors import HostError
from . import cri_declared as declared
from . import cri_effective as effective

FOLDER = "/run/sovereign-region"
KIND_NOTE = "pending restart"
KIND_SERVICE = "service"
# systemd gives a unit 90 s to start; what comes after that is for the shims that it has to find again.
_START_SECONDS = 180
_READY_SECONDS = 60
_QUERY_SECONDS = 20


def note_path(params):
    """Return the path of the note. Pure."""
    return "{0}/cri-{1}-restart{2}.json".format(FOLDER, params["runtime"], _apart(params))


def _apart(params):
    """Return what tells another daemon of the same host apart in the name of a file; empty for the usual one. Pure."""
    main, _program, unit = declared.home(params)
    usual = declared.HOMES[params["runtime"]]
    if (main, unit) in ((usual[0], usual[2]), (usual[0], usual[2] + ".service")):
        return ""
    return "-{0}".format(digest("{0}\n{1}".format(main, unit))[:12])


@contextlib.contextmanager
def copies(host, params):
    """Give (a directory, function of (path, text) that writes into it); what was written is gone afterwards."""
    folder, written = "{0}/cri-candidate{1}".format(FOLDER, _apart(params)), []

    def write(path, content):
        written.append(path)
        # They hold what the operator's files hold, which can be credentials of registries.
        host.write_file(path, content, 0o600)

    host.make_directory(folder, 0o700)
    try:
        yield folder, write
    finally:
        for path in written:
            host.remove_file(path)


def digest(content):
    """Return the digest of a text, or None for a file that is not there. Pure."""
    return None if content is None else hashlib.sha256(content.encode()).hexdigest()


def observe(host, params, address):
    """Return the running state: ``unit``, ``active``, ``note``, ``loaded``, ``snapshotters`` and ``answers``.

    ``active``: None when nobody can tell. ``note``: what ``note`` returns. ``loaded``: names of the handlers that the
    daemon says it has; None when it was not asked or does not say. ``snapshotters``: those it has loaded, likewise.
    ``answers``: whether there is a program to ask a running daemon with; None when it does not run.
    """
    unit = declared.home(params)[2]
    state = {"unit": unit or None, "active": None, "note": note(host, params), "loaded": None, "snapshotters": None,
             "answers": None}
    if unit:
        try:
            done = host.run(["systemctl", "is-active", unit], _QUERY_SECONDS)
            state["active"] = done.stdout.strip() in ("active", "reloading", "activating")
        except HostError:
            state["active"] = None
    if state["active"]:
        state["loaded"], why = loaded(host, params, address)
        state["answers"] = (state["loaded"], why) != (None, None) or (
            params["runtime"] == "containerd" and plugins(host, address) != (None, None))
        if any(one["snapshotter"] for one in declared.present(params)):
            state["snapshotters"] = snapshotters(host, address)
    return state


def note(host, params):
    """Return {path: {"text": before it was changed or None, "written": [digests of ours]}}; None without a note.

    A digest is None where the file was removed. What is no such entry is left out.
    """
    content = host.text(note_path(params))
    if content is None:
        return None
    try:
        found = json.loads(content)["files"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {path: one for path, one in found
            if isinstance(one, dict) and "text" in one and isinstance(one.get("written"), list)}


def noted(kept, texts, changes):
    """Return the note that has to be there before the files change, from the one that a killed run left. Pure.

    Such a note knows what was loaded before that run. It is right about a file only while nobody else changed it.

    Args:
        kept: what ``note`` returned.
        texts: mapping of path to the text that a file has now.
        changes: mapping of path to the text that it gets; None where it goes.
    """
    found = dict(kept or {})
    for path, content in changes.items():
        now, old = texts.get(path), found.get(path)
        if old is None or not _is_ours(now, old):
            old = {"text": now, "written": []}
        new = digest(content)
        found[path] = {"text": old["text"], "written": old["written"] + ([] if new in old["written"] else [new])}
    return found


def _is_ours(content, entry):
    """Whether a file still has what it had before, or what we wrote. Pure."""
    return content == entry["text"] or digest(content) in entry["written"]


def loaded(host, params, address):
    """Return (names of the handlers that the daemon has or None, why it does not answer or None)."""
    docker = params["runtime"] == "docker"
    argv = ["docker", "info", "--format", "{{json .Runtimes}}"] if docker else [
        params["crictl"], "--runtime-endpoint", "unix://{0}".format(address), "info"]
    try:
        done = host.run(argv, _QUERY_SECONDS)
    except HostError:
        return None, None
    if not done.ok:
        return None, done.words()
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return None, "{0} printed no JSON".format(argv[0])
    if docker:
        return sorted(found), None
    names = {one.get("name") for one in found.get("runtimeHandlers") or ()}
    names.update(((found.get("config") or {}).get("containerd") or {}).get("runtimes") or ())
    # The handler without a name is the default one.
    names -= {"", None}
    return (sorted(names) or None), None


def wrong(names, params):
    """Return what the daemon has otherwise than declared, in words; None when nothing, or nobody knows. Pure."""
    if names is None:
        return None
    missing = sorted(one["name"] for one in declared.present(params) if one["name"] not in names)
    extra = sorted(one for one in declared.absent(params) if one in names)
    said = ["it has not loaded {0}".format(", ".join(missing))] if missing else []
    said += ["it still has {0}".format(", ".join(extra))] if extra else []
    return " and ".join(said) or None


def restart(host, params, runtime, address):
    """Restart or reload the daemon and wait until it has what is declared. Raises HostError when it does not."""
    unit = declared.home(params)[2]
    done = host.run(["systemctl", runtime.RESTART, unit], _START_SECONDS, changes=True)
    if not done.ok:
        raise HostError(done.words())
    end, why = time.monotonic() + _READY_SECONDS, None
    while True:
        why = _unready(host, params, unit, address)
        if why is None:
            return
        if params["runtime"] == "containerd":
            # Plugins are loaded before the socket is served, so what one of them says now it says for good.
            rows = plugins(host, address)[0]
            why = why if rows is None else _broken(rows) or why
            end = 0 if rows is not None and _broken(rows) else end
        if time.monotonic() > end:
            raise HostError("{0} runs, but {1}".format(unit, why))
        time.sleep(0.5)


def _unready(host, params, unit, address):
    """Return why the daemon is not back, or None. It can be up and have failed to load its CRI plugin."""
    state = host.run(["systemctl", "is-active", unit], _QUERY_SECONDS).stdout.strip()
    if state != "active":
        return "systemd calls it {0!r}".format(state)
    names, why = loaded(host, params, address)
    if why is not None:
        return why
    if names is None and params["runtime"] == "containerd":
        return _plugins(host, address)
    return wrong(names, params)


def _plugins(host, address):
    """Return which CRI plugin is not there, for hosts without crictl; None when all are, or nobody can tell."""
    rows, why = plugins(host, address)
    return why if rows is None else _broken(rows)


def _broken(rows):
    """Return which CRI plugin is not loaded, in words; None when all are. Pure."""
    cri = [row for row in rows if row[0] == "io.containerd.cri.v1" or row[1] == "cri"]
    bad = ["{0}.{1} ({2})".format(row[0], row[1], row[-1]) for row in cri if row[-1] != "ok"]
    if bad or not cri:
        return "its CRI plugin is not loaded: {0}".format(", ".join(bad) or "there is none")
    return None


def plugins(host, address):
    """Return (rows of ``ctr plugins ls``: type, id, platforms, status; or None), and why there are none, or None."""
    try:
        done = host.run(["ctr", "--address", address, "plugins", "ls"], _QUERY_SECONDS)
    except HostError:
        return None, None
    if not done.ok:
        return None, done.words()
    return [row for row in (line.split() for line in done.stdout.splitlines()[1:]) if len(row) > 2], None


def snapshotters(host, address):
    """Return the names of the snapshotters that the running containerd has loaded; None when nobody can tell."""
    rows = plugins(host, address)[0]
    if rows is None:
        return None
    return sorted(row[1] for row in rows if row[0] == "io.containerd.snapshotter.v1" and row[-1] == "ok")


def write_note(host, params, kept):
    """Write the note. It can hold credentials of registries, so that only root may read it. Raises HostError."""
    host.make_directory(FOLDER)
    host.write_file(note_path(params), json.dumps({"files": kept}), 0o600)


def put_back(host, params, kept):
    """Give files what they had before, and return in words how that went. Raises HostError.

    A file that somebody else changed since is left alone: his change is worth more than our way back. With all files
    back the note goes. Else it stays without a file, because what is there is not what the daemon has loaded.
    """
    left = []
    for path, one in sorted(kept.items()):
        now = _now(host, path)
        if now == one["text"]:
            continue
        if digest(now) not in one["written"]:
            left.append(path)
        elif one["text"] is None:
            host.remove_file(path)
        else:
            host.make_directory(posixpath.dirname(path))
            host.write_file(path, one["text"])
    if not left:
        host.remove_file(note_path(params))
        return "The files are as they were before"
    write_note(host, params, {})
    return ("Somebody changed {0} after this run wrote it, so it was left as it is now, with the lines of this module "
            "in it; look at it".format(" and ".join(left)))


def _now(host, path):
    """Return the text of a file; None when there is none, and something that is no text of ours for any other."""
    try:
        return host.read_bytes(path).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError("{0}: cannot be read: {1}".format(path, error.strerror)) from error


def same(one, other):
    """Whether two effective configurations are the same. Pure."""
    keys = ("handlers", "settings")
    return all(one[key] == other[key] for key in keys)


def lost(one, other):
    """Return in words what differs between two effective configurations. Pure."""
    return "; ".join(effective.differences(one, other, {"handlers": []}, set(), {})[:5])
