# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures accelerators on simulated hosts, through ansible-playbook: facts, a converge over SSH, many hosts.

    make bench BENCH=accelerators

Everything in one run on one machine, so that the ratios hold on a noisy one. Remote commands are counted by the SSH
server. Writes build/bench/accelerators.json, build/bench/accelerators.svg and a table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_accelerators_host as simulated
import bench_accelerators_report as report_of
import progress
from bench import OUTPUT, PLAYBOOKS, REPORTER
from bench_accelerators_ssh import Server
from environment import CHECKOUT

SIDES = {"role": "accelerator_role", "usual": "accelerator_usual"}


def play(label: str, playbook: str, inventory: str, variables: dict, more: dict[str, str] | None = None) -> dict:
    """Runs one playbook and returns its wall time, processor time, peak memory and what its recap counts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment = {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        **(more or {}),
    }
    progress.say(f"  {label} …")
    with tempfile.TemporaryDirectory(prefix="sovereign-region-bench-") as directory:
        given, used, said = (Path(directory, name) for name in ("variables.json", "used.json", "output"))
        given.write_text(json.dumps(variables), encoding="utf-8")
        command = ["ansible-playbook", "-i", inventory, "-e", f"@{given}", str(PLAYBOOKS / f"{playbook}.yml")]
        with open(said, "wb") as output:
            started = time.monotonic()
            status = subprocess.run([sys.executable, "-c", REPORTER, str(used), *command], stdout=output,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment,
                                    check=False).returncode
            seconds = time.monotonic() - started
        text = said.read_text(encoding="utf-8", errors="replace")
        if status != 0:
            raise SystemExit(f"bench: {label} failed\n{text[-4000:]}")
        usage = json.loads(used.read_text(encoding="utf-8"))
    recap = text.rpartition("PLAY RECAP")[2]
    row = {"label": label, "seconds": round(seconds, 2), "cpu_seconds": round(usage["cpu_seconds"], 2),
           "peak_mib": round(usage["peak_kib"] / 1024), "tasks": len(re.findall(r"^TASK \[", text, re.M)),
           "changed": sum(int(number) for number in re.findall(r"\bchanged=(\d+)", recap))}
    progress.say(f"  {label}: {row['seconds']} s")
    if row["changed"]:
        raise SystemExit(f"bench: {label} changed something; the measurement would be worth nothing\n{text[-4000:]}")
    return row


def facts(work: Path) -> dict:
    """Accelerator_info on the host as it is delivered: seconds inside the module, and what it asked for."""
    tree = work / "delivered"
    made = simulated.write(tree, handed_out=False)
    programs = simulated.stand_ins(work / "bin")
    answers = work / "facts.json"
    play("facts of a host", "accelerator_facts", "localhost,",
         {"bench_root": str(tree), "bench_report": str(answers), "ansible_python_interpreter": sys.executable},
         {"PATH": f"{work / 'bin'}:{os.environ['PATH']}"})
    rounds = json.loads(answers.read_text(encoding="utf-8"))
    if len({json.dumps(one["counts"]) for one in rounds}) != 1:
        raise SystemExit("bench: two looks at the same host asked for different things")
    if not all(one["sources"].get("nvidia-smi") == "ok" for one in rounds):
        raise SystemExit(f"bench: the stand-in of nvidia-smi was not understood: {rounds[0]['sources']}")
    return {**made, "stand_ins": programs, "rounds": len(rounds), "counts": rounds[0]["counts"],
            "accelerators": rounds[0]["accelerators"],
            "seconds": {key: sorted(one["seconds"][key] for one in rounds) for key in ("files", "tools")}}


def converge(work: Path, tree: Path, repeats: int) -> dict:
    """The role and the usual modules on a host that is as declared, over SSH, in turns."""
    rows: dict[str, list] = {name: [] for name in SIDES}
    variables = {"bench_root": str(tree), "bench_pools": simulated.pools()}
    with Server(work / "ssh") as server:
        empty = play("an empty play", "empty", "localhost,", {})
        for number in range(repeats):
            for name, playbook in SIDES.items():
                before = server.commands()
                with server.connections(f"{name}{number}") as settings:
                    row = play(f"a converge with no change, {name}", playbook, str(server.inventory), variables,
                               settings)
                rows[name].append({**row, "remote_commands": server.commands() - before})
    for name, every in rows.items():
        if len({(row["tasks"], row["remote_commands"]) for row in every}) != 1:
            raise SystemExit(f"bench: {name} did not do the same in each of its runs")
    middle = {name: sorted(every, key=lambda row: row["seconds"])[len(every) // 2] for name, every in rows.items()}
    return {"repeats": repeats, "empty_play": empty, **middle,
            "all_seconds": {name: [row["seconds"] for row in every] for name, every in rows.items()}}


def many(work: Path, tree: Path, hosts: int, forks: int) -> dict:
    """The part of `plan` that looks at hosts, on many of them that are the same tree."""
    names = [f"simulated-{number:03}" for number in range(1, hosts + 1)]
    about = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable,
             "region_accelerator_root": str(tree)}
    inventory = work / "many.yml"
    inventory.write_text(json.dumps({"simulated": {"hosts": dict.fromkeys(names, {}), "vars": about}}),
                         encoding="utf-8")
    row = play(f"{hosts} hosts, {forks} forks", "accelerator_many", str(inventory),
               {"bench_pools": simulated.pools()}, {"ANSIBLE_FORKS": str(forks)})
    return {"hosts": hosts, "forks": forks, **row, "seconds_per_host": round(row["seconds"] / hosts, 3)}


def save(report: dict, loads: list[float]) -> None:
    """Writes what is measured so far: data, plot and the table of the documentation."""
    report["environment"] = report_of.environment(loads)
    (OUTPUT / "accelerators.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if "converge" in report and importlib.util.find_spec("matplotlib"):
        report_of.plot(report, OUTPUT / "accelerators.svg")
    report_of.write_table(report, CHECKOUT / "docs" / "performance.md")


def main() -> int:
    """Runs the benchmark and writes its report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="sovereign-region-bench-"))
    report: dict = {}
    loads = [round(os.getloadavg()[0], 1)]
    try:
        tree = work / "handed-out"
        simulated.write(tree, handed_out=True)
        parts = {"facts": lambda: facts(work), "converge": lambda: converge(work, tree, options.repeats),
                 "many": lambda: many(work, tree, options.hosts, options.forks)}
        for name, part in parts.items():
            report[name] = part()
            loads.append(round(os.getloadavg()[0], 1))
            # After each part, so that what was measured is not lost when the run is cut short.
            save(report, loads)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    middle = statistics.median(report["facts"]["seconds"]["files"])
    progress.say(f"facts: {middle:.2f} s; written: {OUTPUT}/accelerators.json, accelerators.svg, docs/performance.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
