# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this directory share: the questions, Keystone's answers, ours, and the lines of the summary.

The step of the tests sets KEYSTONES, environments with a Keystone each, and SUMMARY, where the lines go.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Those of mutation/ are run by mutmut alone.
collect_ignore = ["mutation", *([] if "KEYSTONES" in os.environ else ["test_parity.py", "test_corpus.py"])]


def pytest_configure(config):
    config.summary_lines = {}
    if "SUMMARY" in os.environ:
        Path(os.environ["SUMMARY"]).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def questions():
    from contract.mapping.questions import gather

    return gather()


@pytest.fixture(scope="session")
def answers(questions):
    """{series: {mode: answers}}, see keystones.py."""
    from contract.mapping.keystones import answers

    return answers(questions)


@pytest.fixture(scope="session")
def newest(answers):
    """The newest release, asked so that nothing depends on a hash seed."""
    return list(answers.values())[-1]["ordered"]


@pytest.fixture(scope="session")
def well_formed(answers):
    """{series: for each structure, whether that Keystone would store it}."""
    return {series: [verdict is None for verdict in modes["natural"]["structures"]]
            for series, modes in answers.items()}


@pytest.fixture(scope="session")
def ours(questions, well_formed):
    """What we answer to each case: accepted with a text, or refused with exception and reason; None when malformed."""
    from contract.mapping.ours import answer

    stored = [any(verdicts) for verdicts in zip(*well_formed.values())]
    return [answer(questions.case(number)) if stored[structure] else None
            for number, (structure, _claims) in enumerate(questions.cases)]


@pytest.fixture(scope="session")
def summary(pytestconfig):
    """Lines for the end of `make test`, by a key that gives their order."""
    return pytestconfig.summary_lines


def pytest_sessionfinish(session, exitstatus):
    path = os.environ.get("SUMMARY")
    if path and exitstatus == 0 and session.config.summary_lines:
        lines = [line for _key, line in sorted(session.config.summary_lines.items())]
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
