# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user that a mapping makes of somebody. Pure."""

from __future__ import annotations

import re

from .mapping_lint_model import exclusive
from .mapping_lint_table import found

_MUTABLE = re.compile(
    r"(?:^|[-_.])(?:email|mail|name|username|user_name|preferred_username|nickname|upn|displayname|cn)$", re.IGNORECASE)


def findings(rules, context):
    """Return the findings about users.

    Args:
        rules: list of Rule.
        context: Context.
    """
    found_here, earlier = [], []
    for rule in rules:
        for path, user in rule.users():
            found_here += _user(rule, path, user, context)
            text = _readable(rule, path)
            rival = next((first for one, first, other in earlier
                          if other != text and (one is rule or not exclusive(one, rule))), None)
            if rival is not None:
                found_here.append(found("duplicate-user", path, (
                    "{0} wins wherever both match, and this one is dropped".format(rival))))
            earlier.append((rule, path, text))
    named = [user for rule in rules for unused, user in rule.users() if user.get("name") or user.get("id")]
    if rules and not named:
        found_here.append(found("no-user", "rules", "no rule gives a user with a name or an id"))
    return found_here


def _inside(rule, path):
    return [text for text in rule.texts if text.path.startswith(path + ".")]


def _readable(rule, path):
    """Return what the user is made of, with names of claims instead of numbers, so that users can be compared."""
    return sorted(repr((text.keys, rule.readable(text))) for text in _inside(rule, path))


def _user(rule, path, user, context):
    if user.get("type") == "local":
        name = user.get("name") or user.get("id")
        yield found("local-user", path + ".type", "whoever matches becomes {0}".format(
            "the real user {0!r}".format(name) if name else "a real user"))
    names = {text.keys[-1]: text for text in _inside(rule, path) if text.keys in (("user", "name"), ("user", "id"))}
    privileged = [text for text in names.values() if text.template.text.casefold() in context.privileged_users]
    for text in privileged:
        yield found("privileged-user", text.path, "{0!r} is an account that runs the cloud".format(text.template.text))
    identity = names.get("id") or names.get("name")
    if identity is None or identity.template.error:
        return
    if not identity.template.slots and identity not in privileged and not _one_account(rule):
        yield found("shared-user", identity.path, (
            "everybody whom the rule matches is the user {0!r}".format(identity.template.text)))
    mutable = [source.claim for source in rule.sources(identity) if _MUTABLE.search(source.claim)]
    if mutable:
        yield found("mutable-user-name", identity.path, "the user's id is made of {0}, which can change".format(
            ", ".join(repr(one) for one in mutable)))


def _one_account(rule):
    """Whether the rule asks for one value of a claim: a program's account, which may have a name of its own."""
    return any(remote.operator == "any_one_of" and not remote.regex and len(remote.values) == 1
               for remote in rule.remotes)
