# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as a whole: whom they match, and whether their texts can be filled. Pure."""

from __future__ import annotations

from .mapping_lint_model import COMMON_CLAIM
from .mapping_lint_regex import pattern_of
from .mapping_lint_table import found


def findings(rules):
    """Return the findings about rules and their texts.

    Args:
        rules: list of Rule.
    """
    found_here = []
    for place, rule in enumerate(rules):
        found_here += _whom(rule)
        found_here += _filters(rule)
        found_here += _twice(rule, rules[:place])
        found_here += _impossible(rule)
        for text in rule.texts:
            found_here += _template(rule, text)
        found_here += _shift(rule)
    return found_here


def _whom(rule):
    if rule.grants_constant and rule.remotes and not any(map(_is_condition, rule.remotes)):
        yield found("catch-all", rule.path, (
            "everybody whom the identity provider lets in gets what is at {0}".format(", ".join(rule.grants_constant))))
    if not rule.texts:
        yield found("rule-without-effect", rule.path + ".local", "the rule gives nothing")


def _is_condition(remote):
    """Whether a requirement turns anybody away whom the identity provider lets in."""
    if remote.operator == "any_one_of":
        return not (remote.regex and any(pattern_of(value).everything for value in remote.texts))
    return not remote.operator and not COMMON_CLAIM.search(remote.claim)


def _filters(rule):
    """Whitelists and blacklists that are taken for conditions, or that let in what nobody thought of."""
    if any(text.template.error for text in rule.texts):
        return
    used = {slot for text in rule.texts for slot in text.template.slots}
    granting = {slot for text in rule.texts if text.grants for slot in text.template.slots}
    for remote in rule.slots:
        if not remote.operator:
            continue
        path = "{0}.{1}".format(remote.path, remote.operator)
        if remote.slot not in used:
            yield found("filter-as-condition", path, "{0} of {1!r} refuses nobody, and no text uses {{{2}}}".format(
                remote.operator, remote.claim, remote.slot))
        elif remote.operator == "blacklist" and remote.slot in granting:
            yield found("blacklist-authorizes", path, (
                "everything in {0!r} that is not listed gives a right".format(remote.claim)))


def _twice(rule, before):
    same = [one for one in before if one.written == rule.written]
    if same:
        yield found("duplicate-rule", rule.path, "it is the same as {0}".format(same[0].path))


def _impossible(rule):
    for wanted in rule.remotes:
        for unwanted in rule.remotes:
            if (wanted.claim == unwanted.claim and wanted.operator == "any_one_of" and wanted.texts
                    and unwanted.operator == "not_any_of" and not wanted.regex and not unwanted.regex
                    and set(wanted.texts) <= set(unwanted.texts)):
                yield found("impossible-rule", rule.path, "{0} excludes all that {1} asks for".format(
                    unwanted.path, wanted.path))


def _template(rule, text):
    template = text.template
    if template.error is not None:
        yield found("invalid-template", text.path, "{0!r} cannot be read: {1}".format(template.text, template.error))
        return
    beyond = [slot for slot in template.slots if slot >= len(rule.slots)]
    if beyond:
        numbers = "there is {{0}} to {{{0}}}".format(len(rule.slots) - 1) if len(rule.slots) > 1 else (
            "there is only {0}" if rule.slots else "no requirement of this rule has a number")
        yield found("index-out-of-range", text.path, "{0!r} uses {1}; {2}".format(
            template.text, ", ".join("{{{0}}}".format(slot) for slot in beyond), numbers))
    if template.reaches:
        yield found("format-access", text.path, "{0!r} reaches into the value with {1}".format(
            template.text, ", ".join("{{{0}}}".format(one) for one in template.reaches)))


def _shift(rule):
    """Numbers that look as if they were counted along all requirements: then one of them is left over."""
    if any(text.template.error for text in rule.texts):
        return
    used = {slot for text in rule.texts for slot in text.template.slots}
    if used >= set(range(len(rule.slots))):
        return
    for text in rule.texts:
        for slot in text.template.slots:
            if slot < len(rule.slots) and slot < len(rule.remotes) and (
                    rule.remotes[slot] is not rule.slots[slot] and not rule.remotes[slot].decides):
                yield found("index-shift", text.path, "{{{0}}} is {1!r} ({2}), not {3!r} ({4})".format(
                    slot, rule.slots[slot].claim, rule.slots[slot].path, rule.remotes[slot].claim,
                    rule.remotes[slot].path))
