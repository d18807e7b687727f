# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule answers to one person who asks for one thing, as oslo.policy 6.0.1 would. Pure.

What nobody but the running service can know (a check by HTTP, a check that makes the service fail) is answered with
None: never as allowed.

Sources: the checks of ``oslo_policy/_checks.py`` 6.0.1; ``is_admin`` of ``nova/policy.py`` 34.0.0; ``field``,
``project_id`` and ``tenant_id`` of ``neutron/policy.py`` 29.0.0. Held equal in ``tests/contract/policy``.
"""

from __future__ import annotations

import ast
import re

REMOTE = ("http", "https")
# What stands for any rule that has no name of its own, where a policy file defines it.
DEFAULT_RULE = "default"
DEEPEST = 60
_WHOLE_FIELD = re.compile(r"%\((.*)\)s")


class Undecided(Exception):
    """The service itself would fail here; the message says at what."""


class Question:
    """One person who asks for one thing.

    Args:
        rules: mapping of rule name to tree, or to None where the service could not read the rule.
        target: mapping of what is known about the thing, flat: ``target.project.id`` is one key.
        credentials: mapping of what is known about the person.
        service: name of the service, whose own checks are used.
    """

    def __init__(self, rules, target, credentials, service):
        self.rules = rules
        self.target = target
        self.credentials = credentials
        self.service = service


def answer(tree, question):
    """Return True, False, or None when only the running service can know.

    Args:
        tree: of ``policy_language``; None for a rule that the service could not read.
        question: Question.
    """
    if tree is None:
        return None
    try:
        return _holds(tree, question, 0)
    except Undecided:
        return None


def why_undecided(tree, question):
    """Return the sentence about what makes the service fail, or None when nothing does."""
    try:
        _holds(tree, question, 0)
    except Undecided as error:
        return str(error)
    return None


def wrong_for(service, kind, match):
    """Return the sentence about a check with which a service does not start, or None."""
    if service != "neutron":
        return None
    if kind in ("project_id", "tenant_id") and not _WHOLE_FIELD.fullmatch(match):
        return "{0}:{1}: Neutron does not start with it; it wants the form {0}:%(project_id)s".format(kind, match)
    if kind == "field" and not re.search(r":.*=", match, re.S):
        return "{0}:{1}: Neutron does not start with it; it wants the form field:networks:shared=True".format(
            kind, match)
    return None


def _holds(tree, question, depth):
    kind = tree[0]
    if kind == "check":
        return _check(tree[1], tree[2], question, depth)
    if kind == "not":
        inner = _holds(tree[1], question, depth)
        return None if inner is None else not inner
    if kind == "and":
        return _first(tree[1], False, question, depth)
    if kind == "or":
        return _first(tree[1], True, question, depth)
    return kind == "true"


def _first(trees, decisive, question, depth):
    """Return the decisive value when one has it, None when one that is unknown could have had it."""
    unknown = False
    for tree in trees:
        value = _holds(tree, question, depth)
        if value is decisive:
            return decisive
        unknown = unknown or value is None
    return None if unknown else not decisive


def _check(kind, match, question, depth):
    if kind in REMOTE:
        return None
    if kind == "rule":
        return _rule(match, question, depth)
    if kind == "role":
        wanted = _filled(match, question.target)
        roles = question.credentials.get("roles", ())
        return wanted is not None and wanted.lower() in [role.lower() for role in roles]
    own = _OWN.get((question.service, kind))
    return own(kind, match, question) if own else _generic(kind, match, question)


def _rule(name, question, depth):
    if depth > DEEPEST:
        raise Undecided("rule:{0} leads back to itself".format(name))
    rules = question.rules
    if name not in rules:
        name = DEFAULT_RULE
        if name not in rules:
            return False
    if rules[name] is None:
        raise Undecided("rule:{0} cannot be read".format(name))
    return _holds(rules[name], question, depth + 1)


def _filled(match, target):
    """Return a match with what the target has filled in; None when the target lacks it."""
    try:
        return match % target
    except KeyError:
        return None
    except (TypeError, ValueError) as error:
        raise Undecided("{0!r} cannot be filled in: {1}".format(match, error))


def _generic(kind, match, question):
    wanted = _filled(match, question.target)
    if wanted is None:
        return False
    try:
        return wanted == str(ast.literal_eval(kind))
    except ValueError:
        pass
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise Undecided("{0!r} is no name and no value: {1}".format(kind, error))
    return _found(question.credentials, kind.split("."), wanted)


def _found(value, path, wanted):
    """Return whether a value is in nested mappings; in a list, whether any item has it."""
    if not path:
        return wanted == str(value)
    try:
        inner = value[path[0]]
    except KeyError:
        return False
    except (TypeError, IndexError) as error:
        raise Undecided("the credentials have no {0!r} here: {1}".format(path[0], error))
    if isinstance(inner, list):
        return any(_found(one, path[1:], wanted) for one in inner)
    return _found(inner, path[1:], wanted)


def _is_admin_of_nova(_unused, match, question):
    return question.credentials["is_admin"] == (match.lower() == "true")


def _owner_of_neutron(kind, match, question):
    """Neutron looks a missing field up in the parent; here the target has it, or nobody can say."""
    field = _WHOLE_FIELD.findall(match)
    if not field or field[0] not in question.target:
        raise Undecided("{0}:{1}: whose that is, only Neutron knows".format(kind, match))
    wanted = _filled(match, question.target)
    return kind in question.credentials and wanted == str(question.credentials[kind])


def _field_of_neutron(_unused, match, question):
    """A missing field counts as not set: a network that is not shared, a port that no service owns."""
    name, equals, value = match.partition(":")[2].partition("=")
    if not equals:
        raise Undecided("field:{0}: Neutron wants field:networks:shared=True".format(match))
    actual = question.target.get(name)
    if actual is None:
        return False
    if value.startswith("~"):
        return bool(re.match(value[1:], actual))
    if isinstance(actual, bool):
        return actual == (value.lower() in ("true", "1"))
    return actual == value


_OWN = {
    ("nova", "is_admin"): _is_admin_of_nova,
    ("neutron", "project_id"): _owner_of_neutron,
    ("neutron", "tenant_id"): _owner_of_neutron,
    ("neutron", "field"): _field_of_neutron,
}
