# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our interpreter and jsonschema agree about every document, also about those that nobody would write."""

from __future__ import annotations

import copy
import re

import jsonschema
import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.schema import Schema
from ansible_collections.sovereign.region.plugins.module_utils._region.document import ROOT, examine, load
from ansible_collections.sovereign.region.plugins.module_utils._region.schema import SCHEMA, VALIDATOR
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    INVENTORIES,
    inventory,
    published_schema,
)
from hypothesis import given, settings
from hypothesis import strategies as st

REFERENCE = jsonschema.Draft202012Validator(SCHEMA)
DOCUMENTS = [{ROOT: inventory(name)} for name in INVENTORIES]
# What the inventories have no use for.
SELDOM = {
    "keystone_release": "2026.1",
    "assignments": [{"role": "creator", "user": "u", "domain": "Default", "inherited": True}],
    "scopes": [{"domain": "Default", "purge": True}],
    "absent": {"mappings": ["old"], "identity_providers": ["old"]},
    "users": [{"name": "u", "email": "u@example.org", "enabled": False}],
    "mappings": [{
        "name": "m",
        "schema_version": "3.0",
        "rules": [{
            "local": [{"user": {"name": "{0}"}, "projects_json": "{1}"}, {"group_ids": "{2}", "domain": {"id": "x"}}],
            "remote": [{"type": "a"}, {"type": "b"}, {"type": "c", "blacklist": ["x.*"], "regex": True},
                       {"type": "d", "not_any_of": ["y"]}],
        }],
        "assertions": [
            {"name": "a", "claims": {"a": "1", "b": ["[]"]}, "expect": {"matched_rules": [0], "projects": []}}],
    }],
    "service_providers": [{
        "name": "partner", "auth_url": "https://partner.example/v3", "sp_url": "https://partner.example/sp",
        "relay_state_prefix": "https://partner.example/v3?rs=",
    }],
    "federation": {
        "trusted_dashboards": ["https://dashboard.example/auth/websso/"], "assertion_prefix": "OIDC-",
        "default_authorization_ttl": 0, "sso_callback_template": "/etc/keystone/sso.html",
        "attribute_mapping_default_schema_version": "2.0",
    },
    "policy": {
        "overrides": {"nova": {"os_compute_api:servers:create": "role:member"}},
        "enforce_scope": True,
        "expect": [{"persona": "member", "service": "nova", "operation": "live_migrate", "target": "other",
                    "allowed": False}],
    },
}
SITES = [{"name": "a", "jurisdiction": "DE"}]
DOCUMENTS.append({ROOT: {"version": 1, "name": "r", "sites": SITES, "identity": SELDOM}})
DOCUMENTS += [{ROOT: load(document[ROOT]).data} for document in DOCUMENTS]

# Values at the edges of the patterns and types that the schema has.
ODD = [
    None, True, False, 0, 1, -1, 1.0, 0.5, 256, 257, 2**31, "", "a", "A", "DE", "DE-BE", "de", "DE\n",
    "a\n", " a", "a ", "a/b", "a,b", "é", "ß" * 64, "x" * 63, "x" * 64, "x" * 65, "x" * 256, "0000:10:00.0",
    "0000:10:00.0\n", "\u2028", "\x7f", "٣", "passthrough", "nova", "1", [], [1, 1.0], [1, True], ["a", "a"], {},
    "2.0", 2.0, "2026.2", "a@b", "@", "https://a", "https://" + "x" * 218, "/x", "x/", "openid~", "member", "admin",
    {"a": 1}, {"name": "a"}, {"A b": "c"}, {"ä": "c"},
]
values = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


def places(value, path=()):
    """Return the path of everything in a value, itself included."""
    found = [path]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        found += places(item, (*path, key))
    return found


def at(value, path):
    """Return what stands at a path."""
    for key in path:
        value = value[key]
    return value


@st.composite
def mutated(draw):
    """Draw a valid document with one to four mutations: keys deleted, renamed or added, values changed or swapped."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _step in range(draw(st.integers(1, 4))):
        found = places(document)[1:]
        if not found:
            break
        *parent, key = draw(st.sampled_from(found))
        holder = at(document, parent)
        how = draw(st.sampled_from(["delete", "change", "rename", "add", "swap", "repeat"]))
        if how == "delete":
            del holder[key]
        elif how == "change":
            holder[key] = copy.deepcopy(draw(values))  # ODD is shared: a later mutation must not change it
        elif how == "swap":
            holder[key] = copy.deepcopy(at(document, draw(st.sampled_from(found))))
        elif how == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif isinstance(holder, dict):
            new = draw(st.sampled_from(["name", "profile", "extra", "Name", "slices"]) | st.text(max_size=5))
            holder[new] = holder.pop(key) if how == "rename" else copy.deepcopy(draw(values))
    return document


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_same_verdict_as_jsonschema(document):
    assert (VALIDATOR.problems(document) == []) is REFERENCE.is_valid(document)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_validation_never_fails_otherwise_and_normalising_twice_is_once(document):
    found, data = examine(document.get(ROOT))
    assert (data is None) is bool(found)
    assert all(problem.path.startswith(ROOT) and problem.sentence() for problem in found)
    if data is not None:
        assert REFERENCE.is_valid({ROOT: data})
        assert examine(data) == ([], data)


# Always the same examples: jsonschema misses some repetitions of lists in lists ([[1], [true], [1]]), which we find.
@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["integer", "number", "string", "array", "object", "null", "boolean"])
            | st.lists(st.sampled_from(["integer", "string", "null", "array"]), min_size=1, unique=True),
            "enum": st.lists(values, min_size=1, max_size=3),
            "const": values,
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(-2, 2),
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 3),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "pattern": st.sampled_from([r"^a", r"a$(?!\n)", r"[0-9]"]),
            "items": st.sampled_from([{}, {"type": "integer"}, {"const": 1}]),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
            "properties": st.just({"a": {"type": "integer"}}),
            "propertyNames": st.just({"maxLength": 2}),
            "additionalProperties": st.sampled_from([False, True, {"type": "string"}]),
        },
    ),
    values,
)
def test_same_verdict_for_any_schema(schema, value):
    assert (Schema(schema).problems(value) == []) is jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_valid_documents_are_valid_for_both(document):
    assert VALIDATOR.problems(document) == []
    assert REFERENCE.is_valid(document)


def parts(schema):
    """Return every schema within a schema."""
    found = [schema]
    for keyword in ("properties", "$defs"):
        for part in schema.get(keyword, {}).values():
            found += parts(part)
    for keyword in ("items", "propertyNames", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            found += parts(schema[keyword])
    return found


def test_the_schema_itself_is_valid():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_patterns_mean_the_same_to_editors():
    patterns = {part["pattern"] for part in parts(SCHEMA) if "pattern" in part}
    assert len(patterns) > 5
    for pattern in patterns:
        # Without the look-ahead Python accepts a line feed at the end; the classes differ beyond ASCII.
        assert pattern.startswith("^") and pattern.endswith(r"$(?!\n)"), pattern
        assert not re.search(r"\\[wWsSdDbBAZz]", pattern), pattern


def test_everything_that_can_be_written_is_described():
    undescribed = [
        name
        for part in parts(SCHEMA)
        for name, prop in part.get("properties", {}).items()
        if not prop.get("description", "").endswith(".")
    ]
    assert undescribed == []


def test_every_pattern_says_in_words_what_it_wants():
    assert [part for part in parts(SCHEMA) if "pattern" in part and not part.get("patternErrorMessage")] == []


def test_the_published_schema_is_the_one_that_is_used():
    assert published_schema() == SCHEMA
