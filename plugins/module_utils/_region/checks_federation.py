# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mappings that this Keystone reads, assertions that can come true, identity providers that can be told apart."""

from __future__ import annotations

from .._core.schema import Problem, child
from .checks_identity import domain_problems
from .checks_sites import twice
from .names import qualified
from .schema_identity import RELEASES

OPERATORS = ("any_one_of", "not_any_of", "whitelist", "blacklist")
# Mappings of schema 3.0 came with Keystone 29; the API does not tell whether a Keystone knows them.
FIRST_WITH_3_0 = "2026.1"


def problems(view):
    """Return the problems of mappings, identity providers and service providers."""
    # Keystone on MySQL or MariaDB compares names without case.
    found = twice(view.names["mappings"], "mapping", str.casefold)
    for path, mapping in view.mappings:
        found += _version_problems(view, path, mapping)
        found += _rule_problems(child(path, "rules"), mapping["rules"])
        found += _assertion_problems(view, child(path, "assertions"), mapping)
    found += twice(view.names["identity_providers"], "identity provider", str.casefold)
    found += _remote_id_problems(view.identity_providers)
    for path, provider in view.identity_providers:
        found += domain_problems(view, path, provider["domain"])
        found += _protocol_problems(view, child(path, "protocols"), provider["protocols"])
    found += twice(view.names["service_providers"], "service provider", str.casefold)
    return found + _absent_problems(view)


def _absent_problems(view):
    """Return problems of names that are declared and shall not be there."""
    absent = view.absent if isinstance(view.absent, dict) else {}
    found = []
    for kind in ("mappings", "identity_providers", "service_providers"):
        declared = {name.casefold() for name in view.declared(kind)}
        names = absent.get(kind)
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and name.casefold() in declared:
                path = child(child(child(view.identity_path, "absent"), kind), index)
                found.append(Problem(path, name, "a name that is not declared in {0}".format(kind), kind="meaning"))
    return found


def _version_problems(view, path, mapping):
    release = view.keystone_release
    if mapping["schema_version"] != "3.0" or release not in (None, *RELEASES):
        return []
    if release and release >= FIRST_WITH_3_0:
        return []
    expected = "1.0 or 2.0, or keystone_release {0} or later in section identity ({1})".format(
        FIRST_WITH_3_0, "it is {0}".format(release) if release else "it is not said")
    return [Problem(child(path, "schema_version"), "3.0", expected, kind="meaning")]


def _rule_problems(path, rules):
    """Return problems of requirements that Keystone's schema refuses, but ours cannot say."""
    found = []
    for index, rule in enumerate(rules):
        for place, remote in enumerate(rule["remote"]):
            where = child(child(child(path, index), "remote"), place)
            operators = [key for key in OPERATORS if key in remote]
            if len(operators) > 1:
                expected = "one of {0} in one requirement; write another requirement for the other".format(
                    ", ".join(OPERATORS))
                state = " and ".join(operators) + " together"
                found.append(Problem(where, None, expected, kind="meaning", state=state))
            elif "regex" in remote and not operators:
                expected = "one of {0} beside it".format(", ".join(OPERATORS))
                found.append(Problem(child(where, "regex"), remote["regex"], expected, kind="meaning"))
    return found


def _assertion_problems(view, path, mapping):
    found, first = [], {}
    for index, assertion in enumerate(mapping["assertions"]):
        where, name = child(path, index), assertion["name"]
        if first.setdefault(name, index) != index:
            expected = "another name, assertions[{0}] has it".format(first[name])
            found.append(Problem(child(where, "name"), name, expected, kind="meaning"))
        found += _expectation_problems(view, child(where, "expect"), assertion.get("expect") or {}, mapping["rules"])
    return found


def _expectation_problems(view, path, expect, rules):
    found = []
    if expect.get("accepted") is False:
        for key in ("user", "group_ids", "group_names", "projects"):
            if expect.get(key):
                expected = "nothing here, because accepted is false: who is refused becomes nobody"
                found.append(Problem(child(path, key), expect[key], expected, kind="meaning"))
        return found
    if expect.get("accepted") is True and "reason" in expect:
        expected = "nothing here, because accepted is true: a reason is one of refusal"
        found.append(Problem(child(path, "reason"), expect["reason"], expected, kind="meaning"))
    for index, number in enumerate(expect.get("matched_rules", ())):
        if number >= len(rules):
            expected = "at most {0}: the mapping has {1}, counted from 0".format(
                len(rules) - 1, "1 rule" if len(rules) == 1 else "{0} rules".format(len(rules)))
            found.append(Problem(child(child(path, "matched_rules"), index), number, expected, kind="meaning"))
    for index, group in enumerate(expect.get("group_names", ())):
        found += _group_problems(view, child(child(path, "group_names"), index), group)
    return found


def _group_problems(view, path, group):
    """Return the problem of an expected group that is not declared: Keystone passes over it without a word."""
    if isinstance(group, str):
        return view.refer(path, "groups", group)[0]
    domain = group.get("domain") if isinstance(group, dict) else None
    name = group.get("name") if isinstance(group, dict) else None
    domain = domain.get("name") if isinstance(domain, dict) else domain
    if not isinstance(name, str) or not isinstance(domain, str):
        return []
    return view.refer(path, "groups", qualified(domain, name))[0]


def _remote_id_problems(providers):
    """Return problems of remote ids that two providers claim; Keystone refuses them without saying whose they are."""
    found, first = [], {}
    for path, provider in providers:
        for index, remote_id in enumerate(provider["remote_ids"]):
            before = first.setdefault(remote_id.casefold(), provider["name"])
            if before != provider["name"]:
                where = child(child(path, "remote_ids"), index)
                expected = "a remote id of its own; the identity provider {0!r} has it".format(before)
                found.append(Problem(where, remote_id, expected, kind="meaning"))
    return found


def _protocol_problems(view, path, protocols):
    named = [(child(path, index), protocol["name"]) for index, protocol in enumerate(protocols)]
    found = twice(named, "protocol", str.casefold)
    known = view.declared("mappings")
    for index, protocol in enumerate(protocols):
        if protocol["mapping"] not in known:
            found += view.unknown(child(child(path, index), "mapping"), protocol["mapping"], "mappings", known)
    return found
