# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a federation mapping makes of a claim set, as Keystone's own processor would, without Keystone and a cloud.

evaluate() gives the result of ``create_attribute_mapping_rules_processor(mapping).process(claims)``: the same user,
groups and projects, or a refusal of the same class, bug for bug. Three things differ, on purpose:

- giant widths in texts are refused: see mapping_text.py.
- where Keystone's order is that of a set (``whitelist`` and ``blacklist`` without ``regex``, ``group_ids``), ours is
  that of the claim. Keystone's changes with each start of its process.
- a result is never shared with the rules: changing one does not change the other.

What Keystone does with the result afterwards needs its database: it looks up domains, groups and roles, makes the
shadow user, and refuses then what does not exist. What fails there for certain tells mapping_login.py.

Source: keystone/federation/utils.py (Keystone 30.0.0).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .mapping_conditions import match_rule
from .mapping_local import combine, fill
from .mapping_refusals import REFUSALS, Refusal
from .mapping_structure import SCHEMA_VERSIONS, structure_problems

__all__ = [
    "REFUSALS",
    "SCHEMA_VERSIONS",
    "Evaluation",
    "RuleTrace",
    "evaluate",
    "join_claims",
    "structure_problems",
]


@dataclass(frozen=True)
class RuleTrace:
    """Why one rule matched or did not.

    Attributes:
        index: which rule, from 0.
        matched: whether all its requirements were met.
        requirements: one dictionary for each requirement that Keystone looks at, which is up to the first that is
            not met: ``path``, ``claim`` (its name), ``operator`` ("present" or one of mapping_conditions.OPERATORS),
            ``values`` (of the claim), ``passed``, ``why`` (a sentence). Empty where an earlier rule ended everything.
    """

    index: int
    matched: bool
    requirements: list


@dataclass(frozen=True)
class Evaluation:
    """What becomes of a claim set.

    Attributes:
        accepted: whether Keystone's processor returns a result.
        reason: a key of REFUSALS; None when accepted.
        message: one sentence for people; None when accepted.
        exception: the class of the exception that Keystone raises; None when accepted.
        user: ``type`` ("ephemeral" or "local"), and what the mapping gives of ``id``, ``name``, ``email``, ``domain``.
        group_ids: ids of groups, usually str.
        group_names: groups as dictionaries of ``name`` and ``domain``, with Keystone's repetitions.
        projects: dictionaries of ``name``, ``roles`` and, from schema 2.0 on, ``domain``.
        result: the whole that Keystone's processor returns; empty when refused.
        matched_rules: indexes, from 0, of the rules that matched.
        trace: one RuleTrace for each rule, in order.
    """

    accepted: bool
    reason: str | None
    message: str | None
    exception: str | None
    user: dict = field(default_factory=dict)
    group_ids: list = field(default_factory=list)
    group_names: list = field(default_factory=list)
    projects: list = field(default_factory=list)
    result: dict = field(default_factory=dict)
    matched_rules: list = field(default_factory=list)
    trace: list = field(default_factory=list)


def join_claims(claims):
    """Return claims as Keystone sees them in its environment: texts, in which lists are joined by ``;``. Pure.

    Booleans become 1 and 0, numbers their digits and dictionaries JSON text, as mod_auth_openidc 2.4 hands them on
    (src/util.c, oidc_util_set_app_infos); it leaves out numbers and dictionaries inside of a list, which are taken
    here as what the provider should send as texts. What is None is left out.

    Args:
        claims: mapping of claim name to str, number, bool, dict, None, or a list of those.
    """
    return {name: _claim_text(value) for name, value in claims.items() if value is not None}


def _claim_text(value):
    if isinstance(value, (list, tuple)):
        return ";".join(_claim_text(item) for item in value if item is not None)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return "{0:f}".format(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def evaluate(rules, schema_version, claims):
    """Return the Evaluation of one claim set. Pure; raises nothing, whatever the claims are.

    A regular expression that takes long in Keystone takes as long here.

    Args:
        rules: list of rules without structure problems.
        schema_version: "1.0", "2.0" or "3.0".
        claims: mapping of claim name to str, as Keystone's environment has it; see join_claims(). What is no str
            is not there for Keystone.
    """
    values = {name: str.split(text, ";") for name, text in claims.items() if isinstance(text, str)}
    trace, items = [], []
    try:
        for index, rule in enumerate(rules):
            items += _apply(index, rule, values, claims, trace)
        if not items:
            raise _nothing(trace)
        result = combine(items, schema_version)
    except Refusal as refusal:
        trace += [RuleTrace(index, False, []) for index in range(len(trace), len(rules))]
        return Evaluation(
            False,
            refusal.reason,
            refusal.message,
            refusal.exception,
            matched_rules=_matched(trace),
            trace=trace,
        )
    return Evaluation(True, None, None, None, result=result, matched_rules=_matched(trace), trace=trace, **result)


def _matched(trace):
    return [rule.index for rule in trace if rule.matched]


def _apply(index, rule, values, claims, trace):
    """Return the filled-in items of one rule, none when it does not match, and add its RuleTrace."""
    path, steps, direct = ("rules", index), [], None
    try:
        direct = match_rule(path + ("remote",), rule["remote"], values, claims, steps)
    finally:
        trace.append(RuleTrace(index, direct is not None, steps))
    return [] if direct is None else fill(path + ("local",), rule["local"], direct)


def _nothing(trace):
    """Return the Refusal for claims that no rule makes anything of."""
    matched = _matched(trace)
    if matched:
        message = "rules {0} matched, and their 'local' lists are empty".format(", ".join(map(str, matched)))
        return Refusal("nothing_mapped", message)
    whys = ["rules[{0}]: {1}".format(rule.index, rule.requirements[-1]["why"]) for rule in trace[:3]]
    more = "; and {0} rules more".format(len(trace) - 3) if len(trace) > 3 else ""
    return Refusal("no_rule_matched", "no rule matched: {0}{1}".format("; ".join(whys), more))
