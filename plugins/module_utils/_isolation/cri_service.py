# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running container runtime: whether it has to be restarted, whether it came back, and the way back.

A note below ``/run`` says that files were changed and not loaded yet, and holds what they were. A reboot loads them and
takes the note with it.
"""

from __future__ import annotations

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
    return "{0}/cri-{1}-restart.json".format(FOLDER, params["runtime"])


def observe(host, params, address):
    """Return the running state: ``unit``, ``active``, ``note``, ``loaded`` and ``snapshotters``.

    ``active``: None when nobody can tell. ``note``: mapping of path to the text before, or None. ``loaded``: names of
    the handlers that the daemon says it has; None when it was not asked or does not say. ``snapshotters``: those it
    has loaded, likewise.
    """
    unit = declared.home(params)[2]
    state = {"unit": unit or None, "active": None, "note": note(host, params), "loaded": None, "snapshotters": None}
    if unit:
        try:
            done = host.run(["systemctl", "is-active", unit], _QUERY_SECONDS)
            state["active"] = done.stdout.strip() in ("active", "reloading", "activating")
        except HostError:
            state["active"] = None
    if state["active"]:
        state["loaded"] = loaded(host, params, address)[0]
        if any(one["snapshotter"] for one in declared.present(params)):
            state["snapshotters"] = snapshotters(host, address)
    return state


def note(host, params):
    """Return the texts of the files before they were changed, by path; None without a note."""
    content = host.text(note_path(params))
    if content is None:
        return None
    try:
        found = json.loads(content)["files"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


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


def write_note(host, params, texts):
    """Write the note. It can hold credentials of registries, so that only root may read it. Raises HostError."""
    host.make_directory(FOLDER)
    host.write_file(note_path(params), json.dumps({"files": texts}), 0o600)


def put_back(host, texts):
    """Give files the texts that they had before. Raises HostError."""
    for path, content in sorted(texts.items()):
        if content is None:
            host.remove_file(path)
        else:
            host.make_directory(posixpath.dirname(path))
            host.write_file(path, content)


def same(one, other):
    """Whether two effective configurations are the same. Pure."""
    keys = ("handlers", "settings")
    return all(one[key] == other[key] for key in keys)


def lost(one, other):
    """Return in words what differs between two effective configurations. Pure."""
    return "; ".join(effective.differences(one, other, {"handlers": []}, set(), {})[:5])
