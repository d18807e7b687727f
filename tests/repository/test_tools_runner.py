# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of the tests tells the truth: about failures, about what did not run, and in its last lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import schedule
import step
import steps
import summary
import test as runner
from schedule import Result, Schedule
from step import Command, Step

REPORT = '<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1"/></testsuites>'


@pytest.fixture(autouse=True)
def own_logs(monkeypatch, tmp_path):
    """Steps of these tests log beside them, and find an environment without making one."""
    environment = tmp_path / "environment.py"
    environment.write_text(f"print({str(Path(sys.executable).parent.parent)!r})\n")
    monkeypatch.setattr(step, "LOGS", tmp_path)
    monkeypatch.setattr(step, "CHECKOUT", tmp_path)
    monkeypatch.setattr(schedule, "CHECKOUT", tmp_path)
    monkeypatch.setattr(schedule, "ENVIRONMENT", environment)


def a_step(name, code="pass", **more):
    return Step(name, more.pop("tier", "unit"), "any", lambda place: [Command([place.python, "-c", code])], **more)


def run(*chosen, workers=2):
    return Schedule(list(chosen), step.LOGS, workers).run()


def test_failure_and_success_are_told_apart():
    results = run(a_step("good"), a_step("bad", "raise SystemExit(3)"))
    assert results["good"].status == "passed"
    assert results["bad"].status == "failed" and "status 3" in results["bad"].reason


def test_what_builds_on_a_failure_is_not_run():
    results = run(a_step("bad", "raise SystemExit(1)"), a_step("next", after=("bad",)), a_step("last", after=("next",)))
    assert [results[name].status for name in ("bad", "next", "last")] == ["failed", "not run", "not run"]
    assert results["next"].reason == "bad did not pass"


def test_order_and_exclusion(tmp_path):
    mark = f"import pathlib, time; p = pathlib.Path({str(tmp_path)!r}, 'held'); p.mkdir(); time.sleep(0.3); p.rmdir()"
    results = run(*(a_step(f"holder-{number}", mark, holds="region") for number in range(3)), workers=3)
    assert {result.status for result in results.values()} == {"passed"}


def test_a_step_that_hangs_is_ended_with_its_children(tmp_path):
    code = "import subprocess; subprocess.run(['sleep', '61.25'])"
    results = run(a_step("hanging", code, limit=2))
    assert results["hanging"].status == "failed" and "time limit" in results["hanging"].reason
    assert subprocess.run(["pgrep", "-f", "^sleep 61.25"], check=False).returncode == 1


def test_a_developers_settings_do_not_reach_the_steps(monkeypatch):
    monkeypatch.setenv("OS_CLOUD", "production")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "null")
    code = "import os; assert not {'OS_CLOUD', 'ANSIBLE_STDOUT_CALLBACK'} & set(os.environ), 'leaked'"
    assert run(a_step("clean", code))["clean"].status == "passed"


def test_what_failed_is_told_again_at_the_end():
    report = ('<testsuites><testsuite tests="2" failures="1"><testcase classname="test_a" name="test_b">'
              '<failure message="assert 1 == 2&#10;where"/></testcase></testsuite></testsuites>')
    chosen = [a_step("tests", "raise SystemExit(1)"), a_step("tool", "print('no such file'); raise SystemExit(2)"),
              a_step("good")]
    results = run(*chosen)
    step.junit("tests").write_text(report)
    told = "\n".join(summary.failures(chosen, results))
    assert "FAILED tests: " in told and "test_a::test_b: assert 1 == 2 where" in told
    assert "FAILED tool: " in told and "no such file" in told
    assert "good" not in told


def test_counts_come_from_the_reports():
    step.junit("one").write_text(REPORT)
    assert summary.counts(step.junit("one")) == {"passed": 2, "failed": 2, "skipped": 1}
    assert summary.counts(step.junit("absent")) == {"passed": 0, "failed": 0, "skipped": 0}


def test_a_failed_step_without_a_failed_test_counts():
    results = {"lint": Result("failed", 1.0, "status 2")}
    assert summary.sum_up([a_step("lint")], results)["failed"] == 1


def test_the_table_names_what_did_not_run():
    chosen = [a_step("ran"), a_step("gpu", tier="hardware")]
    results = {"ran": Result("passed", 90.0), "gpu": Result("not run", reason="no GPU")}
    lines = "\n".join(summary.table(chosen, results, {"machine": "no tests yet"}, ["soak"]))
    assert "1.5" in lines and "not run: no GPU" in lines and "machine     not run: no tests yet" in lines
    assert "FULL=1 runs them): soak" in lines


def test_choosing_a_step_brings_what_it_builds_on():
    everything = [a_step("base"), a_step("top", after=("base",)), a_step("other", fast=True), a_step("soak", rare=True)]
    assert [one.name for one in runner.choose(everything, ["top"], False, False)] == ["base", "top"]
    assert [one.name for one in runner.choose(everything, [], True, False)] == ["other"]
    assert "soak" not in [one.name for one in runner.choose(everything, [], False, False)]
    assert "soak" in [one.name for one in runner.choose(everything, [], False, True)]
    with pytest.raises(SystemExit, match="no step"):
        runner.choose(everything, ["absent"], False, False)


@pytest.mark.parametrize(("ci", "expected"), [("true", 1), ("", 0)])
def test_with_ci_what_cannot_run_is_a_failure(monkeypatch, capsys, ci, expected):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys, "argv", ["test.py"])
    monkeypatch.setattr(steps, "every", lambda: [a_step("root-only", hindered="needs root"),
                                                a_step("gpu", tier="hardware", hindered="no GPU"),
                                                a_step("tarballs", hindered="no tarballs", optional=True)])
    monkeypatch.setattr(runner, "LOGS", step.LOGS)
    assert runner.main() == expected
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "0 passed, 0 failed, 0 skipped" if not ci else "0 passed, 1 failed, 0 skipped"
