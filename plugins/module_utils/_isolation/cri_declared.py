# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of runtime handlers: the options of ``cri_runtime``, and what cannot be right in them. Pure."""

from __future__ import annotations

import posixpath
import re

from .._core.errors import nearest

ARGUMENT_SPEC = {
    "handlers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "runtime_type": {"type": "str"},
            "runtime_path": {"type": "str"},
            "config_path": {"type": "str"},
            "options": {"type": "dict", "default": {}},
            "snapshotter": {"type": "str"},
            "privileged_without_host_devices": {"type": "bool", "default": True},
            "pod_annotations": {"type": "list", "elements": "str", "default": []},
            "container_annotations": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "runtime": {"type": "str", "choices": ["containerd", "crio", "docker"], "default": "containerd"},
    "runtime_config": {"type": "str"},
    "runtime_binary": {"type": "str"},
    "service": {"type": "str"},
    "sandbox_image": {"type": "str"},
    "enable_cdi": {"type": "bool"},
    "crictl": {"type": "str", "default": "crictl"},
    "pending": {"type": "list", "elements": "dict", "default": []},
}
# The file, the program and the unit of each container runtime, as its own packages have them.
HOMES = {
    "containerd": ("/etc/containerd/config.toml", "containerd", "containerd"),
    "crio": ("/etc/crio/crio.conf", "crio", "crio"),
    "docker": ("/etc/docker/daemon.json", "dockerd", "docker"),
}
# Names that the container runtimes give to runc themselves.
RESERVED = {"containerd": ("runc",), "crio": (), "docker": ("runc", "io.containerd.runc.v2")}
# A handler of a RuntimeClass is a DNS label: kubernetes, pkg/apis/node/validation, ValidateDNS1123Label.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
# A runtime type is the name of a binary in dots, or its path: containerd, pkg/shim, BinaryName.
_TYPE = re.compile(r"[A-Za-z0-9][-A-Za-z0-9]*(\.[A-Za-z0-9][-A-Za-z0-9]*)*\.v[0-9]+\Z")
_WORD = re.compile(r"[!-~]+\Z")


def home(params):
    """Return (file, program, unit) of the container runtime, as declared or as its packages have them."""
    given = (params.get("runtime_config"), params.get("runtime_binary"), params.get("service"))
    return tuple(usual if one is None else one for one, usual in zip(given, HOMES[params["runtime"]]))


def present(params):
    """Return the handlers that have to be there."""
    return [one for one in params["handlers"] if one["state"] == "present"]


def absent(params):
    """Return the names of the handlers that have to be gone."""
    return [one["name"] for one in params["handlers"] if one["state"] == "absent"]


def runtime_type(handler):
    """Return the declared runtime type, or the one that follows from the name."""
    return handler["runtime_type"] or "io.containerd.{0}.v2".format(handler["name"])


def options(handler):
    """Return the options that the shim gets: those declared, and the path of its configuration."""
    # In which order they were declared makes no difference.
    found = dict(sorted((handler["options"] or {}).items()))
    if handler["config_path"]:
        found["ConfigPath"] = handler["config_path"]
    return found


def shim_name(handler):
    """Return the name of the binary that containerd looks for in PATH when there is no ``runtime_path``.

    Source: containerd, ``pkg/shim/util_unix.go``: the last two parts of the type.
    """
    parts = runtime_type(handler).split(".")
    return "containerd-shim-{0}".format("-".join(parts[-2:]))


def problems(params):
    """Return one sentence for each thing that cannot be right."""
    said, seen, runtime = [], {}, params["runtime"]
    for index, handler in enumerate(params["handlers"]):
        path, name = "handlers[{0}]".format(index), handler["name"]
        if not _LABEL.match(name):
            said.append("{0}.name: {1!r} is no handler of a RuntimeClass, which has lower-case letters, digits and "
                        "dashes, at most 63, with no dash at an end{2}".format(path, name, _like(name)))
        elif name in RESERVED[runtime]:
            said.append("{0}.name: {1!r} belongs to {2} itself; choose another name".format(path, name, runtime))
        if name in seen:
            said.append("{0}.name: {1!r} is declared already by handlers[{2}]".format(path, name, seen[name]))
        seen.setdefault(name, index)
        if handler["state"] == "present":
            said += _of_handler(path, handler, runtime)
    return said + _of_runtime(params, runtime)


def _like(name):
    folded = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return ", such as {0!r}".format(folded) if folded else ""


def _of_handler(path, handler, runtime):
    said = []
    for key in ("runtime_path", "config_path"):
        value = handler[key]
        if value is not None and not (value.startswith("/") and value.isprintable()
                                      and posixpath.normpath(value) == value):
            said.append("{0}.{1}: {2!r} is no absolute path without '..' and doubled slashes".format(path, key, value))
    if handler["runtime_type"] is not None and not _TYPE.match(handler["runtime_type"]):
        said.append("{0}.runtime_type: {1!r} is no runtime type, such as 'io.containerd.kata.v2'; the path of the "
                    "shim goes into runtime_path".format(path, handler["runtime_type"]))
    if handler["snapshotter"] is not None and not _WORD.match(handler["snapshotter"]):
        said.append("{0}.snapshotter: {1!r} is no name of a snapshotter".format(path, handler["snapshotter"]))
    for key in ("pod_annotations", "container_annotations"):
        for place, value in enumerate(handler[key]):
            if not _WORD.match(value):
                said.append("{0}.{1}[{2}]: {3!r} is no pattern of annotation keys, such as "
                            "'io.katacontainers.*'".format(path, key, place, value))
    if "ConfigPath" in (handler["options"] or {}):
        said.append("{0}.options: ConfigPath is declared as config_path".format(path))
    said += ["{0}: is null, which no shim can be given; leave it out, or give a value".format(one)
             for one in _nulls("{0}.options".format(path), handler["options"] or {})]
    if runtime == "containerd":
        return said
    for key in ("snapshotter", "pod_annotations", "container_annotations"):
        if handler[key]:
            said.append("{0}.{1}: {2} has no such setting for a handler; leave it out".format(path, key, runtime))
    if runtime == "crio" and handler["options"]:
        said.append("{0}.options: CRI-O hands no options to a shim; leave them out".format(path))
    if runtime == "crio" and handler["runtime_path"] is None:
        said.append("{0}.runtime_path: CRI-O looks for no shim by itself; give its path".format(path))
    return said


def _nulls(path, value):
    """Return the paths of what is null in options, which TOML has no word for."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [one for key in value for one in _nulls("{0}.{1}".format(path, key), value[key])]
    if isinstance(value, list):
        return [one for place, item in enumerate(value) for one in _nulls("{0}[{1}]".format(path, place), item)]
    return []


def _of_runtime(params, runtime):
    said = []
    image = params.get("sandbox_image")
    if image and not _WORD.match(image):
        said.append("sandbox_image: {0!r} is no reference of an image".format(image))
    for key in ("sandbox_image", "enable_cdi"):
        if runtime != "containerd" and params.get(key) is not None:
            said.append("{0}: is set for containerd only, not for {1}".format(key, runtime))
    unit = params.get("service")
    if unit and not re.match(r"[A-Za-z0-9:_.@-]+\Z", unit):
        close = nearest(unit, [HOMES[runtime][2]])
        said.append("service: {0!r} is no name of a systemd unit{1}".format(
            unit, "; the nearest is {0!r}".format(close) if close else ""))
    path = params.get("runtime_config")
    if path is not None and not (path.startswith("/") and posixpath.normpath(path) == path):
        said.append("runtime_config: {0!r} is no absolute path without '..' and doubled slashes".format(path))
    return said
