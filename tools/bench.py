# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures this collection against loops over openstack.cloud, on an embedded region, through ansible-playbook.

    make bench

Everything in one run on one machine, so that the ratios hold on a noisy one. Calls are counted at the servers.
Writes build/bench/pattern.json, build/bench/pattern.svg and the table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import bench_report
import progress
from bench_region import Region
from environment import CHECKOUT

OUTPUT = CHECKOUT / "build" / "bench"
PLAYBOOKS = CHECKOUT / "tools" / "bench_playbooks"
# The last release that works with a current openstacksdk; it comes inside the community package's wheel, which pip
# does not install on every Python that we support, but can download.
COMMUNITY_PACKAGE = "ansible==14.5.0"
PEER = "openstack.cloud"


def declared(projects: int, flavors: int, private: int) -> dict:
    """The state that both sides make. Each private flavor is for one project, another one each time."""
    rows = [{"name": f"bench-{n:03}", "description": f"benchmark project {n}"} for n in range(projects)]
    specs = {"hw:cpu_policy": "dedicated", "pci_passthrough:alias": "h200:1"}
    sizes = {"vcpus": 8, "ram_mib": 65536, "disk_gib": 40, "extra_specs": specs}
    public = [{"name": f"bench.public.{n:02}", "public": True, **sizes} for n in range(flavors - private)]
    closed = [
        {"name": f"bench.private.{n:02}", "public": False, "access": [rows[n % projects]["name"]], **sizes}
        for n in range(private)
    ]
    return {"projects": rows, "flavors": public + closed}


def peer_collections(directory: Path) -> Path:
    """Unpacks the peer's collection from the community package into directory and returns a collections path."""
    target = OUTPUT / "peer"
    if not (target / "ansible_collections" / "openstack" / "cloud").is_dir():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
                   "--python-version", "3.12", "--dest", str(directory), COMMUNITY_PACKAGE]
        progress.run(command, f"downloading {COMMUNITY_PACKAGE} for {PEER}")
        wheel = next(directory.glob("ansible-*.whl"))
        with zipfile.ZipFile(wheel) as package:
            package.extractall(target, [name for name in package.namelist()
                                        if name.startswith("ansible_collections/openstack/")])
    return target


# Runs a command and writes what it and all below it used: peak memory is that of the largest process among them.
REPORTER = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as report:
    json.dump({"cpu_seconds": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss}, report)
sys.exit(status)
"""


def measure(label: str, playbook: str, region: Region, variables: Path, peer: Path) -> dict:
    """Runs one playbook and returns its wall time, peak memory, calls and count of changes."""
    environment = {
        **os.environ,
        "OS_CLIENT_CONFIG_FILE": str(region.clouds),
        "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT / 'playbooks' / 'collections'}:{peer}",
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_FORCE_COLOR": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    command = ["ansible-playbook", "-i", "localhost,", "-e", f"@{variables}", "-e",
               f"ansible_python_interpreter={sys.executable}", str(PLAYBOOKS / f"{playbook}.yml")]
    before, started = region.calls(), time.monotonic()
    progress.say(f"  {label} …")
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile() as used:
        # A child begins with the memory of its parent on its account: a small one stands between, and reports.
        child = subprocess.run([sys.executable, "-c", REPORTER, used.name, *command], stdout=output,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment, check=False)
        seconds = time.monotonic() - started
        output.seek(0)
        text = output.read().decode()
        usage = json.load(used) if child.returncode == 0 else {}
    if child.returncode != 0:
        raise SystemExit(f"bench: {label} failed\n{text[-4000:]}")
    recap = re.search(r"^localhost .*\bchanged=(\d+)", text, re.MULTILINE)
    row = {"label": label, "seconds": round(seconds, 2), "cpu_seconds": round(usage["cpu_seconds"], 2),
           "peak_mib": round(usage["peak_kib"] / 1024), "calls": region.calls() - before,
           "changed": int(recap[1]) if recap else 0}
    progress.say(f"  {label}: {row['seconds']} s, {row['calls']} calls")
    return row


def compare(region: Region, work: Path, peer: Path, name: str, state: dict) -> dict:
    """Creates and rechecks one state with both sides, each from a region without it."""
    variables = work / f"{name}.json"
    variables.write_text(json.dumps({"bench": state}))
    rows = {}
    for playbook, who in (("ours", "sovereign.region"), ("loop", PEER)):
        region.restore()
        rows[f"{playbook}_create"] = measure(f"{name}: create, {who}", playbook, region, variables, peer)
        rechecks = [measure(f"{name}: recheck, {who}", playbook, region, variables, peer)
                    for unused in range(3 if playbook == "ours" else 1)]
        rows[f"{playbook}_recheck"] = sorted(rechecks, key=lambda row: row["seconds"])[len(rechecks) // 2]
        if rows[f"{playbook}_recheck"]["changed"]:
            raise SystemExit(f"bench: {who} changed something in its second run; the comparison would be worth nothing")
    return {"name": name, "projects": len(state["projects"]), "flavors": len(state["flavors"]),
            "private_flavors": sum(not flavor["public"] for flavor in state["flavors"]), **rows}


def save(report: dict) -> None:
    """Writes what is measured so far: data, plot and the table of the documentation."""
    report["environment"] = bench_report.environment()
    (OUTPUT / "pattern.json").write_text(json.dumps(report, indent=2) + "\n")
    bench_report.plot(report, OUTPUT / "pattern.svg")
    bench_report.write_table(report, CHECKOUT / "docs" / "performance.md")


def main() -> int:
    """Runs the benchmark and writes its report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--flavors", type=int, default=50)
    options = parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="sovereign-region-bench-"))
    region = Region(work / "region")
    try:
        starts = region.start_times()
        peer = peer_collections(work)
        empty = work / "empty.json"
        empty.write_text("{}")
        base = measure("an empty play", "empty", region, empty, peer)
        report = {"region": starts, "empty_play": base, "sets": []}
        for name, private in (("mixed", options.flavors // 10), ("private", options.flavors)):
            state = declared(options.projects, options.flavors, private)
            report["sets"].append(compare(region, work, peer, name, state))
            # After each state, so that what was measured is not lost when the run is cut short.
            save(report)
    finally:
        region.down()
        shutil.rmtree(work, ignore_errors=True)
    progress.say(f"written: {OUTPUT}/pattern.json, pattern.svg, docs/performance.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
