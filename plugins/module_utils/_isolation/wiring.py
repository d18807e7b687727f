# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From releases and handlers, as an operator declares them, to what kata_config and cri_runtime take. Pure.

A handler names the directory of a release and never the link to the current one: a pod that runs keeps the files that
it was started with, whatever becomes current.
"""

from __future__ import annotations

import posixpath

from .._core.errors import DeclarationError, nearest, unknown_name
from . import config_shims, release_manifest, release_tarball

ABSENT = "absent"
_STATES = ("present", ABSENT)
_SWITCHES = ("allow_debug", "allow_all_annotations")
_OF_A_SHIM = ("settings", "append", "sizing", "allow_debug", "allow_all_annotations")
_OF_A_HANDLER = ("snapshotter", "privileged_without_host_devices", "pod_annotations", "container_annotations")
_ROLE = ("name", "shim", "release", "state") + _OF_A_SHIM + _OF_A_HANDLER
_BINARY = "bin/containerd-shim-kata-v2"
# Until 4.0 one tarball had both shims; from 4.1 on kata-static has runtime-rs alone.
_SPLIT = (4, 1)


def wire(handlers, releases, directory):
    """Return ``shims``, as kata_config takes them, ``handlers``, as cri_runtime does, and what becomes of releases.

    Args:
        handlers: list of mappings with ``name``, ``shim``, ``release`` (such as ``4.1.0-static``; needed where several
            releases are declared), ``state``, and options of kata_config and cri_runtime.
        releases: list of mappings with ``version``, ``flavour`` and ``state``, as kata_release takes them.
        directory: where releases lie.

    Returns:
        Besides ``shims`` and ``handlers``: ``releases``, those declared that are to stay, ``removed``, those that are
        not, and ``removed_names``, the names of these.

    Raises:
        DeclarationError: an unknown key, state, shim or release, a handler or shim that is declared twice differently.
    """
    problems = ["kata_releases[{0}].version: missing; such as '4.1.0'".format(index)
                for index, one in enumerate(releases) if not one.get("version")]
    if problems:
        raise DeclarationError(problems)
    removed = [one for one in releases if one.get("state") == ABSENT]
    there = [_name(one) for one in releases if one.get("state") not in (ABSENT, "rolled_back")]
    shims, wired = [], []
    for index, one in enumerate(handlers):
        path = "kata_handlers[{0}]".format(index)
        wrong = _wrong(path, one, there) + _again(path, one, handlers[:index])
        problems += wrong
        if wrong:
            continue
        if one.get("state") == ABSENT:
            wired.append({"name": one["name"], "state": ABSENT})
            continue
        release = one.get("release") or there[0]
        home, kind = posixpath.join(directory, release), _kind(one["shim"], release)
        shim = dict({key: _plain(key, one[key]) for key in _OF_A_SHIM if key in one}, shim=one["shim"], release=home)
        problems += _differs(path, shim, shims)
        shims += [shim] if shim not in shims else []
        wired.append(dict(
            {key: one[key] for key in _OF_A_HANDLER if key in one}, name=one["name"], state="present",
            runtime_path=posixpath.join(home, "runtime-rs" if kind == config_shims.RUST else "", _BINARY),
            config_path=config_shims.paths(home, kind, one["shim"])["config"]))
    if problems:
        raise DeclarationError(problems)
    return {"shims": shims, "handlers": wired, "releases": [one for one in releases if one not in removed],
            "removed": removed, "removed_names": [_name(one) for one in removed]}


def _name(release):
    return release_manifest.name_of(release["version"], release.get("flavour") or "static")


def _plain(key, value):
    """Return a switch as a boolean: in playbooks it may be a text."""
    return str(value).lower() in ("true", "yes", "on", "1") if key in _SWITCHES else value


def _again(path, one, before):
    earlier = [index for index, other in enumerate(before) if other.get("name") == one.get("name")]
    return ["{0}.name: {1!r} is declared already by kata_handlers[{2}]".format(path, one["name"], earlier[0])
            ] if earlier and one.get("name") else []


def _wrong(path, one, there):
    unknown = [key for key in one if key not in _ROLE]
    if unknown:
        return [unknown_name(path, key, "part of a handler", _ROLE) for key in unknown]
    if not one.get("name"):
        return ["{0}.name: missing; the name that a RuntimeClass has as its handler, such as 'kata-qemu'".format(path)]
    if one.get("state", "present") not in _STATES:
        return ["{0}.state: {1!r}; expected {2}".format(path, one["state"], " or ".join(_STATES))]
    if one.get("state") == ABSENT:
        return []
    if not one.get("shim"):
        return ["{0}.shim: missing; a shim of the release, such as 'qemu-runtime-rs'".format(path)]
    if one.get("release") is None and len(there) != 1:
        return ["{0}.release: missing; {1}".format(
            path, "declared are {0}".format(", ".join(there)) if there else "no release is declared in kata_releases")]
    if one.get("release") is not None and release_manifest.split_name(one["release"]) is None:
        close = nearest(one["release"], there)
        return ["{0}.release: {1!r} is no release, such as '4.1.0-static'{2}".format(
            path, one["release"], "; the nearest is {0!r}".format(close) if close else "")]
    if one.get("release") is not None and one["release"] not in there:
        return [unknown_name(path + ".release", one["release"], "release of kata_releases", there)]
    release = one.get("release") or there[0]
    if release_manifest.split_name(release)[1] == "tools-static":
        return ["{0}.release: {1!r} holds tools and no shim; name one of the flavours {2}".format(
            path, release, ", ".join(name for name in sorted(release_tarball.FLAVOURS) if name != "tools-static"))]
    return config_shims.problems(one["shim"])


def _differs(path, shim, shims):
    """Two handlers may share a shim of one release; then its configuration is one file, and said once or alike."""
    other = next((one for one in shims if (one["shim"], one["release"]) == (shim["shim"], shim["release"])), shim)
    if other == shim:
        return []
    return ["{0}: the shim {1!r} of {2} is declared with other settings by an earlier handler; it has one "
            "configuration: say the same in both".format(path, shim["shim"], posixpath.basename(shim["release"]))]


def _kind(shim, release):
    """Return which shim reads the configuration, as far as names tell; what the release holds is seen on the host."""
    version, flavour = release_manifest.split_name(release)
    if flavour == "go-static":
        return config_shims.GO
    if config_shims.number(version)[:2] >= _SPLIT or shim.endswith("-runtime-rs"):
        return config_shims.RUST
    return config_shims.RUST if shim in ("dragonball", "rs-fc", "cloud-hypervisor") else config_shims.GO
