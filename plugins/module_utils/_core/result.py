# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a verb, in the shape of docs/outputs.md, from the results of the modules that it ran. Pure."""

from __future__ import annotations

from .words import headline

VERSION = 1


def run_result(results, verb, region, check_mode=False, failure="", verdicts=(), canary=(), message=""):
    """Return ``sovereign_region_result``.

    Args:
        results: what the modules returned, in the order in which they ran; a failed one counts with what it did.
        verb: the playbook.
        region: name of the region, or None when the document could not be read.
        check_mode: whether nothing was changed.
        failure: the message of the task that failed, or an empty text.
        verdicts: what verify found.
        canary: what booting a server for each flavor found.
        message: what to say instead of the headline.
    """
    actions = [action for result in results for action in result.get("actions") or []]
    said = {("site", True): "check", ("teardown", True): "teardown plan"}.get((verb, bool(check_mode)), verb)
    return {
        "version": VERSION,
        "verb": str(verb),
        "region": region,
        "changed": bool(actions) and not (verb == "verify"),
        "failed": bool(failure),
        "check_mode": bool(check_mode),
        "actions": actions,
        "verdicts": list(verdicts),
        "canary": list(canary),
        "api_calls": sum(result.get("api_calls") or 0 for result in results),
        "message": str(failure or message or headline(actions, region, said)),
    }


# What each module asks, by its subject.
SOURCES = {
    "projects": "keystone GET /domains, /projects",
    "flavors": "nova GET /flavors/detail",
    "groups and users": "keystone GET /groups, /users",
    "assignments": "keystone GET /role_assignments",
    "federation": "keystone GET /OS-FEDERATION",
}


def declared_verdicts(results, time, rule="tenancy.declared"):
    """Return one verdict of a rule for each module that was run in check mode.

    Args:
        results: mapping of the subject, such as ``projects``, to the module's result.
        time: when it was asked, in UTC, as ISO 8601.
        rule: what is judged.
    """
    return [_declared(rule, subject, result or {}, time) for subject, result in results.items()]


def _declared(rule, subject, result, time):
    actions = result.get("actions") or []
    if not result or result.get("skipped"):
        status, message = "error", "not asked: an earlier step failed"
    elif result.get("failed") and result.get("error") == "Refused":
        status, message = "fail", str(result.get("msg"))
    elif result.get("failed"):
        status, message = "error", str(result.get("msg") or "no message")
    elif actions:
        names = ["{0} {1} {2}".format(one["verb"], one["kind"], one["name"]) for one in actions]
        shown = ", ".join(names[:5]) + (", and {0} more".format(len(names) - 5) if len(names) > 5 else "")
        status, message = "fail", "site would {0}".format(shown)
    else:
        status, message = "pass", "as declared"
    reached = status in ("pass", "fail")
    evidence = {
        "source": SOURCES.get(subject, subject),
        "time": time,
        "status": "ok" if reached else "error",
        "value": actions if reached else None,
    }
    return {
        "rule": rule,
        "subject": subject,
        "status": status,
        "message": message,
        "evidence": [evidence],
    }
