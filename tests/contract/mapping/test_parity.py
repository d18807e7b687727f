# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same result or the same refusal as Keystone's own processor, for every case, on every release and schema."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity import mapping_engine
from contract.mapping import corpus, keystones

SERIES = [keystone.series for keystone in keystones.installed()]
# 3.0 came with Keystone 29: the packages say so in test_releases_and_schemas.
PAIRS = [(series, version) for series in SERIES for version in corpus.VERSIONS if version != "3.0" or int(series) >= 29]


def told(differences):
    """The shortest of them, for people."""
    shortest = sorted(differences, key=lambda one: len(json.dumps(one[0])))[:5]
    return f"{len(differences)} differences, such as\n" + "\n".join(
        f"case     {json.dumps(case)}\nKeystone {wanted}\nours     {got}" for case, wanted, got in shortest)


@pytest.mark.parametrize("series", SERIES)
def test_releases_and_schemas(answers, series):
    for mode in answers[series].values():
        assert mode["release"].startswith(f"{series}.")
        # Hashes of passwords: 27 and 28 use a package of their own, and the processor uses none.
        assert set(mode["unmet"]) <= {"scrypt>=0.8.0"}
        assert f"/{'embedded-region' if series == SERIES[-1] else f'keystone-{series}'}-" in mode["file"]
        assert mode["versions"] == [version for version in corpus.VERSIONS if (series, version) in PAIRS]


@pytest.mark.parametrize("series, version", PAIRS)
def test_generated_cases(questions, answers, well_formed, ours, summary, series, version):
    numbers = questions.numbers(version, generated=True)
    assert all(well_formed[series][questions.cases[number][0]] for number in numbers)
    shares = compare(questions, answers[series], ours, numbers)
    assert len(numbers) >= 10_000
    assert shares["refused"] >= 0.3 * len(numbers)
    assert shares["accepted"] >= 0.2 * len(numbers)
    summary[f"2 {version} {series}"] = (
        f"  Keystone {answers[series]['natural']['release']}, schema {version}: {len(numbers)} generated pairs, "
        f"{shares['refused']} refused in {shares['classes']} classes, 0 differences "
        f"({shares['seed']} where Keystone's own order depends on its hash seed)")


@pytest.mark.parametrize("series, version", PAIRS)
def test_examples_of_keystone(questions, answers, well_formed, ours, summary, series, version):
    numbers = [number for number in questions.numbers(version, generated=False)
               if well_formed[series][questions.cases[number][0]]]
    shares = compare(questions, answers[series], ours, numbers)
    assert shares["accepted"] > 500 and shares["refused"] > 500
    line = summary.setdefault("3 examples", "  Keystone's own examples, every mapping with every assertion, pairs:")
    summary["3 examples"] = f"{line}{',' if line[-1] != ':' else ''} {len(numbers)} ({series}, {version})"


def compare(questions, answers, ours, numbers):
    """Asserts that there is no difference; returns counts.

    Keystone keeps what passes a whitelist or a blacklist in a set, so the package as it is (`natural`) has another
    order with another hash seed. Ours is compared with `ordered`, which differs from the package in nothing else: where
    no set holds several values, both have the same answer.
    """
    natural, ordered = (answers[mode]["cases"] for mode in ("natural", "ordered"))
    depends = [number for number in numbers if natural[number] != ordered[number]]
    assert all(filters_several_values(questions.case(number)) for number in depends)
    differences = [(questions.case(number), ordered[number], ours[number]) for number in numbers
                   if ordered[number][:2] != ours[number][:2]]
    assert not differences, told(differences)
    verdicts = Counter(ordered[number][0] for number in numbers)
    return {"accepted": verdicts["accepted"], "refused": verdicts["refused"], "seed": len(depends),
            "classes": len({tuple(ordered[number][1:]) for number in numbers if ordered[number][0] == "refused"})}


def filters_several_values(case):
    """Whether a whitelist or a blacklist is asked about a claim with several values."""
    _version, rules, claims = case
    return any({"whitelist", "blacklist"} & set(requirement) and ";" in str(claims.get(requirement["type"]))
               for rule in rules for requirement in rule["remote"])


@pytest.mark.parametrize("series", SERIES)
def test_the_same_rules_are_malformed(questions, answers, summary, series):
    wrong, counts = [], Counter()
    for (version, rules), verdict in zip(questions.structures, answers[series]["natural"]["structures"]):
        if (series, version) not in PAIRS:
            continue
        problems = mapping_engine.structure_problems(rules, version)
        counts["refused" if verdict else "accepted"] += 1
        if bool(problems) != bool(verdict):
            wrong.append(([version, rules], verdict, problems))
        assert all(set(problem) >= {"path", "value", "message"} for problem in problems)
    assert not wrong, told(wrong)
    assert counts["refused"] > 2000 and counts["accepted"] > 5000
    summary[f"4 {series}"] = (f"  Keystone {answers[series]['natural']['release']}, structure of rules: "
                              f"{sum(counts.values())} rule sets, {counts['refused']} malformed, 0 differences")


def test_no_evaluation_changes_its_rules(questions):
    for number in range(0, questions.generated, 7):
        version, rules, claims = questions.case(number)
        before = json.dumps([rules, claims])
        mapping_engine.evaluate(rules, version, claims)
        assert json.dumps([rules, claims]) == before
