# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a federation mapping as the linter sees them: which claim feeds which text. Pure.

What is malformed is left out here, never a reason to raise: the engine's ``structure_problems`` tells of it.

How Keystone counts (``keystone/federation/utils.py``, ``_verify_all_requirements``, 27.0.0 to 30.0.0): a requirement
with ``any_one_of`` or ``not_any_of`` only decides; every other one puts its values on a list, and ``{0}``, ``{1}`` in
the rule's text count along that list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .mapping_lint_templates import Template

OPERATORS = ("any_one_of", "not_any_of", "blacklist", "whitelist")
DECIDING = ("any_one_of", "not_any_of")
# What gives rights, or decides which ones.
GRANTING = ("group", "groups", "group_ids", "projects", "projects_json")
# Claims that identity providers send for everybody: that they are there says nothing about a person.
COMMON_CLAIM = re.compile(
    r"^(?:HTTP_)?(?:OIDC|MELLON|SHIB|SAML|AUTHENTICATE)?[-_.]?(?:iss|sub|aud|azp|exp|iat|nbf|jti|email|email_verified|"
    r"name|username|user_name|preferred_username|nickname|given_name|family_name|givenname|familyname|firstname|"
    r"lastname|displayname|cn|sn|uid|mail|eppn|upn|oid|tid|name_id|nameid|persistent_id|identity_provider|idp|"
    r"locale|zoneinfo|remote_user|openstack_user|openstack_user_domain|openstack_project|"
    r"openstack_project_domain|openstack_roles)$|^REMOTE_USER$",
    re.IGNORECASE,
)
# Claims of which a person has one: two rules that want different values of it cannot both match.
SINGLE_CLAIM = re.compile(
    r"(?:^|[-_.])(?:iss|tid|idp|sub|azp|client_id|identity_provider|oid|openstack_project|openstack_project_domain|"
    r"openstack_user_domain)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Remote:
    """One requirement of a rule.

    Attributes:
        path: where it is, such as ``rules[0].remote[1]``.
        claim: name of the claim.
        operator: one of OPERATORS, or an empty text: the claim only has to be there.
        values: what the operator lists; empty without one.
        regex: whether they are regular expressions.
        slot: the number that the rule's text has for it, or None when it has none.
    """

    path: str
    claim: str
    operator: str
    values: list
    regex: bool
    slot: int | None

    @property
    def decides(self):
        """Whether somebody can have the claim and still be turned away here."""
        return self.operator in DECIDING

    @property
    def texts(self):
        """The values that are text, which is all that can be compared with a claim."""
        return [value for value in self.values if isinstance(value, str)]


@dataclass(frozen=True)
class Text:
    """One text of a rule's local part.

    Attributes:
        path: where it is, such as ``rules[0].local[0].user.name``.
        keys: the same as names without indexes, such as ``("user", "name")``.
        template: the text, taken apart.
    """

    path: str
    keys: tuple
    template: Template

    @property
    def grants(self):
        """Whether it gives a right or decides which one."""
        return self.keys[0] in GRANTING


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        index: its number, from 0.
        remotes: list of Remote.
        locals: list of (path, mapping), the elements of the local part.
        texts: list of Text, all of the local part.
        written: the rule as it was written.
    """

    index: int
    remotes: list
    locals: list
    texts: list
    written: dict

    @property
    def path(self):
        """Where it is."""
        return "rules[{0}]".format(self.index)

    @property
    def slots(self):
        """The requirements that have a number in texts, in the order of the numbers."""
        return [remote for remote in self.remotes if remote.slot is not None]

    def sources(self, text):
        """Return the requirements whose values become part of a text."""
        return [self.slots[slot] for slot in text.template.slots if slot < len(self.slots)]

    def readable(self, text):
        """Return the text with names of claims instead of numbers, so that two rules can be compared."""
        names = ["{0}|{1}|{2}".format(one.claim, one.operator, one.values) for one in self.slots]
        return text.template.filled(names)

    @property
    def grants_constant(self):
        """The paths of rights that everybody gets whom the rule matches."""
        return [text.path for text in self.texts if text.grants and not {"domain", "roles"} & set(text.keys)
                and text.keys[-1] in ("name", "id", "groups", "group_ids") and not text.template.slots]

    def users(self):
        """Return list of (path, user), those that Keystone would take: an empty one is no user to it."""
        return [(path + ".user", one["user"]) for path, one in self.locals
                if isinstance(one.get("user"), dict) and one["user"]]


def rules_of(mapping):
    """Return list of Rule for whatever was written as a mapping."""
    rules = mapping.get("rules") if isinstance(mapping, dict) else None
    return [_rule(index, rule) for index, rule in enumerate(rules if isinstance(rules, list) else [])
            if isinstance(rule, dict)]


def _rule(index, rule):
    path = "rules[{0}]".format(index)
    remotes, slot = [], 0
    for place, item in _dicts(rule.get("remote")):
        if not isinstance(item.get("type"), str):
            continue
        remote = _remote("{0}.remote[{1}]".format(path, place), item, slot)
        slot += remote.slot is not None
        remotes.append(remote)
    parts = [("{0}.local[{1}]".format(path, place), item) for place, item in _dicts(rule.get("local"))]
    texts = [text for where, part in parts for text in _texts(where, (), part)]
    return Rule(index, remotes, parts, texts, rule)


def _remote(path, item, slot):
    operator = next((name for name in OPERATORS if item.get(name) is not None), "")
    values = item.get(operator) if operator else []
    return Remote(
        path,
        item["type"],
        operator,
        values if isinstance(values, list) else [],
        item.get("regex") is True,
        None if operator in DECIDING else slot,
    )


def _dicts(items):
    return [(place, item) for place, item in enumerate(items if isinstance(items, list) else [])
            if isinstance(item, dict)]


def _texts(path, keys, value):
    if isinstance(value, dict):
        return [text for key, part in value.items()
                for text in _texts("{0}.{1}".format(path, key), keys + (key,), part)]
    if isinstance(value, list):
        return [text for place, part in enumerate(value) for text in _texts("{0}[{1}]".format(path, place), keys, part)]
    return [Text(path, keys, Template(value, keys[-1:] == ("projects_json",)))] if isinstance(value, str) else []


def domain_of(part):
    """Return the name or id of a ``domain`` mapping as text, or None."""
    domain = part.get("domain") if isinstance(part, dict) else None
    value = (domain.get("name") or domain.get("id")) if isinstance(domain, dict) else None
    return value if isinstance(value, str) else None


def exclusive(one, other):
    """Whether two rules can never both match a person, as far as that can be proved."""
    return any(_apart(here, there) or _apart(there, here) for here in one.remotes for there in other.remotes
               if here.claim == there.claim and not here.regex and not there.regex)


def _apart(first, second):
    if first.operator != "any_one_of":
        return False
    wanted = set(first.texts)
    if second.operator == "not_any_of":
        return wanted <= set(second.texts)
    return bool(second.operator == "any_one_of" and SINGLE_CLAIM.search(first.claim)
                and not wanted & set(second.texts))
