# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: names that stay apart once they are traits, and jurisdictions that exist."""

from __future__ import annotations

from .._core.schema import Problem, child, close
from .jurisdictions import COUNTRIES, MISTAKEN
from .names import site_trait


def problems(view):
    """Return the problems of the section ``sites``."""
    found = twice(view.names["sites"], "site")
    for path, site in view.sites:
        found += country_problems(child(path, "jurisdiction"), site["jurisdiction"])
    return found + _same_trait(view)


def twice(named, word, same=None):
    """Return a problem for every name that was declared before.

    Args:
        named: list of (path, name).
        word: what it names.
        same: function that makes two names equal which another system takes for one.
    """
    found, first = [], {}
    for path, name in named:
        key = same(name) if same else name
        if key in first:
            where, before = first[key]
            expected = "another name, {0} is the {1} {2!r}".format(where, word, before)
            if before != name:
                expected += " (case makes no difference)"
            found.append(Problem(child(path, "name"), name, expected, kind="meaning"))
        else:
            first[key] = (path, name)
    return found


def country_problems(path, jurisdiction):
    """Return a problem when a jurisdiction is in no country of ISO 3166-1."""
    country = jurisdiction[:2]
    if country in COUNTRIES:
        return []
    meant = MISTAKEN.get(country) or close(country, sorted(COUNTRIES))
    return [Problem(path, jurisdiction, "a country of ISO 3166-1 alpha-2", meant, kind="meaning")]


def _same_trait(view):
    found, first = [], {}
    for path, site in view.sites:
        trait = site_trait(site["name"])
        before = first.setdefault(trait, site["name"])
        if before != site["name"]:
            expected = "a name that differs from {0!r} by more than - and _: both are the trait {1}"
            problem = Problem(child(path, "name"), site["name"], expected.format(before, trait), kind="meaning")
            found.append(problem)
    return found
