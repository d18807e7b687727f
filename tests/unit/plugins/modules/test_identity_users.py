# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's password comes back from the modules in no way, whatever goes wrong."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.tests.unit.fake_cloud.users import UsersCloud

PLANTED = "Planted-Halibut-7"


@pytest.fixture()
def fake(faulty_server):
    """A simulated cloud with people in it."""
    return UsersCloud(faulty_server)


def wanted(fake, **user):
    return dict(fake.options(), users=[dict({"name": "ann", "password": PLANTED}, **user)])


def test_a_password_is_set_and_not_returned(fake, run_module):
    status, result, written = run_module("identity_users", wanted(fake))
    assert (status, result.get("msg")) == (0, None)
    assert list(fake.identity.passwords.values()) == [PLANTED] and PLANTED not in written
    assert [row["name"] for row in result["users"]] == ["ann"], "a name is not taken for a secret"
    status, result, written = run_module("identity_users", wanted(fake, update_password="always"))
    assert status == 0 and result["actions"][0]["kind"] == "user password" and PLANTED not in written


def test_an_error_that_repeats_the_request_does_not_repeat_the_password(fake, run_module):
    fake.fail(method="POST", path="/users$", status=400, body=json.dumps(
        {"error": {"message": "{'user': {'name': 'ann', 'password': '" + PLANTED + "'}} is not valid"}}))
    status, result, written = run_module("identity_users", wanted(fake))
    assert status == 1 and "is not valid" in result["msg"] and PLANTED not in written
    assert result["failed_action"]["name"] == "Default/ann"


def test_a_short_password_is_refused_before_any_request(fake, run_module):
    status, result, written = run_module("identity_users", wanted(fake, password="qzx7!"))
    assert status == 1 and "fewer than 8 characters" in result["msg"] and "qzx7!" not in written.replace(
        "ANSIBLE_MODULE_ARGS", "")
    assert fake.seen == []


def test_roles_are_given_by_the_module(fake, run_module):
    fake.identity.add_group("crew")
    asked = dict(fake.options(), assignments=[{"role": "reader", "group": "crew", "system": True}])
    status, result, unused = run_module("identity_role_assignments", asked)
    assert (status, result.get("msg")) == (0, None)
    assert result["assignments"] == [{"role": "reader", "group": "Default/crew", "system": True, "inherited": False}]
    wrong = dict(fake.options(), assignments=[{"role": "reader", "group": "crew", "user": "ann", "system": True}])
    status, result, unused = run_module("identity_role_assignments", wrong)
    assert status == 1 and result["problems"] == [
        "assignments[0]: user and group are given; expected one of user, group"]
