# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures identity_federation against loops over openstack.cloud, on an embedded region, through ansible-playbook.

    tools/go.py bench_federation [--count 50] [--parts create recheck change]

Identity providers with a protocol each, and as many mappings of schema 2.0, in a few domains that are there before.
Each side begins with the same Keystone: create, recheck, one mapping changed, and that mapping once more. Calls are
counted at the servers. After each step the whole state is read from Keystone and compared with what was declared, so
that both sides are known to have done the same work. Writes "federation" in build/bench/identity.json after each step,
and prints the table.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import bench
import bench_report
import cache
import openstack
import progress
from bench_region import Region

SIDES = {"ours": "sovereign.region", "loop": f"{bench.PEER} 2.6.0"}
PHASES = {"create": "create", "recheck": "recheck", "change": "one mapping changed", "again": "that mapping once more"}
PARTS = ("create", "recheck", "change")  # what can be asked for; "again" follows a change
DOMAINS = 5
RECHECKS = 3  # of this collection; the other side's take minutes
REPORT = bench.OUTPUT / "identity.json"


class Place(Region):
    """A region with the domains in it, put back to that before each side begins."""

    def prepare(self, domains: list[str], work: Path, peer: Path) -> dict:
        """Starts the region, makes the domains, and returns their ids by name."""
        self.cache = cache.root().parent
        self._run("up", self.cache)
        variables = work / "domains.json"
        variables.write_text(json.dumps({"bench": {"domains": [{"name": name} for name in domains]}}))
        bench.measure("the domains, before", "federation_domains", self, variables, peer)
        self._run("snapshot", self.cache, "--name", "base")
        return {row.name: row.id for row in self.keystone().domains()}

    def restore(self) -> None:
        """Puts the region back to the domains alone."""
        self._run("restore", self.cache, "--name", "base")

    def down(self) -> None:
        """Stops it."""
        self._run("down", cache.root().parent)

    def keystone(self):
        """A client of its own, for what is neither measured nor counted."""
        config = openstack.config.OpenStackConfig(config_files=[str(self.clouds)])
        return openstack.connection.Connection(config=config.get_one(cloud="embedded-admin")).identity


def rules(number: int, group: str) -> list:
    """The rules of one mapping: a user of one group, and staff of a second one."""
    domain = {"name": domain_of(number)}
    user = {"name": "{0}", "email": "{1}"}
    claims = [{"type": "OIDC-sub"}, {"type": "OIDC-email"}]
    return [
        {"local": [{"user": user, "group": {"name": f"{group}-{number:02}", "domain": domain}, "domain": domain}],
         "remote": [*claims, {"type": "OIDC-groups", "any_one_of": [f"{group}-{number:02}", group]}]},
        {"local": [{"user": user, "group": {"name": "staff", "domain": domain}, "domain": domain}],
         "remote": [*claims, {"type": "OIDC-affiliation", "any_one_of": [rf"^staff@u{number:02}\.example$"],
                              "regex": True}]},
    ]


def domain_of(number: int) -> str:
    """The domain of a provider's users: a few domains, in turns."""
    return f"bench-federation-{number % DOMAINS}"


def declared(count: int) -> dict:
    """The state that both sides make. Only what both can say: openstack.cloud has no remote_id_attribute."""
    mappings = [{"name": f"bench-{n:02}", "schema_version": "2.0", "rules": rules(n, "researchers")}
                for n in range(count)]
    providers = [
        {"name": f"bench-{n:02}", "domain": domain_of(n), "description": f"benchmark provider {n}", "enabled": True,
         "remote_ids": sorted([f"https://login.u{n:02}.example", f"https://idp.u{n:02}.example/realms/main"]),
         "authorization_ttl": 60, "protocols": [{"name": "mapped", "mapping": f"bench-{n:02}"}]}
        for n in range(count)
    ]
    return {"mappings": mappings, "identity_providers": providers}


def changed(state: dict) -> dict:
    """The same with one mapping changed, the one in the middle: another name for its group."""
    state = copy.deepcopy(state)
    number = len(state["mappings"]) // 2
    state["mappings"][number]["rules"] = rules(number, "scientists")
    return state


def only_changed(state: dict) -> dict:
    """The changed mapping alone."""
    return {**state, "mappings": [state["mappings"][len(state["mappings"]) // 2]], "identity_providers": []}


def differences(keystone, state: dict) -> list[str]:
    """A sentence for each field in which Keystone is not as declared."""
    found = {("mapping", row.id): {"schema_version": row.schema_version, "rules": row.rules}
             for row in keystone.mappings()}
    asked = {("mapping", row["name"]): {key: row[key] for key in ("schema_version", "rules")}
             for row in state["mappings"]}
    for row in keystone.identity_providers():
        found["provider", row.id] = {
            "domain": row.domain_id, "description": row.description, "enabled": row.is_enabled,
            "remote_ids": sorted(row.remote_ids), "authorization_ttl": row.authorization_ttl,
            "protocols": [(one.id, one.mapping_id) for one in keystone.federation_protocols(row.id)],
        }
    for row in state["identity_providers"]:
        asked["provider", row["name"]] = {
            **{key: row[key] for key in ("description", "enabled", "remote_ids", "authorization_ttl")},
            "domain": state["domain_ids"][row["domain"]],
            "protocols": [(one["name"], one["mapping"]) for one in row["protocols"]],
        }
    if set(found) != set(asked):
        return [f"declared and not there, or the reverse: {sorted(set(found) ^ set(asked))}"]
    return [f"{kind} {name}: {field} is {found[kind, name][field]!r}, declared {value!r}"
            for (kind, name), fields in sorted(asked.items()) for field, value in fields.items()
            if found[kind, name][field] != value]


def step(phase: str, who: str, state: dict, context: tuple[Place, Path, Path]) -> dict:
    """Runs one side once and returns its row."""
    region, work, peer = context
    variables = work / "federation.json"
    variables.write_text(json.dumps({"bench": state}))
    load = round(os.getloadavg()[0], 1)
    label = f"federation: {PHASES[phase]}, {SIDES[who]}"
    try:
        row = bench.measure(label, f"federation_{who}", region, variables, peer)
    except SystemExit as failure:
        # The last step is there to find out whether a side settles: that it cannot is a result.
        if (who, phase) != ("loop", "again"):
            raise
        said = re.search(r"^\[ERROR\]: (.*)", str(failure), re.MULTILINE)
        reason = re.sub(r" for url: [^,\s]*", "", said[1]) if said else "for a reason that it did not print"
        row = {"label": label, "failed": reason, "output": str(failure)[-2000:]}
    return {**row, "load_before": load}


def side(who: str, phases: list[str], states: dict, context: tuple[Place, Path, Path], save) -> None:
    """The steps of one side, each saved when it is done."""
    context[0].restore()
    if "create" not in phases:
        # What is there to look at or to change is the same, whoever made it: the quick side does.
        step("create", "ours", states["create"], context)
    for phase in phases:
        repeats = RECHECKS if (who, phase) == ("ours", "recheck") else 1
        whole = states["change"] if phase == "again" else states[phase]
        rows = [step(phase, who, states[phase], context) for unused in range(repeats)]
        row = sorted(rows, key=lambda row: row.get("seconds", 0))[len(rows) // 2]
        row["not_as_declared"] = differences(context[0].keystone(), whole)
        if who == "ours" and (row["not_as_declared"] or (phase in ("recheck", "again") and row["changed"])):
            raise SystemExit(f"bench: sovereign.region did not converge: {row}")
        if phase == "create" and row["not_as_declared"]:
            raise SystemExit(f"bench: {SIDES[who]} made something else: {row['not_as_declared'][:5]}")
        save(f"{who}_{phase}", row)


def kept() -> dict:
    """The report of the identity benchmarks so far; other tools write sections of it too."""
    return json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.is_file() else {}


def keep(section: dict) -> None:
    """Writes this section of the report and leaves the others as they are."""
    bench.OUTPUT.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({**kept(), "federation": section}, indent=2) + "\n", encoding="utf-8")


def run(work: Path, count: int = 50, parts: Sequence[str] = PARTS) -> dict:
    """Runs the benchmark on a region of its own below work and returns its section of the report.

    Both sides of one step are always of one run. Parts that are not asked for stay in the report as they were.
    """
    region = Place(work / "region")
    phases = [phase for phase in PHASES if ("change" if phase == "again" else phase) in parts]
    known = kept().get("federation", {})
    steps = known["steps"] if known.get("count") == count else {}
    result = {"count": count, "domains": DOMAINS,
              "steps": {name: row for name, row in steps.items() if name.partition("_")[2] not in phases}}

    def save(name: str, row: dict) -> None:
        result["steps"][name] = row
        result["environment"] = bench_report.environment()
        keep(result)

    try:
        peer = bench.peer_collections(work)
        state = declared(count)
        ids = region.prepare([domain_of(n) for n in range(DOMAINS)], work, peer)
        state["domain_ids"] = {name: key for name, key in ids.items() if name.startswith("bench-federation-")}
        after = changed(state)
        states = {"create": state, "recheck": state, "change": after, "again": only_changed(after)}
        started = time.monotonic()
        for who in SIDES:
            side(who, phases, states, (region, work, peer), save)
        progress.say(f"  both sides: {time.monotonic() - started:.0f} s")
    finally:
        region.down()
    return result


def lines(result: dict) -> list[str]:
    """The section as lines of Markdown: a table of the steps that both sides have done, and how to read it."""
    steps, made = result["steps"], result["environment"]
    rows = [
        f"| {result['count']} providers, mappings and protocols | {SIDES['ours']} | {SIDES['loop']}, looped | calls | "
        "wall time | processor time | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for phase, words in PHASES.items():
        if ours := steps.get(f"ours_{phase}"):
            rows.append(_line(words, ours, steps.get(f"loop_{phase}")))
    fails = [f"\"{words}\" by {SIDES['loop']} fails: {row['failed']}." for phase, words in PHASES.items()
             if "failed" in (row := steps.get(f"loop_{phase}", {}))]
    left = [f"After \"{words}\" by {SIDES['loop']}: {'; '.join(row['not_as_declared'][:3])}."
            for phase, words in PHASES.items() if (row := steps.get(f"loop_{phase}")) and row["not_as_declared"]]
    loads = [row["load_before"] for row in steps.values()]
    return [
        *rows,
        "",
        *left,
        *fails,
        f"Load before each step {min(loads)} to {max(loads)}, on {made['cores']} cores that other work shares. "
        f"ansible-core {made['ansible_core']}, openstacksdk {made['openstacksdk']}, Python {made['python']}. Rechecks "
        f"of this collection are the median of {RECHECKS}.",
        "",
    ]


def _line(words: str, ours: dict, loop: dict | None) -> str:
    """One line of the table; the other side's step may have failed, or not have been reached."""
    if loop is None or "failed" in loop:
        return f"| {words} | {_cell(ours)} | {'fails' if loop else 'not measured'} | | | | |"
    return (f"| {words} | {_cell(ours)} | {_cell(loop)} | {loop['calls'] / ours['calls']:.1f} times fewer | "
            f"{loop['seconds'] / ours['seconds']:.1f} times less | "
            f"{loop['cpu_seconds'] / ours['cpu_seconds']:.1f} times less | "
            f"{ours['peak_mib']} and {loop['peak_mib']} MiB |")


def _cell(row: dict) -> str:
    return (f"{row['seconds']:.1f} s ({row['cpu_seconds']:.1f} s of processor), {row['calls']} calls, "
            f"{'changed' if row['changed'] else 'no change'}")


def main() -> int:
    """Runs the benchmark and prints its table, also when it is interrupted: what was measured is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50, help="identity providers, mappings and protocols each")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only these; one takes minutes")
    parser.add_argument("--table", action="store_true", help="only print what was measured last")
    options = parser.parse_args()
    before = None if options.table else kept().get("federation")
    try:
        if not options.table:
            with tempfile.TemporaryDirectory(prefix="sovereign-region-bench-", ignore_cleanup_errors=True) as work:
                run(Path(work), options.count, options.parts)
    finally:
        measured = kept().get("federation")
        if measured and measured != before:
            print("\n".join(lines(measured)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
