# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes rules that Keystone would store: every operator, every kind of local part, and refusals on purpose."""

from __future__ import annotations

import random

from contract.mapping import material

OPERATORS = ("any_one_of", "not_any_of", "whitelist", "blacklist")
# What is wrong in a rule set on purpose, with the share of the rule sets that get it; the rest is made to work.
FLAWS = {"index": 3, "key": 2, "value": 3, "attribute": 2, "type": 2, "pattern": 4, "pattern_type": 2, "unhashable": 3,
         "deep": 3, "no_domain": 5, "groups_json": 6, "groups_literal": 4, "ids_literal": 4, "projects_json": 8,
         "projects_json_field": 3}
ONLY_3 = ("projects_json", "projects_json_field")
SHARE_OF_FLAWS = 40


class RuleMaker:
    """Rules of one schema version from one source of chance."""

    def __init__(self, version: str, chance: random.Random):
        self.version = version
        self.chance = chance
        self.flaw = ""
        self.texts = list(material.FIELDS)

    def rule_set(self) -> list[dict]:
        """One to three rules, seldom more."""
        self.flaw = ""
        flaws = {name: weight for name, weight in FLAWS.items() if self.version == "3.0" or name not in ONLY_3}
        if self.chance.randrange(100) < SHARE_OF_FLAWS:
            self.flaw = self.chance.choice([name for name, weight in flaws.items() for _ in range(weight)])
        rules = [self._rule() for _ in range(self._count(1, 1, 1, 2, 2, 3, 4))]
        if self.flaw:
            self._spoil(self.chance.choice(rules))
        return rules

    def _rule(self) -> dict:
        remote = [self._requirement() for _ in range(self._count(1, 1, 2, 2, 3, 3, 4, 5))]
        self.fields = self._fields_that_fit(remote)
        local = [self._local() for _ in range(self._count(1, 1, 1, 2, 2, 3, 0))]
        if local and self.chance.randrange(3) and not any("user" in one for one in local):
            local.insert(0, {"user": self._user()})
        return {"local": local, "remote": remote}

    def _count(self, *numbers: int) -> int:
        return self.chance.choice(numbers)

    def _one_in(self, number: int) -> bool:
        return self.chance.randrange(number) == 0

    def _word(self) -> str:
        return self.chance.choice(material.WORDS)

    def _requirement(self) -> dict:
        requirement = {"type": self.chance.choice(material.CLAIMS)}
        if self.chance.randrange(5) < 2:
            return requirement
        operator = self.chance.choice(OPERATORS)
        if self._one_in(3):
            values = [self.chance.choice(material.PATTERNS)[0] for _ in range(self._count(1, 1, 2, 3))]
            requirement["regex"] = True
        else:
            values = [self._word() for _ in range(self._count(1, 2, 3, 4))]
            if self._one_in(12):
                values.append(self.chance.choice(material.ODD_VALUES))
            if self._one_in(3):
                requirement["regex"] = False
        requirement[operator] = [] if self._one_in(14) else values
        return requirement

    def _fields_that_fit(self, remote: list[dict]) -> list[str]:
        """Texts whose fields these requirements fill: not every requirement fills one."""
        filled = sum("any_one_of" not in one and "not_any_of" not in one for one in remote)
        if filled == 0:
            return ["constant", "", "{{0}}", "Zoë"]
        texts = [text for text in material.FIELDS if filled > 1 or ("{1}" not in text and text.count("{}") < 2)]
        # Weight on what people write.
        return texts + ["{" + str(number) + "}" for number in range(filled) for _ in range(8)]

    def _text(self) -> str:
        return self.chance.choice(self.fields)

    def _domain(self) -> dict:
        return self.chance.choice((
            {"name": "research"}, {"name": "research"}, {"id": "d1"}, {"id": "d2", "name": "other"}, {},
            {"name": self._text()}, {"id": self._text()}))

    def _user(self) -> dict:
        user = {}
        for key, odds in (("name", 1), ("id", 5), ("email", 3)):
            if self._one_in(odds):
                user[key] = self._text()
        if self._one_in(3):
            user["type"] = self.chance.choice(("ephemeral", "local"))
        if self._one_in(3):
            user["domain"] = self._domain()
        return {} if self._one_in(20) else user

    def _local(self) -> dict:
        """One local part, of one or more kinds."""
        kinds = ["user", "group", "group_id", "groups", "group_ids", "projects", "domain"]
        if self.version == "3.0":
            kinds.append("projects_json")
        local = {}
        for _ in range(self._count(1, 1, 1, 2, 3)):
            getattr(self, "_add_" + self.chance.choice(kinds))(local)
        return {} if self._one_in(40) else local

    def _add_user(self, local: dict) -> None:
        local["user"] = self._user()

    def _add_group(self, local: dict) -> None:
        local["group"] = {"name": self._text(), "domain": self._domain()}

    def _add_group_id(self, local: dict) -> None:
        local["group"] = {"id": self._text()}

    def _add_groups(self, local: dict) -> None:
        local["groups"] = self._text()
        local.setdefault("domain", self._domain())

    def _add_group_ids(self, local: dict) -> None:
        local["group_ids"] = self._text()

    def _add_domain(self, local: dict) -> None:
        local["domain"] = self._domain()

    def _add_projects(self, local: dict) -> None:
        local["projects"] = [self._project() for _ in range(self._count(1, 1, 2, 3, 0))]

    def _add_projects_json(self, local: dict) -> None:
        local["projects_json"] = self.chance.choice(material.PROJECTS_JSON_FIELDS)

    def _project(self) -> dict:
        project = {"name": self._text(), "roles": [{"name": self._text()} for _ in range(self._count(1, 1, 2, 0))]}
        if self.version != "1.0" and self._one_in(2):
            project["domain"] = self._domain()
        return project

    def _spoil(self, rule: dict) -> None:
        """Puts the flaw of this rule set into one of its rules."""
        local = self.chance.choice(rule["local"]) if rule["local"] else None
        if local is None:
            local = {"user": {"name": "{0}"}}
            rule["local"].append(local)
        if self.flaw in material.BAD_FIELDS:
            self._put_text(local, self.chance.choice(material.BAD_FIELDS[self.flaw]))
        elif self.flaw in ("pattern", "pattern_type", "unhashable"):
            self._put_values(rule)
        elif self.flaw == "no_domain":
            local["groups"] = self.chance.choice(("{0}", "constant", "a name", self._text()))
            local.pop("domain", None)
        elif self.flaw in ("groups_json", "groups_literal"):
            local["groups"] = self.chance.choice(("{0}", "{0}", "{0}", "['JSON:5', 'name {0}']", self._text()))
            local.setdefault("domain", self._domain())
        elif self.flaw == "deep":
            local.update(self.chance.choice(({"groups": "{0}", "domain": {"name": "research"}}, {"group_ids": "{0}"})))
        elif self.flaw == "ids_literal":
            local["group_ids"] = self.chance.choice(("{0}", "{0}", "[{0!r}, {0!r}]", "['{0}', {0}]", "[{0}]"))
        elif self.flaw == "projects_json":
            local["projects_json"] = self.chance.choice(("{0}", "{0}", "0", "{1}"))
        else:
            local["projects_json"] = self.chance.choice(material.BAD_PROJECTS_JSON_FIELDS)

    def _put_text(self, local: dict, text: str) -> None:
        where = self._count(0, 1, 2, 3, 4, 5)
        if where == 0:
            local["groups"] = text
            local.setdefault("domain", {"name": "research"})
        elif where == 1:
            local["group_ids"] = text
        elif where == 2:
            local["domain"] = {self.chance.choice(("id", "name")): text}
        elif where == 3:
            local["projects"] = [{"name": "a", "roles": [{"name": text}]}]
        elif where == 4:
            local["group"] = {"name": text, "domain": {"name": "research"}}
        else:
            local["user"] = {self.chance.choice(("name", "id", "email")): text}

    def _put_values(self, rule: dict) -> None:
        """A value that cannot be compared, among others that can: it matters only when Keystone comes to it."""
        requirement = self.chance.choice(rule["remote"])
        for key in (*OPERATORS, "regex"):
            requirement.pop(key, None)
        values = [self._word() for _ in range(self._count(0, 0, 1, 2))]
        if self.flaw == "unhashable":
            values.insert(self._count(0, len(values)), self.chance.choice(material.UNHASHABLE))
        else:
            bad = material.BROKEN_PATTERNS if self.flaw == "pattern" else (*material.ODD_VALUES, *material.UNHASHABLE)
            values = [value for value in values if value.isalpha()]
            values.insert(self._count(0, len(values)), self.chance.choice(bad))
            requirement["regex"] = True
        requirement[self.chance.choice(OPERATORS)] = values
