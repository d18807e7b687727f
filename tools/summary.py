# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of `make test`: which tiers ran, how long they took, what did not run and why."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Mapping
from pathlib import Path

from schedule import Result
from step import LOGS, TIERS, Step, junit, log

COUNTS = ("passed", "failed", "skipped")
MOST_FAILURES = 20
LONGEST_REASON = 600
LAST_LINES = 15


def counts(report: Path) -> dict[str, int]:
    """What a JUnit report counts. A report that cannot be read counts nothing: its step has failed."""
    try:
        suites = list(ElementTree.parse(report).iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return dict.fromkeys(COUNTS, 0)
    names = ("tests", "failures", "errors", "skipped")
    total = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in names}
    failed = total["failures"] + total["errors"]
    return {"passed": total["tests"] - failed - total["skipped"], "failed": failed, "skipped": total["skipped"]}


def failures(steps: list[Step], results: Mapping[str, Result]) -> list[str]:
    """What failed, with its first words: whoever has only the end of the output still learns what to mend."""
    lines = []
    for step in steps:
        result = results[step.name]
        if result.status == "failed":
            lines.append(f"FAILED {step.name}: {result.reason}")
            told = _failed_tests(junit(step.name))[:MOST_FAILURES] or _last_words(log(step.name))
            lines += [f"    {line}" for line in told]
    return lines


def _failed_tests(report: Path) -> list[str]:
    """A line for each failed test of a JUnit report: its name, and why."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return []
    found = []
    for case in cases:
        for problem in [*case.findall("failure"), *case.findall("error")]:
            why = " ".join((problem.get("message") or problem.text or "").split())
            found.append(f"{case.get('classname')}::{case.get('name')}: {why[:LONGEST_REASON]}")
    return found


def _last_words(output: Path) -> list[str]:
    """The end of a log, for a step that is no pytest or did not live to report."""
    try:
        return output.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []


def findings(steps: list[Step], results: Mapping[str, Result]) -> list[str]:
    """What steps that passed want to be read at the end: counts that a list of passed steps does not show.

    A step writes its lines into build/test/<step>.summary.
    """
    lines = []
    for step in steps:
        path = LOGS / f"{step.name}.summary"
        if results[step.name].status == "passed" and path.is_file():
            lines += path.read_text(encoding="utf-8").splitlines()
    return ["", *lines] if lines else []


def sum_up(steps: list[Step], results: Mapping[str, Result], required: Collection[str] = ()) -> dict[str, int]:
    """All tests together, so that 0 failed is never a lie.

    A step that failed without a failed test counts as one, and so does one that was required and did not run.
    """
    total = dict.fromkeys(COUNTS, 0)
    total["failed"] = len(required)
    for step in steps:
        result = results[step.name]
        if result.status == "not run":
            continue
        found = counts(junit(step.name))
        if result.status == "failed":
            found["failed"] = max(found["failed"], 1)
        for name in COUNTS:
            total[name] += found[name]
    return total


def table(steps: list[Step], results: Mapping[str, Result], left_out: Mapping[str, str], rare: list[str]) -> list[str]:
    """One line a tier, then what did not run."""
    lines = ["", f"{'tier':<12}{'steps':>6}{'passed':>8}{'failed':>8}{'minutes':>9}"]
    for tier in TIERS:
        mine = [results[step.name] for step in steps if step.tier == tier]
        ran = [result for result in mine if result.status != "not run"]
        if ran:
            passed = sum(result.status == "passed" for result in ran)
            minutes = sum(result.seconds for result in ran) / 60
            lines.append(f"{tier:<12}{len(ran):>6}{passed:>8}{len(ran) - passed:>8}{minutes:>9.1f}")
        elif tier in left_out or mine:
            lines.append(f"{tier:<12}not run: {left_out.get(tier) or mine[0].reason}")
    for step in steps:
        if results[step.name].status == "not run":
            lines.append(f"{step.name:<12} not run: {results[step.name].reason}")
    if rare:
        lines.append(f"left out (FULL=1 runs them): {', '.join(rare)}")
    return lines
