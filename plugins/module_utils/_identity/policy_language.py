# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy language of oslo.policy: check strings become trees. Pure; nothing here raises for any text.

A tree is a tuple, its first item one of ``true``, ``false``, ``check``, ``not``, ``and``, ``or``:
``("check", "role", "admin")``, ``("and", (tree, tree))``, ``("not", tree)``.

Source: the language as oslo.policy 6.0.1 describes it at the head of ``oslo_policy/policy.py`` and as it behaves, held
equal in ``tests/contract/policy``.
"""

from __future__ import annotations

TRUE = ("true",)
FALSE = ("false",)
EXPRESSIONS = ("check", "and", "or")


class Parsed:
    """A check string that was read.

    Attributes:
        tree: the tree; FALSE where oslo.policy fails closed; None where the service itself would not take it.
        problems: sentences about what is not as its writer meant it.
    """

    def __init__(self, tree, problems=()):
        self.tree = tree
        self.problems = list(problems)


def parse(rule):
    """Return a check string as Parsed.

    Args:
        rule: what a policy file holds for a name: text, or a list of lists in the old syntax. Nothing at all, such as
            an empty text or a null, allows everybody, and oslo.policy reads it so.
    """
    if isinstance(rule, str):
        return _parse_text(rule)
    if not rule:
        return Parsed(TRUE)
    if isinstance(rule, (list, tuple)):
        return _parse_lists(rule)
    return Parsed(None, ["it is {0}, not a text: the service fails to read the file".format(type(rule).__name__)])


def text_of(tree):
    """Return a tree as oslo.policy writes it."""
    kind = tree[0]
    if kind == "true":
        return "@"
    if kind == "false":
        return "!"
    if kind == "check":
        return "{0}:{1}".format(tree[1], tree[2])
    if kind == "not":
        return "not " + text_of(tree[1])
    return "({0})".format(" {0} ".format(kind).join(text_of(one) for one in tree[1]))


def checks_of(tree):
    """Return every single check of a tree, as pairs of kind and match, in the order in which they are written."""
    if tree[0] == "check":
        return [(tree[1], tree[2])]
    if tree[0] == "not":
        return checks_of(tree[1])
    if tree[0] in ("and", "or"):
        return [pair for one in tree[1] for pair in checks_of(one)]
    return []


def _parse_text(rule):
    if not rule:
        return Parsed(TRUE)
    problems, stack = [], []
    for token, tree in _tokens(rule, problems):
        stack.append((token, tree))
        while _reduce(stack):
            pass
    if len(stack) != 1 or stack[0][0] not in EXPRESSIONS:
        return Parsed(FALSE, [*problems, "it cannot be understood as a whole, so it refuses everybody"])
    return Parsed(stack[0][1], problems)


def _parse_lists(rule):
    """The old syntax: the outer list is joined by "or", the inner ones by "and"."""
    problems, either = [], []
    for inner in rule:
        if not inner:
            continue
        words = [inner] if isinstance(inner, str) else inner
        if not isinstance(words, (list, tuple)):
            return Parsed(None, ["it is a list of what is no text: the service fails to read the file"])
        both = tuple(_check(word, problems) for word in words)
        either.append(both[0] if len(both) == 1 else ("and", both))
    if not either:
        return Parsed(FALSE, problems)
    return Parsed(either[0] if len(either) == 1 else ("or", tuple(either)), problems)


def _tokens(rule, problems):
    """Yield each token as its kind and, for a check, its tree."""
    for word in rule.split():
        inner = word.lstrip("(")
        for _unused in range(len(word) - len(inner)):
            yield "(", None
        if not inner:
            continue
        clean = inner.rstrip(")")
        if clean.lower() in ("and", "or", "not"):
            yield "word " + clean.lower(), None
        elif clean:
            if len(inner) >= 2 and inner[0] == inner[-1] and inner[0] in "\"'":
                yield "text", None
            else:
                yield "check", _check(clean, problems)
        for _unused in range(len(inner) - len(clean)):
            yield ")", None


def _check(word, problems):
    if word == "@":
        return TRUE
    if word == "!":
        return FALSE
    kind, colon, match = word.partition(":") if isinstance(word, str) else (word, "", "")
    if not colon:
        problems.append("{0!r} is no check (there is no colon), so it refuses everybody".format(word))
        return FALSE
    return ("check", kind, match)


def _reduce(stack):
    """Join what is at the end of the stack. Return whether something was joined.

    "and" binds tighter than "or" and reaches into an "or" that is already there; "not" takes one check, and it joins
    only when no longer pattern did: ``not a and b`` is ``(not a) and b``.
    """
    kinds = [token for token, _unused in stack[-3:]]
    if len(kinds) == 3:
        joined = _joined(kinds, stack[-3][1], stack[-2][1], stack[-1][1])
        if joined:
            stack[-3:] = [joined]
            return True
    if kinds[-2:] == ["word not", "check"]:
        stack[-2:] = [("check", ("not", stack[-1][1]))]
        return True
    return False


def _joined(kinds, first, middle, last):
    left, between, right = kinds
    if left == "(" and right == ")" and between in EXPRESSIONS:
        return "check", middle
    if right != "check":
        return None
    if between == "word and":
        if left == "check":
            return "and", ("and", (first, last))
        if left == "and":
            return "and", ("and", (*first[1], last))
        if left == "or":
            *others, nearest = first[1]
            both = ("and", (*nearest[1], last)) if nearest[0] == "and" else ("and", (nearest, last))
            return "or", ("or", (*others, both))
    if between == "word or":
        if left in ("check", "and"):
            return "or", ("or", (first, last))
        if left == "or":
            return "or", ("or", (*first[1], last))
    return None
