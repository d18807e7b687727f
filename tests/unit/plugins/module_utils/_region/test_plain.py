# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Ansible's controller become plain ones; what has no plain form is named by its path."""

from __future__ import annotations

import datetime
from collections import UserDict

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._region.document import InvalidDocument, load
from ansible_collections.sovereign.region.plugins.module_utils._region.plain import to_plain


class Text(str):
    """Like AnsibleUnicode and the tagged text of newer releases."""

    def __str__(self):
        raise AssertionError("the plain text is read without the subclass")


class Number(int):
    """A wrapped number."""


class AnsibleVaultEncryptedUnicode:
    """By name, as in ansible-core 2.16 to 2.18."""


class AnsibleUndefined:
    """By name, as in ansible-core up to 2.18."""


class VaultedValue:
    """The tag of newer releases."""


class TaggedText(str):
    """A decrypted value that remembers that it was encrypted, as since ansible-core 2.19."""

    _ansible_tags_mapping = {VaultedValue: object()}


def only(value):
    """Return the one problem of a value."""
    (problem,) = to_plain(value, "r")[1]
    return problem


def test_wrapped_values_become_plain():
    plain, problems = to_plain(UserDict({Text("a"): (Text("b"), Number(1), 1.5, True, None)}))
    assert (plain, problems) == ({"a": ["b", 1, 1.5, True, None]}, [])
    assert [type(item) for item in plain["a"]] == [str, int, float, bool, type(None)]
    assert [type(key) for key in plain] == [str]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (AnsibleVaultEncryptedUnicode(), "an encrypted value"),
        (TaggedText("hunter2"), "an encrypted value"),
        (AnsibleUndefined(), "an undefined variable"),
    ],
)
def test_encrypted_and_undefined_values_are_named_without_their_content(value, state):
    problem = only({"sites": [{"name": value}]})
    assert (problem.path, problem.state, problem.value) == ("r.sites[0].name", state, None)
    assert "hunter2" not in problem.sentence()


def test_what_yaml_makes_of_unquoted_text():
    assert "put it in quotes" in only({"a": datetime.date(2026, 11, 21)}).expected
    assert only({True: 1}).path == 'r["true/false"]'
    assert only({1: 1}).expected.startswith("text as the key")


def test_one_unreadable_value_is_one_problem():
    document = {
        "version": 1,
        "name": AnsibleUndefined(),
        "sites": [{"name": "a", "jurisdiction": AnsibleVaultEncryptedUnicode()}],
    }
    with pytest.raises(InvalidDocument) as caught:
        load(document)
    assert [problem.path for problem in caught.value.found] == [
        "sovereign_region.name",
        "sovereign_region.sites[0].jurisdiction",
    ]


def test_an_undefined_document_is_one_problem():
    with pytest.raises(InvalidDocument, match="sovereign_region: an undefined variable"):
        load(AnsibleUndefined())
