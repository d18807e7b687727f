# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record in every release directory: what was unpacked from where, each file with its digest. Pure.

It is written last, before the directory gets its name, so that a directory without it was not made here.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit, urlunsplit

from . import release_tarball

FILE = ".sovereign-region-release.json"
_FORMAT = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Where configuration may be added to a release without touching what was unpacked, as kata-deploy does.
_ADDED = re.compile(r"share/defaults/kata-containers/(runtime-rs/)?(runtimes|custom-runtimes)(/.*)?"
                    r"|share/defaults/kata-containers/(.*/)?config\.d(/.*)?")
_SHOWN = 5


def name_of(version, flavour):
    """Return the name of a release and of its directory, such as ``4.1.0-go-static``."""
    return "{0}-{1}".format(version, flavour)


def split_name(name):
    """Return (version, flavour) of a directory's name, or None when it is no name of a release."""
    for flavour in sorted(release_tarball.FLAVOURS, key=len, reverse=True):
        version = name[:-len(flavour) - 1]
        if name == name_of(version, flavour) and release_tarball.version_problem(version) is None:
            return version, flavour
    return None


def is_digest(text):
    """Whether a text is a SHA-256 in hexadecimal, in lower case."""
    return isinstance(text, str) and bool(_DIGEST.fullmatch(text))


def public_source(source):
    """Return a path or URL without what may be secret in it: user, password and query."""
    if "://" not in source:
        return source
    try:
        parts = urlsplit(source)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return source.partition("://")[0] + "://"


def build(params, size, packaged, entries, rewrites, when):
    """Return the record of a release, a mapping.

    Args:
        params: options of the module; read are version, flavour, sha256, source.
        size: of the tarball, in bytes.
        packaged: text of the tarball's VERSION, or None.
        entries: {path: {"sha256", "size", "mode"} or {"link"}} as they lie on the disk.
        rewrites: paths of files in which packaged paths were replaced, and of wrappers that were added.
        when: time of unpacking, such as ``2026-11-21T19:00:00Z``.
    """
    return {
        "format": _FORMAT, "version": params["version"], "flavour": params["flavour"], "packaged_version": packaged,
        "sha256": params["sha256"].lower(), "size": size, "source": public_source(params["source"]), "unpacked": when,
        "rewritten": sorted(rewrites), "files": entries,
    }


def text_of(record):
    """Return a record as text."""
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def parse(text, name):
    """Return (record, None), or (None, why it is none). Never raises.

    Args:
        text: content of the file, or None when there is none.
        name: of the directory that it lies in.
    """
    if text is None:
        return None, "it has no record {0}, so it was not unpacked here".format(FILE)
    try:
        record = json.loads(text)
    except ValueError:
        return None, "its record {0} is no JSON".format(FILE)
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        return None, "its record {0} has a format that this collection does not know".format(FILE)
    files = record.get("files")
    good = isinstance(files, dict) and files and all(_is_entry(path, entry) for path, entry in files.items())
    texts = all(isinstance(record.get(key), str) for key in ("version", "flavour", "source", "unpacked"))
    size = record.get("size")
    if not good or not texts or not is_digest(record.get("sha256")) or not isinstance(size, int):
        return None, "its record {0} is not whole".format(FILE)
    if name_of(record["version"], record["flavour"]) != name:
        return None, "its record {0} is of the release {1}".format(FILE, name_of(record["version"], record["flavour"]))
    return record, None


def _is_entry(path, entry):
    if path.startswith("/") or ".." in path.split("/") or not isinstance(entry, dict):
        return False
    if "link" in entry:
        return isinstance(entry["link"], str)
    return is_digest(entry.get("sha256")) and isinstance(entry.get("size"), int) and isinstance(entry.get("mode"), int)


def compare(record, found):
    """Return how a directory differs from its record: {"missing", "changed", "added"}, each a sorted list of paths.

    A packaged configuration file may be a link to a copy of itself in the directory for its shim, as kata-deploy has
    it; the copy must be the packaged content. What lies in those directories and in ``config.d`` is no addition.

    Args:
        record: as ``parse`` returned it.
        found: {path: entry} as the record has them, where ``sha256`` is None when it was not computed. For a link that
            stands where a file was, ``content`` may hold the entry of the file that it leads to.
    """
    missing, changed = [], []
    for path, wanted in record["files"].items():
        have = found.get(path)
        if have is None:
            missing.append(path)
        elif not _same(path, wanted, have):
            changed.append(path)
    added = [path for path in found if path not in record["files"] and path != FILE and not _ADDED.fullmatch(path)]
    return {"missing": sorted(missing), "changed": sorted(changed), "added": sorted(added)}


def _same(path, wanted, have):
    if "link" in wanted or "link" not in have:
        return _equal(wanted, have)
    content = have.get("content")
    moved = release_tarball.is_configuration(path) and re.match(r"(runtimes|custom-runtimes)/", have["link"])
    return bool(moved and content) and _equal(wanted, dict(content, mode=wanted["mode"]))


def _equal(wanted, have):
    if "link" in wanted or "link" in have:
        return wanted.get("link") == have.get("link")
    same = (wanted["size"], wanted["mode"]) == (have["size"], have["mode"])
    return same and have["sha256"] in (None, wanted["sha256"])


def damage(differences):
    """Return in words what is wrong with a release; None when all that was unpacked is there as it was."""
    parts = []
    for key in ("missing", "changed"):
        paths = differences[key]
        if paths:
            more = " and {0} more".format(len(paths) - _SHOWN) if len(paths) > _SHOWN else ""
            parts.append("{0}: {1}{2}".format(key, ", ".join(paths[:_SHOWN]), more))
    return "; ".join(parts) or None
