# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes claims for rules: such that match, such that almost do, and such that have nothing to do with them."""

from __future__ import annotations

import random

from contract.mapping import material

EXAMPLES = {pattern: (found, not_found) for pattern, found, not_found in material.PATTERNS}
# What a WSGI server puts beside claims: Keystone looks at texts only.
NOT_TEXTS = (None, 5, True, ["alice"], {"a": "b"})


class ClaimMaker:
    """Claims from one source of chance."""

    def __init__(self, chance: random.Random):
        self.chance = chance

    def sets_for(self, rules: list[dict], flaw: str, count: int) -> list[dict]:
        """That many sets of claims: half match one of the rules, the others miss something."""
        made = []
        for number in range(count):
            claims = self._matching(self.chance.choice(rules), flaw)
            if number % 2 or self._one_in(8):
                claims = self._damaged(claims)
            if self._one_in(3):
                # More than one rule may match then.
                for name, value in self._matching(self.chance.choice(rules), flaw).items():
                    claims.setdefault(name, value)
            if self._one_in(4):
                claims.setdefault(self.chance.choice(material.CLAIMS), self._values())
            if self._one_in(10):
                claims["wsgi.input"] = self.chance.choice(NOT_TEXTS)
            made.append(claims)
        return made

    def _one_in(self, number: int) -> bool:
        return self.chance.randrange(number) == 0

    def _matching(self, rule: dict, flaw: str) -> dict:
        """Claims that meet every requirement of the rule, where that is possible."""
        claims = {}
        for requirement in rule["remote"]:
            claims[requirement["type"]] = self._meeting(requirement, flaw)
        return claims

    def _meeting(self, requirement: dict, flaw: str) -> str:
        regex = requirement.get("regex", False)
        for operator in ("any_one_of", "whitelist"):
            if operator in requirement:
                wanted = [self._found(value, regex) for value in requirement[operator]]
                wanted = [value for value in wanted if value is not None] or [self._word()]
                chosen = [self.chance.choice(wanted)]
                return self._joined(chosen, operator == "whitelist")
        for operator in ("not_any_of", "blacklist"):
            if operator in requirement:
                chosen = [self._other(requirement[operator], regex)]
                if operator == "blacklist" and self._one_in(2):
                    chosen += [value for value in requirement[operator] if isinstance(value, str)]
                return self._joined(chosen, operator == "blacklist")
        return self._plain(flaw)

    def _joined(self, chosen: list[str], many: bool) -> str:
        """A claim with these values, and others where that leaves the requirement met."""
        while self._one_in(2 if many else 4):
            chosen.append(self._word())
        if self._one_in(6):
            chosen.append(chosen[0])
        self.chance.shuffle(chosen)
        return ";".join(chosen)

    def _plain(self, flaw: str) -> str:
        """What fills a field: what the flaw is about, else one value or several."""
        special = {"groups_json": material.GROUPS_JSON, "groups_literal": material.LITERALS,
                   "ids_literal": material.LITERALS, "projects_json": material.PROJECTS_JSON,
                   "deep": material.DEEP}.get(flaw)
        if special and self.chance.randrange(5):
            return self.chance.choice(special)
        if self._one_in(30):
            return self.chance.choice((*material.LITERALS, *material.GROUPS_JSON, *material.PROJECTS_JSON))
        return self._values()

    def _values(self) -> str:
        if self.chance.randrange(3):
            return self._word()
        return ";".join(self._word() for _ in range(self.chance.choice((2, 2, 3, 5))))

    def _word(self) -> str:
        return self.chance.choice(material.WORDS)

    def _found(self, value, regex: bool) -> str | None:
        if not isinstance(value, str):
            return str(value)
        if regex:
            return EXAMPLES.get(value, (value, ""))[0]
        return value

    def _other(self, values: list, regex: bool) -> str:
        """A value that none of these is, or finds."""
        if regex:
            others = [EXAMPLES[value][1] for value in values if isinstance(value, str) and value in EXAMPLES]
            return self.chance.choice(others) if others else self._word()
        others = [word for word in material.WORDS if word not in values]
        return self.chance.choice(others)

    def _damaged(self, claims: dict) -> dict:
        """The same with one thing changed, so that a rule which matched may not any more."""
        changed = dict(claims)
        name = self.chance.choice(sorted(changed))
        how = self.chance.randrange(7)
        if how == 0:
            del changed[name]
        elif how == 1:
            changed[name] = ""
        elif how == 2:
            changed[name.swapcase() + "'"] = changed.pop(name)
        elif how == 3:
            changed[name] = changed[name] + ";" + self._word()
        elif how == 4:
            changed[name] = changed[name].replace(";", ",")
        elif how == 5:
            changed[name] = self.chance.choice(NOT_TEXTS)
        else:
            changed[name] = self._word()
        return changed
