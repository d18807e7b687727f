# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether identity is as declared, and whether mappings do what they are meant to. Pure."""

from __future__ import annotations

from .._core.change import count
from .._core.result import declared_verdicts
from .._core.verdicts import seen, verdict
from .mapping_check import differences

# Which lists of the slice of the document each module looks at.
LISTS = {
    "groups and users": ("groups", "users"),
    "assignments": ("assignments", "scopes"),
    "federation": ("mappings", "identity_providers", "service_providers"),
}
CHECKED = "rules and claims of the region document"


def verdicts(results, declared, checked, time, personas=None):
    """Return verdicts of ``identity.declared``, ``.mapping_assertions``, ``.mapping_findings`` and ``.personas``.

    What is not declared at all has no verdict; what is declared and was not looked at is an ``error``.

    Args:
        results: mapping of subject to the result of its module in check mode, of the subjects of ``LISTS``.
        declared: the slice of the document about identity.
        checked: what identity_mapping_check returned.
        time: when it was asked, in UTC, as ISO 8601.
        personas: what identity_persona_check returned.
    """
    asked = {
        subject: result for subject, result in results.items()
        if any(declared.get(key) for key in LISTS[subject]) or (result and not result.get("skipped"))
    }
    found = declared_verdicts(asked, time, "identity.declared")
    mappings = declared.get("checks") or []
    for index, mapping in enumerate(mappings):
        subject, prefix = "mapping {0}".format(mapping["name"]), "mappings[{0}].".format(index)
        found.append(_assertions(subject, mapping, checked or {}, time))
        found.append(_findings(subject, checked or {}, time, lambda path, prefix=prefix: path.startswith(prefix)))
    if mappings:
        found.append(_findings("providers", checked or {}, time, lambda path: not path.startswith("mappings[")))
    policy = declared.get("policy") or {}
    if policy.get("overrides") or policy.get("expect") or personas:
        found += _personas(personas or {}, time)
    return found


def _personas(result, time):
    rule, subject, source = "identity.personas", "policies", "policies of the region document"
    if result.get("skipped"):
        return []
    if "widened" not in result:
        return [_unseen(rule, subject, result, time)]
    if result.get("failed"):
        status, message = "fail", "; ".join(result.get("problems") or [str(result.get("msg"))])
    else:
        status, message = "pass", "no persona may do more than it should"
    return [verdict(rule, subject, status, message, [seen(source, time, result["widened"])])]


def _assertions(subject, mapping, checked, time):
    rule = "identity.mapping_assertions"
    if "results" not in checked:
        return _unseen(rule, subject, checked, time)
    rows = {row["name"]: row for row in checked["results"] if row.get("mapping") == mapping["name"]}
    wanted = {one["name"]: one.get("expect") or {} for one in mapping.get("assertions") or []}
    unseen = sorted(set(wanted) - set(rows))
    if unseen:
        return _unseen(rule, subject, {"msg": "not evaluated: {0}".format(", ".join(unseen))}, time)
    if not wanted:
        return verdict(rule, subject, "not_applicable", "it has no golden assertion", [seen(CHECKED, time, [])])
    wrong = {name: differences(expect, rows[name]) for name, expect in wanted.items()}
    wrong = ["{0} ({1})".format(name, ", ".join(texts)) for name, texts in wrong.items() if texts]
    if wrong:
        message = "not as expected: {0}".format("; ".join(wrong))
    else:
        message = "{0} as expected".format(count(len(wanted), "assertion"))
    shown = [{key: rows[name][key] for key in ("name", "accepted", "matched_rules")} for name in wanted]
    return verdict(rule, subject, "fail" if wrong else "pass", message, [seen(CHECKED, time, shown)])


def _findings(subject, checked, time, about):
    rule = "identity.mapping_findings"
    if "findings" not in checked:
        return _unseen(rule, subject, checked, time)
    rows = [row for row in checked["findings"] if about(row["path"])]
    critical = [row for row in rows if row["severity"] == "critical"]
    if critical:
        message = "; ".join("{0}: {1}".format(row["path"], row["message"]) for row in critical)
    elif rows:
        told = ("{0} {1}".format(row["severity"], row["id"]) for row in rows)
        message = "nothing critical; {0}".format(", ".join(told))
    else:
        message = "nothing found"
    return verdict(rule, subject, "fail" if critical else "pass", message, [seen(CHECKED, time, rows)])


def _unseen(rule, subject, checked, time):
    message = str(checked.get("msg") or "not checked: an earlier step failed")
    return verdict(rule, subject, "error", message, [seen(CHECKED, time, None, "error")])
