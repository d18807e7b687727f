# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of a release: all that a mirror without internet must hold, each with its digest. Pure.

What boots in a guest is in the tarball, and is listed on its own: its digests are the reference values of attestation.
Source of the names: Kata Containers 4.1.0, ``tools/packaging/kata-deploy/local-build/kata-deploy-binaries.sh``.
"""

from __future__ import annotations

import re

from . import release_manifest, release_tarball

_GUEST = "share/kata-containers/"
_FIRMWARE = re.compile(r"share/(ovmf|aavmf|tdvf|kata-containers/firmware)/.+")
_KERNEL = re.compile(r"(vmlinux|vmlinuz|bzImage|Image)([-.].*)?")


def kind_of(path):
    """Return what a file of a release is in a guest's boot: its kind in the field's words, or None.

    Args:
        path: below the release directory.
    """
    if _FIRMWARE.fullmatch(path):
        return "firmware"
    if not path.startswith(_GUEST):
        return None
    name = path[len(_GUEST):]
    if name.startswith("kata-containers-initrd") or "initrd" in name.split("/")[-1]:
        return "guest initrd"
    if name.endswith((".img", ".image")):
        return "guest image"
    if _KERNEL.fullmatch(name.split("/")[-1]):
        return "guest kernel"
    return "root hash" if "root_hash" in name else None


def bill_of_materials(record, directory, images=(), charts=(), declared=None):
    """Return the bill, a list of {"kind", "name", "sha256", "size", "source"}.

    Args:
        record: of a release, as ``release_manifest.parse`` returned it; None lists only what the caller names.
        directory: of the release.
        images: the caller's container images, such as the pause image: list of {"name", "sha256"}.
        charts: the caller's Helm charts, likewise.
        declared: {"source", "sha256"} of the tarball that is not installed yet, or None.

    ``size`` is in bytes, None where nobody knows. ``source`` is where it comes from: for what lies in the tarball, the
    name of the tarball's file. A link, such as ``kata-containers.img``, counts as the file that it leads to.
    """
    rows = []
    if record is not None:
        tarball = record["source"].rstrip("/").rpartition("/")[2]
        rows.append(_row("tarball", tarball, record["sha256"], record["size"], record["source"]))
        for name, path in release_tarball.shims_in(record["files"]).items():
            rows.append(_inside("shim " + name, directory, path, record, tarball))
        for path in sorted(record["files"]):
            kind = kind_of(path)
            if kind and "link" not in record["files"][path]:
                rows.append(_inside(kind, directory, path, record, tarball))
    elif declared and declared["source"] and declared["sha256"]:
        source = release_manifest.public_source(declared["source"])
        rows.append(_row("tarball", source.rpartition("/")[2], declared["sha256"].lower(), None, source))
    for kind, named in (("container image", images), ("chart", charts)):
        rows += [_row(kind, one["name"], one["sha256"].lower(), None, one["name"]) for one in named]
    return rows


def _inside(kind, directory, path, record, tarball):
    entry = record["files"][path]
    return _row(kind, "{0}/{1}".format(directory, path), entry.get("sha256"), entry.get("size"), tarball)


def _row(kind, name, digest, size, source):
    return {"kind": kind, "name": name, "sha256": digest, "size": size, "source": source}
