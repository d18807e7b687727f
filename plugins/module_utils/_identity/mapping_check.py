# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden assertions of federation mappings: this claim set becomes that user, that one is refused. No cloud, pure.

How an ``expect`` is compared:

- a mapping holds when each of its keys does; what it does not name may be anything
- a list is the whole list, in any order, each item once or more: nothing may be missing, and nothing more be there
- a text stands for a mapping with that name: ``gpu-users`` or ``research/gpu-users`` for a group or project,
  ``member`` for a role
- everything else is equal
- ``accepted: true`` does not hold where the login is certain to fail after the mapping: people mean the login
"""

from __future__ import annotations

from dataclasses import asdict

from .._core import errors
from . import mapping_lint
from .mapping_engine import evaluate, join_claims, structure_problems
from .mapping_lint_table import SEVERITIES, at_least
from .mapping_login import login_problems
from .mapping_roles import roles

NEVER = "never"
EXPECTED = ("accepted", "reason", "exception", "user", "group_ids", "group_names", "projects", "roles",
            "matched_rules")
_ASSERTIONS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "claims": {"type": "dict", "required": True},
        "expect": {"type": "dict"},
    },
}
_MAPPING = {
    "name": {"type": "str"},
    "rules": {"type": "list", "elements": "raw", "required": True},
    "schema_version": {"type": "str", "default": mapping_lint.DEFAULT_VERSION},
}
_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_LIST = {"type": "list", "elements": "raw"}
# What is declared around mappings, under the names that the region document uses.
CONTEXT = {
    "identity_providers": {"type": "list", "elements": "dict"},
    "service_providers": {"type": "list", "elements": "dict"},
    "groups": _LIST,
    "roles": _LIST,
    "projects": _LIST,
    "domains": _LIST,
    "assignments": {"type": "list", "elements": "dict"},
    "privileged_users": {"type": "list", "elements": "str"},
    "federation": {"type": "dict"},
    # The sanity test takes every name with "key" in it for a secret.
    "keystone_release": {"type": "str", "no_log": False},
}
ARGUMENT_SPEC = dict(
    CONTEXT,
    mapping={"type": "dict", "options": _MAPPING},
    assertions=_ASSERTIONS,
    mappings={
        "type": "list",
        "elements": "dict",
        "options": dict(
            _MAPPING, rules={"type": "list", "elements": "raw"}, assertions=_ASSERTIONS, state=_STATE),
        "required_if": [["state", "present", ["rules"]]],
    },
    fail_on={"type": "str", "choices": list(reversed(SEVERITIES)) + [NEVER], "default": NEVER},
)
ONE_OF = [["mapping", "mappings"]]


class MappingNotAsExpected(errors.RegionError):
    """A mapping does not do what its assertions say, or the linter found what must not be.

    Args:
        result: what the module returns besides the message.
    """

    def __init__(self, problems, result):
        self.problems = problems
        self.result = result
        super().__init__("\n".join(problems))


def failure(error):
    """Return what the failed module says, from the exception."""
    told = {"msg": str(error), "error": type(error).__name__, "problems": error.problems, "changed": False}
    return dict(told, **getattr(error, "result", {}))


def check(params):
    """Return the module's result: ``results`` and ``findings``.

    Args:
        params: options as of ARGUMENT_SPEC.

    Raises:
        DeclarationError: rules, claims or expectations are malformed; nothing was evaluated.
        MappingNotAsExpected: an assertion does not hold, or a finding is as bad as ``fail_on``.
    """
    rows = _rows(params)
    problems = [problem for path, row in rows for problem in _malformed(path, row)]
    if problems:
        raise errors.DeclarationError(problems)
    results, failed = [], []
    for row in [mapping for unused, mapping in rows]:
        for assertion in row["assertions"]:
            result = _evaluated(row, assertion, params["assignments"])
            results.append(result)
            failed += _failure(row, assertion, result)
    found = _findings(params, rows)
    bad = [one for one in found if params["fail_on"] != NEVER and at_least(one["severity"], params["fail_on"])]
    told = {"results": results, "findings": found}
    if failed or bad:
        raise MappingNotAsExpected(failed + [_told(one) for one in bad], told)
    return dict(told, changed=False)


def _rows(params):
    """Return (path before the rules, mapping with its assertions) for each mapping."""
    if params["mapping"] is not None:
        return [("", dict(params["mapping"], assertions=params["assertions"]))]
    return [("mappings[{0}].".format(index), row) for index, row in enumerate(params["mappings"])
            if row["state"] == "present"]


def _findings(params, rows):
    context = {name: params.get(name) for name in CONTEXT}
    if params["mapping"] is not None:
        return mapping_lint.findings(rows[0][1], context)
    return mapping_lint.all_findings(params["mappings"], context)


def _malformed(prefix, row):
    found = ["{0}{path}: {message}".format(prefix, **problem)
             for problem in structure_problems(row["rules"], row["schema_version"])]
    seen = set()
    for index, assertion in enumerate(row["assertions"]):
        path = "{0}assertions[{1}]".format(prefix, index)
        if assertion["name"] in seen:
            found.append("{0}.name: {1!r} is the name of an earlier assertion; give it another one".format(
                path, assertion["name"]))
        seen.add(assertion["name"])
        for name, value in assertion["claims"].items():
            found += _claim("{0}.claims.{1}".format(path, name), value)
        for key in assertion.get("expect") or {}:
            if key not in EXPECTED:
                found.append(errors.unknown_name("{0}.expect".format(path), key, "part of a result", EXPECTED))
    return found


def _claim(path, value):
    """What a claim cannot be. A number in YAML is not what an identity provider sends: 007 would arrive as 7."""
    if isinstance(value, list):
        return [problem for index, item in enumerate(value)
                for problem in ([] if isinstance(item, str) else [_no_text("{0}[{1}]".format(path, index), item)])]
    return [] if isinstance(value, str) else [_no_text(path, value)]


def _no_text(path, value):
    if value is None:
        return "{0}: a claim is text or a list of texts; leave it out where it is not sent".format(path)
    return "{0}: {1!r} is no text, and claims are text; write it in quotes, as the web server hands it on".format(
        path, value)


def _evaluated(row, assertion, assignments):
    """Return one row of ``results``."""
    seen = evaluate(row["rules"], row["schema_version"], join_claims(assertion["claims"]))
    return {
        "mapping": row.get("name"),
        "name": assertion["name"],
        "accepted": seen.accepted,
        "reason": seen.reason,
        "message": seen.message,
        "exception": seen.exception,
        "user": _plain(seen.user),
        "group_ids": _plain(seen.group_ids),
        "group_names": _plain(seen.group_names),
        "projects": _plain(seen.projects),
        "roles": _plain(roles(seen, assignments)),
        "login_problems": login_problems(seen),
        "matched_rules": seen.matched_rules,
        "trace": [asdict(step) for step in seen.trace],
    }


def _plain(value):
    """Return a value that JSON can carry: Keystone reads claims as Python literals, and so does the engine."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value)


def differences(expected, got, path=""):
    """Return one sentence for each part of a result that is not as expected. Pure.

    Args:
        expected: what was written.
        got: what came out.
        path: where in the result this is.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        return [text for key, value in expected.items()
                for text in differences(value, got.get(key), "{0}.{1}".format(path, key) if path else str(key))]
    if isinstance(expected, list) and isinstance(got, list):
        missing = [one for one in expected if not any(_same(one, item) for item in got)]
        more = [item for item in got if not any(_same(one, item) for one in expected)]
        return (["{0}: {1} is missing".format(path, _short(one)) for one in missing]
                + ["{0}: {1} was not expected".format(path, _short(item)) for item in _once(more)])
    if _same(expected, got):
        return []
    return ["{0}: expected {1}, got {2}".format(path, _short(expected), _short(got))]


def _same(expected, got):
    if isinstance(expected, (dict, list)):
        return type(expected) is type(got) and not differences(expected, got)
    if isinstance(got, dict):
        return isinstance(expected, str) and expected in _called(got)
    if isinstance(got, bool) or isinstance(expected, bool):
        # Templates of older releases of Ansible turn booleans into text.
        return str(expected).casefold() == str(got).casefold()
    return expected == got or (isinstance(got, int) and str(expected) == str(got))


def _called(thing):
    """Return the texts that stand for a group, a project or a role."""
    name, domain = thing.get("name"), thing.get("domain")
    domain = domain if isinstance(domain, dict) else {}
    return [name] + ["{0}/{1}".format(domain[key], name) for key in ("name", "id") if domain.get(key)]


def _once(items):
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _short(value):
    """Return a value as people write it: groups and projects by domain and name, roles by name."""
    if isinstance(value, dict) and "role" in value:
        return ", ".join("{0} {1}".format(*item) for item in value.items())
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        roles = value.get("roles")
        if not isinstance(roles, list):
            return repr(_called(value)[-1])
        named = [one.get("name") if isinstance(one, dict) else one for one in roles]
        return "{0!r} with roles {1}".format(_called(value)[-1], _listed(named))
    if isinstance(value, list):
        return _listed([_short(one) if isinstance(one, dict) else one for one in value])
    return repr(value)


def _listed(values):
    return "[{0}]".format(", ".join(str(value) for value in values))


def _failure(row, assertion, result):
    """Return a text that says what of one assertion does not hold and why, or nothing."""
    expected = assertion.get("expect") or {}
    wrong = differences(expected, result)
    if _same(True, expected.get("accepted")) and any(one["certain"] for one in result["login_problems"]):
        wrong.append("accepted: the mapping takes the claims, but nobody can log in with what it makes of them")
    if not wrong:
        return []
    where = "mapping {0!r}, assertion {1!r}".format(row["name"], assertion["name"]) if row.get("name") else (
        "assertion {0!r}".format(assertion["name"]))
    outcome = "accepted" if result["accepted"] else "refused ({0}): {1}".format(result["reason"], result["message"])
    return ["\n".join(["{0} does not hold".format(where)] + ["  " + one for one in wrong]
                      + ["  the claims are {0}".format(outcome)]
                      + ["  " + one["message"] for one in result["login_problems"]]
                      + ["  " + said(step) for step in result["trace"]])]


def said(step):
    """Return one sentence about one rule of a trace: that it matched, or the first requirement that was not met."""
    if step["matched"]:
        return "rules[{0}] matched".format(step["index"])
    failed = [one for one in step["requirements"] if not one["passed"]]
    if not failed:
        return "rules[{0}] was not reached".format(step["index"])
    return "rules[{0}] did not match: {1}: {2}".format(step["index"], failed[0]["path"], failed[0]["why"])


def _told(finding):
    return "{path}: {message} ({id}, {severity}): {fix}".format(**finding)
