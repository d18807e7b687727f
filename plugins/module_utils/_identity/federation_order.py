# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of changes to federation: at no moment may anybody log in who could neither before nor afterwards. Pure.

What takes access away comes before what gives it: a mapping changes after the protocols that leave it and before those
that come to it; an identity provider is enabled, or gets remote ids, after its protocols and their mappings are as
declared, and loses remote ids before. Two things cannot be kept that way, and are left to the order of the declaration:
mappings that are exchanged in a circle, and an issuer that gives way to another one at the same identity provider while
its mapping changes too; it comes under the new mapping for a moment.

A remote id belongs to one identity provider at a time; where some exchange theirs in a circle, one of them lets go
first. An enabled identity provider without remote ids accepts any issuer (Keystone 30.0.0, ``federation/utils.py``,
``validate_idp``), so it is disabled for that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Step:
    """One action and what has to be done before it.

    Attributes:
        key: what names it among all steps.
        action: the Action.
        after: keys of the steps without which Keystone would refuse it, or logins would break.
        rather_after: keys of the steps that should come first, and that are left aside when they form a circle.
    """

    key: tuple
    action: object
    after: set = field(default_factory=set)
    rather_after: set = field(default_factory=set)


def arranged(steps):
    """Return the actions of ``steps`` in an order that keeps every ``after``, else in the order given.

    Args:
        steps: list of Step; keys in ``after`` that belong to no step are done already.
    """
    left, plan = list(steps), []
    while left:
        waiting = {step.key for step in left}
        ready = [step for step in left if not step.after & waiting]
        free = [step for step in ready if not step.rather_after & waiting]
        chosen = (free or ready)[0]
        left.remove(chosen)
        plan.append(chosen.action)
    return plan


def exchange(changes):
    """Decide who lets go of remote ids first.

    Args:
        changes: mapping of the name of an identity provider to (remote ids now, remote ids then), both sets; no remote
            id is in two of the latter.

    Returns:
        (waits, first): ``waits`` maps each name to the names whose remote ids it takes; ``first`` is the list of those
        that have to let go in a request of their own, because they wait for each other.
    """
    holder = {remote: name for name, (now, then) in changes.items() for remote in now - then}
    waits = {
        name: {holder[remote] for remote in then - now if remote in holder} - {name}
        for name, (now, then) in changes.items()
    }
    first, free, left = [], set(), list(changes)
    while left:
        ready = [name for name in left if waits[name] <= free]
        if ready:
            left.remove(ready[0])
            free.add(ready[0])
        else:
            # What it takes is still to come; what it gives is free from here on.
            name = _in_circle(left[0], waits, free)
            first.append(name)
            free.add(name)
    return waits, first


def _in_circle(name, waits, free):
    """Return the first name of the circle that is reached from ``name``."""
    seen = []
    while name not in seen:
        seen.append(name)
        name = min(waits[name] - free)
    return name
