# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The region document: validated in one place, all problems at once, and returned with its defaults."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import DeclarationError
from .._core.schema import Problem, child
from . import (
    checks_assignments,
    checks_federation,
    checks_flavors,
    checks_identity,
    checks_pools,
    checks_sites,
    checks_tenancy,
)
from .migrate import migrate
from .plain import to_plain
from .schema import VALIDATOR
from .view import View
from .warnings import warnings

ROOT = "sovereign_region"

# Each takes a View and returns the problems of its subject.
CHECKS = tuple(
    module.problems for module in (
        checks_sites, checks_pools, checks_tenancy, checks_flavors,
        checks_identity, checks_assignments, checks_federation,
    )
)

RESERVED = ("isolation", "governance")


class InvalidDocument(DeclarationError):
    """The region document cannot be right.

    Attributes:
        found: every Problem, in the order of the document's sections.
        problems: the same as sentences.
    """

    def __init__(self, found):
        self.found = list(found)
        super().__init__([problem.sentence() for problem in self.found])

    def message(self):
        """Return a text of one line for each problem, under a line that counts them."""
        count = len(self.found)
        head = "The region document has {0} problem{1}:".format(count, "" if count == 1 else "s")
        return "\n".join([head] + ["  " + sentence for sentence in self.problems])


@dataclass(frozen=True)
class Document:
    """A valid region document.

    Attributes:
        data: plain data with every default filled in; loading it again gives the same.
        warnings: sentences about what is valid and probably not meant.
    """

    data: dict
    warnings: tuple = ()


def load(raw):
    """Return the Document of what stands in the variable ``sovereign_region``.

    Args:
        raw: the value, in plain types or in those of Ansible's controller.

    Raises:
        InvalidDocument: with all problems.
    """
    found, data = examine(raw)
    if found:
        raise InvalidDocument(found)
    return Document(data, tuple(warnings(data)))


def examine(raw):
    """Return all problems, and the normalised document where there is none (else None)."""
    plain, unreadable = to_plain(raw, ROOT)
    if any(problem.path == ROOT for problem in unreadable):
        return unreadable, None
    plain, outdated = migrate(plain)
    if outdated:
        return unreadable + [_below_root(problem) for problem in outdated], None
    shape = VALIDATOR.problems({ROOT: plain})
    # What is unreadable was replaced by None: the schema's complaint about that None is no news.
    told = tuple(problem.path for problem in unreadable)
    found = unreadable + [problem for problem in shape if problem.path not in told]
    if isinstance(plain, dict):
        view = View(plain, [problem.path for problem in found], ROOT)
        for check in CHECKS:
            found = found + check(view)
    return (found, None) if found else ([], _normalised(plain))


def _below_root(problem):
    return Problem(child(ROOT, problem.path), problem.value, problem.expected, problem.nearest, problem.kind)


def _normalised(plain):
    data = VALIDATOR.complete({ROOT: plain})[ROOT]
    for section in RESERVED:
        data[section] = data[section] or {}
    for pool in data["accelerators"]["pools"]:
        # Cards that the host keeps are handed out by nobody.
        if pool["mode"] == "host":
            pool["consumer"] = None
        elif pool["consumer"] is None:
            pool["consumer"] = "nova"
        if isinstance(pool["devices"], list):
            pool["devices"] = [address.lower() for address in pool["devices"]]
    view = View(data, (), ROOT)
    for flavor in data["tenancy"]["flavors"]:
        # Nova keeps text only; 2 and "2" are the same extra spec.
        flavor["extra_specs"] = {key: str(value) for key, value in flavor["extra_specs"].items()}
        if flavor["access"] is not None:
            flavor["access"] = [view.meant("projects", name)[0] for name in flavor["access"]]
    for item, key, kind in _references(data["identity"]):
        if item[key] is not None:
            item[key] = view.meant(kind, item[key])[0]
    for group in data["identity"]["groups"]:
        if group["members"] is not None:
            group["members"] = [view.meant("users", name)[0] for name in group["members"]]
    return data


def _references(identity):
    """Return (item, key, kind of what it names) for each reference that is written with or without its domain."""
    found = [(user, "default_project", "projects") for user in identity["users"]]
    kinds = checks_assignments.KINDS
    found += [(one, "project", "projects") for one in identity["scopes"]]
    return found + [(one, key, kinds[key]) for one in identity["assignments"] for key in kinds]
