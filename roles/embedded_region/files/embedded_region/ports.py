# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five ports of a region: a base and its successors, or five free ones; and who holds a port that is taken."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterable
from pathlib import Path

from embedded_region import SERVICES, EmbeddedRegionError

ADDRESS = "127.0.0.1"


def choose(base: int) -> dict[str, int]:
    """base, base + 1 … in the order of SERVICES; free ones for base 0."""
    if base:
        if not 1024 <= base <= 65535 - len(SERVICES):
            raise EmbeddedRegionError(f"port {base}: expected 0 (free ones) or 1024 to {65535 - len(SERVICES)}")
        return {service: base + number for number, service in enumerate(SERVICES)}
    # Not those that the kernel gives to outgoing connections: one of these may hold it when the region starts again.
    found = [port for port in random.sample(range(10000, 32000), 200) if _free(port)]
    if len(found) < len(SERVICES):
        raise EmbeddedRegionError("no free ports between 10000 and 32000")
    return dict(zip(SERVICES, found, strict=False))


def refuse_taken(ports: dict[str, int]) -> None:
    """Raises, naming every port that somebody listens on and, where it may be known, the process."""
    taken = [f"{port} ({service}) is taken{_by(port)}" for service, port in ports.items() if not _free(port)]
    if taken:
        raise EmbeddedRegionError("port " + "; port ".join(taken) + ". Choose another base port, or 0 for free ones.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As the services do: a port whose last connections merely linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


def _by(port: int) -> str:
    for pid, command in holders(port):
        return f" by process {pid} ({command})"
    return " by a process of another user"


def holders(port: int) -> Iterable[tuple[int, str]]:
    """(pid, command) of the processes listening on a port, as far as this user may look."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            inodes |= listening_inodes(Path("/proc/net", table).read_text(encoding="ascii"), port)
        except OSError:
            continue
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                yield int(process.name), command[:120] or "?"
        except OSError:
            continue


def listening_inodes(table: str, port: int) -> set[str]:
    """Inodes of listening sockets (state 0A) of a port in the text of /proc/net/tcp."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found
