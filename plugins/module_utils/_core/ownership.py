# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deciding over a whole list of named objects: what to create, change, take over, remove, and what to refuse. Pure.

Owned means marked at creation. What is not owned is never removed, and taken over only when asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .change import Action, differing

DEFAULT_OWNER = "sovereign.region"

# The options that every module with owned objects has.
OWNERSHIP_SPEC = {
    "owner": {"type": "str", "default": DEFAULT_OWNER},
    "adopt": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Existing:
    """An object as it was observed.

    Attributes:
        id: the service's id.
        fields: mapping of the managed fields, in the words of the declaration.
        owned: whether it bears our mark.
        in_use: what uses it, in words; looked up only for objects that may be removed.
        other: whose mark it bears when that is not ours, or None.
    """

    id: str
    fields: dict
    owned: bool
    in_use: tuple = ()
    other: str | None = None


@dataclass
class Decision:
    """Actions for one kind of object, and why others are refused.

    Attributes:
        changes: creations, updates and adoptions, in the order of the declaration.
        removals: deletions, in the order of the names.
        refusals: sentences; when there is one, nothing may be applied.
    """

    changes: list = field(default_factory=list)
    removals: list = field(default_factory=list)
    refusals: list = field(default_factory=list)


def decide(kind, declared, existing, adopt=False, purge=False):
    """Compare what is declared with what is there.

    Args:
        kind: the field's own word, such as ``project``.
        declared: mapping of name to fields; the field ``state`` says ``present`` or ``absent``; a field that is None
            is not managed. The order is kept.
        existing: mapping of name to Existing.
        adopt: take over objects that are not ours.
        purge: remove objects of ours that are not declared.

    Returns:
        A Decision.
    """
    decision = Decision()
    for name, wanted in declared.items():
        fields = {key: value for key, value in wanted.items() if key != "state"}
        found = existing.get(name)
        if wanted.get("state") == "absent":
            if found:
                _remove(decision, kind, name, found)
        elif not found:
            after = {key: value for key, value in fields.items() if value is not None}
            decision.changes.append(Action("create", kind, name, None, after))
        elif not found.owned and found.other:
            decision.refusals.append(
                "{0} {1!r} belongs to {2}; it is not taken over from there: release it there first, "
                "or give yours another name".format(kind, name, found.other)
            )
        elif not found.owned and not adopt:
            decision.refusals.append(
                "{0} {1!r} exists and is not marked as ours; use adopt: true to take it over, "
                "or give yours another name".format(kind, name)
            )
        else:
            _change(decision, kind, name, found, fields)
    if purge:
        for name in sorted(set(existing) - set(declared)):
            if existing[name].owned:
                _remove(decision, kind, name, existing[name])
    return decision


def _change(decision, kind, name, found, fields):
    before, after = differing(found.fields, fields)
    if not found.owned:
        decision.changes.append(Action("adopt", kind, name, before, after, _interrupts(kind, before, after)))
    elif after:
        verb = "update"
        if set(after) == {"enabled"}:
            verb = "enable" if after["enabled"] else "disable"
        decision.changes.append(Action(verb, kind, name, before, after, _interrupts(kind, before, after)))


def _interrupts(kind, before, after):
    if before.get("enabled") and after.get("enabled") is False:
        return "every token of the {0} stops working".format(kind)
    return None


def _remove(decision, kind, name, found):
    if not found.owned:
        decision.refusals.append(
            "{0} {1!r} is not marked as ours and is never removed; remove it by hand, or adopt it first".format(
                kind, name
            )
        )
    elif found.in_use:
        decision.refusals.append("{0} {1!r} is in use: {2}; it stays".format(kind, name, ", ".join(found.in_use)))
    else:
        decision.removals.append(Action("delete", kind, name, dict(found.fields, id=found.id), None))
