# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SSH server of the benchmark's own, on a port of the loopback interface, which counts the commands it runs."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import progress

_SETTINGS = """
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
"""


def program() -> str:
    """Where sshd is. It and the lspci of the usual modules are installed where missing, which needs root."""
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
    packages = {"sshd": "openssh-server", "lspci": "pciutils"}
    missing = [package for name, package in packages.items() if shutil.which(name, path=places) is None]
    if missing:
        progress.say(f"  installing the system packages {' and '.join(missing)}: both sides run on a server of our own")
        variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        progress.run(["apt-get", "update", "-q"], "apt-get update", variables)
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing]
        progress.run(install, " and ".join(missing), variables)
    found = shutil.which("sshd", path=places)
    if found is None:
        raise SystemExit("bench: there is no sshd")
    return found


class Server:
    """A context manager: sshd with a host key and a user key of its own, which nothing outside the directory knows.

    Attributes:
        inventory: an inventory of the one host ``simulated``.
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self.inventory = directory / "inventory.yml"
        self._log = directory / "log"

    def __enter__(self) -> Server:
        sshd = program()
        self.directory.mkdir(mode=0o700)
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f",
                            str(self.directory / name)], check=True, stdin=subprocess.DEVNULL)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = self.directory / "sshd_config"
        settings.write_text(_SETTINGS.format(port=port, directory=self.directory), encoding="utf-8")
        known, key = self.directory / "known_hosts", (self.directory / "host_key.pub").read_text(encoding="utf-8")
        known.write_text(f"[127.0.0.1]:{port} {key}", encoding="utf-8")
        self._write_inventory(port, known)
        if os.geteuid() == 0:
            # Debian makes it when its own service starts, which this is not.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen([sshd, "-D", "-e", "-f", str(settings)], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, start_new_session=True)
        self._wait(port)
        return self

    def __exit__(self, *about: object) -> None:
        self._process.terminate()
        self._process.wait()

    def commands(self) -> int:
        """How many commands clients have had run so far; one for each module where pipelining is on."""
        return self._log.read_text(encoding="utf-8", errors="replace").count("Starting session: command")

    @contextlib.contextmanager
    def connections(self, name: str) -> Iterator[dict[str, str]]:
        """Settings for one run of Ansible: it keeps its connection as always, and the next run makes a new one."""
        sockets = self.directory / name
        sockets.mkdir(mode=0o700)
        try:
            yield {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets)}
        finally:
            for one in sockets.iterdir():
                subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={one}", "-O", "exit", "simulated"],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def _write_inventory(self, port: int, known: Path) -> None:
        about = {
            "ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self.directory / "user_key"),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
            # That of the distribution, as on a host; given to both sides, so that neither has to look for it.
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        self.inventory.write_text(json.dumps({"all": {"hosts": {"simulated": about}}}), encoding="utf-8")

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"bench: sshd did not start\n{self._log.read_text(encoding='utf-8')}")
