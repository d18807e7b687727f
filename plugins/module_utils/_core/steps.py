# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe, decide, apply, read back: the four steps of every module that changes a cloud or a host, written once.

``domain`` is a namespace with ``observe(world, params)``, ``decide(params, observed)``, ``performer(world, params,
observed)`` and ``describe(params, observed)``; ``world`` is a Cloud or a Host. ``cloud_module.py`` says what each does.
"""

from __future__ import annotations

from . import change, errors


def converge(domain, world, params, check_mode, gate=None):
    """Return a module's result. What a check predicts and what a run does come from the same plan.

    Args:
        domain: the namespace.
        world: what is observed and changed.
        params: options of the module.
        check_mode: whether nothing may be changed.
        gate: function of the plan that raises Refused before anything is touched, or None.
    """
    observed = domain.observe(world, params)
    plan = domain.decide(params, observed)
    if gate is not None:
        gate(plan)
    if plan and not check_mode:
        change.apply(plan, domain.performer(world, params, observed))
        observed = _read_back(domain, world, params, plan)
    return dict(
        domain.describe(params, observed),
        changed=bool(plan),
        actions=[action.as_dict() for action in plan],
        diff=change.diff(plan),
    )


def failure(error):
    """Return what a failed module says: the message, the class of the error, and what was done before it."""
    said = {"msg": str(error), "error": type(error).__name__}
    if isinstance(error, (change.PartialFailure, change.Unverified)):
        return dict(
            said,
            error=type(error.cause).__name__,
            changed=bool(error.done),
            actions=[action.as_dict() for action in error.done],
            failed_action=error.failed.as_dict() if error.failed else None,
        )
    return dict(said, changed=False, actions=[], problems=getattr(error, "problems", []))


def _read_back(domain, world, params, plan):
    """Return what is there after the plan: success is what the system reports, not that it accepted."""
    try:
        observed = domain.observe(world, params)
        left = domain.decide(params, observed)
    except errors.RegionError as error:
        raise change.Unverified(plan, error) from error
    if left:
        cause = errors.NotInEffect(
            "reading back shows that it is still to be done: {0}; something else may be changing it".format(
                ", ".join("{0} {1} {2}".format(action.verb, action.kind, action.name) for action in left[:3])
            )
        )
        raise change.Unverified(plan, cause, left)
    return observed
