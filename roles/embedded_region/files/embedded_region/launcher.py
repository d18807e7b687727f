# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one service in the foreground: python -m embedded_region.launcher SERVICE (started by the supervisor)."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from embedded_region import EmbeddedRegionError
from embedded_region.layout import Layout, write_private
from embedded_region.ports import ADDRESS
from embedded_region.requests_log import RequestsLog
from embedded_region.supervision import birth

PR_SET_PDEATHSIG = 1
MODULES = {"keystone": "keystone.wsgi.api", "placement": "placement.wsgi.api", "glance": "glance.wsgi.api",
           "neutron": "neutron.wsgi.api"}
# SQLite has one writer: more threads would only wait for each other. Nova does much besides writing.
# Keystone 30 keeps the token that it validates on an object that all threads share (AuthContextMiddleware): with
# several of them, a request may be judged by the token of another.
THREADS = {"keystone": 1, "placement": 1, "nova": 8, "glance": 2, "neutron": 2}


def die_with_parent() -> None:
    """The kernel kills this process when the supervisor is gone, however it went."""
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The supervisor may have died before the call: then nobody will send the signal.
    if os.getppid() != parent or b"supervisord" not in Path(f"/proc/{parent}/cmdline").read_bytes():
        raise EmbeddedRegionError("the supervisor is gone")


def enter(layout: Layout, name: str) -> None:
    """What each process of the region does first."""
    die_with_parent()
    os.umask(0o077)
    write_private(layout.pid_file(name), f"{os.getpid()} {birth(os.getpid())}\n")


def environment(layout: Layout) -> dict[str, str]:
    """Where each service looks for its configuration."""
    etc = str(layout.etc)
    return {
        "OS_KEYSTONE_CONFIG_DIR": etc, "OS_KEYSTONE_CONFIG_FILES": str(layout.etc / "keystone.conf"),
        "OS_PLACEMENT_CONFIG_DIR": etc,
        "OS_GLANCE_CONFIG_DIR": etc,
        "OS_NEUTRON_CONFIG_DIR": etc, "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
        # The first file is Nova's paste configuration.
        "OS_NOVA_CONFIG_DIR": etc,
        "OS_NOVA_CONFIG_FILES": f"{Path(sys.prefix, 'etc/nova/api-paste.ini')};nova.conf",
    }


def main() -> int:
    service, layout = sys.argv[1], Layout(os.environ["EMBEDDED_REGION_DIR"])
    # The services parse the arguments of whatever process imports them.
    sys.argv = [service]
    enter(layout, service)
    os.environ.update(environment(layout))
    port = json.loads(layout.start.read_text(encoding="utf-8"))["ports"][service]

    if service == "nova":
        from embedded_region import nova_process

        application = nova_process.start(layout)
    else:
        from embedded_region.sqlite import keep_connections, serialise_writers

        serialise_writers()
        if THREADS[service] == 1:
            keep_connections()
        application = importlib.import_module(MODULES[service]).application

    import waitress

    # Some services install handlers that wait for what is in flight; there is nothing here worth waiting for.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    waitress.serve(
        RequestsLog(application, service, layout.requests_log(service)), host=ADDRESS, port=port,
        threads=THREADS[service], ident=None, clear_untrusted_proxy_headers=True, _quiet=True,
        channel_timeout=600, connection_limit=500)
    return 0


if __name__ == "__main__":
    sys.exit(main())
