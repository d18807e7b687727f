# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that containerd reads, in its order, and which of them is the place for our lines.

containerd loads the main file, then what it imports, one after the other. 2.x merges them table by table; 1.x lets the
last file with a CRI section replace the whole section. Source: ``LoadConfig`` and ``mergeConfig`` in containerd,
``services/server/config/config.go`` (1.6.20, 1.7.24) and ``cmd/containerd/server/config/config.go`` (2.1.4, 2.3.4).
"""

from __future__ import annotations

import fnmatch
import posixpath

from .._core.errors import Refused
from . import cri_effective as effective
from . import cri_text as text

DROP_IN = "60-sovereign-region.toml"
HEAD = "# Written by sovereign.region.cri_runtime. Changes by hand are lost; put your own into other files.\n"
# A main file that had to be made: containerd's own defaults of that version.
MADE = "# Made by sovereign.region.cri_runtime, because there was no such file.\nversion = {0}\n"
_MOST_FILES = 100


def read(host, path):
    """Return the text of a file, or None when there is none. Raises Refused for what is no UTF-8, as TOML has to be."""
    try:
        return host.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("{0}: is no UTF-8 text, which TOML has to be: {1}".format(path, error)) from error
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused("{0}: cannot be read: {1}".format(path, error.strerror)) from error


def chain(host, main):
    """Return the files that containerd loads, in order, a mapping each: ``path``, ``text``, ``imports``, ``clash``.

    The main file is always the first, with text None when there is none. ``imports``: as written. ``clash``: whether it
    is TOML only without our lines, because the operator added a table that they have. Raises Refused for a file that
    is no TOML without them either, or an import that is missing, which stops containerd as well.
    """
    found, waiting, seen = [], [main], set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        content = read(host, path)
        if content is None and path != main:
            raise Refused("{0}: is imported and does not exist, so containerd would not start; remove it from the "
                          "imports, or put it back".format(path))
        document, clash = _document(path, content or "")
        imports = [str(one) for one in document.get("imports") or ()]
        found.append({"path": path, "text": content, "imports": imports, "clash": clash})
        for one in imports:
            waiting += matching(host, absolute(path, one))
        if len(found) > _MOST_FILES:
            raise Refused("{0}: imports more than {1} files".format(main, _MOST_FILES))
    return found


def _document(path, content):
    """Return (the document, whether our lines had to be left out for that). Pure."""
    try:
        return text.parse(path, content), False
    except Refused:
        rest = text.split(path, content)[0]
        if rest == content:
            raise
        return text.parse(path, rest), True


def operators(one):
    """Return the document of a file without our lines. Pure."""
    return text.parse(one["path"], text.split(one["path"], one["text"] or "")[0])


def absolute(parent, pattern):
    """Return an import as an absolute path, seen from the file that has it. Pure."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(parent), pattern))


def matching(host, path):
    """Return the files that an import names. As containerd does, only ``*`` makes it a pattern."""
    if "*" not in path:
        return [path]
    folder, pattern = posixpath.split(path)
    if "*" in folder:
        raise Refused("imports: {0!r} has a pattern in the name of a directory, which this module does not follow; "
                      "name the directories".format(path))
    return ["{0}/{1}".format(folder, name) for name in host.names(folder) if fnmatch.fnmatchcase(name, pattern)]


def version_of(files, major):
    """Return the configuration version: that of the main file alone; None without a main file. Pure.

    Without a version it is 1; on 2.x only where the plugins have their short names of then, because 2.x reads its own
    sections without a version as well.
    """
    if files[0]["text"] is None:
        return None
    document = operators(files[0])
    short = [name for name in document.get("plugins") or () if "." not in name]
    return int(document.get("version") or (1 if major < 2 or short else 3))


def place(files, major):
    """Return (path, whether the whole file is ours) of the file for our lines. Pure.

    On 2.x that is a drop-in of ours, when the main file imports a directory where one is found. In every other case it
    is a block at the end of a file that containerd reads anyway: one write that is there or not, where a drop-in with
    an import needs two. On 1.x a drop-in of ours would have to repeat the CRI section and would then hide what the
    operator changes in it later, so the block goes into the file whose section counts.
    """
    main = files[0]["path"]
    if major >= 2:
        for pattern in files[0]["imports"]:
            folder, name = posixpath.split(absolute(main, pattern))
            if "*" in name and "*" not in folder and fnmatch.fnmatchcase(DROP_IN, name):
                return "{0}/{1}".format(folder, DROP_IN), True
        return main, False
    counts = [one["path"] for one in files if cri_of(one)]
    return (counts[-1] if counts else main), False


def cri_of(one):
    """Return the path of the CRI section that a file has besides our lines; None when it has none. Pure."""
    document = operators(one)
    for path in (effective.CRI_RUNTIME, effective.CRI, effective.CRI_SHORT):
        if text.at(document, path) is not None:
            return path
    return None


def candidate(host, files, changes, folder, write):
    """Write the configuration as it would be into a directory, and return the path of its main file.

    Args:
        host: Host.
        files: what ``chain`` returned.
        changes: mapping of path to the new text; None for a file that goes.
        folder: where.
        write: function of (path, text).
    """
    main = files[0]["path"]
    renamed = {}
    for number, path in enumerate(sorted(set(changes) - {main})):
        if changes[path] is not None:
            renamed[path] = "{0}/{1}-{2}".format(folder, number, posixpath.basename(path))
            write(renamed[path], _rooted(path, changes[path]))
    content = files[0]["text"] or ""
    content = changes.get(main, content) or ""
    document = text.parse(main, content)
    target = "{0}/main.toml".format(folder)
    given = [str(one) for one in document.get("imports") or ()]
    if set(changes) <= {main} and all(one.startswith("/") for one in given):
        write(target, content)
        return target
    imports = []
    for one in given:
        pattern = absolute(main, one)
        names = set(matching(host, pattern))
        names.update(path for path in changes if _matches(path, pattern))
        imports += [renamed.get(path, path) for path in sorted(names) if changes.get(path, "") is not None]
    write(target, text.tomli_w.dumps(dict(document, imports=imports)))
    return target


def _matches(path, pattern):
    same = posixpath.dirname(path) == posixpath.dirname(pattern)
    return same and fnmatch.fnmatchcase(posixpath.basename(path), posixpath.basename(pattern))


def _rooted(path, content):
    """Return a text with its relative imports made absolute, because a candidate lies elsewhere. Pure."""
    document = text.parse(path, content)
    given = [str(one) for one in document.get("imports") or ()]
    if all(one.startswith("/") for one in given):
        return content
    return text.tomli_w.dumps(dict(document, imports=[absolute(path, one) for one in given]))
