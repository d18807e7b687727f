# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each persona may do under a policy, and what a site's overrides change about that. Pure."""

from __future__ import annotations

from .persona_operations import OPERATIONS
from .persona_seats import SEATS, TARGETS, person, target
from .policy_effective import scope_of
from .policy_language import checks_of
from .policy_tables import TABLES

# Rules that a service asks before any other, so that overriding one of them changes what the others answer.
ADMINISTRATORS = {
    "nova": ("context_is_admin",),
    "neutron": ("context_is_admin", "context_with_global_access", "context_can_set_project_id"),
}

# Things that a rule may be asked about besides the usual ones, so that no widening hides behind a usual value.
VARIANTS = {
    "keystone": ({}, {"target.role.name": "admin"}),
    "glance": ({}, {"visibility": "public"}, {"visibility": "shared"}),
}


def table(policies):
    """Return one row for each operation that operators ask about.

    Args:
        policies: mapping of service to Policy.

    Returns:
        list of mappings ``service``, ``operation``, ``title``, ``rules`` and ``answers``: for each persona, and in it
        for each of its scopes, ``yes``, ``own`` (only of its project or domain), ``self`` (only the user's own),
        ``no``, or ``unknown`` (only the running service can know).
    """
    rows = []
    for service, policy in policies.items():
        people = [(seat, policy.credentials_of(person(seat, service))) for seat in SEATS]
        for name, title, rules, reach, values in OPERATIONS[service]:
            answers = {}
            for seat, credentials in people:
                said = {kind: _all(policy, rules, kind, values, credentials) for kind in reach}
                answers.setdefault(seat.persona, {})[seat.scope] = _word(reach, said)
            rows.append({"service": service, "operation": name, "title": title, "rules": list(rules),
                         "answers": answers})
    return rows


def _all(policy, rules, kind, values, credentials):
    """Return whether all rules allow something; None when it is not known."""
    if kind == "filtered" and scope_of(credentials) == "domain":
        return False
    thing = target({"any": "own", "filtered": "other"}.get(kind, kind), **values)
    answers = [policy.allows(rule, thing, credentials, not loses_scope(policy.service, rules)) for rule in rules]
    if False in answers:
        return False
    return None if None in answers else True


def loses_scope(service, rules):
    """Return whether a service forgets the scope types of the rules that it asks together.

    Neutron joins the rule of an action and those of the attributes that a request sets, and the joined rule has no
    scope types: ``_build_match_rule`` of ``neutron/policy.py`` 29.0.0. What it shows is asked for one by one.
    """
    return service == "neutron" and len(rules) > 1 and rules[0].startswith(("create_", "update_"))


def _word(reach, said):
    if None in said.values():
        return "unknown"
    allowed = [kind for kind in reach if said[kind]]
    if not allowed:
        return "no"
    if len(reach) > 1 and len(allowed) == len(reach) or allowed == ["any"]:
        return "yes"
    return "own" if "own" in allowed else allowed[0]


def differences(before, after):
    """Return what personas may do under one policy and not under another of the same service.

    Args:
        before: Policy without the overrides.
        after: Policy with them.

    Returns:
        mapping of ``widened``, ``narrowed`` and ``unknown`` to a list of mappings ``service``, ``rule``, ``persona``,
        ``scopes``, ``targets``, ``operations`` (method and path), ``through`` (the overridden rules and the settings
        that do it), sorted by rule. ``unknown`` is what was refused and is now for the running service to say.
    """
    service = before.service
    found = {"widened": {}, "narrowed": {}, "unknown": {}}
    things = [(kind, target(kind, **values)) for kind in TARGETS for values in VARIANTS.get(service, ({},))]
    for seat in SEATS:
        raw = person(seat, service)
        then, now = before.credentials_of(raw), after.credentials_of(raw)
        for rule in TABLES[service].RULES:
            if then == now and before.enforce_scope == after.enforce_scope and not _moved(rule, before, after):
                continue
            for kind, thing in things:
                change = _change(before.allows(rule, thing, then), after.allows(rule, thing, now))
                if change:
                    _note(found[change], (rule, seat.persona), seat.scope, kind)
    return {change: [_row(service, key, places, before, after) for key, places in sorted(rows.items())]
            for change, rows in found.items()}


def _change(was, now):
    if now is True and was is not True:
        return "widened"
    if was is True and now is False:
        return "narrowed"
    return "unknown" if now is None and was is not None else None


def _note(rows, key, scope, kind):
    scopes, kinds = rows.setdefault(key, ([], []))
    if scope not in scopes:
        scopes.append(scope)
    if kind not in kinds:
        kinds.append(kind)


def _row(service, key, places, before, after):
    rule, persona = key
    scopes, kinds = places[0], [kind for kind in TARGETS if kind in places[1]]
    return {"service": service, "rule": rule, "persona": persona, "scopes": scopes, "targets": kinds,
            "operations": list(TABLES[service].RULES[rule][2]), "through": _through(rule, before, after)}


def _through(rule, before, after):
    """Return what makes the difference: rules of the policy file, or else settings that are off."""
    asked = [rule, *(name for name in ADMINISTRATORS.get(before.service, ()) if name in after.overridden)]
    names = sorted({name for one in asked for name in _moved(one, before, after)} & after.overridden)
    return names or [setting for setting, on in (
        ("enforce_scope: false", after.enforce_scope), ("enforce_new_defaults: false", after.new_defaults)) if not on]


def _moved(rule, before, after):
    """Return the rules that are not what they were, among a rule and all that it refers to, sorted."""
    seen, waiting = set(), [rule]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for policy in (before, after):
            tree = policy.rules.get(name)
            if tree is not None:
                waiting += [match for kind, match in checks_of(tree) if kind == "rule"]
    return sorted(name for name in seen if before.rules.get(name) != after.rules.get(name))
