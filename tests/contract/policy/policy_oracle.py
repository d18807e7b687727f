# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks oslo.policy and the services' own policies. Run by the interpreter that has them, for one service a process.

The argument names the service whose own checks are loaded, or ``none``. Standard input: one JSON mapping a line, with
what is asked in ``ask``. Standard output: one JSON value a line.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from oslo_config import cfg
from oslo_context import context
from oslo_policy import _parser, policy

ADMINISTRATOR = {"nova": "context_is_admin", "neutron": "context_is_admin"}


def outcome(enforcer, rule, target, credentials):
    """True, False, or "error" where the service would fail."""
    try:
        return bool(enforcer.enforce(rule, target, dict(credentials)))
    except Exception:
        return "error"


def enforcer_of(service, overrides, new_defaults, directory):
    """An enforcer as the service makes it, with a policy file."""
    path = Path(directory, "policy.yaml")
    path.write_text(json.dumps(overrides), encoding="utf-8")
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    made = policy.Enforcer(conf, policy_file=str(path))
    conf.set_override("enforce_new_defaults", new_defaults, "oslo_policy")
    (entry,) = importlib.metadata.entry_points(group="oslo.policy.policies", name=service)
    made.register_defaults(entry.load()())
    return made


def parse(asked):
    """Each rule as oslo.policy understood it."""
    answers = []
    for rule in asked["rules"]:
        try:
            answers.append(str(_parser.parse_rule(rule)))
        except Exception:
            answers.append("error")
    return answers


def evaluate(asked):
    """What rules without any service answer."""
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    made = policy.Enforcer(conf, use_conf=False)
    made.set_rules({name: _parser.parse_rule(rule) for name, rule in asked["rules"].items()})
    return [outcome(made, name, asked["target"], asked["credentials"]) for name in asked["names"]]


def decide(asked):
    """For each person, each rule and each target: may they?"""
    with tempfile.TemporaryDirectory() as directory:
        made = enforcer_of(asked["service"], asked["overrides"], asked["new_defaults"], directory)
        made.load_rules()
        # Loaded once; enforce() would look at the file again each time.
        made.load_rules = lambda: None
        answers = {}
        for name, person in asked["people"].items():
            known = dict(person)
            if administrator := ADMINISTRATOR.get(asked["service"]):
                target = {key: person[key] for key in ("project_id", "user_id")}
                known["is_admin"] = outcome(made, administrator, target, dict(person, is_admin=None)) is True
            for rule in made.registered_rules:
                answers["{0}|{1}".format(name, rule)] = [
                    outcome(made, rule, target, known) for target in asked["targets"]]
        return answers


def people(asked):
    """What oslo.context shows a policy of each person."""
    return {name: dict(context.RequestContext(**values).to_policy_values()._dict)
            for name, values in asked["people"].items()}


ASKED = {"parse": parse, "evaluate": evaluate, "decide": decide, "people": people}


def main():
    service = sys.argv[1]
    if service in ("nova", "neutron"):
        importlib.import_module(service + ".policy")
    if service == "neutron":
        # So that it knows its own fields when it reads the rules about them.
        importlib.import_module("neutron.conf.policies")
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(ASKED[asked["ask"]](asked)), flush=True)


if __name__ == "__main__":
    main()
