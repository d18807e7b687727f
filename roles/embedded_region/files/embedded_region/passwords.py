# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passwords of a region: made here, kept in the services' configuration and clouds.yaml (0600), nowhere else."""

from __future__ import annotations

import base64
import configparser
import contextlib
import os
import secrets
import sqlite3

import yaml

from embedded_region.layout import Layout
from embedded_region.sqlite import changing

# user -> its cloud in clouds.yaml
CLOUDS = {"admin": "embedded-admin", "demo": "embedded-member", "auditor": "embedded-auditor"}
# user -> the file with its password
SERVICE_USERS = {"placement": "placement.conf", "nova": "nova.conf", "glance": "glance-api.conf",
                 "neutron": "neutron.conf"}
USERS = (*CLOUDS, *SERVICE_USERS)
# As keystone.conf says. Guessing is hopeless with these random passwords, so hashing slowly gains nothing.
ROUNDS = 4


def stored(layout: Layout) -> dict[str, str]:
    """The passwords that this region uses already; empty if it has none."""
    found = {}
    with contextlib.suppress(OSError, KeyError, TypeError):
        clouds = yaml.safe_load(layout.clouds.read_text(encoding="utf-8"))["clouds"]
        for user, cloud in CLOUDS.items():
            found[user] = clouds[cloud]["auth"]["password"]
    for user, file in SERVICE_USERS.items():
        parser = configparser.RawConfigParser(strict=False)
        with contextlib.suppress(OSError, configparser.Error):
            parser.read_string((layout.etc / file).read_text(encoding="utf-8"))
            found[user] = parser["keystone_authtoken"]["password"]
    return found if set(found) == set(USERS) else {}


def make() -> dict[str, str]:
    """New ones, of letters and digits only: they need no quoting anywhere."""
    return {user: secrets.token_hex(20) for user in USERS}


def put_hashes(database: os.PathLike[str], passwords: dict[str, str]) -> None:
    """Writes them into Keystone's database, hashed as Keystone does it; the users' old ones end."""
    import bcrypt  # the one thing here that only the services' environment has

    with changing(database) as connection:
        for user, password in passwords.items():
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode("ascii")
            connection.execute(
                "UPDATE password SET password_hash = ? WHERE local_user_id IN"
                " (SELECT id FROM local_user WHERE name = ? AND domain_id = 'default')", (hashed, user))


def forget_hashes(database: os.PathLike[str]) -> None:
    """A database to keep for other regions lets nobody in."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        with connection:
            connection.execute("UPDATE password SET password_hash = '!'")
        # The old pages are overwritten, too.
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def make_keys(layout: Layout) -> None:
    """Fernet keys for tokens and credentials: 0 is the staged one, 1 the one in use."""
    for directory in (layout.fernet, layout.credential):
        directory.mkdir(mode=0o700, exist_ok=True)
        for name in ("0", "1"):
            if not (directory / name).exists():
                with os.fdopen(os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
                    handle.write(base64.urlsafe_b64encode(os.urandom(32)))
