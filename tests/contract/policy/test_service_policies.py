# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of every service, for every persona and every kind of thing: answered as oslo.policy itself does."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity import persona_seats, policy_effective
from ansible_collections.sovereign.region.plugins.module_utils._identity.policy_tables import TABLES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PEOPLE = [(seat.name, seat) for seat in persona_seats.SEATS]
THINGS = [
    *(persona_seats.target(kind) for kind in persona_seats.TARGETS),
    persona_seats.target("own", **{"target.role.name": "admin", "visibility": "public"}),
    persona_seats.target("other", visibility="shared"),
]
# What sites write: a wider rule, a narrower one, a base rule that others refer to, a name that is no longer used, an
# old syntax, nothing at all, a rule of their own, nonsense, and a rule that leads back to itself.
OVERRIDES = {
    "keystone": {
        "identity:list_users": "role:reader", "identity:create_domain": "!", "admin_required": "role:cloud_admin",
        "identity:get_user": "rule:ours", "ours": [["role:member"], ["role:reader", "system_scope:all"]],
        "identity:list_roles": "rule:ours and rule:nowhere", "identity:create_role": "role:admin or (role:reader",
        "identity:create_region": "rule:identity:create_region",
        "identity:list_projects": "token.project.domain.id:%(target.domain_id)s or True:%(target.role.domain_id)s",
    },
    "nova": {
        "os_compute_api:servers:index": "", "project_reader_api": "role:nobody", "context_is_admin": "role:manager",
        "os_compute_api:os-hypervisors": "role:reader", "admin_or_owner": "role:reader", "default": "role:member",
        "os_compute_api:os-flavor-manage:create": "rule:nowhere", "os_compute_api:servers:show": None,
        "os_compute_api:os-aggregates:create": "is_admin:True or is_admin:False",
        "os_compute_api:os-services:list": "roles:reader", "os_compute_api:os-evacuate": "not not role:admin",
    },
    "placement": {
        "placement:traits:list": "role:reader", "placement:usages": "project_id:%(project_id)s",
        "placement:inventories": "@", "admin_api": "role:member",
    },
    "glance": {
        "get_image": "role:member and not 'private':%(visibility)s", "publicize_image": "role:member",
        "default": "", "context_is_admin": "role:manager", "delete_image": "user_id:%(owner)s or role:%(visibility)s",
    },
    "neutron": {
        "create_network": "rule:shared or role:reader", "context_is_admin": "role:manager", "get_agent": "role:reader",
        "delete_network": "tenant_id:%(tenant_id)s", "update_network": "field:networks:nothing=1 or role:manager",
        "get_network": "project_id:%(ext_parent:project_id)s", "create_port:mac_address": "rule:network_device",
    },
}


@pytest.fixture(scope="module")
def rows():
    done = subprocess.run(
        [os.environ["EMBEDDED_PYTHON"], "-W", "ignore", str(ROOT / "tools" / "policy_defaults.py"), "--rows"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("service", TABLES)
def test_the_tables_are_those_of_the_pinned_services(service, rows):
    held, removed = TABLES[service].RULES, TABLES[service].REMOVED
    real, real_removed = rows[service]
    assert json.loads(json.dumps(held)) == real
    assert sorted(removed) == sorted(real_removed)


@pytest.mark.parametrize("service", TABLES)
def test_a_target_has_everything_that_rules_ask_for(service):
    keys = {key for row in TABLES[service].RULES.values() for check in (row[0], (row[3] or ("", ""))[1])
            for key in re.findall(r"%\(([^)]*)\)s", check)}
    assert keys <= set(persona_seats.target("own"))


@pytest.mark.parametrize("new_defaults", [True, False])
@pytest.mark.parametrize("overridden", [False, True])
@pytest.mark.parametrize("service", TABLES)
def test_the_same_answers(oracles, service, overridden, new_defaults):
    overrides = OVERRIDES[service] if overridden else {}
    mine = policy_effective.effective(service, overrides, enforce_new_defaults=new_defaults)
    mine.new_defaults = True  # Neutron skips its rules before oslo.policy is asked; that is not what is compared here
    theirs = oracles(service).ask(
        "decide", service=service, overrides=overrides, new_defaults=new_defaults, targets=THINGS,
        people={name: persona_seats.person(seat, service) for name, seat in PEOPLE})
    differing, compared, allowed = [], 0, 0
    for name, seat in PEOPLE:
        credentials = mine.credentials_of(persona_seats.person(seat, service))
        for rule in TABLES[service].RULES:
            ours = [mine.allows(rule, thing, credentials) for thing in THINGS]
            real = [None if answer == "error" else answer for answer in theirs[name + "|" + rule]]
            compared += len(ours)
            allowed += ours.count(True)
            if ours != real:
                differing.append((name, rule, ours, real))
    assert not differing, (len(differing), differing[:3])
    assert compared == len(TABLES[service].RULES) * len(PEOPLE) * len(THINGS) and 0 < allowed < compared


def test_people_are_shown_as_oslo_context_shows_them(oracles):
    names = ("user_id", "user_domain_id", "system_scope", "domain_id", "project_id", "project_domain_id", "roles")
    persons = {name: persona_seats.person(seat, "nova") for name, seat in PEOPLE}
    shown = oracles("none").ask("people", people={
        name: {key: person[key] for key in names} for name, person in persons.items()})
    assert shown == persons
