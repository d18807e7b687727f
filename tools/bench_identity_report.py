# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the benchmark of mappings as tables in the documentation."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import bench_federation

BEGIN, END = "<!-- measured identity: begin -->", "<!-- measured identity: end -->"


def environment() -> dict:
    """On what it was measured, without anything that names the machine."""
    keystone = subprocess.run(
        [os.environ["EMBEDDED_PYTHON"], "-c", "from importlib import metadata; print(metadata.version('keystone'))"],
        capture_output=True, text=True, check=True).stdout.strip()
    return {"cores": os.cpu_count(), "python": platform.python_version(), "keystone": keystone,
            "ansible_core": metadata.version("ansible-core")}


def table(report: dict) -> str:
    """The measured part of docs/performance.md: the parts that were measured."""
    made = report["environment"]
    # A part that is added later brings its own function.
    lines = [line for name, write in PARTS.items() if name in report for line in write(report[name])]
    lines.append(f"Keystone {made['keystone']}, ansible-core {made['ansible_core']}, Python {made['python']}, "
                 f"{made['cores']} shared cores.\nLoad before each part and at the end: "
                 f"{', '.join(f'{load:.1f}' for load in report['loads'])}.")
    return "\n".join(lines)


def _evaluations(rows: list[dict]) -> list[str]:
    lines = ["Evaluations in a second, warm, one process and one core; the median of the rounds:", "",
             "| mapping | sovereign.region | Keystone's processor | ratio |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row['name']} | {row['ours']} | {row['keystone']} | {row['ours'] / row['keystone']:.1f} |")
    return [*lines, ""]


def _check(sides: dict) -> list[str]:
    lines = ["An operator's one check of a mapping with 3 rules, schema 1.0, as a whole command:", "",
             "| command | median | of all |", "|---|---|---|"]
    names = {"ours": "`ansible -m sovereign.region.identity_mapping_check`: result, trace and findings, every schema",
             "keystone": "`keystone-manage mapping_engine`: result, schema 1.0 alone"}
    for side, name in names.items():
        taken = sides[side]
        lines.append(f"| {name} | {taken['median']:.1f} s | {taken['all'][0]:.1f} to {taken['all'][-1]:.1f} s |")
    return [*lines, ""]


PARTS = {"evaluations": _evaluations, "check": _check, "federation": bench_federation.lines}


def write_table(report: dict, path: Path) -> bool:
    """Replaces what stands between the marks of the page; False when it has none."""
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text:
        return False
    head, rest = text.split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{table(report)}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return True
