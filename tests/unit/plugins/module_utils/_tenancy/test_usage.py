# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a domain in use, and what an earlier part of the plan takes out of it."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.usage import domain_in_use


class Cloud:
    """A Keystone with these users in the one domain, and no group."""

    def __init__(self, names):
        self.rows = [{"name": name} for name in names]

    def list(self, service, path, key, query=None):
        if path == "/OS-FEDERATION/identity_providers":
            return [{"id": "campus", "domain_id": "e"}, {"id": "school", "domain_id": "d2"}]
        return list(self.rows) if path == "/users" else []

    def any(self, service, path, key, query):
        return bool(self.list(service, path, key, query))


@pytest.mark.parametrize(("there", "leaving", "held"), [
    ([], None, []),
    (["ada"], None, ["it has users"]),
    (["ada"], {"users": []}, ["it has users"]),
    (["ada", "bob"], {"users": ["ada", "bob"]}, []),
    (["ada", "bob"], {"users": ["ada", "eve"]}, ["it has users"]),
    # A federated user may bear the name of a local one: as many have to leave as there are.
    (["ada", "ada"], {"users": ["ada"]}, ["it has users"]),
    (["ada", "ada"], {"users": ["ada", "ada"], "groups": ["ada"]}, []),
])
def test_who_leaves_before_does_not_keep_the_domain(there, leaving, held):
    before = {key: list(names) for key, names in (leaving or {}).items()}
    assert domain_in_use(Cloud(there), "d", [], leaving) == held
    assert (leaving or {}) == before


@pytest.mark.parametrize(("leaving", "held"), [
    (None, ["users of identity provider campus live in it"]),
    ({"identity_providers": ["school"]}, ["users of identity provider campus live in it"]),
    ({"identity_providers": ["campus"]}, []),
])
def test_an_identity_provider_keeps_its_domain(leaving, held):
    assert domain_in_use(Cloud([]), "e", [], leaving) == held
