# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules Keystone accepts as a mapping, for each version of the schema, with a sentence for what it does not.

Source: keystone/federation/utils.py, IDP_ATTRIBUTE_MAPPING_SCHEMA_1_0, _2_0 and _3_0, which Keystone 30.0.0 hands to
jsonschema.Draft4Validator: the same rules are accepted and refused here, without that library.
"""

from __future__ import annotations

from .._core.errors import nearest
from .mapping_conditions import OPERATORS
from .mapping_refusals import brief

SCHEMA_VERSIONS = ("1.0", "2.0", "3.0")


def structure_problems(rules, schema_version):
    """Return what keeps Keystone from accepting the rules. Pure.

    Args:
        rules: the list of rules, as they would be sent.
        schema_version: "1.0", "2.0" or "3.0". Keystone 27 and 28 know no "3.0".

    Returns:
        A list, empty when Keystone accepts them, of dictionaries with ``path`` (such as ``rules[0].local[1].user``),
        ``value`` (what is there) and ``message`` (a sentence without the path).
    """
    if schema_version not in SCHEMA_VERSIONS:
        message = "{0} is no version of the mapping schema that is known here; known: {1}".format(
            brief(schema_version), ", ".join(SCHEMA_VERSIONS)
        )
        return [_problem("schema_version", schema_version, message)]
    return _array(_RULES[schema_version], minimum=1)(rules, "rules")


def project_list_problems(projects, path):
    """Return what is wrong with the projects that ``projects_json`` brought, as structure_problems() does. Pure."""
    return _PROJECTS_2_0(projects, path)


def _problem(path, value, message):
    return {"path": path, "value": value, "message": message}


def _kind(kind, name):
    def check(value, path):
        if isinstance(value, kind):
            return []
        return [_problem(path, value, "expected {0}, not {1}".format(name, brief(value)))]

    return check


_text = _kind(str, "a string")
_flag = _kind(bool, "true or false")
_mapping = _kind(dict, "a dictionary")
_list = _kind(list, "a list")


def _choice(*choices):
    def check(value, path):
        problems = _text(value, path)
        if not problems and value not in choices:
            message = "{0} is none of {1}".format(brief(value), ", ".join(choices))
            return [_problem(path, value, message)]
        return problems

    return check


def _array(item, minimum=0):
    def check(value, path):
        problems = _list(value, path)
        if problems:
            return problems
        if len(value) < minimum:
            return [_problem(path, value, "expected at least {0} item, and it is empty".format(minimum))]
        return [problem for index, one in enumerate(value) for problem in item(one, "{0}[{1}]".format(path, index))]

    return check


def _object(fields, required=()):
    """Return the check of a dictionary that has the required keys, and none but those of ``fields``."""

    def check(value, path):
        problems = _mapping(value, path)
        if problems:
            return problems
        for name in required:
            if name not in value:
                problems.append(_problem(path, value, "{0!r} is missing".format(name)))
        for key, one in value.items():
            if key in fields:
                problems += fields[key](one, "{0}.{1}".format(path, key))
            else:
                problems.append(_problem("{0}.{1}".format(path, key), one, _unknown(key, fields)))
        return problems

    return check


def _unknown(key, fields):
    close = nearest(key, fields)
    hint = "the nearest is {0!r}".format(close) if close else "known: {0}".format(", ".join(fields))
    return "{0} is no key that Keystone knows here; {1}".format(brief(key), hint)


def _requirement(value, path):
    """Check one item of ``remote``: ``type``, and at most one operator."""
    problems = _mapping(value, path)
    if problems:
        return problems
    found = [name for name in OPERATORS if name in value]
    if len(found) > 1:
        message = "a requirement has one operator, not {0}; write one requirement for each".format(" and ".join(found))
        return [_problem(path, value, message)]
    if "regex" in value and not found:
        return [_problem(path, value, "'regex' needs an operator beside it: {0}".format(", ".join(OPERATORS)))]
    return _REQUIREMENT(value, path)


def _group(value, path):
    """Check a group: by ``id``, or by ``name`` and ``domain``."""
    problems = _mapping(value, path)
    if problems:
        return problems
    if "id" in value and ("name" in value or "domain" in value):
        return [_problem(path, value, "a group has an 'id', or a 'name' and a 'domain', not both")]
    if "id" in value:
        return _object({"id": _text})(value, path)
    return _object({"name": _text, "domain": _DOMAIN}, required=("name", "domain"))(value, path)


def _projects(**more):
    return _array(
        _object(
            dict({"name": _text, "roles": _array(_object({"name": _text}, required=("name",)))}, **more),
            required=("name", "roles"),
        )
    )


def _rule(projects, **more):
    fields = {
        "user": _object(
            {"id": _text, "name": _text, "email": _text, "domain": _DOMAIN, "type": _choice("ephemeral", "local")}
        ),
        "projects": projects,
        "group": _group,
        "groups": _text,
        "group_ids": _text,
        "domain": _DOMAIN,
    }
    local = _array(_object(dict(fields, **more)))
    return _object({"local": local, "remote": _array(_requirement, minimum=1)}, required=("local", "remote"))


# Keystone takes any items in an operator's list; what is no string fails, or never matches, at a login.
_REQUIREMENT = _object(dict(dict.fromkeys(OPERATORS, _list), type=_text, regex=_flag), required=("type",))
_DOMAIN = _object({"id": _text, "name": _text})
_PROJECTS_2_0 = _projects(domain=_DOMAIN)
_RULES = {
    "1.0": _rule(_projects()),
    "2.0": _rule(_PROJECTS_2_0),
    "3.0": _rule(_PROJECTS_2_0, projects_json=_text),
}
