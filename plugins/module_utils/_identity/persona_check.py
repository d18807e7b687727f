# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a site's policy files against the personas, without a cloud. Pure."""

from __future__ import annotations

from .._core.errors import DeclarationError, RegionError, unknown_name
from .._region.personas import PERSONAS, SCOPES, scopes_of
from . import persona_policy, persona_text
from .persona_operations import OPERATIONS
from .persona_seats import SEATS, TARGETS, person, target
from .policy_effective import effective
from .policy_findings import findings
from .policy_tables import TABLES

ARGUMENT_SPEC = {
    "services": {"type": "list", "elements": "str", "choices": list(TABLES), "default": list(TABLES)},
    "overrides": {"type": "dict", "default": {}},
    "enforce_scope": {"type": "bool", "default": True},
    "enforce_new_defaults": {"type": "bool", "default": True},
    "fail_on_widened": {"type": "bool", "default": True},
    "expect": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "persona": {"type": "str", "required": True, "choices": list(PERSONAS)},
            "scope": {"type": "str", "choices": list(SCOPES)},
            "service": {"type": "str", "required": True, "choices": list(TABLES)},
            "rule": {"type": "str"},
            "operation": {"type": "str"},
            "target": {"type": "str", "choices": list(TARGETS), "default": "own"},
            "allowed": {"type": "bool", "required": True},
        },
        "required_one_of": [["rule", "operation"]],
        "mutually_exclusive": [["rule", "operation"]],
    },
}


class PolicyNotAsExpected(RegionError):
    """A site's policy files give a persona more than they should, or do not do what they say.

    Args:
        result: what ``check`` found, with ``failures``.
    """

    def __init__(self, result):
        self.problems = result["failures"]
        self.result = result
        super().__init__("\n".join(self.problems))


def run(params):
    """Return the module's result. Raises DeclarationError, or PolicyNotAsExpected with the result in it."""
    problems = validate(params)
    if problems:
        raise DeclarationError(problems)
    result = check(params)
    if result["failures"]:
        raise PolicyNotAsExpected(result)
    return dict(shown(result), changed=False)


def failure(error):
    """Return the arguments of ``fail_json`` for an error of ``run``."""
    return dict(shown(getattr(error, "result", {})), msg=str(error), error=type(error).__name__,
                problems=error.problems)


def shown(result):
    """Return a result without what the module says in another way."""
    return {name: value for name, value in result.items() if name != "failures"}


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    problems = [
        "overrides.{0}: a mapping of rule names to check strings was expected, not {1}; read the policy file with "
        "from_yaml".format(service, type(rules).__name__)
        for service, rules in params["overrides"].items() if not isinstance(rules, dict)]
    for index, row in enumerate(params["expect"]):
        path = "expect[{0}]".format(index)
        if row["scope"] and row["scope"] not in scopes_of(row["persona"]):
            problems.append("{0}.scope: {1} is assigned in {2}, not in {3!r}".format(
                path, row["persona"], " or ".join(scopes_of(row["persona"])), row["scope"]))
        if row["rule"] and row["rule"] not in TABLES[row["service"]].RULES:
            problems.append(unknown_name(path + ".rule", row["rule"], "rule of " + row["service"],
                                         TABLES[row["service"]].RULES))
        names = [operation[0] for operation in OPERATIONS[row["service"]]]
        if row["operation"] and row["operation"] not in names:
            problems.append(
                unknown_name(path + ".operation", row["operation"], "operation of " + row["service"], names))
    return problems


def check(params):
    """Return what a site's policy gives the personas.

    Args:
        params: of ARGUMENT_SPEC, without problems.

    Returns:
        mapping: ``table`` and ``text`` of the policy that is in effect, ``widened``, ``narrowed`` and ``unknown``
        against the defaults with scopes enforced, ``findings``, and ``failures``, the sentences for which the check
        fails.
    """
    said = {service: rules for service, rules in params["overrides"].items() if rules}
    policies, result = {}, {"widened": [], "narrowed": [], "unknown": [], "findings": []}
    for service in dict.fromkeys([*params["services"], *(row["service"] for row in params["expect"])]):
        policies[service] = effective(
            service, said.get(service), params["enforce_scope"], params["enforce_new_defaults"])
        for change, rows in persona_policy.differences(effective(service), policies[service]).items():
            result[change] += rows
    for service, rules in said.items():
        if service not in TABLES or service in policies:
            result["findings"] += findings(service, rules, policies.get(service))
    result["table"] = persona_policy.table({service: policies[service] for service in params["services"]})
    result["text"] = persona_text.of_table(result["table"])
    result["failures"] = _failures(params, policies, result)
    return result


def _failures(params, policies, result):
    critical = [one for one in result["findings"] if one["severity"] == "critical"]
    sentences = ["{path}: {message}. {fix}".format(**one) for one in critical]
    sentences += mismatches(params["expect"], policies)
    if params["fail_on_widened"]:
        wanted = [row for row in params["expect"] if row["allowed"]]
        sentences += persona_text.of_widened([row for row in result["widened"] if not _wanted(row, wanted)])
    return sentences


def _wanted(change, rows):
    """Return whether somebody declared that a persona shall have what an override gives it, all of it.

    Who may do it to what is another domain's may do it to what is their own.
    """
    rows = [row for row in rows if row["persona"] == change["persona"] and row["service"] == change["service"]
            and change["rule"] in rules_of(row)]
    return all(
        any(row["scope"] in (None, scope) and TARGETS.index(row["target"]) >= TARGETS.index(kind) for row in rows)
        for scope in change["scopes"] for kind in change["targets"])


def rules_of(row):
    """Return the rules that an expectation is about, as a tuple."""
    if row["rule"]:
        return (row["rule"],)
    return _operation(row)[2]


def _operation(row):
    """Return the line of the table of operations that an expectation names."""
    return next(line for line in OPERATIONS[row["service"]] if line[0] == row["operation"])


def mismatches(expected, policies):
    """Return one sentence for each expectation that does not hold.

    Args:
        expected: the option ``expect``. Without a scope a row is about all of a persona's scopes: allowed when one of
            them is enough, refused when none is.
        policies: mapping of service to Policy.
    """
    sentences = []
    for index, row in enumerate(expected):
        values = {} if row["rule"] else _operation(row)[4]
        actual = _actual(row, rules_of(row), values, policies[row["service"]])
        if actual is not row["allowed"]:
            sentences.append("expect[{0}]: {1}{2} {3} {4} on {5} ({6}), but {7}".format(
                index, row["persona"], " of the " + row["scope"] if row["scope"] else "",
                "may" if row["allowed"] else "may not", row["rule"] or row["operation"], row["service"], row["target"],
                {True: "it is allowed", False: "it is refused", None: "only the running service can know"}[actual]))
    return sentences


def _actual(row, rules, values, policy):
    answers = []
    for seat in SEATS:
        if seat.persona == row["persona"] and row["scope"] in (None, seat.scope):
            credentials = policy.credentials_of(person(seat, row["service"]))
            scoped = not persona_policy.loses_scope(row["service"], rules)
            said = [policy.allows(rule, target(row["target"], **values), credentials, scoped) for rule in rules]
            answers.append(False if False in said else None if None in said else True)
    return True if True in answers else None if None in answers else False
