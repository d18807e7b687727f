# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates the region document on the controller; no module is sent to any host."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._core.schema import Problem, child
from ..module_utils._region.document import ROOT, InvalidDocument, load
from ..module_utils._region.names import owner
from ..module_utils._region.pools import describe
from ..module_utils._region.slices import expectations, hosts, tenancy
from ..module_utils._region.slices_identity import identity


class ActionModule(ActionBase):
    """The action behind the task ``sovereign.region.region``."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("document",))

    def run(self, tmp=None, task_vars=None):
        """Return the region and its slices, or every problem of the document."""
        result = super().run(tmp, task_vars)
        try:
            result.update(described(load(self._document(task_vars or {}))))
        except InvalidDocument as error:
            result.update(
                failed=True,
                msg=error.message(),
                problems=[problem.as_dict() for problem in error.found],
            )
        result["changed"] = False
        return result

    def _document(self, task_vars):
        if "document" in self._task.args:
            return self._task.args["document"]
        if ROOT not in task_vars:
            expected = "the region document in a variable of this name; see the example inventory of the collection"
            raise InvalidDocument([Problem(ROOT, None, expected, state="missing")])
        problems = []
        document = self._templated(task_vars[ROOT], ROOT, problems)
        if problems:
            raise InvalidDocument(problems)
        return document

    def _templated(self, value, path, problems):
        """Resolve a variable leaf by leaf, so that what is undefined can be named by its path."""
        if isinstance(value, dict):
            return {key: self._templated(item, child(path, str(key)), problems) for key, item in value.items()}
        if isinstance(value, list):
            return [self._templated(item, child(path, index), problems) for index, item in enumerate(value)]
        try:
            return self._templar.template(value)
        except AnsibleError as error:
            expected = "a value that can be resolved: {0}".format(str(error).splitlines()[0].partition(". ")[0])
            problems.append(Problem(path, None, expected, state="an undefined variable"))
            return None


def described(document):
    """Return what the task returns for a valid document."""
    looked_for = expectations(document.data)
    pools = describe(document.data)
    warnings = list(document.warnings)
    return {
        "region": dict(document.data, owner=owner(document.data["name"]), pools=pools, warnings=warnings),
        "tenancy": tenancy(document.data),
        "identity": identity(document.data),
        "hosts": hosts(document.data),
        "pools": looked_for["pools"],
        "canary": looked_for["canary"],
        # Ansible shows this list to the operator; since 2.19 it takes an empty one away.
        "warnings": warnings,
    }
