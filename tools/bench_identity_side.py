# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of the benchmark of mappings: evaluates a workload for some seconds and prints how often that went.

    bench_identity_side.py keystone|ours WORKLOAD SECONDS

WORKLOAD: JSON {name: [schema version, rules, [claims, …]]}. Prints JSON {"import_seconds", "rates": {name: evaluations
in a second}, "results": {name: [text of each result]}}. Run by the interpreter of that side; nothing is shared.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def keystone():
    """Keystone's own processor, as a login makes and runs it."""
    import keystone.conf

    keystone.conf.configure()
    from keystone.federation import utils

    def evaluate(version, rules, claims):
        mapping = {"id": "mapping", "schema_version": version, "rules": rules}
        return utils.create_attribute_mapping_rules_processor(mapping).process(claims)

    return evaluate


def ours():
    """Our engine, which explains each requirement while it evaluates."""
    sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
    from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_engine

    def evaluate(version, rules, claims):
        return mapping_engine.evaluate(rules, version, claims).result

    return evaluate


def rate(evaluate, version, rules, claims, seconds):
    """Evaluations in a second, after one round that is not counted."""
    for one in claims:
        evaluate(version, rules, one)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for one in claims:
            evaluate(version, rules, one)
        count += len(claims)
    return count / (time.perf_counter() - started)


def main():
    """Prints the report of one side."""
    side, path, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    workload = json.loads(path.read_text(encoding="utf-8"))
    started = time.perf_counter()
    evaluate = {"keystone": keystone, "ours": ours}[side]()
    report = {"import_seconds": time.perf_counter() - started, "rates": {}, "results": {}}
    for name, (version, rules, claims) in workload.items():
        report["results"][name] = [json.dumps(evaluate(version, rules, one), sort_keys=True) for one in claims]
        report["rates"][name] = rate(evaluate, version, rules, claims, seconds)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
