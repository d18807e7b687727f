# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a release: processes that run, map, name or have open something of it, and configuration that names it.

A shim runs the release's program, QEMU has the guest's kernel on its command line long after it closed it, and each of
them is needed again when the pod goes. So what is named counts as used. What cannot be looked at counts as "cannot be
told", and nothing is removed then.
"""

from __future__ import annotations

import os
import re

from . import release_files

# PROC_PID_INIT_INO of include/linux/proc_ns.h: in any other namespace most processes of the host cannot be seen.
_FIRST_NAMESPACE = "pid:[4026531836]"
_LINKS = {"exe": "runs it", "cwd": "is in it", "root": "has it as root"}
_TEXTS = ("cmdline", "maps")
_SHOWN = 3
# Where containerd looks for a shim that has no runtime_path, and where kata-deploy and distributions put Kata.
_LINK_PLACES = ("/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/opt")
_LINK_NAMES = re.compile(r"containerd-shim-|kata")
_PATHS = re.compile(r"/[\w@%+=:,./-]+")
_LARGEST = 8 << 20
# Below a release: its configuration, and the directories in that whose files kata-deploy, an operator or we add.
_CONFIGURATION = "share/defaults/kata-containers"
_ADDED = ("runtimes", "custom-runtimes", "config.d")


class Names:
    """Recognises releases in texts.

    Args:
        bases: paths of the directory of releases, one for each way to it.
        names: {name in that directory: the release that it stands for}, links such as ``current-static`` included.
    """

    def __init__(self, bases, names):
        self._names = names
        self._pattern = re.compile("(?:{0})/({1})(?![\\w+-])".format(
            "|".join(re.escape(base) for base in sorted(set(bases), key=len, reverse=True)),
            "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))) if names else None

    def within(self, text):
        """Return the releases whose paths a text holds. Pure."""
        if self._pattern is None:
            return set()
        tidy = re.sub(r"/(\.?/)+", "/", text)
        return {self._names[match.group(1)] for match in self._pattern.finditer(tidy)}


def processes(host, names, inodes):
    """Return (holders, doubts).

    Args:
        host: Host.
        names: Names.
        inodes: {(device, inode): release} of the files of releases, for what is seen under another name.

    Returns:
        holders: {release: ["process 4711 (qemu-system-x86) ...", ...]}; doubts: sentences, each why it cannot be told.
    """
    try:
        pids = sorted((one for one in host.listdir("/proc") if one.isascii() and one.isdigit()), key=int)
    except OSError as error:
        return {}, ["/proc cannot be read: {0}".format(error.strerror)]
    found, closed, seen = {}, [], set()
    for pid in pids:
        if host.is_real and int(pid) == os.getpid():
            continue
        try:
            uses = _uses(host, pid, names, inodes, seen)
        except PermissionError:
            closed.append(pid)
            continue
        for release, ways in sorted(uses.items()):
            found.setdefault(release, []).append("process {0} ({1}): {2}".format(
                pid, host.text("/proc/{0}/comm".format(pid)) or "?", ", ".join(sorted(ways))))
    doubts = []
    if closed:
        doubts.append("{0} of {1} processes cannot be looked into, process {2} among them; run as root of the "
                      "host".format(len(closed), len(pids), closed[0]))
    if host.is_real and ("1" not in pids or _link(host, "/proc/self/ns/pid") != _FIRST_NAMESPACE):
        doubts.append("only some of the host's processes can be seen here (a container, or hidepid)")
    return found, doubts


def _uses(host, pid, names, inodes, seen):
    """Return {release: ways in which a process uses it}. Raises PermissionError."""
    base, uses = "/proc/{0}/".format(pid), {}

    def note(releases, way):
        for release in releases:
            uses.setdefault(release, set()).add(way)

    for link, way in _LINKS.items():
        note(names.within(_link(host, base + link) or ""), way)
    note(_by_inode(host, base + "exe", inodes), "runs it")
    for file in _TEXTS:
        text = _text(host, base + file)
        note(names.within(text.replace("\0", "\n")), "maps it" if file == "maps" else "names it")
        if file == "maps":
            note(_mapped(text, inodes), "maps it")
    try:
        numbers = host.listdir(base + "fd")
    except PermissionError:
        raise
    except OSError:
        numbers = []
    for number in numbers:
        note(names.within(_link(host, base + "fd/" + number) or ""), "has it open")
    namespace = _link(host, base + "ns/mnt")
    if namespace is None or namespace not in seen:
        seen.add(namespace)
        note(names.within(_text(host, base + "mountinfo")), "has it mounted")
    return uses


def _by_inode(host, path, inodes):
    if not inodes:
        return ()
    try:
        status = os.stat(host.real(path))
    except PermissionError:
        raise
    except OSError:
        return ()
    release = inodes.get((status.st_dev, status.st_ino))
    return [release] if release else ()


def _mapped(text, inodes):
    found = set()
    for line in text.splitlines() if inodes else ():
        fields = line.split(None, 5)
        if len(fields) > 4 and fields[4].isdigit() and fields[4] != "0":
            major, unused, minor = fields[3].partition(":")
            try:
                device = os.makedev(int(major, 16), int(minor, 16))
            except ValueError:
                continue
            found.add(inodes.get((device, int(fields[4]))))
    return found - {None}


def _link(host, path):
    try:
        return host.readlink(path)
    except PermissionError:
        raise
    except OSError:
        return None


def _text(host, path):
    try:
        return host.read_text(path)
    except PermissionError:
        raise
    except OSError:
        # It ended while we looked, or the kernel has nothing to show.
        return ""


def references(host, names, paths):
    """Return (referring, doubts): {release: [path of what names it]}, and sentences on what cannot be read.

    Paths in a file count as they are written, and as what they lead to when they are links.

    Args:
        host: Host.
        names: Names.
        paths: files and directories of configuration; what is not there names nothing.
    """
    found, doubts = {}, []
    for path in _files(host, paths, doubts):
        try:
            content = host.read_bytes(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            doubts.append("{0} cannot be read: {1}".format(path, error.strerror))
            continue
        if len(content) > _LARGEST:
            doubts.append("{0} is larger than {1} MiB; name configuration alone".format(path, _LARGEST >> 20))
            continue
        text = content.decode("utf-8", "replace")
        releases = names.within(text)
        for one in {match.group(0).rstrip(".,:") for match in _PATHS.finditer(text)}:
            releases |= names.within(release_files.resolved(host, one))
        for release in releases:
            found.setdefault(release, []).append(path)
    for place in _LINK_PLACES:
        for name in host.names(place):
            path = "{0}/{1}".format(place, name)
            if _LINK_NAMES.match(name) and release_files.kind(host, path) == "link":
                for release in names.within(release_files.resolved(host, path)):
                    found.setdefault(release, []).append(path)
    return {release: sorted(set(paths)) for release, paths in found.items()}, doubts


def added_configuration(host, releases):
    """Return (directories, doubts): where releases have configuration that is not packaged, and what cannot be read.

    Args:
        host: Host.
        releases: paths of releases.
    """
    found, doubts = [], []
    todo = ["{0}/{1}".format(release, _CONFIGURATION) for release in releases]
    while todo:
        path = todo.pop()
        if release_files.kind(host, path) != "directory":
            continue
        if path.rpartition("/")[2] in _ADDED:
            found.append(path)
            continue
        try:
            todo += ["{0}/{1}".format(path, name) for name in host.listdir(path)]
        except OSError as error:
            doubts.append("{0} cannot be read: {1}".format(path, error.strerror))
    return sorted(found), doubts


def _files(host, paths, doubts):
    """Return the files that paths name, those in directories below them too."""
    todo, found, seen = list(reversed(paths)), [], set()
    while todo:
        path = todo.pop()
        where = release_files.resolved(host, path)
        if where in seen:
            continue
        seen.add(where)
        what = release_files.kind(host, where)
        if what == "directory":
            try:
                todo += ["{0}/{1}".format(path.rstrip("/"), name) for name in reversed(host.listdir(path))]
            except OSError as error:
                doubts.append("{0} cannot be read: {1}".format(path, error.strerror))
        elif what == "file":
            found.append(path)
    return found


def words(reasons):
    """Return the first few reasons, and how many more there are. Pure."""
    more = " and {0} more".format(len(reasons) - _SHOWN) if len(reasons) > _SHOWN else ""
    return "; ".join(reasons[:_SHOWN]) + more
