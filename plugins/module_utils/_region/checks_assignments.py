# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assignments: one thing given to one party in one place, personas where they make sense, nothing twice."""

from __future__ import annotations

from .._core.schema import Problem, child
from .checks_identity import domain_problems
from .personas import PERSONAS, personas_at, role_of, scopes_of

# Of each of these, an assignment says exactly one.
WHAT = ("persona", "role")
WHO = ("group", "user")
WHERE = ("project", "domain", "system")
PLACES = {"project": "a project", "domain": "a domain", "system": "the system"}
KINDS = {"group": "groups", "user": "users", "project": "projects"}


def problems(view):
    """Return the problems of assignments."""
    found, first = [], {}
    for path, assignment in view.assignments:
        unclear = [problem for keys in (WHAT, WHO, WHERE) for problem in _one_of(path, assignment, keys)]
        unknown, names = _references(view, path, assignment)
        found += unclear + unknown
        if unclear:
            continue
        found += _scope_problems(path, assignment)
        if not unknown:
            found += _twice(path, assignment, names, first)
    return found + _purged_scopes(view)


def said(assignment, keys):
    """Return those of some keys that an assignment says something for."""
    return [key for key in keys if assignment[key] not in (None, False)]


def role(assignment):
    """Return the role that an assignment gives."""
    return assignment["role"] if assignment["persona"] is None else role_of(assignment["persona"])


def _one_of(path, assignment, keys):
    written = said(assignment, keys)
    if len(written) == 1:
        return []
    state = " and ".join(written) + " together" if written else "no " + " and no ".join(keys)
    expected = "exactly one of {0}".format(", ".join(keys))
    return [Problem(path, None, expected, kind="meaning", state=state)]


def _purged_scopes(view):
    found, first = [], {}
    for path, scope in view.scopes:
        unclear = _one_of(path, scope, WHERE)
        unknown, names = _references(view, path, scope)
        found += unclear + unknown
        if not unclear and not unknown:
            before = first.setdefault(tuple(sorted((key, str(names[key])) for key in names)), path)
            if before != path:
                expected = "each scope once, {0} is the same".format(before)
                found.append(Problem(path, None, expected, kind="meaning", state="a scope that is there already"))
    return found


def _references(view, path, assignment):
    """Return the problems of references, and mapping of key to the full name of each good one."""
    found, names = [], {"domain": assignment["domain"], "system": assignment["system"] or None}
    for key, kind in KINDS.items():
        names[key] = None
        if assignment.get(key) is not None:
            unknown, names[key] = view.refer(child(path, key), kind, assignment[key])
            found += unknown
    if assignment["domain"] is not None:
        found += domain_problems(view, path, assignment["domain"])
    return found, names


def _scope_problems(path, assignment):
    (scope,) = said(assignment, WHERE)
    if assignment["inherited"] and scope == "system":
        expected = "false, because nothing is below the system"
        return [Problem(child(path, "inherited"), True, expected, kind="meaning")]
    # What is inherited holds in the projects below, and nowhere else.
    scope = "project" if assignment["inherited"] else scope
    persona = assignment["persona"]
    if persona is None or scope in scopes_of(persona):
        return []
    expected = "a persona of {0} ({1}); {2} is one of {3}".format(
        PLACES[scope], ", ".join(personas_at(scope)), persona, " or ".join(PLACES[one] for one in scopes_of(persona)))
    same = [name for name in personas_at(scope) if PERSONAS[name]["role"] == role_of(persona)]
    return [Problem(child(path, "persona"), persona, expected, same[0] if same else None, kind="meaning")]


def _twice(path, assignment, names, first):
    key = (role(assignment), assignment["inherited"]) + tuple(sorted((name, str(names[name])) for name in names))
    before = first.setdefault(key, path)
    if before == path:
        return []
    expected = "each assignment once, {0} gives the role {1} to the same in the same place".format(
        before, role(assignment))
    return [Problem(path, None, expected, kind="meaning", state="an assignment that is there already")]
