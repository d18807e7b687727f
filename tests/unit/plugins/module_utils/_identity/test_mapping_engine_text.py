# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a mapping with values in them: what Python's str.format does, and the one thing that it may not do."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_refusals import REFUSALS, Refusal
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_text import WIDEST, guarded, render
from hypothesis import given, settings
from hypothesis import strategies as st

DIRECT = [["ada"], ["x", "ÿ"], [], ["10"], ["ÿ"]]
PLAIN = ["ada", ["x", "ÿ"], [], "10", "ÿ"]

FILLED_IN = {
    "no braces": "no braces",
    "": "",
    "{{}}": "{}",
    "}}": "}",
    "{0}": "ada",
    "{1}": "['x', 'ÿ']",
    "{2}": "[]",
    "{0}@{3}": "ada@10",
    "{}{}": "ada['x', 'ÿ']",
    "{00}": "ada",
    "{0[1]}": "d",
    "{1[1]}": "ÿ",
    "{1[0][0]}": "x",
    "{0!r}": "'ada'",
    "{0!s}": "ada",
    "{1!a}": "['x', '\\xff']",
    "{0:>5}": "  ada",
    "{0:x<5}": "adaxx",
    "{0:{3}}": "ada       ",
    "{0!r:>7}": "  'ada'",
    "{1!s:.3}": "['x",
    "{0:.1}": "a",
    "{1[0]:3}": "x  ",
    "{0:0000003}": "ada",
    "!a: {0}": "!a: ada",
    "{0!a:>7}": "  'ada'",
    "{4!a:8}": "'\\xff'  ",
    "{0.__class__}": "<class 'str'>",
    "{0.__class__.__name__:>5}": "  str",
    "{0.__class__.__mro__[1].__name__!r}": "'object'",
    "{1.__class__[x]}": "list['x']",
    "{1[0].__class__}": "<class 'str'>",
    "{0:{0.__class__.__name__[0]}}": "ada",
}


@pytest.mark.parametrize("text", FILLED_IN)
def test_what_can_be_filled_in(text):
    assert render(text, guarded(DIRECT), ("x",)) == FILLED_IN[text] == text.format(*PLAIN)


NOT_FILLED_IN = {
    "{5}": "no_such_value",
    "{}{}{}{}{}{}": "no_such_value",
    "{0[3]}": "no_such_value",
    "{2[0]}": "no_such_value",
    "{99999999999999999999}": "malformed_text",
    "{-1}": "named_field",
    "{ 0}": "named_field",
    "{name}": "named_field",
    "{name.x}": "named_field",
    "{": "malformed_text",
    "}": "malformed_text",
    "{0": "malformed_text",
    "{0}{}": "malformed_text",
    "{0.}": "malformed_text",
    "{0[]}": "malformed_text",
    "{0[0]x}": "malformed_text",
    "{0!x}": "malformed_text",
    "{0:d}": "malformed_text",
    "{0:,}": "malformed_text",
    "{0:{0:{9}}}": "malformed_text",
    "{0[a]}": "unformattable",
    "{1[-1]}": "unformattable",
    "{1:5}": "unformattable",
    "{1:9999}": "unformattable",
    "{2:{0}}": "unformattable",
    "{0.x}": "attribute_in_text",
    "{0[0].x}": "attribute_in_text",
    "{1.x}": "attribute_in_text",
    "{0:{0.x}}": "attribute_in_text",
}


@pytest.mark.parametrize("text", NOT_FILLED_IN)
def test_what_cannot_be_filled_in_ends_as_python_ends_it(text):
    with pytest.raises(Refusal) as refusal:
        render(text, guarded(DIRECT), ("rules", 0, "local"))
    assert refusal.value.reason == NOT_FILLED_IN[text]
    assert refusal.value.message.startswith("rules[0].local: {0!r} cannot be filled in: ".format(text))
    with pytest.raises(Exception) as error:
        text.format(*PLAIN)
    names = [one.__name__ for one in type(error.value).__mro__]
    expected = refusal.value.exception
    assert ("IndexError" if expected == "DirectMappingError" else expected) in names


@pytest.mark.parametrize(
    "text",
    [
        "{0:4097}",
        "{0:>4097}",
        "{0:x^99999999999}",
        "{0:{3}{3}{3}{3}{3}}",
        "{0!r:999999}",
        "{0!s:999999}",
        "{0!a:4097}",
        "{4!a:999999}",
        "{0!a:{3}}",
        "{0.__class__.__name__:>4097}",
        "{1[0]:999999}",
        "{0:٩٩٩٩٩}",
        "{0:0" + "0" * 50 + "99999}",
        "{0:\n>99999}",
    ],
)
def test_no_text_is_padded_without_end(text):
    with pytest.raises(Refusal) as refusal:
        render(text, guarded(DIRECT), ("x",))
    assert refusal.value.reason == "oversized_text"


def test_the_widest_text():
    assert len(render("{{0:{0}}}".format(WIDEST), guarded(DIRECT), ("x",))) == WIDEST == 4096


def test_a_width_that_python_cannot_read():
    for digits in ("9" * 101, "9" * 5000):
        with pytest.raises(Refusal) as refusal:
            render("{0:" + digits + "}", guarded(DIRECT), ("x",))
        assert refusal.value.reason == "malformed_text"
        assert "Too many decimal digits in format string" in refusal.value.message
    with pytest.raises(Refusal) as refusal:
        render("{0:" + "9" * 100 + "}", guarded(DIRECT), ("x",))
    assert refusal.value.message == (
        "x: '{0:" + "9" * 100 + "}' cannot be filled in: '" + "9" * 40 + "' pads to more than 4096 characters"
    )


def test_sentences_about_numbers():
    with pytest.raises(Refusal) as refusal:
        render("{0}", guarded([]), ("x",))
    assert refusal.value.message.endswith("a remote value that does not exist; the rule hands on none")
    with pytest.raises(Refusal) as refusal:
        render("{9}", guarded(DIRECT), ("x",))
    assert refusal.value.message.endswith("a remote value that does not exist; the last is {4}")


def test_a_refusal_is_its_message_and_takes_its_exception_from_the_table():
    refusal = Refusal("named_field", "why")
    assert (str(refusal), refusal.exception) == ("why", "KeyError")
    assert Refusal("named_field", "why", "Other").exception == "Other"
    for exception, sentence in REFUSALS.values():
        assert exception and sentence == sentence.strip() and not sentence.endswith(".")


PIECE = st.sampled_from(
    ["{", "}", "{{", "}}", "{0", "{1", "{9", "[0]", "[x]", "!r", "!", ":", ">5", ".2", "d", "{0}", "{1}", "}", "a"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECE, max_size=8).map("".join) | st.text(max_size=8))
def test_any_text_does_what_python_does(text):
    values = guarded(DIRECT)
    try:
        expected = text.format(*PLAIN)
    except Exception as error:
        with pytest.raises(Refusal) as refusal:
            render(text, values, ("x",))
        kinds = {"DirectMappingError": IndexError, "KeyError": KeyError, "ValueError": ValueError}
        kinds.update({"TypeError": TypeError, "AttributeError": AttributeError})
        assert isinstance(error, kinds[refusal.value.exception])
    else:
        assert render(text, values, ("x",)) == expected
