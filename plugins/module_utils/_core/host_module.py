# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module that changes a host has in common. The four steps are in ``steps.py``.

A domain hands in a namespace (its own Python module) with:

``ARGUMENT_SPEC``
    the options, without those of HOST_SPEC
``validate(params)``
    returns a list of sentences, one for each thing that cannot be right; pure
``observe(host, params)``
    returns everything that the decision needs, as facts that the controller can have too; reads only
``decide(params, observed)``
    returns the plan, a list of Action; pure; raises DeclarationError or Refused
``performer(host, params, observed)``
    returns a function that carries out one Action
``describe(params, observed)``
    returns the module's own return values, a mapping
"""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule

from . import errors, steps
from .host import Host

HOST_SPEC = {
    "allow_interruption": {"type": "bool", "default": False},
    "expected_actions": {"type": "list", "elements": "dict"},
}


def run(domain, host=None):
    """Run a module: observe, decide, apply, read back.

    Args:
        domain: the namespace.
        host: Host; the one on which we run when it is not given.
    """
    module = AnsibleModule(argument_spec=dict(HOST_SPEC, **domain.ARGUMENT_SPEC), supports_check_mode=True)
    try:
        module.exit_json(**converge(domain, host or Host(), module.params, module.check_mode))
    except errors.RegionError as error:
        module.fail_json(**steps.failure(error))


def converge(domain, host, params, check_mode):
    """Return a module's result; refuse before anything is touched. Raises RegionError."""
    problems = domain.validate(params)
    if problems:
        raise errors.DeclarationError(problems)

    def gate(plan):
        refuse_surprises(plan, params["expected_actions"])
        if not check_mode:
            refuse_interruption(plan, params["allow_interruption"])

    return steps.converge(domain, host, params, check_mode, gate)


def refuse_surprises(plan, expected):
    """Raise Refused when the plan is another one than the one that was read aloud. Pure.

    Args:
        plan: list of Action.
        expected: the actions as they were planned, or None when nobody planned before.
    """
    if expected is None:
        return
    mine, theirs = [_said(action.as_dict()) for action in plan], [_said(action) for action in expected]
    if mine == theirs:
        return
    new = [one for one in mine if one not in theirs]
    gone = [one for one in theirs if one not in mine]
    parts = ["would now {0}".format(_words(new))] if new else []
    parts += ["no longer {0}".format(_words(gone))] if gone else []
    raise errors.Refused("the host changed since it was planned: {0}; plan again".format(
        ", and ".join(parts) or "the order of the actions is another"))


def refuse_interruption(plan, allowed):
    """Raise Refused when the plan interrupts work and nobody allowed that. Pure."""
    reasons = [action.interrupts for action in plan if action.interrupts]
    if reasons and not allowed:
        raise errors.Refused("this interrupts work on the host: {0}; nothing was changed. Set allow_interruption when "
                             "that may happen now".format("; ".join(dict.fromkeys(reasons))))


def _said(action):
    """Return an action as JSON would carry it, so that both sides compare alike."""
    return json.loads(json.dumps({key: action.get(key) for key in ("verb", "kind", "name", "before", "after")}))


def _words(actions):
    return ", ".join("{verb} {kind} {name}".format(**action) for action in actions[:5])
