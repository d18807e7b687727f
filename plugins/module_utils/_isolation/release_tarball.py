# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be in a release tarball of Kata Containers, and what is rewritten when it lies elsewhere. Pure.

Sources, Kata Containers 4.1.0: ``kata-deploy-merge-builds.sh`` (all members lie below ``./opt/kata``, owner 0),
``kata-deploy/binary/src/artifacts/install.rs`` (``extract_tarball``: absolute links into ``/opt/kata`` are rewritten;
``create_qemu_wrapper_script``), ``configure-hypervisor.sh`` (upstream's QEMU is built with ``--disable-relocatable``
and the data directory ``share/kata-qemu/qemu``), ``docs/releases/4.1.0.md`` (what is in which tarball).
"""

from __future__ import annotations

import posixpath
import re

from .._core.errors import DeclarationError

PREFIX = "/opt/kata"
FLAVOURS = {"static": "kata-static", "go-static": "kata-go-static", "tools-static": "kata-tools-static"}
SUFFIXES = {".tar.zst": "zst", ".tzst": "zst", ".tar.xz": "xz", ".txz": "xz"}
SHIM = "bin/containerd-shim-kata-v2"
SHIMS = {"go": SHIM, "runtime-rs": "runtime-rs/" + SHIM}
# Until 4.0 there was one tarball with both shims, and kata-static is runtime-rs alone since 4.1.
_SPLIT = (4, 1)
_VERSION = re.compile(r"[0-9]+(\.[0-9]+){2}([-+.][0-9A-Za-z]+)*")
_PACKAGED = re.compile(re.escape(PREFIX) + r"(?![\w.@+-])")
_BEFORE = re.compile(r"[\w.@+~/-]")
_QEMU = re.compile(r"bin/(qemu-system-[a-z0-9_]+?)((?:-[a-z0-9-]+)?)")
WRAPPED = "-installation-prefix"


def version_problem(value):
    """Return why a text is no version of a release, or None. Pure."""
    if _VERSION.fullmatch(str(value)) and len(str(value)) <= 64:
        # The name of a release directory is <version>-<flavour>, and must say both without doubt.
        clash = next((one for one in ("-go", "-tools") if str(value).endswith(one)), None)
        return clash and "version: {0!r} ends as a flavour begins ({1}); call it otherwise".format(value, clash)
    return "version: {0!r} is no version of Kata Containers; expected a release's name, such as '4.1.0'".format(value)


def version_key(text):
    """Return what sorts versions: numbers by value, and a pre-release such as ``4.1.0-rc0`` before its release."""
    core, dash, rest = str(text).partition("-")
    early = 0 if re.match(r"(alpha|beta|rc)", rest) else 1
    return [int(one) for one in re.findall(r"[0-9]+", core)[:8]], early, [
        (0, int(one), "") if one.isdigit() else (1, 0, one) for one in re.findall(r"[0-9]+|[A-Za-z]+", rest)]


def compression(source):
    """Return ``zst`` or ``xz`` by the name of a tarball; None when it is neither. Pure.

    Args:
        source: a path or a URL; what stands after ``?`` or ``#`` does not count.
    """
    name = re.split(r"[?#]", str(source))[0] if "://" in str(source) else str(source)
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def inner_path(name):
    """Return a member's path below the release directory; empty for the directories above it. Pure.

    Raises:
        DeclarationError: the name is absolute, climbs, or lies elsewhere than all that upstream packs.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise DeclarationError("the tarball has a member {0!r}: that would be written outside the release".format(name))
    if parts[:2] == ["opt", "kata"]:
        return "/".join(parts[2:])
    if parts in ([], ["opt"]):
        return ""
    raise DeclarationError("the tarball has a member {0!r}: upstream's hold nothing outside opt/kata".format(name))


def link_target(path, target, directory):
    """Return where a symbolic link leads once the release lies in its directory. Pure.

    Args:
        path: of the link, below the release directory.
        target: its text in the tarball.
        directory: of the release, absolute.

    A link into ``/opt/kata`` leads into the release. An absolute link to another place stays as it is, such as one to
    the distribution's QEMU. A relative one must not climb out, since it would lead elsewhere than it was packed for.
    """
    if not target or "\0" in target:
        raise DeclarationError("the tarball has a link {0!r} that leads to nothing".format(path))
    if target.startswith("/"):
        tidy = posixpath.normpath("/" + target.lstrip("/"))
        if tidy == PREFIX or tidy.startswith(PREFIX + "/"):
            return directory + tidy[len(PREFIX):]
        return target
    if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).split("/")[0] == "..":
        raise DeclarationError("the tarball has a link {0!r} to {1!r}, which leads out of the release".format(
            path, target))
    return target


def permissions(mode):
    """Return the permissions of a file: the tarball's without setuid, setgid, sticky and write for others. Pure."""
    return mode & 0o755


def is_configuration(path):
    """Whether packaged paths in this file are rewritten: TOML, and what lies in the directory of defaults. Pure."""
    return path.endswith(".toml") or path.startswith("share/defaults/")


def rewritten(text, directory, wrapped=()):
    """Return the text of a configuration file with ``/opt/kata`` replaced by the release directory. Pure.

    Args:
        text: content of the file.
        directory: of the release, absolute.
        wrapped: paths below the release of QEMU programs that have a wrapper beside them, which is named instead.
    """
    def moved(match):
        before = text[match.start() - 1:match.start()]
        return match.group(0) if before and _BEFORE.match(before) else directory

    text = _PACKAGED.sub(moved, text)
    for path in wrapped:
        whole = "{0}/{1}".format(re.escape(directory), re.escape(path))
        text = re.sub(whole + r"(?![\w./@+-])", lambda match: match.group(0) + WRAPPED, text)
    return text


def wrappers(files, directories):
    """Return {path of a QEMU program: its data directory}, both below the release. Pure.

    Upstream's QEMU looks for its firmware in ``/opt/kata`` alone, wherever it lies itself, unless ``-L`` says
    otherwise. A QEMU that is only a link to the distribution's needs nothing.

    Args:
        files: paths of regular files.
        directories: paths of directories.
    """
    found = {}
    for path in files:
        match = _QEMU.fullmatch(path)
        data = match and "share/kata-qemu{0}/qemu".format(match.group(2))
        if data and data in directories:
            found[path] = data
    return found


def wrapper_text(directory, path, data):
    """Return the wrapper of a QEMU program: a shell script that becomes QEMU. Pure."""
    return '#!/bin/sh\nexec "{0}/{1}" "$@" -L "{0}/{2}/"\n'.format(directory, path, data)


def shims_in(paths):
    """Return {name of a shim: its path below the release}. Pure."""
    return {name: path for name, path in sorted(SHIMS.items()) if path in paths}


def content_problem(flavour, version, packaged, paths):
    """Return why an unpacked tree is not what was declared, or None. Pure.

    Args:
        flavour: one of FLAVOURS.
        version: as declared.
        packaged: text of the tree's own VERSION, or None when it has none.
        paths: of all files and links in it.
    """
    if packaged is not None and version != packaged and not re.match(re.escape(packaged) + r"[-+.]", version):
        return ("the tarball says that it is version {0!r}, declared is {1!r}; a build of your own may be called "
                "{0}-<something>".format(packaged, version))
    shims = shims_in(paths)
    if flavour == "tools-static":
        return None if any(path.startswith("bin/") for path in paths) else "there are no tools in bin/ of the tarball"
    split = tuple(version_key(packaged or version)[0][:2]) >= _SPLIT
    needed = ["go"] if flavour == "go-static" else ["runtime-rs"] if split else ["go", "runtime-rs"]
    if not any(one in shims for one in needed):
        other = "go-static" if flavour == "static" else "static"
        hint = "; it looks like the flavour {0!r}".format(other) if shims else ""
        return "the tarball has no {0}, which belongs into the flavour {1!r}{2}".format(
            " or ".join(SHIMS[one] for one in needed), flavour, hint)
    if flavour == "go-static" and "runtime-rs" in shims:
        return "the tarball has the shim runtime-rs too, so it is of the flavour 'static'"
    return None
