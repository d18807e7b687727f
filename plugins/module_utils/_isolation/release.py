# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of Kata Containers, several side by side, one of them current; for ``_core/host_module.py``."""

from __future__ import annotations

import re

from .._core.errors import HostError, Refused
from . import (
    release_bill,
    release_download,
    release_files,
    release_holders,
    release_manifest,
    release_plan,
    release_stream,
    release_tarball,
    release_unpack,
)

DIRECTORY = "/opt/kata-releases"
CONFIGURATION = ["/etc/containerd", "/etc/crio", "/etc/docker", "/etc/kata-containers", "/etc/systemd/system",
                 "/var/lib/rancher/k3s/agent/etc/containerd", "/var/lib/rancher/rke2/agent/etc/containerd", "/etc/k0s"]
_NAMED = {"type": "list", "elements": "dict", "default": [], "options": {
    "name": {"type": "str", "required": True}, "sha256": {"type": "str", "required": True}}}
ARGUMENT_SPEC = {
    "version": {"type": "str", "required": True},
    "flavour": {"type": "str", "default": "static", "choices": list(release_tarball.FLAVOURS)},
    "state": {"type": "str", "default": "current", "choices": ["present", "current", "rolled_back", "absent"]},
    "source": {"type": "str"},
    "sha256": {"type": "str"},
    "directory": {"type": "path", "default": DIRECTORY},
    "keep": {"type": "int"},
    "verify": {"type": "bool", "default": False},
    "configuration": {"type": "list", "elements": "str", "default": CONFIGURATION},
    "ca_path": {"type": "path"},
    "url_username": {"type": "str"},
    "url_password": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 1800},
    "images": _NAMED,
    "charts": _NAMED,
}
_DIRECTORY = re.compile(r"(/[A-Za-z0-9_@+][\w.@+-]*)+")
_ROLES = ("current", "previous")


def validate(params):
    """Return what cannot be right. Pure."""
    problems = [release_tarball.version_problem(params["version"])]
    directory = release_plan.directory_of(params)
    if not _DIRECTORY.fullmatch(directory) or (directory + "/").startswith(release_tarball.PREFIX + "/"):
        problems.append("directory: {0!r} is no directory for releases; expected an absolute path without blanks that "
                        "is not below {1}, such as {2}".format(params["directory"], release_tarball.PREFIX, DIRECTORY))
    if params["state"] in ("present", "current"):
        problems += [_digest_problem("sha256", params["sha256"]), _source_problem(params["source"])]
    elif params["keep"] is not None and "beside" not in params:
        # In a list it stands beside it, for those of them that stay.
        problems.append("keep: only means something with state present or current, not with {0}".format(
            params["state"]))
    if params["keep"] is not None and params["keep"] < 0:
        problems.append("keep: {0} is no number of releases; expected 0 or more".format(params["keep"]))
    if params["timeout"] <= 0:
        problems.append("timeout: {0} is no time; expected seconds".format(params["timeout"]))
    for path in params["configuration"]:
        if not path.startswith("/"):
            problems.append("configuration: {0!r} is no absolute path".format(path))
    for kind in ("images", "charts"):
        for place, one in enumerate(params[kind]):
            problems.append(_digest_problem("{0}[{1}].sha256".format(kind, place), one["sha256"]))
    return [one for one in problems if one]


def _digest_problem(path, value):
    if value is None or value == "":
        return "{0}: is missing; a download is only taken with its SHA-256, which the release's page or your mirror " \
               "shows".format(path)
    if not release_manifest.is_digest(str(value).lower()):
        return "{0}: {1!r} is no SHA-256; expected 64 hexadecimal digits and nothing else".format(path, value)
    return None


def _source_problem(source):
    if source is None:
        return None
    shown = release_manifest.public_source(source)
    if not source.startswith(("/", "https://", "http://")):
        return "source: {0!r} is neither an absolute path on the host nor a http(s) URL".format(shown)
    if "://" in source and "@" in source.split("/")[2]:
        return "source: {0!r} comes with a user in it, which every log would show; use url_username and " \
               "url_password".format(shown)
    if release_tarball.compression(source) is None:
        return "source: {0!r} is no tarball that can be unpacked; expected a name that ends with one of {1}".format(
            shown, ", ".join(sorted(release_tarball.SUFFIXES)))
    return None


def observe(host, params):
    """Return what is there.

    Returns:
        releases: {name: {"version", "flavour", "record", "problem", "damage"}}. ``record`` is what was unpacked, None
            when ``problem`` says why it is not known; ``damage`` says in words how the directory differs from it.
        links: {"current", "previous"} of the flavour: name of a release, or None.
        foreign: {role: in words what is there in the place of such a link}.
        leftovers: names of what killed runs left; busy: those of them that a run is at work on.
        tarball: {"sha256", "size"} of the local source or of what was downloaded, or None.
        near: names beside a local source that is not there.
        unpacker: whether Zstandard can be unpacked.
        holders, references, doubts: who uses what could be removed, see ``release_holders``. Only looked at when
            something could be removed.
    """
    directory, name = release_plan.directory_of(params), release_plan.name_of(params)
    try:
        names = host.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise release_files.problem(directory, "could not be read", error) from error
    releases = {one: _release(host, params, one, params["verify"] and one == name) for one in names
                if release_manifest.split_name(one) and release_files.kind(host, release_plan.path_of(params, one))}
    links, foreign = _links(host, params)
    leftovers = [one for one in names if one.startswith((release_files.UNPACKING, release_files.REMOVING))]
    leftovers += ["{0}/{1}".format(release_files.TARBALLS, one)
                  for one in host.names(release_plan.path_of(params, release_files.TARBALLS))
                  if one.startswith(release_files.DOWNLOADING)]
    busy = [one for one in leftovers if release_files.is_busy(host, release_plan.path_of(params, one))]
    tarball, near = _tarball(host, params, name in releases)
    observed = {
        "releases": releases, "links": links, "foreign": foreign, "leftovers": leftovers, "busy": busy,
        "tarball": tarball, "near": near, "unpacker": release_stream.unpacker(host) is not None,
        "holders": {}, "references": {}, "doubts": [],
    }
    removable = release_plan.collectable(params, observed)
    removable += [one for one in leftovers if one.startswith(release_files.REMOVING)]
    if removable:
        observed["holders"], observed["references"], observed["doubts"] = users(host, params, removable)
    return observed


def decide(params, observed):
    """Return the plan. Pure. Raises DeclarationError, Refused."""
    return release_plan.decide(params, observed)


def _release(host, params, name, with_digests):
    version, flavour = release_manifest.split_name(name)
    path = release_plan.path_of(params, name)
    try:
        text = host.read_text("{0}/{1}".format(path, release_manifest.FILE))
    except (FileNotFoundError, NotADirectoryError):
        text = None
    except OSError as error:
        raise release_files.problem(path, "its record could not be read", error) from error
    record, problem = release_manifest.parse(text, name)
    damage = None
    if record is not None:
        differences = release_manifest.compare(record, release_files.tree(host, path, with_digests))
        damage = release_manifest.damage(differences)
    return {"version": version, "flavour": flavour, "record": record, "problem": problem, "damage": damage}


def _links(host, params):
    """Return (links, foreign)."""
    links, foreign = dict.fromkeys(_ROLES), {}
    for role in _ROLES:
        path = release_plan.path_of(params, "{0}-{1}".format(role, params["flavour"]))
        kind = release_files.kind(host, path)
        if kind is None:
            continue
        text = host.readlink(path) if kind == "link" else ""
        below = release_plan.path_of(params, "")
        name = text[len(below):] if text.startswith(below) else text
        split = release_manifest.split_name(name.rstrip("/"))
        if split and split[1] == params["flavour"]:
            links[role] = name.rstrip("/")
        else:
            foreign[role] = "a link to {0!r}".format(text) if kind == "link" else "a {0}".format(kind)
    return links, foreign


def _tarball(host, params, installed):
    """Return (tarball, near)."""
    source, cache = params["source"], release_plan.cached_tarball(params)
    path = cache or source
    if not path or params["state"] not in ("present", "current") or (installed and not cache):
        return None, []
    if not host.exists(path):
        return None, [] if cache else host.names(path.rpartition("/")[0])
    # What is installed is not unpacked again: that its tarball is still there is all that counts.
    sha, size = (None, None) if installed else release_files.digest(host, path)
    return {"sha256": sha, "size": size}, []


def users(host, params, names):
    """Return (holders, references, doubts) of releases and leftovers. Reads only."""
    directory = release_plan.directory_of(params)
    known = {name: name for name in names}
    for role in _ROLES:
        link = "{0}-{1}".format(role, params["flavour"])
        target = host.target_name(release_plan.path_of(params, link))
        if target in known:
            known[link] = target
    known_names = release_holders.Names([directory, release_files.resolved(host, directory)], known)
    inodes = {pair: name for name in names
              for pair in release_files.inodes(host, release_plan.path_of(params, name))}
    holders, doubts = release_holders.processes(host, known_names, inodes)
    places, more = release_holders.added_configuration(host, [
        release_plan.path_of(params, one) for one in host.names(directory) if release_manifest.split_name(one)])
    references, unread = release_holders.references(host, known_names, params["configuration"] + places)
    # A release may name itself.
    references = {name: [one for one in paths if not one.startswith(release_plan.path_of(params, name) + "/")]
                  for name, paths in references.items()}
    return holders, references, doubts + more + unread


def performer(host, params, observed):
    """Return what carries out one action of the plan."""
    def perform(action):
        verb, path = action.details[:2]
        if verb == "fetch":
            release_download.fetch(host, params, path)
        elif verb == "install":
            release_unpack.install(host, params, path)
        elif verb == "link":
            release_files.set_link(host, path, action.details[2])
        elif verb == "collect":
            _collect(host, params, path)
        else:
            release_files.remove(host, path)

    return perform


def _collect(host, params, name):
    """Remove a release: look again, take its name away, look once more, and only then remove it."""
    path = release_plan.path_of(params, name)
    gone = release_files.REMOVING + name
    _refuse_used(host, params, name, name)
    release_files.rename(host, path, release_plan.path_of(params, gone))
    try:
        _refuse_used(host, params, gone, name)
    except (Refused, HostError):
        release_files.rename(host, release_plan.path_of(params, gone), path)
        raise
    release_files.remove(host, release_plan.path_of(params, gone))


def _refuse_used(host, params, found, name):
    """Raise Refused when a release that is there under the name ``found`` is current or in use by now."""
    holders, references, doubts = users(host, params, [found])
    reasons = ["it is the current release"] if _links(host, params)[0]["current"] == name else []
    reasons += release_plan.kept_because({"holders": holders, "references": references, "doubts": doubts}, found)
    if reasons:
        raise Refused("{0} is used since its removal was planned: {1}".format(
            release_plan.path_of(params, name), release_holders.words(reasons)))


def describe(params, observed):
    """Return the module's own return values. Pure."""
    name = release_plan.name_of(params)
    path = release_plan.path_of(params, name)
    release = observed["releases"].get(name) or {}
    record = release.get("record")
    rows = []
    for one, found in sorted(observed["releases"].items()):
        about = found["record"] or {}
        rows.append({
            "name": one, "version": found["version"], "flavour": found["flavour"],
            "path": release_plan.path_of(params, one), "current": observed["links"]["current"] == one,
            "previous": observed["links"]["previous"] == one, "damage": found["damage"] or found["problem"],
            "sha256": about.get("sha256"), "source": about.get("source"), "unpacked": about.get("unpacked"),
        })
    kept = [{"name": one, "reasons": release_plan.kept_because(observed, one)}
            for one in release_plan.collectable(params, observed)]
    shims = release_tarball.shims_in(record["files"]) if record else {}
    return {
        "release_path": path, "current": observed["links"]["current"], "previous": observed["links"]["previous"],
        "releases": rows, "kept": [one for one in kept if one["reasons"]],
        "shims": {key: "{0}/{1}".format(path, shim) for key, shim in shims.items()},
        "bill_of_materials": release_bill.bill_of_materials(record, path, params["images"], params["charts"], params),
    }
