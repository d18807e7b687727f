# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets among the authentication options are found, and only they."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import secrets


@pytest.mark.parametrize(
    "key", ["password", "application_credential_secret", "token", "passcode", "client_secret", "access_token", "key"]
)
def test_secret_keys(key):
    assert secrets.split({"auth": {key: "correct-horse", "username": "admin"}}) == ({"correct-horse"}, {"admin"})


def test_everything_below_a_secret_key_is_secret():
    assert secrets.split({"auth": {"tokens": [{"a": "one-secret"}]}})[0] == {"one-secret"}


def test_a_value_that_is_secret_somewhere_is_secret_everywhere():
    assert secrets.split({"auth": {"username": "same-value", "password": "same-value"}}) == ({"same-value"}, set())


def test_nothing_given():
    assert secrets.split({"auth": None, "cloud": None}) == (set(), set())


def test_short_secrets_are_refused_without_being_said():
    (sentence,) = secrets.problems({"auth": {"password": "Xq7"}})
    assert "clouds.yaml" in sentence
    assert "Xq7" not in sentence
    assert secrets.problems({"auth": {"password": "long-enough"}}) == []


def test_a_cloud_by_name_is_no_secret():
    assert secrets.split({"cloud": "my-cloud"}) == (set(), {"my-cloud"})
