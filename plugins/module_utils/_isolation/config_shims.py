# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kata's shims as configurations name them: which of the two programs reads a file, where it lies, which table holds.

Layout of a release: upstream's tarballs, see ``tools/packaging/kata-deploy/binary/src/utils/system.rs`` of 4.1.0.
Both shims resolve the path of their configuration through all links and then read ``config.d`` beside what they found
(Go: ``decodeConfig`` in ``pkg/katautils/config.go``, runtime-rs: ``load_raw_from_file`` in
``kata-types/src/config/mod.rs``). So each shim has a directory of its own with a real file in it, never with a link to
the packaged one.
"""

from __future__ import annotations

import posixpath
import re

from .._core import errors
from . import keys_go_3_32_0, keys_go_4_1_0, keys_rust_3_32_0, keys_rust_4_1_0

GO, RUST = "go", "rust"
NAMES = {GO: "the Go shim", RUST: "runtime-rs"}
DROP_IN = "60-sovereign-region.toml"
_DEFAULTS = "share/defaults/kata-containers"
_FOLDERS = {RUST: _DEFAULTS + "/runtime-rs", GO: _DEFAULTS}
_TABLES = {GO: (keys_go_4_1_0, keys_go_3_32_0), RUST: (keys_rust_4_1_0, keys_rust_3_32_0)}
_PACKAGED = re.compile(r"configuration-([\w.+-]+)\.toml")


def folder(release, kind):
    """Return the directory of the packaged files of a shim.

    Args:
        release: directory of the release.
        kind: GO or RUST.
    """
    return posixpath.join(release, _FOLDERS[kind])


def file_name(shim):
    """Return the name of a shim's configuration file, such as ``configuration-qemu.toml``."""
    return "configuration-{0}.toml".format(shim)


def shim_of(name):
    """Return the shim that a file name stands for, or None."""
    found = _PACKAGED.fullmatch(name)
    return found.group(1) if found else None


def paths(release, kind, shim):
    """Return ``packaged``, ``folder``, ``config``, ``config_d`` and ``drop_in`` of a shim. Pure."""
    base = folder(release, kind)
    own = posixpath.join(base, "runtimes", shim)
    config_d = posixpath.join(own, "config.d")
    return {
        "packaged": posixpath.join(base, file_name(shim)),
        "folder": own,
        "config": posixpath.join(own, file_name(shim)),
        "config_d": config_d,
        "drop_in": posixpath.join(config_d, DROP_IN),
    }


def problems(shim):
    """Return what is wrong with the name of a shim, a sentence each. Pure."""
    if _PACKAGED.fullmatch(file_name(shim)) and shim not in (".", ".."):
        return []
    return ["shim: {0!r} is no name of a shim; expected one as in configuration-<shim>.toml, such as 'qemu' or "
            "'qemu-runtime-rs'".format(shim)]


def choose(shim, release, packaged):
    """Return GO or RUST. Pure.

    Args:
        shim: its name, such as ``qemu-nvidia-gpu-runtime-rs``.
        release: directory of the release, for messages.
        packaged: mapping of GO and RUST to the names of shims that the release has a packaged file for.

    Raises:
        Refused: the release has none such.
    """
    has = [kind for kind in (RUST, GO) if shim in packaged[kind]]
    if has:
        # Up to 4.0 one tarball had both, and 'remote' is packaged for both; the Go shim was the default then.
        return has[0] if len(has) == 1 or shim.endswith("-runtime-rs") else GO
    every = packaged[RUST] + packaged[GO]
    if not every:
        raise errors.Refused("release: there is no packaged configuration in {0}/{1} or in runtime-rs below it; "
                             "install a release there with kata_release first".format(release, _DEFAULTS))
    raise errors.Refused(errors.unknown_name("shim", shim, "shim of {0}".format(release), every))


def number(version):
    """Return the numbers of a version, for comparing; those that cannot be read are missing. Pure."""
    return tuple(int(one) for one in re.findall(r"\d+", version.split("-")[0].split("+")[0])[:3])


def tables(kind, version):
    """Return the module with the keys of a shim: of this version, else of the nearest one before, else the oldest.

    Args:
        kind: GO or RUST.
        version: of the release, such as ``4.1.0``; None for the newest that is known.
    """
    known = _TABLES[kind]
    if version is None:
        return known[0]
    return next((one for one in known if number(one.VERSION) <= number(version)), known[-1])


def other(kind, version):
    """Return the table of the other shim of that version."""
    return tables(GO if kind == RUST else RUST, version)


def known_versions():
    """Return the versions of which there are tables, newest first."""
    return [one.VERSION for one in _TABLES[GO]]
