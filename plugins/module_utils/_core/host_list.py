# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a domain that converges one thing on a host, one that converges a list of them in one call of its module."""

from __future__ import annotations

import re
from collections import namedtuple
from dataclasses import replace

from . import errors

# Which thing of the list an action belongs to, and what the thing's own domain keeps in it.
_Of = namedtuple("_Of", "index details")


class OneOrMany:
    """A domain for ``host_module``: either the options of one thing, or a list of them.

    Args:
        domain: the domain of one thing, as ``host_module`` describes it.
        option: name of the list.
        key: names of the options that tell two things apart.
        shared: names of options that stand beside the list and hold for all of it.
        together: function of the list that returns what cannot be right about it as a whole, a sentence each.
    """

    def __init__(self, domain, option, key, shared=(), together=None):
        self._domain, self._option, self._key, self._shared = domain, option, key, shared
        self._together = together or (lambda items: [])
        self._own = [name for name in domain.ARGUMENT_SPEC if name not in shared]
        self._required = [name for name in self._own if domain.ARGUMENT_SPEC[name].get("required")]
        single = {name: dict(spec, required=False) for name, spec in domain.ARGUMENT_SPEC.items()}
        several = {"type": "list", "elements": "dict", "options": {
            name: domain.ARGUMENT_SPEC[name] for name in self._own}}
        self.ARGUMENT_SPEC = dict(single, **{option: several})

    def validate(self, params):
        """Return what cannot be right in each thing, and in their being together. Pure."""
        if params[self._option] is None:
            missing = ["{0}: missing; say it, or declare a list in {1}".format(name, self._option)
                       for name in self._required if params[name] is None]
            return missing or self._domain.validate(params)
        found = ["{0}: stands beside {1}; put it into an entry there".format(name, self._option)
                 for name in self._own if params[name] != self._domain.ARGUMENT_SPEC[name].get("default")]
        seen = []
        for index, item in enumerate(self._items(params)):
            path = "{0}[{1}]".format(self._option, index)
            for one in self._domain.validate(item):
                # What is wrong with an option that holds for all is said once.
                said = one if re.split(r"[:.\[]", one)[0] in self._shared else "{0}.{1}".format(path, one)
                found += [] if said in found else [said]
            names = [item[name] for name in self._key]
            if names in seen:
                found.append("{0}: {1} is declared already by {2}[{3}]".format(
                    path, ", ".join(map(repr, names)), self._option, seen.index(names)))
            seen.append(names)
        return found + self._together(params[self._option])

    def observe(self, host, params):
        """Return what is there for each thing, in order."""
        return [self._domain.observe(host, item) for item in self._items(params)]

    def decide(self, params, observed):
        """Return the plan of all, in order. Pure. Raises DeclarationError, Refused with what speaks against each."""
        plan, wrong, refused = [], [], []
        for index, (item, seen) in enumerate(zip(self._items(params), observed)):
            path = "" if params[self._option] is None else "{0}[{1}]: ".format(self._option, index)
            try:
                # What two of them would do, such as clearing up after a killed run, is done once.
                plan += [replace(one, details=_Of(index, one.details)) for one in self._domain.decide(item, seen)
                         if one not in plan]
            except errors.DeclarationError as error:
                wrong += [path + one for one in error.problems]
            except errors.Refused as error:
                refused.append(path + str(error))
        if wrong:
            raise errors.DeclarationError(wrong + refused)
        if refused:
            raise errors.Refused("\n".join(refused))
        return plan

    def performer(self, host, params, observed):
        """Return a function that carries out one Action."""
        performers = [self._domain.performer(host, item, seen) for item, seen in zip(self._items(params), observed)]

        def perform(action):
            index, details = action.details
            return performers[index](replace(action, details=details))

        return perform

    def describe(self, params, observed):
        """Return the values of the one thing, or ``results`` with those of each."""
        told = [self._domain.describe(item, seen) for item, seen in zip(self._items(params), observed)]
        return told[0] if params[self._option] is None else {"results": told}

    def _items(self, params):
        if params[self._option] is None:
            return [params]
        shared = {name: params[name] for name in self._shared}
        # Each thing knows which others are declared, so that it leaves those alone.
        return [dict(item, beside=params[self._option], **shared) for item in params[self._option]]
