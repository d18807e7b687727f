# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy that is in effect: a service's defaults with a site's policy file over them, as oslo.policy does it. Pure.

Source: ``Enforcer.load_rules`` and ``Enforcer._handle_deprecated_rule`` of oslo.policy 6.0.1.
"""

from __future__ import annotations

from functools import lru_cache

from .policy_decision import DEFAULT_RULE, Question, answer
from .policy_language import FALSE, parse, text_of
from .policy_tables import TABLES

# The rule by which a service decides whether somebody is an administrator before any other rule is asked.
ADMINISTRATOR = {"nova": "context_is_admin", "neutron": "context_is_admin"}
GLOBAL_ACCESS = "context_with_global_access"
SETS_PROJECT = "context_can_set_project_id"
# Neutron with the old defaults lets administrators pass without asking any rule.
SKIPS_RULES = ("neutron",)


class Policy:
    """The rules of one service that are in effect.

    Attributes:
        service: name.
        rules: mapping of rule name to tree; None where the service could not read what the file says.
        scopes: mapping of rule name to scope types; a rule that has none is not in it.
        enforce_scope: whether scope types are looked at.
        new_defaults: whether what a newer default replaced is no longer asked.
        overridden: names that the site's policy file has.
    """

    def __init__(self, service, rules, scopes, enforce_scope, new_defaults, overridden):
        self.service = service
        self.rules = rules
        self.scopes = scopes
        self.enforce_scope = enforce_scope
        self.new_defaults = new_defaults
        self.overridden = frozenset(overridden)

    def allows(self, rule, target, credentials, scoped=True):
        """Return True, False, or None when only the running service can know.

        Args:
            rule: its name.
            target: see ``policy_decision.Question``.
            credentials: as ``credentials_of`` returned them.
            scoped: whether the rule is asked by its name. Inside a larger one its scope types count for nothing.
        """
        scopes = self.scopes.get(rule) if self.enforce_scope and scoped else None
        if scopes and scope_of(credentials) not in scopes:
            return False
        if self.service in SKIPS_RULES and not self.new_defaults and credentials.get("is_admin"):
            return True
        tree = self.rules.get(rule, self.rules.get(DEFAULT_RULE, FALSE))
        return answer(tree, Question(self.rules, target, credentials, self.service))

    def credentials_of(self, person):
        """Return a person's credentials with what the service works out itself before it asks any rule.

        Args:
            person: mapping, as ``persona_seats`` makes it.
        """
        made = dict(person)
        name = ADMINISTRATOR.get(self.service)
        if name is None:
            return made
        target = dict(person) if self.service == "neutron" else {
            "project_id": person.get("project_id"), "user_id": person.get("user_id")}
        made["is_admin"] = self.allows(name, target, dict(person, is_admin=False)) is True
        if self.service == "neutron":
            for key, rule in (("has_global_access", GLOBAL_ACCESS), ("can_set_project_id", SETS_PROJECT)):
                asked = self.rules.get(rule, FALSE)
                question = Question(self.rules, target, dict(person, is_admin=made["is_admin"]), self.service)
                made[key] = made["is_admin"] or answer(asked, question) is True
        return made


def scope_of(credentials):
    """Return the scope of a token: ``system``, ``domain`` or ``project``, decided as oslo.policy does."""
    if credentials.get("system_scope"):
        return "system"
    return "domain" if credentials.get("domain_id") else "project"


def effective(service, overrides=None, enforce_scope=True, enforce_new_defaults=True):
    """Return the Policy of a service.

    Args:
        service: a name of ``policy_tables.TABLES``.
        overrides: what the site's policy files say, as one mapping of rule name to check string.
        enforce_scope: ``[oslo_policy] enforce_scope``. oslo.policy 6.0 knows no such option any more: it enforces.
        enforce_new_defaults: ``[oslo_policy] enforce_new_defaults``.
    """
    table = TABLES[service].RULES
    said = {name: parse(rule).tree for name, rule in (overrides or {}).items()}
    rules = dict(said)
    for name, (check, _scopes, _operations, replaced) in table.items():
        if name not in said:
            rules[name] = _default(name, check, replaced, said, enforce_new_defaults)
    scopes = {name: row[1] for name, row in table.items() if row[1]}
    return Policy(service, rules, scopes, enforce_scope, enforce_new_defaults, said)


def _default(name, check, replaced, said, enforce_new_defaults):
    """Return the tree of a rule that the file does not name."""
    tree = read(check)
    if not replaced:
        return tree
    old_name, old_check = replaced
    if old_name != name and old_name in said:
        theirs = said[old_name]
        # Who wrote what the old default was, or only refers to the new name, has overridden nothing.
        if theirs is None or (theirs != read(old_check) and text_of(theirs) != "rule:" + name):
            return theirs
    if not enforce_new_defaults and old_check != check:
        return ("or", (tree, read(old_check)))
    return tree


@lru_cache(maxsize=None)
def read(check):
    """Return the tree of a default."""
    return parse(check).tree
