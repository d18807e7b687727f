# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container runtimes and snapshotters' tools that are installed: their versions, and which configuration they take.

Only programs that print their version or their defaults are run, and only on the host itself: below a root it would be
another host's that answers.
"""

from __future__ import annotations

import re

from .._core.errors import HostError, Refused
from .._vendor import tomli

CONTAINERD_FILE = "/etc/containerd/config.toml"
# The daemon, not the client: a client says nothing about who starts containers here.
RUNTIMES = {
    "containerd": ("containerd", "--version"), "crio": ("crio", "--version"), "docker": ("dockerd", "--version"),
}
# mkfs.erofs prints "mkfs.erofs 1.5" or "mkfs.erofs (erofs-utils) 1.8.6"; nydus's programs "Version: v0.15.15".
TOOLS = {
    "mkfs_erofs": ("mkfs.erofs", "--version"),
    "nydus_snapshotter": ("containerd-nydus-grpc", "--version"),
    "nydusd": ("nydusd", "--version"),
}
# What upstream's installer asks of mkfs.erofs (kata-deploy 4.1.0, host check).
LEAST_EROFS = (1, 8, 2)
_VERSION = re.compile(r"(?<![0-9.a-zA-Z])[vV]?([0-9]{1,5}(?:\.[0-9]{1,5}){1,3})(?![0-9])")
_LONGEST = 4 * 1024 * 1024


def observe(host, timeout):
    """Return (runtimes, snapshotters, statuses).

    Args:
        host: Host.
        timeout: for each program, in seconds.

    Returns:
        ``runtimes``: {containerd, crio and docker: ``installed`` (None when unknown), ``version``, ``status``}, and for
        containerd ``config``: ``file``, ``version`` (what the file says; 1 where it says nothing, as containerd takes
        it; that of the defaults where there is no file; None when unknown), ``newest`` (what ``config default`` of this
        containerd writes), ``imports`` and ``status``. ``snapshotters``: likewise for TOOLS, with ``filesystems``,
        those of erofs, overlay that the kernel has now.
    """
    runtimes = {name: program(host, argv, timeout) for name, argv in RUNTIMES.items()}
    runtimes["containerd"]["config"] = containerd_config(host, runtimes["containerd"], timeout)
    snapshotters = {name: program(host, argv, timeout) for name, argv in TOOLS.items()}
    least = snapshotters["mkfs_erofs"]["version"]
    snapshotters["mkfs_erofs"]["enough"] = None if least is None else numbers(least) >= LEAST_EROFS
    present = filesystems(host.text("/proc/filesystems"))
    snapshotters["filesystems"] = {name: name in present for name in ("erofs", "overlay")}
    statuses = {name: one["status"] for group in (runtimes, snapshotters) for name, one in group.items()
                if "status" in one}
    statuses["containerd_config"] = runtimes["containerd"]["config"]["status"]
    return runtimes, snapshotters, statuses


def program(host, argv, timeout):
    """Return ``installed``, ``version`` and ``status`` of a program that prints its version."""
    text, status = ask(host, argv, timeout)
    if status.startswith("error") and text.startswith(argv[0] + " "):
        # mkfs.erofs 1.5 has no --version: it prints its version all the same, then its usage, and ends with 1.
        text = text.splitlines()[0]
        status = "ok" if version(text) else status
    found = {"installed": {"absent": False}.get(status, None if status.startswith("not asked") else True),
             "version": None, "status": status}
    if status == "ok":
        found["version"] = version(text)
        if found["version"] is None:
            found["status"] = "error: {0} printed no version: {1!r}".format(" ".join(argv), text.strip()[:80])
    return found


def ask(host, argv, timeout):
    """Run a program that only prints. Returns (text, status): ``ok``, ``absent``, ``not asked: …`` or ``error: …``.

    After an error the text is the beginning of what was printed.
    """
    try:
        # It changes nothing; but below a root a program of this machine would answer for another host.
        finished = host.run(list(argv), timeout, changes=True)
    except Refused:
        return "", "not asked: below a root only files are read"
    except HostError as error:
        return "", "absent" if host.program(argv[0]) is None else "error: {0}".format(error)
    if not finished.ok:
        return finished.stdout[:4096], "error: {0}".format(finished.words())
    if len(finished.stdout) > _LONGEST:
        return "", "error: {0} wrote {1} characters".format(argv[0], len(finished.stdout))
    # Some programs print their version on the standard error.
    return finished.stdout if finished.stdout.strip() else finished.stderr, "ok"


def version(text):
    """Return the first version in what a program printed, such as ``1.7.24`` of ``containerd github.com/… 1.7.24~ds1``,
    or None. Pure."""
    found = _VERSION.search((text or "")[:4096])
    return found.group(1) if found else None


def numbers(text):
    """Return a version as a tuple of numbers, so that two can be compared. Pure."""
    return tuple(int(part) for part in text.split("."))


def filesystems(text):
    """Return the names in ``/proc/filesystems``. Pure."""
    return {line.split()[-1] for line in (text or "").splitlines() if line.split()}


def containerd_config(host, containerd, timeout, path=CONTAINERD_FILE):
    """Return the generation of containerd's configuration; see ``observe``."""
    found = {"file": None, "version": None, "newest": None, "imports": [], "status": "absent"}
    if containerd["installed"]:
        text, status = ask(host, ("containerd", "config", "default"), timeout)
        defaults = generation(text) if status == "ok" else {"version": None}
        found["newest"] = defaults["version"]
        if status != "ok":
            found["status"] = status
    if not host.exists(path):
        if found["newest"] is not None:
            found.update(version=found["newest"], status="ok")
        return found
    try:
        text = host.read_text(path)
    except OSError as error:
        return dict(found, file=path, status="error: {0} cannot be read: {1}".format(path, error.strerror))
    said = generation(text)
    if said["problem"]:
        return dict(found, file=path, status="error: {0}: {1}".format(path, said["problem"]))
    return dict(found, file=path, version=said["version"], imports=said["imports"], status="ok")


def generation(text):
    """Return ``version``, ``imports`` and ``problem`` (None when there is none) of a containerd configuration. Pure.

    Without the key it is version 1. Source: containerd's docs/man/containerd-config.toml.5.md.
    """
    nothing = {"version": None, "imports": []}
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        return dict(nothing, problem="no TOML: {0}".format(error))
    number, imports = document.get("version", 1), document.get("imports", [])
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        return dict(nothing, problem="version is {0!r}; a number such as 2 was expected".format(number))
    known = [one for one in imports if isinstance(one, str)] if isinstance(imports, list) else []
    return {"version": max(number, 1), "imports": known, "problem": None}
