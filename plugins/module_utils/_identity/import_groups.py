# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups a mapping can put people in, as far as the mapping itself says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .mapping_lint_model import rules_of


@dataclass
class Landing:
    """Where people land.

    Attributes:
        names: set of (name of the domain, name of the group).
        ids: set of ids of groups.
        open: set of names of domains of which a claim may name any group.
    """

    names: set = field(default_factory=set)
    ids: set = field(default_factory=set)
    open: set = field(default_factory=set)


def landing(mapping, domains, own):
    """Return the Landing of a mapping.

    Args:
        mapping: with ``rules``.
        domains: mapping of domain id to name.
        own: names of the domains of the identity providers that use it: a group without a domain is in one of these.
    """
    found = Landing()
    for rule in rules_of(mapping):
        parts = dict(rule.locals)
        for text in rule.texts:
            part = parts.get(".".join(text.path.split(".")[:2])) or {}
            if text.keys == ("group", "id"):
                found.ids.add(text.template.text)
            elif text.keys == ("group", "name"):
                _add(found, rule, text, _domains(part["group"], domains, own))
            elif text.keys == ("groups",):
                _add(found, rule, text, _domains(part, domains, own))
    return found


def _domains(part, domains, own):
    domain = part.get("domain") if isinstance(part.get("domain"), dict) else {}
    if domain.get("name"):
        return {domain["name"]}
    if domain.get("id"):
        return {domains.get(domain["id"], domain["id"])}
    return set(own)


def _add(found, rule, text, places):
    if not text.template.slots:
        found.names |= {(place, text.template.text) for place in places}
        return
    for source in rule.sources(text):
        if source.operator == "whitelist" and not source.regex:
            found.names |= {(place, name) for place in places for name in source.texts}
        else:
            found.open |= places
