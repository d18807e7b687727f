# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that a mapping puts people into. Pure.

Source of what Keystone does: ``keystone/federation/utils.py`` (``_normalize_groups``) and
``keystone/auth/plugins/mapped.py``, 30.0.0.
"""

from __future__ import annotations

import re

from .mapping_lint_context import domain_name, shown
from .mapping_lint_model import domain_of
from .mapping_lint_regex import pattern_of
from .mapping_lint_table import found, unknown

_JSON = "JSON:"


def findings(rules, context):
    """Return the findings about groups.

    Args:
        rules: list of Rule.
        context: Context.
    """
    found_here = []
    for rule in rules:
        parts = dict(rule.locals)
        for path, part in rule.locals:
            if isinstance(part.get("groups"), str) and "domain" not in part and _JSON not in part["groups"] and not (
                    _all_json(rule, path)):
                found_here.append(found("groups-without-domain", path + ".groups", "groups stand without a domain"))
        for text in rule.texts:
            if text.template.error:
                continue
            if text.keys in (("group", "id"), ("group_ids",)):
                found_here += _ids(rule, text)
            elif text.keys == ("groups",):
                found_here += _names(rule, text, parts[text.path.rpartition(".")[0]], context)
            elif text.keys == ("group", "name") and text.path.endswith(".group.name"):
                group = parts[text.path[:-len(".group.name")]]["group"]
                found_here += _unfiltered(rule, text)
                found_here += _known(_constants(rule, text), group, context)
                found_here += _privileged(rule, text, group, context)
    return found_here


def _ids(rule, text):
    open_ones = [source.claim for source in rule.sources(text) if _lets_all(source)]
    if open_ones:
        yield found("unfiltered-group-ids", text.path, "{0} chooses groups by id".format(
            ", ".join(map(repr, open_ones))))
    else:
        yield found("group-id", text.path, "{0!r} is an id".format(text.template.text))


def _names(rule, text, holder, context):
    yield from _unfiltered(rule, text)
    names = _constants(rule, text)
    for path, name in names:
        if "name" in name and not name.startswith(_JSON):
            yield found("group-named-name", path, "{0!r} holds 'name'".format(name))
    yield from _known(names, holder, context)
    yield from _privileged(rule, text, holder, context)


def _unfiltered(rule, text):
    open_ones = [source.claim for source in rule.sources(text) if _lets_all(source)]
    if open_ones:
        yield found("unfiltered-groups", text.path, "every value of {0} becomes a group".format(
            ", ".join(map(repr, open_ones))))


def _lets_all(source):
    return not source.operator or (source.operator == "whitelist" and source.regex and any(
        pattern_of(value).everything for value in source.texts))


def _privileged(rule, text, holder, context):
    """Yield a finding for each group with an administrator's role that a claim can name, without being listed."""
    if not _whole_claim(text.template):
        return
    reached = [place for place in sorted(context.privileged_groups) if _within(holder, place[0])]
    for source in rule.sources(text):
        for place in reached:
            if _lets_by_accident(source, place[1]):
                yield found("admin-granted", text.path, (
                    "{0!r} can name the group {1!r}, which is declared to have an administrator's role".format(
                        source.claim, shown(place))))


def _within(holder, domain):
    """Whether what is named may be in a domain: it is written there, nothing is written, or a claim chooses it."""
    written = domain_of(holder)
    return written is None or "{" in written or domain_name(holder) == domain


def _lets_by_accident(source, name):
    """Whether a value gets through that the mapping does not list as such."""
    if source.operator == "whitelist" and not source.regex:
        return False
    if source.operator in ("whitelist", "blacklist"):
        matched = any(_finds(value, name) for value in source.texts) if source.regex else name in source.texts
        return matched is (source.operator == "whitelist")
    return True


def _finds(expression, name):
    # One that is slow could keep us here; it is told by itself.
    pattern = pattern_of(expression)
    return pattern.error is None and not pattern.slow and re.search(expression, name) is not None


def _whole_claim(template):
    """Whether a text is the value of one claim and nothing else."""
    return bool(template.slots) and template.text in ("{}", "{{{0}}}".format(template.slots[0]))


def _constants(rule, text):
    """Return (path, name) of the groups that a text can be, where the mapping lists them."""
    template = text.template
    if not template.slots:
        return [(text.path, template.text)]
    if not _whole_claim(template):
        return []
    return [("{0}.whitelist[{1}]".format(source.path, place), value)
            for source in rule.sources(text) if source.operator == "whitelist" and not source.regex
            for place, value in enumerate(source.values) if isinstance(value, str)]


def _all_json(rule, path):
    """Whether the mapping lists nothing but groups in JSON, which bring their domains."""
    listed = [value for text in rule.texts if text.path == path + ".groups" for unused, value in _constants(rule, text)]
    return bool(listed) and all(value.startswith(_JSON) for value in listed)


def _known(names, holder, context):
    domain = domain_name(holder)
    for path, name in names:
        if name.startswith(_JSON):
            continue
        if domain is not None and context.groups is not None and (domain, name) not in context.groups:
            yield unknown("unknown-group", path, shown((domain, name)), "group", [
                shown(one) for one in context.groups])
        for place in sorted(context.privileged_groups):
            if place[1] != name or not _within(holder, place[0]):
                continue
            yield found("admin-granted", path, "the group {0!r} is declared to have an administrator's role".format(
                shown(place)))
