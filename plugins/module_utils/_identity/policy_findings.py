# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a policy file before one asks whom it lets in. Pure.

A finding is a mapping of ``id``, ``severity`` (``critical``: the service does not start or answers 500; ``warning``:
it does not do what it says; ``info``), ``path``, ``message`` and ``fix``.
"""

from __future__ import annotations

import ast

from .._core.errors import nearest
from .persona_seats import SEATS, TARGETS, person, target
from .policy_decision import DEFAULT_RULE, REMOTE, Question, why_undecided, wrong_for
from .policy_effective import read
from .policy_language import TRUE, checks_of, parse
from .policy_tables import TABLES

# What Neutron shows its policy besides (neutron_lib/context.py 5.0.1), and the checks of its own.
MORE = {"neutron": {"user", "domain", "user_domain", "project_domain", "project_name", "user_name", "field"}}


def findings(service, overrides, policy):
    """Return what is wrong with the policy file of one service, in the order of the file.

    Args:
        service: its name; of one that is not in the tables only that is said.
        overrides: mapping of rule name to check string.
        policy: the Policy that they give; None for a service that is not in the tables.
    """
    if service not in TABLES:
        close = nearest(service, TABLES)
        return [_finding(
            "unknown_service", "warning", "overrides." + service,
            "the policies of {0!r} are not known here{1}; its overrides were not checked".format(
                service, ", did you mean {0!r}?".format(close) if close else ""),
            "Check them with oslopolicy-checker on a host of that service.")]
    parsed = {name: parse(rule) for name, rule in overrides.items()}
    used = {match for one in parsed.values() if one.tree for kind, match in checks_of(one.tree) if kind == "rule"}
    found = []
    for name, one in parsed.items():
        path = "overrides.{0}[{1!r}]".format(service, name)
        found += _of_name(service, name, path, overrides, used)
        found += _of_text(service, name, path, one, policy)
    return found


def _of_name(service, name, path, overrides, used):
    table = TABLES[service]
    if name in table.RULES:
        if name in table.REMOVED:
            yield _finding("removed_rule", "info", path, "a later release removes this rule", "Plan to drop it.")
        if overrides[name] == table.RULES[name][0]:
            yield _finding("same_as_default", "info", path, "this is the default; it changes nothing",
                           "Remove it: a later default will then reach you.")
        return
    successors = sorted(new for new, row in table.RULES.items() if row[3] and row[3][0] == name)
    if successors:
        overruled = [new for new in successors if new in overrides]
        yield _finding(
            "renamed_rule", "warning", path,
            "this rule is now {0}{1}".format(
                _some(successors), "; it has no effect on {0}, which the file names too".format(_some(overruled))
                if overruled else ""),
            "Write the new {0} instead.".format("names" if len(successors) > 1 else "name"))
    elif name not in used and name != DEFAULT_RULE:
        close = nearest(name, table.RULES)
        yield _finding(
            "unknown_rule", "warning", path,
            "{0} {1} asks for no such rule{2}".format(
                service.capitalize(), table.VERSION, "; the nearest is {0!r}".format(close) if close else ""),
            "Write the rule's name as the service's documentation has it, or remove the line.")


def _of_text(service, name, path, one, policy):
    if one.tree is None:
        yield _finding("unreadable", "critical", path, one.problems[0], "Write a text, such as 'role:reader'.")
        return
    for problem in one.problems:
        yield _finding("malformed", "warning", path, problem, "Write each check as kind:match, joined by and or or.")
    checks = checks_of(one.tree)
    for kind, match in checks:
        problem = wrong_for(service, kind, match)
        if problem:
            yield _finding("refused_by_service", "critical", path, problem, "Write it in that form.")
        if kind in REMOTE:
            yield _finding("remote_check", "warning", path,
                           "{0}:{1} asks another server; nobody can say here whom it lets in".format(kind, match),
                           "Check it with calls to the running service.")
        if kind == "rule" and match not in policy.rules:
            close = nearest(match, policy.rules)
            yield _finding(
                "undefined_reference", "warning", path,
                "rule:{0} is not defined, so it {1}{2}".format(
                    match, "means rule:default" if DEFAULT_RULE in policy.rules else "refuses everybody",
                    "; the nearest is {0!r}".format(close) if close else ""),
                "Name a rule of the service, or define it in the file.")
    yield from _of_scope(name, path, checks, policy)
    yield from _of_attributes(service, path, checks, policy)
    default = TABLES[service].RULES.get(name)
    if one.tree == TRUE and default and read(default[0]) != TRUE:
        yield _finding("allows_everybody", "warning", path,
                       "it lets everybody in who has a token{0}".format(_of_scopes(policy.scopes.get(name))),
                       "Name a role, such as 'role:reader'.")
    trouble = _trouble(service, one.tree, policy)
    if trouble and not any(wrong_for(service, kind, match) for kind, match in checks):
        yield _finding("fails_at_request", "critical", path,
                       "{0}: requests to {1} end in an internal error".format(trouble, service.capitalize()),
                       "Correct the check.")


def _of_scope(name, path, checks, policy):
    """A token that a rule is never asked with, because the scope types refuse it before."""
    scopes = policy.scopes.get(name)
    asks = any(kind == "system_scope" for kind, _unused in checks)
    if asks and scopes and policy.enforce_scope and "system" not in scopes:
        yield _finding(
            "scope_never_there", "warning", path,
            "it asks for a system-scoped token, and this rule takes only one of a {0}; that part never holds".format(
                " or ".join(scopes)),
            "Give the persona the role on a project, or leave that part out.")


def _of_attributes(service, path, checks, policy):
    """Checks of what a service knows nothing of, such as ``tenant_id``, which oslo.context no longer shows."""
    known = set(policy.credentials_of(person(SEATS[0], service))) | MORE.get(service, set())
    defaults = {pair for row in TABLES[service].RULES.values() for pair in checks_of(read(row[0]))}
    for kind, match in checks:
        name = kind.partition(".")[0]
        if kind in ("rule", "role", *REMOTE) or name in known or (kind, match) in defaults or _is_literal(kind):
            continue
        close = nearest({"tenant_id": "project_id", "tenant": "project_id", "user": "user_id"}.get(name, name), known)
        yield _finding(
            "unknown_attribute", "warning", path,
            "{0}:{1} never holds: {2} knows no {3!r} of a caller{4}".format(
                kind, match, service.capitalize(), name, "; the nearest is {0!r}".format(close) if close else ""),
            "Write project_id, user_id, domain_id or system_scope, or role:<name>.")


def _is_literal(kind):
    try:
        ast.literal_eval(kind)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _trouble(service, tree, policy):
    """Return the sentence about what makes the service fail for somebody, or None."""
    for seat in SEATS:
        credentials = policy.credentials_of(person(seat, service))
        for kind in TARGETS:
            why = why_undecided(tree, Question(policy.rules, target(kind), credentials, service))
            if why:
                return why
    return None


def _of_scopes(scopes):
    return " of a {0}".format(" or ".join(scopes)) if scopes else ""


def _some(names):
    return ", ".join(names[:3]) + (" and {0} more".format(len(names) - 3) if len(names) > 3 else "")


def _finding(ident, severity, path, message, fix):
    return {"id": ident, "severity": severity, "path": path, "message": message, "fix": fix}
