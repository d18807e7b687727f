# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is an ordered list of actions; check mode, diff and the real run all tell its story."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .errors import RegionError

# Every verb that an action may have, so that callers and documents can rely on the list.
VERBS = ("create", "update", "adopt", "enable", "disable", "grant", "revoke", "delete",
         "load", "set", "unbind", "bind", "reset", "run")


@dataclass(frozen=True)
class Action:
    """One change, in words an operator understands.

    Attributes:
        verb: one of VERBS.
        kind: the field's own word for the object, such as ``project``.
        name: the name an operator writes, such as ``Default/research``.
        before: the fields that change, as they are; None when the object is created.
        after: the fields that change, as they will be; None when the object is removed.
        interrupts: what work is interrupted, in words; None when nothing is.
        deferred: what the action waits for, in words; None when it takes effect at once.
        details: what ``apply`` needs and nobody else: ids, request bodies. Never returned.
    """

    verb: str
    kind: str
    name: str
    before: dict | None = None
    after: dict | None = None
    interrupts: str | None = None
    deferred: str | None = None
    details: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        if self.verb not in VERBS:
            raise ValueError("verb {0!r} is none of {1}".format(self.verb, ", ".join(VERBS)))

    def as_dict(self):
        """Return the seven public fields, in the shape of docs/outputs.md."""
        return {
            "verb": self.verb,
            "kind": self.kind,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "interrupts": self.interrupts,
            "deferred": self.deferred,
        }


class PartialFailure(RegionError):
    """An action failed; those before it are done.

    Args:
        done: the actions that took effect, in order.
        failed: the action that did not.
        cause: why.
        left: how many actions were not tried.
    """

    def __init__(self, done, failed, cause, left):
        self.done = list(done)
        self.failed = failed
        self.cause = cause
        self.left = left
        super().__init__(
            "could not {0} {1} {2}: {3} ({4} done before it, {5} not tried)".format(
                failed.verb, failed.kind, failed.name, cause, count(len(self.done), "action"), left
            )
        )


class Unverified(RegionError):
    """Every action was accepted, but the state that is read back is another, or cannot be read.

    Args:
        done: the actions that the services accepted, in order.
        cause: why, as an exception.
        left: what would still have to be done; empty when reading back failed.
    """

    def __init__(self, done, cause, left=()):
        self.done = list(done)
        self.failed = left[0] if left else None
        self.cause = cause
        super().__init__("{0} accepted, but {1}".format(count(len(self.done), "action"), cause))


def count(number, noun):
    """Return ``1 action`` or ``2 actions``."""
    return "{0} {1}{2}".format(number, noun, "" if number == 1 else "s")


def apply(plan, perform):
    """Perform the actions in order and stop at the first failure.

    Args:
        plan: list of Action.
        perform: function of one Action; raises RegionError when it fails.

    Returns:
        The list of actions performed, which is the whole plan.

    Raises:
        PartialFailure: with what was done until then, whatever went wrong.
    """
    done = []
    for action in plan:
        try:
            perform(action)
        except RegionError as error:
            raise PartialFailure(done, action, error, len(plan) - len(done) - 1) from error
        except Exception as error:
            # A defect of ours, or a reply that no service should give: what was done must be told all the same.
            cause = RegionError("unexpected {0}: {1}".format(type(error).__name__, error))
            raise PartialFailure(done, action, cause, len(plan) - len(done) - 1) from error
        done.append(action)
    return done


def diff(actions):
    """Return Ansible's diff of a plan: one entry for each action, with a header that names it."""
    return [
        {
            "before_header": "{0} {1}".format(action.kind, action.name),
            "after_header": "{0} {1} ({2})".format(action.kind, action.name, action.verb),
            "before": action.before or {},
            "after": action.after or {},
        }
        for action in actions
    ]


def differing(observed, declared):
    """Return (before, after) with only the fields of ``declared`` whose value differs.

    Fields that are declared as None are not managed and never differ.
    """
    after = {key: value for key, value in declared.items() if value is not None and observed.get(key) != value}
    before = {key: observed.get(key) for key in after}
    return before, after
