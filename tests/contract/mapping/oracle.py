# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keystone's own answers. Run by an interpreter that has Keystone's dependencies, with one Keystone first on its path.

    oracle.py CASES ANSWERS natural|ordered structures|-

CASES: JSON {"structures": [[schema version, rules], …], "cases": [[number of a structure, claims], …]}.
ANSWERS: JSON {"release", "file", "unmet", "versions", "cases", "structures"}; "unmet" names what this Keystone requires
of other packages and does not find here. An answer to a case is ["accepted", text] with the text of canonical.py, or
["refused", exception, function of Keystone that it came from]; to a structure, null or the message.

Keystone filters values with sets, so the order of what passes depends on Python's hash seed. `natural` leaves it so;
`ordered` gives the module a set that keeps the order of what was put into it: nothing else is changed.
"""

from __future__ import annotations

import json
import logging
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import canonical


class OrderedSet:
    """As much of a set as Keystone's processor uses, in the order in which members were added."""

    def __init__(self, members=()):
        self._members = {}
        self.update(members)

    def add(self, member):
        self._members.setdefault(member)

    def update(self, members):
        for member in members:
            self.add(member)

    def intersection(self, other):
        # In the order of the claim, which is what Keystone asks with.
        return OrderedSet(member for member in other if member in self._members)

    def difference(self, other):
        return OrderedSet(member for member in self._members if member not in set(other))

    def __iter__(self):
        return iter(self._members)

    def __len__(self):
        return len(self._members)


def processed(utils, version, rules, claims):
    """The answer to one case; None where this Keystone has no such schema. Rules are a text: new ones for each case."""
    if version not in utils.IDP_ATTRIBUTE_MAPPING_SCHEMAS:
        return None
    mapping = {"id": "mapping", "schema_version": version, "rules": json.loads(rules)}
    try:
        return ["accepted", canonical.of_result(
            utils.create_attribute_mapping_rules_processor(mapping).process(claims))]
    except Exception as error:  # whatever it is, the login is refused
        return ["refused", canonical.exception_name(type(error).__name__), site(utils, error)]


def site(utils, error) -> str:
    """The last function of Keystone's module that the exception passed through: it tells refusals apart."""
    names, frame = [], error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == utils.__file__:
            names.append(frame.tb_frame.f_code.co_name)
        frame = frame.tb_next
    return [name for name in names if not name.startswith("<")][-1]


def structure(utils, version, rules):
    """None, or why Keystone refuses to store these rules."""
    if version not in utils.IDP_ATTRIBUTE_MAPPING_SCHEMAS:
        return "no such schema"
    try:
        utils.validate_mapping_structure({"rules": rules, "schema_version": version})
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]
    return None


def unmet():
    """What the package says that it requires, and this interpreter does not have."""
    from packaging.requirements import Requirement

    missing = []
    for line in metadata.requires("keystone"):
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            if not requirement.specifier.contains(metadata.version(requirement.name), prereleases=True):
                missing.append(line)
        except metadata.PackageNotFoundError:
            missing.append(line)
    return missing


def main():
    logging.disable(logging.CRITICAL)
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))
    import keystone.conf

    keystone.conf.configure()
    from keystone.federation import utils

    if sys.argv[3] == "ordered":
        utils.set = OrderedSet
    rules = [(version, json.dumps(one)) for version, one in asked["structures"]]
    answers = {
        "release": metadata.version("keystone"),
        "file": utils.__file__,
        "unmet": unmet(),
        "versions": sorted(utils.IDP_ATTRIBUTE_MAPPING_SCHEMAS),
        "cases": [processed(utils, *rules[number], claims) for number, claims in asked["cases"]],
        # jsonschema takes its time, and nothing there depends on a seed.
        "structures": [structure(utils, *one) for one in asked["structures"]] if sys.argv[4] == "structures" else [],
    }
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="ascii")


if __name__ == "__main__":
    main()
