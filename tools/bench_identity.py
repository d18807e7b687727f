# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures mappings: evaluations in a second, and one check by an operator, beside Keystone's own processor.

    make bench BENCH=identity

Both sides evaluate the same claims with the same rules and schema, warm, in turns, each in its own interpreter of the
same Python, and must come to the same results. An operator's check is the wall time of a whole command: the module
identity_mapping_check through `ansible`, and `keystone-manage mapping_engine`, which knows schema 1.0 alone.
Writes build/bench/identity.json and the tables in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_federation
import bench_identity_report
import progress
from environment import CHECKOUT

OUTPUT = CHECKOUT / "build" / "bench"
SIDE = CHECKOUT / "tools" / "bench_identity_side.py"
ROUNDS = 5


def workload() -> dict:
    """{name: [schema version, rules, claims]}: what people write, small and large, for each schema."""
    person = {"user": {"name": "{0}", "email": "{1}"}}
    identity = [{"type": "OIDC-sub"}, {"type": "OIDC-email"}]
    groups = [f"team-{number:03}" for number in range(40)]
    claims = [{"OIDC-sub": f"user-{number}", "OIDC-email": f"user-{number}@uni.example", "OIDC-iss": "https://idp.example",
               "OIDC-groups": ";".join(groups[number:number + 6]), "wsgi.url_scheme": "https",
               "OIDC-projects": json.dumps([{"name": "climate", "roles": [{"name": "member"}]}])}
              for number in range(12)]
    small = [{"local": [person], "remote": identity}]
    usual = [
        {"local": [person, {"groups": "{2}", "domain": {"name": "research"}}],
         "remote": [*identity, {"type": "OIDC-groups", "whitelist": groups[:20]}]},
        {"local": [{"group": {"name": "staff", "domain": {"name": "research"}}}],
         "remote": [{"type": "OIDC-email", "any_one_of": ["@uni\\.example$"], "regex": True}]},
        {"local": [{"group": {"name": "guests", "domain": {"name": "research"}}}],
         "remote": [{"type": "OIDC-email", "not_any_of": ["@uni\\.example$"], "regex": True}]},
    ]
    many = usual + [{"local": [{"group": {"name": name, "domain": {"name": "research"}}}],
                     "remote": [{"type": "OIDC-groups", "any_one_of": [name]}]} for name in groups]
    by_claim = [{"local": [{**person, "domain": {"name": "research"}, "projects_json": "{2}"}],
                 "remote": [*identity, {"type": "OIDC-projects"}]}]
    sets = {f"{name}, schema {version}": [version, rules, claims] for version in ("1.0", "2.0")
            for name, rules in (("1 rule", small), ("3 rules", usual), ("43 rules", many))}
    return {**sets, "1 rule with projects_json, schema 3.0": ["3.0", by_claim, claims],
            "43 rules, schema 3.0": ["3.0", many, claims]}


def evaluations(directory: Path, seconds: float) -> list[dict]:
    """Rates of both sides in turns; the median of the rounds."""
    path = directory / "workload.json"
    path.write_text(json.dumps(workload()), encoding="utf-8")
    sides = {"ours": sys.executable, "keystone": os.environ["EMBEDDED_PYTHON"]}
    reports = {side: [] for side in sides}
    for number in range(ROUNDS):
        for side, python in sides.items():
            progress.say(f"  evaluations, {side}, round {number + 1} of {ROUNDS} …")
            done = subprocess.run([python, "-W", "ignore", str(SIDE), side, str(path), str(seconds)], check=True,
                                  capture_output=True, text=True, cwd=directory)
            reports[side].append(json.loads(done.stdout))
    # Group ids are a set, and none is used here; what passes a whitelist is one as well.
    compare(reports["ours"][0]["results"], reports["keystone"][0]["results"])
    return [{"name": name, **{side: round(statistics.median(report["rates"][name] for report in reports[side]))
                              for side in sides}} for name in workload()]


def compare(mine: dict, theirs: dict) -> None:
    """Ends the benchmark when the sides do not do the same work."""
    for name, results in mine.items():
        for one, other in zip(results, theirs[name]):
            if sorted(one) != sorted(other):
                raise SystemExit(f"bench_identity: {name}: the sides differ\nours     {one}\nKeystone {other}")


def checks(directory: Path) -> dict:
    """Seconds of an operator's one check of one mapping with one claim set, as a whole command, in turns."""
    version, rules, claims = workload()["3 rules, schema 1.0"]
    (directory / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    (directory / "claims.txt").write_text("".join(f"{name}: {value}\n" for name, value in claims[0].items()),
                                          encoding="utf-8")
    options = {"mapping": {"rules": rules, "schema_version": version}, "fail_on": "never",
               "assertions": [{"name": "one", "claims": claims[0]}]}
    commands = {
        "ours": ["ansible", "localhost", "-i", "localhost,", "-c", "local", "-e",
                 f"ansible_python_interpreter={sys.executable}", "-m", "sovereign.region.identity_mapping_check",
                 "-a", json.dumps(options)],
        "keystone": [str(Path(os.environ["EMBEDDED_PYTHON"]).parent / "keystone-manage"), "--config-file", "/dev/null",
                     "mapping_engine", "--rules", str(directory / "rules.json"), "--input",
                     str(directory / "claims.txt")],
    }
    taken = {side: [] for side in commands}
    for number in range(ROUNDS):
        for side, command in commands.items():
            progress.say(f"  one check, {side}, round {number + 1} of {ROUNDS} …")
            taken[side].append(_seconds(side, command, directory))
    return {side: {"median": round(statistics.median(rows), 2), "all": [round(row, 2) for row in sorted(rows)]}
            for side, rows in taken.items()}


def _seconds(side: str, command: list[str], directory: Path) -> float:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
                   "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false",
                   "ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
    started = time.monotonic()
    done = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    taken = time.monotonic() - started
    if done.returncode != 0 or "user-0" not in done.stdout:
        raise SystemExit(f"bench_identity: the check by {side} failed\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return taken


# Name of a part of the report: what measures it, given a directory for its files and the options.
PARTS = {
    "evaluations": lambda directory, options: evaluations(directory, options.seconds),
    "check": lambda directory, options: checks(directory),
    "federation": lambda directory, options: bench_federation.run(directory),
}


def main() -> int:
    """Runs the parts and writes what is measured after each, so that nothing is lost when the run is cut short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each workload in each round")
    options = parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    report = {"loads": [round(os.getloadavg()[0], 1)]}
    for name, measure in PARTS.items():
        with tempfile.TemporaryDirectory(prefix="sovereign-region-bench-") as directory:
            report[name] = measure(Path(directory), options)
        report["loads"].append(round(os.getloadavg()[0], 1))
        report["environment"] = bench_identity_report.environment()
        (OUTPUT / "identity.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        written = bench_identity_report.write_table(report, CHECKOUT / "docs" / "performance.md")
    progress.say(f"written: {OUTPUT}/identity.json{', docs/performance.md' if written else ''}")
    if not written:
        progress.say(f"docs/performance.md has no {bench_identity_report.BEGIN}\n{bench_identity_report.table(report)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
