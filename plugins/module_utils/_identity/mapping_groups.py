# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of ``groups`` and ``group_ids`` that hold a list, as ``{0}`` becomes one when a claim has many values.

Keystone reads such a text as a Python literal, and as one single value where that fails. It tells groups that bring
their own domain by a test that is wider than it looks: whether the letters "name" are anywhere in the text.

Source: keystone/federation/utils.py, RuleProcessor._ast_literal_eval and _normalize_groups (Keystone 30.0.0).
"""

from __future__ import annotations

import ast
import json

from .mapping_refusals import Refusal, brief, where

_MARK = "JSON:"


def literal_list(path, text):
    """Return the list that a text holds, or a list of the text alone. Items may be of any type of literal. Pure.

    Raises:
        Refusal: Python cannot read the text, in a way for which Keystone is not prepared.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return [text]
    except TypeError as error:
        message = "{0}: {1} cannot be read as a list: {2}".format(where(path), brief(text), error)
        raise Refusal("unhashable_literal", message)
    except (RecursionError, MemoryError) as error:
        message = "{0}: {1} is nested too deeply to be read as a list".format(where(path), brief(text))
        raise Refusal("nested_literal", message, type(error).__name__)
    return value if isinstance(value, list) else [text]


def ids_of(path, item):
    """Return the ids that ``group_ids`` of one filled-in item of ``local`` holds, once each. Pure.

    Raises:
        Refusal: the text cannot be read, or what it holds cannot be compared.
    """
    path = path + ("group_ids",)
    ids = literal_list(path, item["group_ids"])
    try:
        return list(dict.fromkeys(ids))
    except TypeError as error:
        raise Refusal("unhashable_group_id", "{0}: {1} cannot be ids: {2}".format(where(path), brief(ids), error))


def groups_of(path, item):
    """Return the groups that ``groups`` of one filled-in item of ``local`` names. Pure.

    Returns:
        Usually dictionaries with ``name`` and ``domain``; whatever follows ``JSON:`` where groups bring their domains.

    Raises:
        Refusal: there is no domain, or the text cannot be read.
    """
    text, path = item["groups"], path + ("groups",)
    if "name" in text:
        groups = [_own_domain(path, one) for one in literal_list(path, text)]
        for group in groups:
            _check_domain(path, text, group)
        return groups
    if "domain" not in item:
        message = "{0}: {1} needs 'domain' beside 'groups', in the same item of local".format(where(path), brief(text))
        raise Refusal("groups_without_domain", message)
    return [{"name": name, "domain": item["domain"]} for name in literal_list(path, text)]


def _own_domain(path, group):
    if not isinstance(group, str):
        message = "{0}: {1} is no text, and Keystone looks whether it begins with {2}"
        raise Refusal("group_not_text", message.format(where(path), brief(group), _MARK))
    if not group.startswith(_MARK):
        return group
    # Keystone takes away all of these letters, in any order, not the mark once. No JSON value begins with one of them.
    text = group.lstrip(_MARK)
    try:
        return json.loads(text)
    except ValueError as error:
        message = "{0}: no JSON after {1}: {2}; it is {3}".format(where(path), _MARK, error, brief(text))
        raise Refusal("bad_group_json", message, type(error).__name__)
    except RecursionError as error:
        raise Refusal("nested_literal", "{0}: {1}".format(where(path), error))


def _check_domain(path, text, group):
    try:
        has_domain = "domain" in group
    except TypeError as error:
        message = "{0}: {1} after {2} is no object with name and domain: {3}"
        raise Refusal("group_json_not_object", message.format(where(path), brief(group), _MARK, error))
    if not has_domain:
        raise Refusal(
            "named_groups_without_domain",
            '{0}: {1} contains the letters \'name\', so Keystone expects groups as {2}{{"name": …, "domain": …}}, '
            "and {3} has no domain; a 'domain' beside 'groups' does not count then".format(
                where(path), brief(text), _MARK, brief(group)
            ),
        )
