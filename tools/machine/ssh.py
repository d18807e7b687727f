# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a machine: OpenSSH over a port of loopback, for us and for Ansible alike."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import time
from pathlib import Path

NAME = "machine"
CONFIGURATION = "ssh_config"
INVENTORY = "inventory.json"
# A master whose guest has rebooted would hold every later connection for minutes: it has to notice. Long enough for a
# guest that only waits for its turn on a loaded host.
CONNECTION = """\
Host {name}
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile {image}/key
  IdentitiesOnly yes
  UserKnownHostsFile {image}/known_hosts
  HostKeyAlias machine
  StrictHostKeyChecking yes
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ConnectTimeout 20
  ControlMaster auto
  ControlPath {sockets}/ssh
  ControlPersist 60
  LogLevel ERROR
"""


def configure(directory: Path, port: int, image: str, sockets: str, devices: dict[str, list[str]]) -> None:
    """Writes the configuration of ssh, and an inventory of Ansible with this one host and where its devices are."""
    text = CONNECTION.format(name=NAME, port=port, image=image, sockets=sockets)
    (directory / CONFIGURATION).write_text(text, encoding="utf-8")
    host = {
        "ansible_host": NAME,
        # Ansible sets a control path of its own, which wins; the rest is taken from the file.
        "ansible_ssh_common_args": shlex.join(["-F", str(directory / CONFIGURATION)]),
        "ansible_python_interpreter": "/usr/bin/python3",
        "machine_directory": str(directory),
        "machine_devices": devices,
    }
    inventory = {"all": {"hosts": {NAME: host}}}
    (directory / INVENTORY).write_text(json.dumps(inventory, indent=1) + "\n", encoding="utf-8")


def run(directory: Path, command: str, timeout: float = 120, given: str = "") -> subprocess.CompletedProcess:
    """Runs a shell command in the guest as root, with what is given on its standard input; its status is not judged."""
    argv = ["ssh", "-F", str(directory / CONFIGURATION), NAME, command]
    return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=timeout, check=False)


def leave(directory: Path) -> None:
    """Closes the shared connection, if there is one."""
    argv = ["ssh", "-F", str(directory / CONFIGURATION), "-O", "exit", NAME]
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def answers(port: int, timeout: float = 5) -> bool:
    """Whether an SSH server says hello. The port alone accepts whatever the guest does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.settimeout(timeout)
            return connection.recv(4).startswith(b"SSH-")
    except OSError:
        return False


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pause() -> None:
    """Between two looks at a machine that is not there yet."""
    time.sleep(0.5)
