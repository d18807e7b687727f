# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be seen is not taken for empty."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._tenancy.usage import project_in_use


class Empty:
    """A cloud in which nothing is, and whose catalogue names other regions for compute."""

    def __init__(self, *others):
        self.others = list(others)

    def has(self, service):
        return service == "compute"

    def any(self, service, path, key, query):
        return False

    def elsewhere(self, service):
        return self.others if service == "compute" else []


def test_other_regions_of_the_same_keystone_were_not_looked_at():
    assert project_in_use(Empty("south"), "p") == ["it may have servers in region south, which this cannot see"]


def test_the_only_region_is_all_there_is():
    assert project_in_use(Empty(), "p") == []
