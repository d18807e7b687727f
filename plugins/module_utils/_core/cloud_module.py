# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of a cloud has in common: options, secrets, one session. The four steps are in ``steps.py``.

A domain hands in a namespace (its own Python module) with:

``ARGUMENT_SPEC``
    the options, without those for authentication
``validate(params)``
    returns a list of sentences, one for each thing that cannot be right; pure
``observe(cloud, params)``
    returns everything that the decision needs; reads only
``decide(params, observed)``
    returns the plan, a list of Action; pure; raises DeclarationError or Refused
``performer(cloud, params, observed)``
    returns a function that carries out one Action
``describe(params, observed)``
    returns the module's own return values, a mapping

A domain that does not converge, because it only looks or puts everything back, has ``execute(cloud, params,
check_mode)`` in place of the last four; it returns the module's whole result.
"""

from __future__ import annotations

import functools

from ansible.module_utils.basic import AnsibleModule

from . import errors, secrets, steps
from .cloud import connect

AUTH_SPEC = {
    # A cloud may be given inline, with its password. What is no secret is taken off the list again: see reveal().
    "cloud": {"type": "raw", "no_log": True},
    "auth": {"type": "dict", "no_log": True},
    "auth_type": {"type": "str"},
    "region_name": {"type": "str"},
    "interface": {"type": "str", "choices": ["public", "internal", "admin"]},
    "validate_certs": {"type": "bool"},
    "ca_cert": {"type": "str"},
    "client_cert": {"type": "str"},
    "client_key": {"type": "str", "no_log": True},
    "timeout": {"type": "int"},
}


def run(domain, connector=connect):
    """Run a module: observe, decide, apply, read back."""
    module = AnsibleModule(argument_spec=dict(AUTH_SPEC, **domain.ARGUMENT_SPEC), supports_check_mode=True)
    cloud = None
    try:
        _refuse(reveal(module) + domain.validate(module.params))
        cloud = connector(module.params)
        # So that the servers' logs say which module sent a request.
        cloud.agent = "sovereign.region.{0}".format(module._name.rpartition(".")[2])
        execute = getattr(domain, "execute", None) or functools.partial(converge, domain)
        module.exit_json(**execute(cloud, module.params, module.check_mode))
    except errors.RegionError as error:
        module.fail_json(api_calls=cloud.calls if cloud else 0, **steps.failure(error))


def reveal(module):
    """Let Ansible hide only the secrets among the authentication options, not every name in them.

    Returns:
        A sentence for a secret that is too short to be hidden; it is forgotten first, so that the sentence is legible.
    """
    given = {"auth": module.params["auth"], "cloud": module.params["cloud"]}
    hidden, plain = secrets.split(given)
    module.no_log_values.difference_update(plain)
    problems = secrets.problems(given)
    if problems:
        module.params.update(auth=None, cloud=None)
        module.no_log_values.difference_update(hidden)
    else:
        module.no_log_values.update(hidden)
    return problems


def converge(domain, cloud, params, check_mode):
    """Return a module's result."""
    if not check_mode and "pending" in params:
        # What an earlier action will create is only good for a plan; when changing, it has to be there.
        params = dict(params, pending=[one for one in params["pending"] if one.get("verb") == "delete"])
    return dict(steps.converge(domain, cloud, params, check_mode), api_calls=cloud.calls)


def _refuse(problems):
    if problems:
        raise errors.DeclarationError(problems)
