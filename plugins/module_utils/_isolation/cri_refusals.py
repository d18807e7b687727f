# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against handlers before anything is changed, and what is only worth a warning."""

from __future__ import annotations

from .._core.errors import unknown_name
from .._vendor import tomli
from . import cri_declared as declared
from . import cri_effective as effective

# Where systemd looks for programs, and so containerd for shims: systemd.exec(5), and systemd's build default.
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_TIMEOUT = 20
_ASKED = {"containerd": ("neither crictl nor ctr", "containerd", "crictl"), "crio": ("no crictl", "CRI-O", "it"),
          "docker": ("no program docker", "dockerd", "it")}


def observe(host, params):
    """Return what is at each declared path: ``missing``, ``not executable``, ``no TOML: …`` or ``there``.

    Below ``shims``: whether there is a binary for the type of a handler without a ``runtime_path``.
    """
    paths, shims = {}, {}
    for handler in declared.present(params):
        shim, config = handler["runtime_path"], handler["config_path"]
        if shim:
            paths[shim] = _program(host, shim)
        elif params["runtime"] != "crio":
            name = declared.shim_name(handler)
            shims[name] = any(host.exists("{0}/{1}".format(folder, name)) for folder in _PATH)
        if config:
            paths[config] = _config(host, config)
    return {"paths": paths, "shims": shims}


def _program(host, path):
    if not host.exists(path):
        return "missing"
    return "there" if host.run(["test", "-f", path, "-a", "-x", path], _TIMEOUT).ok else "not executable"


def _config(host, path):
    try:
        tomli.loads(host.read_text(path))
    except tomli.TOMLDecodeError as error:
        return "no TOML: {0}".format(error)
    except IsADirectoryError:
        return "a directory"
    except OSError:
        return "missing"
    return "there"


def refusals(params, observed):
    """Return the reasons against the declared handlers, one sentence each. Pure."""
    said = []
    before = observed["seen"]["before"]
    if params["runtime"] == "containerd" and declared.present(params) and effective.is_disabled(before):
        said.append("{0}: disabled_plugins has the CRI plugin, as Docker's package of containerd ships it, so no "
                    "handler would be loaded; take it out there".format(declared.home(params)[0]))
    for index, handler in enumerate(params["handlers"]):
        if handler["state"] == "present":
            said += _of_handler("handlers[{0}]".format(index), handler, params, observed)
    return said


def _of_handler(path, handler, params, observed):
    said, preflight = [], observed["preflight"]
    for key, what in (("runtime_path", "shim"), ("config_path", "configuration of the shim")):
        value = handler[key]
        found = preflight["paths"].get(value)
        if value and found != "there" and not _pending(params, value):
            word = "does not exist" if found == "missing" else "is {0}".format(found)
            said.append("{0}.{1}: the {2} {3} {4}. {5} would start all the same, and only the first pod would fail; "
                        "install the release first".format(path, key, what, value, word, params["runtime"]))
    name = declared.shim_name(handler)
    if handler["runtime_path"] is None and preflight["shims"].get(name) is False:
        said.append("{0}.runtime_path: is not given, and there is no {1} in {2}; give the path of the shim".format(
            path, name, ":".join(_PATH)))
    known, running = observed["seen"]["before"]["snapshotters"], observed["service"]["snapshotters"]
    if handler["snapshotter"] and known and handler["snapshotter"] not in known:
        said.append(unknown_name("{0}.snapshotter".format(path), handler["snapshotter"],
                                 "snapshotter of this containerd", known))
    elif handler["snapshotter"] and running is not None and handler["snapshotter"] not in running:
        said.append("{0}.snapshotter: the running containerd has not loaded {1!r} ('ctr plugins ls' shows its state), "
                    "most often because the file system or a program that it needs is missing; loaded are {2}".format(
                        path, handler["snapshotter"], ", ".join(running) or "none"))
    return said


def _pending(params, path):
    """Whether an earlier module of the same run is going to bring a path."""
    for action in params.get("pending") or ():
        if action.get("after") is None:
            continue
        places = [action.get("name"), (action.get("after") or {}).get("path")]
        if any(isinstance(one, str) and one.startswith("/") and (path + "/").startswith(one.rstrip("/") + "/")
               for one in places):
            return True
    return False


def advice(params, observed):
    """Return what to look at, one sentence each. Pure."""
    said, before = [], observed["seen"]["before"]["handlers"]
    for handler in declared.present(params):
        old = (before.get(handler["name"]) or {}).get("snapshotter") or None
        if handler["snapshotter"] and handler["snapshotter"] != old:
            said.append("handler {0!r} gets the snapshotter {1!r}: images that another snapshotter unpacked already, "
                        "the pause image above all, may fail with 'content digest … not found'; remove and pull them "
                        "again (crictl rmi, crictl pull)".format(handler["name"], handler["snapshotter"]))
    for one in observed["seen"]["files"]:
        if one.get("clash"):
            said.append("{0}: has a table twice, in the operator's lines and in the block of "
                        "sovereign.region.cri_runtime, so containerd cannot read it; the block is written anew without "
                        "it".format(one["path"]))
    if observed["service"]["answers"] is False and (observed["changes"] or observed["service"]["note"] is not None):
        said.append("{0} is on this host and answers, so nobody can be asked after the restart whether {1} loaded the "
                    "handlers; the first pod of each will show it, or install {2}".format(*_ASKED[params["runtime"]]))
    if observed["service"]["unit"] and observed["service"]["active"] is None:
        said.append("there is no systemctl to ask about {0}, so it is not restarted: what is written takes effect when "
                    "it starts again".format(observed["service"]["unit"]))
    return said
