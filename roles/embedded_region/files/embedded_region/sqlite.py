# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes OpenStack's database layer get on with SQLite, which knows one writer at a time."""

from __future__ import annotations

import collections
import contextlib
import os
import sqlite3
import threading
import types
from pathlib import Path


def serialise_writers() -> None:
    """One writing transaction at a time and database in this process.

    A transaction that reads first and writes later is refused at once where another one writes ("database is
    locked"): SQLite's timeout cannot help there. The lock can be taken again by its own thread, for nested ones.
    """
    from oslo_db.sqlalchemy import enginefacade

    locks: dict[str, threading.RLock] = collections.defaultdict(threading.RLock)
    original = enginefacade._TransactionContextManager._transaction_scope

    @contextlib.contextmanager
    def scope(self, context):
        if self._mode is not enginefacade._WRITER:
            with original(self, context) as resource:
                yield resource
            return
        with locks[str(self.reader.get_engine().url)], original(self, context) as resource:
            yield resource

    enginefacade._TransactionContextManager._transaction_scope = scope


def keep_connections() -> None:
    """Connections to a file are kept for the next transaction: opening them was a quarter of Keystone's time.

    oslo.db opens one for each transaction, for services with many threads. What another process writes into the file
    is seen through an open connection too.
    """
    from oslo_db.sqlalchemy import engines
    from sqlalchemy import pool

    class Kept(pool.QueuePool):
        """In place of NullPool, which takes other arguments."""

        def __init__(self, creator, **options):
            super().__init__(creator, pool_size=4, max_overflow=-1, **options)

    engines.pool = types.SimpleNamespace(
        NullPool=Kept, QueuePool=pool.QueuePool, SingletonThreadPool=pool.SingletonThreadPool,
        StaticPool=pool.StaticPool)


@contextlib.contextmanager
def changing(path: os.PathLike[str]):
    """A connection whose changes are one transaction, and that is closed at the end."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
        with database:
            yield database


def prepare(path: Path) -> None:
    """An empty database with a write-ahead log, so that readers and the writer do not wait for each other."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    path.chmod(0o600)


def copy(source: Path, target: Path) -> None:
    """A consistent copy of a database that may be in use, into one that may be in use."""
    with contextlib.closing(sqlite3.connect(source, timeout=60)) as reader, \
            contextlib.closing(sqlite3.connect(target, timeout=60)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    target.chmod(0o600)
