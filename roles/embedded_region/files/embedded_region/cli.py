# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: python -m embedded_region up|down|status|snapshot|restore --dir DIR."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

from embedded_region import EmbeddedRegionError, profiles, region, stop, topology
from embedded_region.layout import Layout


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="embedded_region", description="A real OpenStack control plane on loopback, with SIMULATED GPU hosts.")
    commands = made.add_subparsers(dest="command", required=True)
    for name, text in (("up", "start it; the first time, make it"), ("down", "stop it; the state stays"),
                       ("status", "what runs; exit status 3 if not everything answers"),
                       ("snapshot", "save the state under a name"), ("restore", "put a saved state back")):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--dir", default="build/embedded", help="directory of the region (default: %(default)s)")
        command.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")
        if name == "up":
            command.add_argument("--port", type=int, help="first of five ports; 0 for free ones (default: 20000, or "
                                                          "those it had)")
            command.add_argument("--hosts", help="JSON file with the simulated hosts, - for standard input "
                                                 "(default: four hosts, 24 GPUs, or those it had)")
            command.add_argument("--profile", choices=profiles.names(), default="fake",
                                 help="which simulator runs below Nova (default: %(default)s)")
        if name in ("up", "down"):
            command.add_argument("--check", action="store_true", help="only say whether something would change")
        if name in ("snapshot", "restore"):
            command.add_argument("--name", required=True, help="letters, digits, dot, dash, underscore")
    return made


def hosts(layout: Layout, path: str | None) -> list[topology.Host]:
    """From the file that is named, from the region as it is, or the default."""
    try:
        if path is not None:
            return topology.parse(json.loads(sys.stdin.read())) if path == "-" else topology.load(Path(path))
        return topology.load(layout.topology) if layout.topology.exists() else topology.DEFAULT
    except (OSError, ValueError, TypeError) as error:
        raise EmbeddedRegionError(f"cannot read the hosts: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    os.umask(0o077)
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", file=sys.stderr, flush=True)

    layout = Layout(options.dir)
    try:
        if options.command == "up" and options.check:
            outcome = region.would_change(layout, options.port, hosts(layout, options.hosts), options.profile)
            say(f"up would change {'something' if outcome['changed'] else 'nothing'}")
        elif options.command == "up":
            outcome = region.up(layout, options.port, hosts(layout, options.hosts), options.profile, say)
            if outcome["changed"]:
                say(f"region up in {outcome['seconds']} s ({outcome['kind']}); simulated hardware, real APIs")
            if not options.json:
                print(f"export OS_CLIENT_CONFIG_FILE='{layout.clouds}' OS_CLOUD=embedded-admin")
        elif options.command == "down":
            outcome = stop.down(layout, say, options.check)
        elif options.command == "status":
            outcome = region.status(layout)
            for service, each in outcome["services"].items():
                say(f"{service}: {'answers' if each['answers'] else 'does NOT answer'}, port {each['port']}, "
                    f"process {each['pid']}")
            say(f"region is {outcome['state']}")
        else:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", options.name):
                raise EmbeddedRegionError(f"--name {options.name!r}: expected letters, digits, dot, dash, underscore")
            outcome = getattr(region, options.command)(layout, options.name, say)
    except (EmbeddedRegionError, OSError) as error:
        print(f"embedded_region: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("embedded_region: interrupted; what had been started was stopped", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps(outcome))
    return 3 if options.command == "status" and outcome["state"] != "up" else 0
