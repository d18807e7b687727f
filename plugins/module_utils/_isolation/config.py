# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of one shim of Kata Containers or of several in one call; for ``_core/host_module.py``."""

from __future__ import annotations

from .._core.errors import DeclarationError
from .._core.host_list import OneOrMany
from . import config_single


class _Shims(OneOrMany):
    """What is added to a list of shims: each has one configuration, and the result is named after what it is about."""

    def decide(self, params, observed):
        """Return the plan of all. Pure. Raises DeclarationError, Refused."""
        seen, problems = {}, []
        for place, facts in enumerate(observed):
            first = seen.setdefault(facts["paths"]["config"], place)
            if first != place:
                problems.append("shims[{0}]: it is the same configuration as shims[{1}], {2}; a release is named "
                                "twice, by its directory and by a link to it".format(
                                    place, first, facts["paths"]["config"]))
        if problems:
            raise DeclarationError(problems)
        return super().decide(params, observed)

    def describe(self, params, observed):
        """Return ``shims``, a mapping for each; where one was given by itself, also what is in its mapping."""
        told = super().describe(params, observed)
        return {"shims": told["results"]} if "results" in told else dict(told, shims=[told])


DOMAIN = _Shims(config_single, "shims", ("shim", "release"))
