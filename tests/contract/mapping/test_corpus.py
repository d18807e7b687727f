# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus is what it says: every operator and every class of refusal is in it, and often enough to count."""

from __future__ import annotations

from collections import Counter

import pytest
from contract.mapping import corpus

OPERATORS = [f"{operator}{regex}" for operator in ("any_one_of", "not_any_of", "whitelist", "blacklist")
             for regex in ("", " by regex")]
LOCALS = ["user", "group", "groups", "group_ids", "projects", "domain"]
# Each of these occurs at least so often in accepted cases and in refused ones.
OFTEN = {
    **dict.fromkeys(["plain", *OPERATORS], 50), **dict.fromkeys([f"local {key}" for key in LOCALS], 100),
    **dict.fromkeys(["valid regex", "several values", "non-ASCII value", "non-ASCII claim name", "missing claim",
                     "empty claim", "empty value among others", "value twice", "several rules", "claim that is no text",
                     "user type local", "user type ephemeral", "no local part"], 30),
    **dict.fromkeys([f"{name} of nothing" for name in ("any_one_of", "not_any_of", "whitelist", "blacklist")], 5),
    # An invalid one matters only where Keystone comes to it.
    "invalid regex": 3,
}
# Exception and the function of Keystone that it comes from. TypeError of a text is a claim with several values in a
# field with a format.
CLASSES = {
    ("ValidationError", "_transform"), ("ValidationError", "_normalize_groups"),
    ("DirectMappingError", "process_rule_mapping"), ("KeyError", "process_rule_mapping"),
    ("ValueError", "process_rule_mapping"), ("AttributeError", "process_rule_mapping"),
    ("TypeError", "process_rule_mapping"), ("error", "_evaluate_values_by_regex"),
    ("TypeError", "_evaluate_values_by_regex"), ("TypeError", "_evaluate_requirement"),
    ("OverflowError", "_evaluate_values_by_regex"), ("RecursionError", "_evaluate_values_by_regex"),
    ("TypeError", "_ast_literal_eval"), ("RecursionError", "_ast_literal_eval"), ("TypeError", "_transform"),
    ("JSONDecodeError", "convert_json"), ("ValueError", "convert_json"), ("RecursionError", "convert_json"),
    ("AttributeError", "convert_json"), ("TypeError", "_normalize_groups"),
}
CLASSES_3 = {
    ("SchemaValidationError", "process_rule_mapping"), ("IndexError", "__getitem__"),
    ("JSONDecodeError", "process_rule_mapping"), ("RecursionError", "process_rule_mapping"),
    ("ValidationError", "validate_projects_json"),
}


def classes(questions, answers, version):
    return Counter((deep(answers["cases"][number][1]), answers["cases"][number][2])
                   for number in questions.numbers(version, generated=True)
                   if answers["cases"][number][0] == "refused")


def deep(exception):
    """What is nested too deeply ends in one of two exceptions, by how deep it is and by the release of Python."""
    return "RecursionError" if exception == "MemoryError" else exception


@pytest.mark.parametrize("version", corpus.VERSIONS)
def test_operators_claims_and_local_parts(questions, newest, summary, version):
    found = {"accepted": Counter(), "refused": Counter()}
    for number in questions.numbers(version, generated=True):
        found[newest["cases"][number][0]].update(corpus.tags(questions.case(number)))
    wanted = {**OFTEN, "local projects_json": 100} if version == "3.0" else OFTEN
    seldom = {tag: (found["accepted"][tag], found["refused"][tag]) for tag, least in wanted.items()
              if min(found["accepted"][tag], found["refused"][tag]) < least}
    assert not seldom
    summary["1 operators"] = ("mapping engine against Keystone: operators "
                              "plain, any_one_of, not_any_of, whitelist, blacklist, the last four also by regex")


@pytest.mark.parametrize("version", corpus.VERSIONS)
def test_every_class_of_refusal(questions, newest, version):
    found = classes(questions, newest, version)
    assert set(found) == CLASSES | (CLASSES_3 if version == "3.0" else set())
    assert min(found.values()) >= 3, found


@pytest.mark.parametrize("version", corpus.VERSIONS)
def test_our_reasons_tell_as_much_as_keystones_classes(questions, newest, ours, version):
    """One reason of ours never stands for two exceptions of Keystone, and one site there has at least one here."""
    exceptions, same = {}, {"JSONDecodeError": "ValueError"}
    for number in questions.numbers(version, generated=True):
        if ours[number][0] == "refused":
            exception = deep(newest["cases"][number][1])
            exceptions.setdefault(ours[number][2], set()).add(same.get(exception, exception))
    assert all(len(names) == 1 for names in exceptions.values()), exceptions
    assert len(exceptions) >= len({(same.get(one, one), site) for one, site in classes(questions, newest, version)})


def test_every_example_of_the_documentation_is_read(questions):
    assert questions.unread == []
    assert questions.examples["mappings of the documentation"] >= 35
    assert questions.examples["assertions of the documentation"] >= 5
    assert questions.examples["mappings of unit tests"] >= 120
    assert questions.examples["assertions of unit tests"] >= 30


def test_the_corpus_is_the_same_in_each_process(questions):
    made = corpus.cases("2.0")
    assert made == [questions.case(number) for number in questions.numbers("2.0", generated=True)]
