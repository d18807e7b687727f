# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the groups of a claim set to roles, by the assignments that are declared."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import evaluate
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_roles import roles

ASSIGNMENTS = [
    {"role": "member", "group": "research/climate", "project": "research/models", "inherited": False},
    {"persona": "reader", "group": "research/climate", "domain": "research", "inherited": True},
    {"role": "admin", "group": "research/operators", "system": True},
    {"role": "reader", "group": "climate", "project": "Default/weather"},
    {"role": "admin", "user": "admin", "system": True},
]


def seen(claims, local):
    rules = [{"remote": [{"type": "sub"}, {"type": "groups"}], "local": local}]
    return evaluate(rules, "2.0", claims)


@pytest.mark.parametrize(("domain", "expected"), [
    ({"name": "research"}, [
        {"role": "member", "project": "research/models", "group": "research/climate"},
        {"role": "reader", "domain": "research", "inherited": True, "group": "research/climate"}]),
    ({"id": "default"}, [{"role": "reader", "project": "Default/weather", "group": "Default/climate"}]),
    ({"name": "Default"}, [{"role": "reader", "project": "Default/weather", "group": "Default/climate"}]),
    ({"name": "elsewhere"}, []),
])
def test_groups_lead_to_roles(domain, expected):
    local = [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": domain}]
    assert roles(seen({"sub": "a", "groups": "climate"}, local), ASSIGNMENTS) == expected
    assert roles(seen({"sub": "a", "groups": "climate"}, local), None) == []


def test_a_mapping_gives_roles_itself():
    local = [{"user": {"name": "{0}"}, "domain": {"name": "research"}},
             {"projects": [{"name": "{0}", "domain": {"name": "research"}, "roles": [{"name": "member"}]}]}]
    assert roles(seen({"sub": "a", "groups": "g"}, local), ASSIGNMENTS) == [{"role": "member", "project": "research/a"}]


def test_a_local_user_has_the_roles_of_that_user():
    local = [{"user": {"name": "{0}", "type": "local", "domain": {"id": "default"}}}]
    assert roles(seen({"sub": "admin", "groups": "g"}, local), ASSIGNMENTS) == [{"role": "admin", "system": True}]


def test_who_is_refused_has_none():
    assert roles(seen({}, [{"user": {"name": "{0}"}}]), ASSIGNMENTS) == []
