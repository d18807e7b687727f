# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What up, status, snapshot and restore do, step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from embedded_region import SERVICES, EmbeddedRegionError, config, contents, passwords, ports, seed, supervision
from embedded_region.answers import ROOT_PATHS, answers
from embedded_region.layout import Layout, write_private
from embedded_region.stop import Say, exclusive
from embedded_region.topology import Host


def up(layout: Layout, base: int | None, hosts: list[Host], profile: str, say: Say) -> dict[str, Any]:
    """Brings the region up; a running one that is as asked stays untouched."""
    started = time.monotonic()
    layout.make()
    with exclusive(layout, say):
        known = read(layout)
        wanted = choose_ports(known, base)
        secrets = passwords.stored(layout)
        if known and as_asked(layout, wanted, secrets, hosts, profile):
            say("region is up and as asked: nothing changed")
            return result(layout, wanted, False, "running", started)
        if supervision.stop(layout):
            say("stopped what ran here before")
        ports.refuse_taken(wanted)
        kind = "warm"
        if not layout.seeded:
            kind = first_time(layout, wanted, hosts, profile, say)
            secrets = {}
        if not secrets:
            secrets = passwords.make()
            passwords.put_hashes(layout.database("keystone"), secrets)
        passwords.make_keys(layout)
        write(layout, config.files(layout, wanted, secrets, hosts, profile))
        write_private(layout.start, json.dumps({"ports": wanted, "profile": profile}) + "\n")
        if known is None or known["ports"] != wanted or known["dir"] != str(layout.root) or kind != "warm":
            seed.settle(layout, wanted)
        supervision.start(layout)
        try:
            wait(layout, wanted, say, started)
            contents.fill(layout, hosts, say)
        except BaseException:  # also when the user interrupts it: half a region helps nobody
            supervision.stop(layout)
            raise
        write_private(layout.region, json.dumps(
            {"version": 1, "dir": str(layout.root), "ports": wanted, "profile": profile}) + "\n")
        if kind == "fresh":
            seed.save(layout, seed.place(hosts, profile), secret=False)
            seed.prune(seed.place(hosts, profile).parent)
            say("saved a seed for the next region")
        return result(layout, wanted, True, kind, started)


def would_change(layout: Layout, base: int | None, hosts: list[Host], profile: str) -> dict[str, Any]:
    """What up would do, for check mode: nothing is made, not even a directory."""
    known = read(layout)
    wanted = choose_ports(known, base)
    changed = not known or not as_asked(layout, wanted, passwords.stored(layout), hosts, profile)
    return result(layout, wanted, changed, "check", time.monotonic())


def as_asked(layout: Layout, wanted: dict[str, int], secrets: dict[str, str], hosts: list[Host], profile: str) -> bool:
    """Whether the region runs, answers, and has the ports and hosts that are asked for."""
    return (bool(secrets) and not differences(layout, config.files(layout, wanted, secrets, hosts, profile))
            and healthy(layout, wanted))


def choose_ports(known: dict[str, Any] | None, base: int | None) -> dict[str, int]:
    """Those of before, unless others are asked for; free ones are chosen once and then kept."""
    if known and (base is None or base == 0 or known["ports"]["keystone"] == base):
        return known["ports"]
    return ports.choose(20000 if base is None else base)


def first_time(layout: Layout, wanted: dict[str, int], hosts: list[Host], profile: str, say: Say) -> str:
    """Databases from the seed if there is one for these versions and hosts; else made from nothing."""
    for path in layout.db.iterdir():
        path.unlink()
    source = seed.place(hosts, profile)
    if source.is_dir():
        os.utime(source)
        seed.load(source, layout)
        say("copied databases from the seed")
        return "seeded"
    say("making databases from nothing (later regions copy them)")
    write(layout, config.files(layout, wanted, passwords.make(), hosts, profile))
    layout.clouds.unlink()
    write_private(layout.start, json.dumps({"ports": wanted, "profile": profile}) + "\n")
    passwords.make_keys(layout)
    running = {}
    for service in SERVICES:
        with open(layout.log / f"database-{service}.log", "wb") as log:
            running[service] = subprocess.Popen(
                [sys.executable, "-m", "embedded_region.databases", service, str(layout.root)],
                env=supervision.child_environment(layout), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)
    failed = []
    try:
        while running:
            for service in [name for name, process in running.items() if process.poll() is not None]:
                say(f"databases of {service} " + ("made" if running[service].returncode == 0 else "FAILED"))
                if running.pop(service).returncode:
                    failed.append(service)
            time.sleep(0.05)
    finally:
        for process in running.values():
            process.kill()
    if failed:
        raise EmbeddedRegionError("\n".join(
            f"making the databases of {service} failed:\n{tail(layout.log / f'database-{service}.log')}"
            for service in failed))
    return "fresh"


def differences(layout: Layout, files: dict[Path, str]) -> list[Path]:
    """Configuration files that are not as they should be."""
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(layout: Layout, files: dict[Path, str]) -> None:
    for path in differences(layout, files):
        write_private(path, files[path])


def healthy(layout: Layout, wanted: dict[str, int]) -> bool:
    """Everything runs and answers."""
    return (supervision.supervisor_pid(layout) is not None
            and set(supervision.service_pids(layout)) == set(SERVICES)
            and all(answers(wanted[service], ROOT_PATHS[service]) for service in SERVICES))


def wait(layout: Layout, wanted: dict[str, int], say: Say, started: float, seconds: float = 240) -> None:
    """Until every service answers."""
    missing = list(SERVICES)
    deadline = time.monotonic() + seconds
    while missing:
        for service in list(missing):
            if service in supervision.service_pids(layout) and answers(wanted[service], ROOT_PATHS[service]):
                missing.remove(service)
                say(f"{service} answers at port {wanted[service]}")
        if dead := supervision.gave_up(layout):
            raise EmbeddedRegionError(f"{dead} does not start:\n{tail(layout.service_log(dead))}")
        if supervision.supervisor_pid(layout) is None:
            raise EmbeddedRegionError(f"the supervisor ended; see {layout.log / 'supervisord.log'}")
        if time.monotonic() > deadline:
            raise EmbeddedRegionError(f"{missing[0]} does not answer:\n{tail(layout.service_log(missing[0]))}")
        time.sleep(0.1)


def status(layout: Layout) -> dict[str, Any]:
    """What runs, and whether it answers."""
    known = read(layout)
    pids = supervision.service_pids(layout)
    services = {} if not known else {
        service: {"pid": pids.get(service), "port": known["ports"][service],
                  "answers": answers(known["ports"][service], ROOT_PATHS[service]) if service in pids else False}
        for service in SERVICES}
    return {"changed": False, "supervisor": supervision.supervisor_pid(layout), "services": services,
            "state": "up" if services and all(each["answers"] for each in services.values()) else "down"}


def snapshot(layout: Layout, name: str, say: Say) -> dict[str, Any]:
    """Saves the state by name, while the region runs."""
    started = time.monotonic()
    require(layout)
    with exclusive(layout, say):
        seed.save(layout, layout.snapshots / name)
    say(f"snapshot {name} saved in {time.monotonic() - started:.2f} s")
    return {"changed": True, "snapshot": name}


def restore(layout: Layout, name: str, say: Say) -> dict[str, Any]:
    """Puts a snapshot back. Without servers, then and now, the services may run on: they keep little in memory."""
    started = time.monotonic()
    known = require(layout)
    source = layout.snapshots / name
    if not source.is_dir():
        raise EmbeddedRegionError(f"no snapshot {name}; there is {sorted(p.name for p in layout.snapshots.iterdir())}")
    with exclusive(layout, say):
        running = healthy(layout, known["ports"])
        cells = (layout.database("nova_cell1"), source / "nova_cell1.sqlite")
        restart = running and any(seed.servers(cell) for cell in cells)
        if restart:
            supervision.stop(layout)
        seed.load(source, layout)
        seed.settle(layout, known["ports"])
        passwords.put_hashes(layout.database("keystone"), passwords.stored(layout))
        if running and not restart:
            seed.revive(layout)
        if restart:
            supervision.start(layout)
            wait(layout, known["ports"], say, started)
    how = "after a restart" if restart else "while it ran" if running else "while it was stopped"
    say(f"snapshot {name} restored {how} in {time.monotonic() - started:.2f} s")
    return {"changed": True, "snapshot": name, "restarted": restart}


def read(layout: Layout) -> dict[str, Any] | None:
    try:
        return json.loads(layout.region.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def require(layout: Layout) -> dict[str, Any]:
    if (known := read(layout)) is None:
        raise EmbeddedRegionError(f"no region in {layout.root}: bring one up first")
    return known


def result(layout: Layout, wanted: dict[str, int], changed: bool, kind: str, started: float) -> dict[str, Any]:
    return {"changed": changed, "state": "up", "kind": kind, "seconds": round(time.monotonic() - started, 1),
            "ports": wanted, "dir": str(layout.root), "clouds_yaml": str(layout.clouds),
            "auth_url": config.url(wanted, "keystone")}


def tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)
