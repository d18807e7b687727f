# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of an older version, brought to the present one before they are validated."""

from __future__ import annotations

import copy

from .._core.schema import Problem, is_type

CURRENT = 1

# version -> pure function that takes a document of that version and returns one of the next.
STEPS = {}


def migrate(document, steps=None, current=CURRENT):
    """Return the document in the present version, and the problems that kept it from getting there.

    A document without a whole number as its version is returned as it is: the schema says what is wrong.

    Args:
        document: plain data.
        steps: the table of steps; STEPS unless a test brings its own.
        current: the version to reach.
    """
    steps = STEPS if steps is None else steps
    version = document.get("version") if isinstance(document, dict) else None
    if not is_type(version, "integer"):
        return document, []
    version = int(version)
    if version > current:
        return document, [_unknown(version, current, steps, "a newer release of sovereign.region reads it")]
    document = copy.deepcopy(document)
    while version < current:
        if version not in steps:
            return document, [_unknown(version, current, steps, "no release of sovereign.region knows it")]
        document = steps[version](document)
        version += 1
        document["version"] = version
    return document, []


def _unknown(version, current, steps, why):
    known = ", ".join(str(one) for one in sorted(set(steps) | {current}))
    return Problem("version", version, "version {0}; {1}".format(known, why), kind="version")
