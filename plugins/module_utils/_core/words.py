# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and verdicts in sentences that can be read aloud. Pure."""

from __future__ import annotations

from .change import count

# Kinds of which Nova's or Keystone's word has no plain plural.
PLURALS = {
    "flavor extra specs": ("set of extra specs", "sets of extra specs"),
    "flavor extra spec": ("extra spec", "extra specs"),
    "flavor access": ("flavor access", "flavor accesses"),
}
# How they are read aloud before the name of the object.
SUBJECTS = {
    "flavor extra specs": "extra specs of flavor",
    "flavor extra spec": "extra spec of flavor",
    "flavor access": "access to flavor",
    "group membership": "membership of",
    "role assignment": "role",
}
FIELDS = {
    "ram_mib": "RAM", "disk_gib": "disk", "vcpus": "vCPUs", "authorization_ttl": "authorization TTL",
    "auth_url": "auth URL", "sp_url": "SP URL",
}
UNITS = {"ram_mib": " MiB", "disk_gib": " GiB", "authorization_ttl": " min"}
# Rules of a mapping are no words; how many they are is.
COUNTED = {"rules": "rule"}
# So many names of hosts stand in one sentence.
MOST_HOSTS = 8
# What a headline says first, by what was run.
HEADLINES = {
    "plan": "Plan for region {0}",
    "check": "Plan for region {0}",
    "site": "Done in region {0}",
    "teardown": "Removed from region {0}",
    "teardown plan": "Plan to empty region {0}",
    "verify": "Differences in region {0}",
}


def headline(actions, region, verb="plan"):
    """Return the one sentence that sums up a list of actions."""
    start = HEADLINES.get(verb, "{0}: " + verb).format(region)
    if not actions:
        return "{0}: nothing to do".format(start)
    kinds = {}
    for action in actions:
        # A domain that is disabled and then deleted is two changes of one domain.
        kinds.setdefault(action["kind"], set()).add((action["name"], action.get("host")))
    parts = ", ".join(_counted(kind, len(names)) for kind, names in kinds.items())
    text = "{0}: {1}: {2}".format(start, count(len(actions), "change"), parts)
    for key in ("interrupts", "deferred"):
        number = sum(1 for action in actions if action.get(key))
        if number:
            verb = "interrupts work" if key == "interrupts" else "has to wait"
            verb = verb if number == 1 else {"interrupts work": "interrupt work", "has to wait": "have to wait"}[verb]
            text += "; {0} {1}".format(number, verb)
    return text


def plan_lines(actions, region, verb="plan", warnings=()):
    """Return the headline, one numbered sentence for each action, and the warnings."""
    lines = [headline(actions, region, verb)]
    lines += ["{0}. {1}".format(number, text) for number, text in enumerate(sentences(actions), 1)]
    return lines + ["warning: {0}".format(_plain(warning)) for warning in warnings]


def sentences(actions):
    """Return a sentence for each action; what is the same on several hosts is said once, with their names.

    One role of one party in several places is one sentence, too.
    """
    found, given = {}, {}
    for place, action in enumerate(actions):
        text, host = sentence(action), action.get("host")
        grant = _grant(action)
        if grant:
            text = "{0} role {1} of {2}".format(action["verb"], *grant[:2])
            given.setdefault(text, []).append(grant[2])
        found.setdefault((text, None if host or grant else place), []).append(host)
    return [text + (" on " + _listed(given[text]) if text in given else _on(hosts))
            for (text, unused), hosts in found.items()]


def _grant(action):
    """Return (role, to whom, where) of a role assignment, in words; None for any other action."""
    fields = action.get("after") or action.get("before") or {}
    actor = next((key for key in ("group", "user") if fields.get(key)), None)
    scope = next((key for key in ("project", "domain", "system") if fields.get(key)), None)
    if action["kind"] != "role assignment" or not actor or not scope or action.get("interrupts"):
        return None
    where = "the system" if scope == "system" else "{0} {1}".format(scope, _plain(fields[scope]))
    where = "the projects below " + where if fields.get("inherited") else where
    return _plain(fields["role"]), "{0} {1}".format(actor, _plain(fields[actor])), where


def _listed(words):
    """Return all of them: who may do what where is not shortened."""
    return words[0] if len(words) == 1 else "{0} and {1}".format(", ".join(words[:-1]), words[-1])


def _on(hosts):
    names = [_plain(host) for host in dict.fromkeys(hosts) if host]
    if not names:
        return ""
    shown = ", ".join(names[:MOST_HOSTS])
    more = len(names) - MOST_HOSTS
    return " (on {0})".format(shown + (" and {0} more".format(more) if more > 0 else ""))


def sentence(action):
    """Return one action as a sentence: what happens to what, from what to what, and what it costs."""
    text = "{0} {1} {2}".format(
        action["verb"], SUBJECTS.get(action["kind"], action["kind"]), _plain(action["name"]))
    before, after = action.get("before"), action.get("after")
    if action["verb"] in ("update", "adopt", "set", "bind", "unbind"):
        changes = _changes(before or {}, after or {})
        text += ": " + ", ".join(changes) if changes else ""
    elif action["verb"] == "create":
        fields = _fields(after or {})
        text += " ({0})".format(", ".join(fields)) if fields else ""
    if action.get("interrupts"):
        text += "; interrupts work: {0}".format(_plain(action["interrupts"]))
    if action.get("deferred"):
        text += "; deferred: {0}".format(_plain(action["deferred"]))
    return text


def verdict_lines(verdicts):
    """Return one line for each verdict, and a last one that counts them."""
    lines = [
        "{0}: {1}, {2}: {3}".format(one["status"], one["rule"], _plain(one["subject"]), _plain(one["message"]))
        for one in verdicts
    ]
    if not verdicts:
        return ["no verdict: nothing was looked at, and that is never a pass"]
    numbers = {}
    for one in verdicts:
        numbers[one["status"]] = numbers.get(one["status"], 0) + 1
    order = ("error", "fail", "pass", "not_applicable", "waived")
    known = ["{0} {1}".format(numbers[status], status) for status in order if status in numbers]
    return lines + ["{0}: {1}".format(count(len(verdicts), "verdict"), ", ".join(known))]


def _counted(kind, number):
    one, many = PLURALS.get(kind, (kind, kind + "s"))
    return "{0} {1}".format(number, one if number == 1 else many)


def _fields(after):
    """Return the fields of a new object worth a word: what is empty, or as it would be anyway, is not."""
    return [
        _count(key, value) if key in COUNTED else "{0} {1}".format(_label(key), _value(value, key))
        for key, value in after.items()
        if value not in ("", [], {}, None) and not (key == "enabled" and value is True) and key != "project"
    ]


def _changes(before, after):
    return [
        "other rules ({0} instead of {1})".format(_count(key, value), len(before.get(key) or ())) if key in COUNTED
        else "{0} from {1} to {2}".format(_label(key), _value(before.get(key), key), _value(value, key))
        for key, value in after.items()
    ]


def _count(key, value):
    return count(len(value or ()), COUNTED[key])


def _label(key):
    # Only our own fields are words; a key with a colon is Nova's, and is written as Nova has it.
    return FIELDS.get(key, _plain(key) if ":" in key else _plain(key).replace("_", " "))


def _value(value, key=""):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == [] or value == {}:
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, (list, tuple)):
        return " and ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return " and ".join("{0} {1}".format(_plain(name), _value(value[name])) for name in sorted(value))
    text = _plain(value) + UNITS.get(key, "")
    return '"{0}"'.format(text) if " " in text and key not in UNITS else text


def _plain(value):
    """Return text on one line: a name that holds a line break must not look like a line of the plan."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))
