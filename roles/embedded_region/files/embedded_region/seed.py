# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a region's state: the seed that new regions start from, and snapshots within one region.

A seed holds no secret: its password hashes are blanked, and keys and passwords are made anew in each region.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

from embedded_region import SERVICES, cache, passwords
from embedded_region.config import url
from embedded_region.layout import DATABASES, Layout
from embedded_region.sqlite import changing, copy
from embedded_region.topology import Host, dump

HERE = Path(__file__).resolve().parent


def key(hosts: list[Host], profile: str) -> str:
    """Names the content that a seed depends on: locked versions, this program, the topology, the profile."""
    digest = hashlib.sha256()
    for path in (HERE.parent / "requirements.txt", *sorted(HERE.rglob("*.py"))):
        digest.update(str(path.relative_to(HERE.parent)).encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(dump(hosts).encode() + profile.encode())
    return digest.hexdigest()[:24]


def place(hosts: list[Host], profile: str) -> Path:
    """Where the seed for these hosts is, or would be."""
    return cache.private(cache.root() / "seeds") / key(hosts, profile)


def prune(directory: Path, keep: int = 5) -> None:
    """Removes all but the seeds used last: each change of the program or the versions makes another one."""
    found = sorted((path for path in directory.iterdir() if not path.name.startswith(".")),
                   key=lambda path: path.stat().st_mtime)
    for path in found[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def save(layout: Layout, target: Path, secret: bool = True) -> None:
    """Saves the state, of a running region as well, all of it or nothing. A copy to share has no secrets."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for name in DATABASES:
            copy(layout.database(name), temporary / f"{name}.sqlite")
        if not secret:
            passwords.forget_hashes(temporary / "keystone.sqlite")
        shutil.copytree(layout.images, temporary / "glance")
        if target.exists():
            shutil.rmtree(target)
        with contextlib.suppress(OSError):  # another one was quicker: it saved the same
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(source: Path, layout: Layout) -> None:
    """Puts saved databases and images into a region; databases in use change in one transaction each."""
    for name in DATABASES:
        copy(source / f"{name}.sqlite", layout.database(name))
    shutil.rmtree(layout.images, ignore_errors=True)
    shutil.copytree(source / "glance", layout.images)


def settle(layout: Layout, ports: dict[str, int]) -> None:
    """Databases hold paths and addresses of the region that they were made in: these become this region's."""
    with changing(layout.database("nova_api")) as database:
        for cell in ("cell0", "cell1"):
            database.execute("UPDATE cell_mappings SET database_connection = ? WHERE name = ?",
                             (layout.database_url("nova_" + cell), cell))
    with changing(layout.database("keystone")) as database:
        for service in SERVICES:
            database.execute("UPDATE endpoint SET url = ? WHERE service_id IN (SELECT id FROM service WHERE type = ?)",
                             (url(ports, service), TYPES[service]))
    with changing(layout.database("glance")) as database:
        rows = database.execute("SELECT id, value FROM image_locations").fetchall()
        for identifier, value in rows:
            # file:///…/data/glance/images/<image>: only the last part is the image's own.
            database.execute("UPDATE image_locations SET value = ? WHERE id = ?",
                             (f"file://{layout.images / 'images'}/{value.rpartition('/')[2]}", identifier))


def revive(layout: Layout) -> None:
    """After a restore below running services: their last reports are old, and Nova would call them dead."""
    with changing(layout.database("nova_cell1")) as database:
        database.execute("UPDATE services SET last_seen_up = strftime('%Y-%m-%d %H:%M:%f', 'now'),"
                         " updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE deleted = 0")


def servers(database: Path) -> int:
    """How many servers are in a cell's database: with any, services must not be restored while they run."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        return connection.execute("SELECT count(*) FROM instances WHERE deleted = 0").fetchone()[0]


TYPES = {"keystone": "identity", "placement": "placement", "nova": "compute", "glance": "image", "neutron": "network"}
