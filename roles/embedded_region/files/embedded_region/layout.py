# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of one region lies below its directory."""

from __future__ import annotations

import os
from pathlib import Path

DATABASES = ("keystone", "placement", "nova_api", "nova_cell0", "nova_cell1", "glance", "neutron")


class Layout:
    """Paths of one region. The directory is resolved, so that two spellings of it are one region."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.root = Path(directory).resolve()
        self.etc = self.root / "etc"
        self.db = self.root / "db"
        self.log = self.root / "log"
        self.run = self.root / "run"
        self.data = self.root / "data"
        self.images = self.data / "glance"
        self.fernet = self.root / "etc" / "fernet"
        self.credential = self.root / "etc" / "credential"
        self.snapshots = self.root / "snapshots"
        self.clouds = self.root / "clouds.yaml"
        self.region = self.root / "region.json"
        # What the processes of this start read: ports and profile.
        self.start = self.root / "run" / "start.json"
        self.topology = self.root / "topology.json"
        self.supervisor_conf = self.etc / "supervisord.conf"
        self.supervisor_pid = self.run / "supervisord.pid"

    def make(self) -> None:
        """Makes the directories, readable by nobody else: databases and configuration hold secrets."""
        self.root.mkdir(parents=True, exist_ok=True)
        for path in (self.etc, self.db, self.log, self.run, self.data, self.images, self.snapshots):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def database(self, name: str) -> Path:
        return self.db / f"{name}.sqlite"

    def database_url(self, name: str) -> str:
        # The path stands after three slashes; SQLAlchemy takes it as it is, up to a question mark.
        return f"sqlite:///{self.database(name)}?timeout=60"

    def pid_file(self, service: str) -> Path:
        return self.run / f"{service}.pid"

    def requests_log(self, service: str) -> Path:
        return self.log / f"requests-{service}.jsonl"

    def service_log(self, service: str) -> Path:
        return self.log / f"{service}.log"

    @property
    def seeded(self) -> bool:
        """Whether the databases are complete: region.json is written last."""
        return self.region.exists() and all(self.database(name).exists() for name in DATABASES)


def write_private(path: Path, text: str) -> None:
    """Writes a whole file or none of it, with mode 0600 from its first byte."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    temporary.replace(path)
