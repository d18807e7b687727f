# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container runtime makes of its files, in one shape for all of them, and how two of these differ. Pure.

An effective configuration is ``{"handlers": {name: table}, "settings": {path: value}, "snapshotters": [name],
"default": name, "address": path}``. The table of a handler is the container runtime's own; a path is a tuple of keys.
"""

from __future__ import annotations

import re

from . import cri_declared as declared
from . import cri_text as text

CRI = ("plugins", "io.containerd.grpc.v1.cri")
CRI_RUNTIME = ("plugins", "io.containerd.cri.v1.runtime")
CRI_IMAGES = ("plugins", "io.containerd.cri.v1.images")
# The section of versions before 2 has its short name.
CRI_SHORT = ("plugins", "cri")
_RUNTIMES = ("containerd", "runtimes")
_PLATFORMS = CRI_IMAGES + ("runtime_platforms",)
_SNAPSHOTTER = "io.containerd.snapshotter.v1."
# They name the files that were read, and those of a candidate are others.
_FILES = (("imports",), ("version",))


def section(version):
    """Return the path of the table with the runtimes, for a configuration version."""
    return CRI_SHORT if version < 2 else CRI if version == 2 else CRI_RUNTIME


def of_containerd(document):
    """Return the effective configuration in what ``containerd config dump`` prints.

    Handlers: ``internal/cri/config/config.go`` (``pkg/cri/config`` before 2.0). Snapshotters: those that are built in
    and have settings, and proxy plugins of that type.
    """
    cri = section(document.get("version", 1))
    handlers = text.at(document, cri + _RUNTIMES) or {}
    plugins = document.get("plugins") or {}
    known = [key[len(_SNAPSHOTTER):] for key in plugins if key.startswith(_SNAPSHOTTER)]
    known += [key for key, one in (document.get("proxy_plugins") or {}).items() if one.get("type") == "snapshot"]
    settings = {path: value for path, value in _flat(document).items()
                if path[:len(cri) + 2] != cri + _RUNTIMES and path not in _FILES}
    address = (document.get("grpc") or text.at(document, ("plugins", "io.containerd.server.v1.grpc")) or {})
    return {
        "handlers": handlers,
        "settings": settings,
        "snapshotters": sorted(set(known) - set(_disabled(document))),
        "default": (text.at(document, cri + ("containerd",)) or {}).get("default_runtime_name"),
        "address": address.get("address") or "/run/containerd/containerd.sock",
    }


def _disabled(document):
    return [one[len(_SNAPSHOTTER):] for one in document.get("disabled_plugins") or () if one.startswith(_SNAPSHOTTER)]


def is_disabled(effective):
    """Whether containerd was told to leave its CRI plugin out."""
    names = (".".join(CRI[1:]), ".".join(CRI_RUNTIME[1:]), "cri")
    return any(one in names for one in effective["settings"].get(("disabled_plugins",)) or ())


def of_crio(document, printed):
    """Return the effective configuration in what ``crio config`` prints, as a document and as a text.

    It prints defaults as comments, and the handlers as comments all together when all are CRI-O's own. Of those only
    the names are taken, as ``implied``. Source: CRI-O, ``docs/crio.conf.5.md`` and ``pkg/config/template.go``.
    """
    path = ("crio", "runtime", "runtimes")
    implied = [] if text.at(document, path) else re.findall(
        r"^# *\[crio\.runtime\.runtimes\.\"?([^]\"]+)\"?\]\s*$", printed, re.M)
    settings = {key: value for key, value in _flat(document).items() if key[:3] != path}
    default = text.at(document, ("crio", "runtime", "default_runtime"))
    return {"handlers": text.at(document, path) or {name: {} for name in implied}, "implied": implied,
            "settings": settings, "snapshotters": [], "default": default,
            "address": text.at(document, ("crio", "api", "listen")) or "/var/run/crio/crio.sock"}


def of_docker(document):
    """Return the effective configuration in a ``daemon.json``. Source: Docker, ``dockerd`` reference, "runtimes"."""
    settings = {key: value for key, value in _flat(document).items() if key[:1] != ("runtimes",)}
    return {"handlers": document.get("runtimes") or {}, "settings": settings, "snapshotters": [],
            "default": document.get("default-runtime", "runc"), "address": None}


def _flat(document, path=()):
    found = {}
    for key, value in document.items():
        here = path + (key,)
        found.update(_flat(value, here) if isinstance(value, dict) else {here: value})
    return found


def row(name, table):
    """Return what a table says about a handler, in the words of this module's options."""
    options = table.get("options") or {}
    path = table.get("runtime_path") or None
    kind = table.get("runtime_type") or None
    if "runtimeType" in table or "path" in table:
        # Docker names a shim by its path where a type would stand.
        kind = table.get("runtimeType")
        path = table.get("path") or (kind if kind and kind.startswith("/") else None)
        kind = None if kind == path else kind
    return {
        "name": name,
        "runtime_type": kind,
        "runtime_path": path,
        "config_path": options.get("ConfigPath") or table.get("runtime_config_path") or None,
        "snapshotter": table.get("snapshotter") or None,
        "privileged_without_host_devices": bool(table.get("privileged_without_host_devices")),
        "pod_annotations": list(table.get("pod_annotations") or ()),
        "container_annotations": list(table.get("container_annotations") or ()),
    }


def rows(effective):
    """Return the handlers by name, as a sorted list of ``row``."""
    return [row(name, table) for name, table in sorted(effective["handlers"].items())]


def differences(before, after, params, settings, spare):
    """Return a sentence for each thing that would be lost or changed without being asked for.

    Args:
        before: effective configuration.
        after: likewise.
        params: options of the module: the handlers that may differ.
        settings: paths of settings that may differ.
        spare: mapping of the name of a handler to a table that it may become; None for any.
    """
    named = {one["name"] for one in params["handlers"]}
    implied = set(before.get("implied", ())) | set(after.get("implied", ()))
    said = []
    for name in sorted(set(before["handlers"]) | set(after["handlers"])):
        old, new = before["handlers"].get(name), after["handlers"].get(name)
        known = None not in (old, new) and (name in implied or spare.get(name) == new)
        if name in named or old == new or known or (name in spare and spare[name] is None):
            continue
        if new is None:
            said.append("handler {0!r} would be lost".format(name))
        elif old is None:
            said.append("handler {0!r} would appear".format(name))
        else:
            said += ["{0} of handler {1!r} would change from {2!r} to {3!r}".format(
                ".".join(key), name, a, b) for key, a, b in _changes(_flat(old), _flat(new))]
    for path, old, new in _changes(before["settings"], after["settings"]):
        ours = path in settings or (path[:3] == _PLATFORMS and path[3:4] and path[3] in named)
        if not ours:
            values = " from {0!r} to {1!r}".format(old, new) if _is_managed(path) else ""
            said.append("{0} would change{1}".format(".".join(path), values))
    return said


def _is_managed(path):
    """Whether a setting is one that this module writes: only its value is told, any other can be a secret."""
    return (path in (CRI_IMAGES + ("pinned_images", "sandbox"), CRI_RUNTIME + ("enable_cdi",))
            or path in (CRI + ("sandbox_image",), CRI + ("enable_cdi",)))


def _changes(old, new):
    return [(key, old.get(key), new.get(key)) for key in sorted(set(old) | set(new), key=str)
            if old.get(key) != new.get(key)]


def unmet(after, params, wanted, asked):
    """Return a sentence for each declared thing that the container runtime would not take over.

    Args:
        after: effective configuration.
        params: options of the module.
        wanted: mapping of name to the table that was written.
        asked: mapping of the path of a setting to its value; None where any will do.
    """
    said = ["{0} would be {1!r} and not {2!r}".format(".".join(path), after["settings"].get(path), value)
            for path, value in asked.items() if value is not None and after["settings"].get(path) != value]
    for name in declared.absent(params):
        if name in after["handlers"]:
            said.append("handler {0!r} would still be there".format(name))
    for one in declared.present(params):
        found = after["handlers"].get(one["name"])
        if found is None:
            said.append("handler {0!r} would not be there".format(one["name"]))
            continue
        there = _flat(found)
        for path, value in sorted(_flat(wanted.get(one["name"], {})).items()):
            if there.get(path) != value and (value or there.get(path)):
                said.append("{0} of handler {1!r} would be {2!r} and not {3!r}".format(
                    ".".join(path), one["name"], there.get(path), value))
    return said
