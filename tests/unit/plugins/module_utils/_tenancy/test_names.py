# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, marks and their limits, before anything is sent."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import names


def item(**fields):
    return dict({"name": "p", "domain": "Default", "tags": None}, **fields)


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"name": ""}, "projects[0].name: the name is empty"),
        ({"name": "  "}, "the name is empty"),
        ({"name": "p "}, "begins or ends with a space"),
        ({"name": "ü" * 65}, "has 65 characters; at most 64"),
        ({"name": "a/b"}, "has a slash"),
        ({"domain": "a/b"}, "projects[0].domain: 'a/b' has a slash"),
        ({"tags": ["a,b"]}, "projects[0].tags[0]: 'a,b'; a tag has 1 to 255 characters"),
        ({"tags": ["ok", ""]}, "projects[0].tags[1]"),
        ({"tags": ["x" * 256]}, "a tag has 1 to 255"),
        ({"tags": ["managed-by:me"]}, "is the mark of an owner"),
        ({"tags": ["t{0}".format(index) for index in range(80)]}, "80 tags; at most 79"),
    ],
)
def test_what_keystone_would_refuse(fields, words):
    (problem,) = names.project_problems([item(**fields)])
    assert words in problem


@pytest.mark.parametrize("name", ["研究", "a b", "ü" * 64, "UPPER", "-", "p.q:r"])
def test_what_keystone_takes(name):
    assert names.project_problems([item(name=name, tags=[name])]) == []


def test_the_same_name_in_two_domains_is_no_duplicate():
    assert names.project_problems([item(), item(domain="other")]) == []
    assert "declared already at projects[0]" in names.project_problems([item(), item()])[0]


@pytest.mark.parametrize(
    "owner, good",
    [
        ("region-a", True),
        ("Ä b", True),
        ("", False),
        (" ", False),
        ("a/b", False),
        ("a,b", False),
        ("x" * 244, True),
        ("x" * 245, False),
    ],
)
def test_an_owner_makes_a_tag(owner, good):
    assert (names.owner_problems(owner) == []) is good


def test_a_project_without_a_domain_is_in_default():
    assert names.qualified("p") == "Default/p"
    assert names.qualified("d/p") == "d/p"
