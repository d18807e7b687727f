# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each persona may really do: every line of the table, called as each persona, answered as the table says.

A request is refused by policy with 403; with 404 where a service hides what is not one's own; and Nova answers some
requests about a server with 500 when the token is of no project, before it asks its policy.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import personas_compute
import personas_content
import personas_identity
import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity import persona_policy, policy_effective
from ansible_collections.sovereign.region.plugins.module_utils._identity.persona_operations import OPERATIONS
from ansible_collections.sovereign.region.plugins.module_utils._identity.persona_seats import SEATS
from ansible_collections.sovereign.region.plugins.module_utils._region.personas import role_of
from personas_world import World

PROBES = {
    "keystone": personas_identity.PROBES, "nova": personas_compute.NOVA, "placement": personas_compute.PLACEMENT,
    "glance": personas_content.GLANCE, "neutron": personas_content.NEUTRON,
}


class Place:
    """A seat with its role."""

    def __init__(self, seat):
        self.name, self.scope, self.role = seat.name, seat.scope, role_of(seat.persona)


@dataclass(frozen=True)
class Case:
    """One call: of what, by whom, about what kind of thing, and what the table says about it."""

    operation: str
    seat: str
    kind: str
    me: str
    allowed: bool


@pytest.fixture(scope="module")
def world(region):
    return World(region, [Place(seat) for seat in SEATS])


def cases(service, world):
    """What is called: in each cell of the table the widest that is allowed and the narrowest that is refused.

    Of the cells that allow nothing a third is called, another third for each operation; with FULL=1 all are.
    """
    every = os.environ.get("FULL", "") in ("1", "true", "yes")
    rows = persona_policy.table({service: policy_effective.effective(service)})
    for line, (row, (name, _title, _rules, reach, _values)) in enumerate(zip(rows, OPERATIONS[service])):
        for column, seat in enumerate(SEATS):
            said = [told(row["answers"][seat.persona][seat.scope], kind, reach) for kind in reach]
            widest = sum(said)
            for kind, allowed in zip(reach[max(0, widest - 1):widest + 1], said[max(0, widest - 1):widest + 1]):
                if widest or every or (line + column) % 3 == 0:
                    yield Case(name, seat.name, kind, world.ids[seat.name], allowed)


@pytest.fixture(scope="module")
def outcomes(world):
    """What the services answered, for each service a list of case and outcome.

    Keystone is asked alone and one thing at a time, so that no other request has a part in its answers; the others,
    which ask it about every token, work at the same time.
    """
    def call(service):
        return [(case, PROBES[service][case.operation](world.callers[case.seat], world, case.kind, case))
                for case in cases(service, world)]

    alone = {"keystone": call("keystone")}
    others = [service for service in PROBES if service not in alone]
    with ThreadPoolExecutor(max_workers=len(others)) as pool:
        return dict(alone, **dict(zip(others, pool.map(call, others))))


def passed(outcome, of_a_project):
    """Whether policy let a request pass; the status itself where it is no answer of a policy."""
    status, also = outcome if isinstance(outcome, tuple) else (outcome, ())
    if status in also or status < 300:
        return True
    return False if status in (403, 404) or (status == 500 and not of_a_project) else status


def told(answer, kind, reach):
    """Whether the table says that something of that kind is allowed."""
    return answer == "yes" or answer == kind or (answer == "own" and kind == "self" and "own" in reach)


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_is_called(service):
    assert set(PROBES[service]) == {operation[0] for operation in OPERATIONS[service]}


@pytest.mark.parametrize("service", OPERATIONS)
def test_personas_may_what_the_table_says(outcomes, service):
    differing = [(case, outcome) for case, outcome in outcomes[service]
                 if passed(outcome, service != "nova" or "project" in case.seat) is not case.allowed]
    assert not differing, "\n" + "\n".join(map(str, differing))
    allowed = sum(case.allowed for case, _unused in outcomes[service])
    assert 10 <= allowed <= len(outcomes[service]) - 10
