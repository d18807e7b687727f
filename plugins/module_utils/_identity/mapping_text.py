# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of a mapping's ``local`` half: ``{0}`` becomes the first value that ``remote`` hands on.

Keystone gives each text to Python's str.format, with str and list objects as arguments. So do we, because people's
mappings rely on details of it: a text may look into the objects, as ``{0.__class__.__name__}`` does, which reaches
types and built-in methods and calls nothing. This is the one place where the result differs from Keystone's:

- a width of more than WIDEST characters is refused here, while Keystone allocates it. Its database stores names of
  at most 255 characters.

Source: keystone/federation/utils.py, DirectMaps and RuleProcessor.process_rule_mapping (Keystone 30.0.0).
"""

from __future__ import annotations

import re

from .mapping_refusals import Refusal, where

WIDEST = 4096
# Python itself gives up at a width of about 20 digits.
_MOST_DIGITS = 100
# [[fill]align][sign][z][#][0]width of Python's format specification.
_WIDTH = re.compile(r"(?s)(?:.?[<>=^])?[-+ ]?z?#?(\d+)")
# After !a, str.format has made a plain str of the value, and pads it itself: the format, and what ends it.
_ASCII_FORMAT = re.compile(r"(?s)\{[^{}]*!a:([^{}]*)(\{?)")


def render(text, values, path):
    """Return one text of ``local`` with the remote values in it. Pure.

    Args:
        text: what the rule says, such as ``{0}@{1}``.
        values: what guarded() returned.
        path: where the text is, as where() takes it.

    Raises:
        Refusal: Keystone fails at this text, or the text is one that this collection does not render.
    """
    if "{" not in text and "}" not in text:
        return text
    try:
        for specification, nested in _ASCII_FORMAT.findall(text):
            if nested:
                raise MemoryError("write no width in braces after !a")
            _check_width(specification)
        return text.format(*values)
    except IndexError:
        last = "the last is {{{0}}}".format(len(values) - 1) if values else "the rule hands on none"
        raise Refusal(
            "no_such_value", _sentence(path, text, "it refers to a remote value that does not exist; " + last)
        )
    except KeyError as error:
        raise Refusal(
            "named_field",
            _sentence(path, text, "remote values have numbers, as in {{0}}; there is none named {0}".format(error)),
        )
    except AttributeError as error:
        raise Refusal("attribute_in_text", _sentence(path, text, str(error)))
    except TypeError as error:
        raise Refusal("unformattable", _sentence(path, text, str(error)))
    except ValueError as error:
        raise Refusal("malformed_text", _sentence(path, text, str(error)))
    except MemoryError as error:
        raise Refusal("oversized_text", _sentence(path, text, str(error)))


def _sentence(path, text, what):
    return "{0}: {1!r} cannot be filled in: {2}".format(where(path), text, what)


def guarded(direct):
    """Return the remote values as str.format may see them: one value as a str, none or several as a list. Pure.

    Args:
        direct: list of lists of str, as match_rule() returns it.
    """
    return [_Guarded(single(values)) for values in direct]


def single(values):
    """Return the value itself when there is one; else the list. Pure."""
    return values[0] if len(values) == 1 else values


class _Guarded:
    """A value that can be written, looked into and padded, to a width that is not too large."""

    def __init__(self, value):
        self.value = value

    def __getattribute__(self, name):
        return _Guarded(getattr(_value(self), name))

    def __getitem__(self, key):
        return _Guarded(_value(self)[key])

    def __format__(self, specification):
        return _padded(_value(self), specification)

    # A subclass of str is one, which pylint does not see.
    def __str__(self):  # pylint: disable=invalid-str-returned
        return _Converted(str(_value(self)))

    def __repr__(self):  # pylint: disable=invalid-repr-returned
        return _Converted(repr(_value(self)))


class _Converted(str):
    """What ``{0!r}`` and ``{0!s}`` made of a value."""

    def __format__(self, specification):
        return _padded(str.__str__(self), specification)


def _value(guard):
    return object.__getattribute__(guard, "value")


def _padded(value, specification):
    """Return format() of a value. A list takes no specification, and says so itself."""
    if isinstance(value, str):
        _check_width(specification)
    return format(value, specification)


def _check_width(specification):
    found = _WIDTH.match(specification)
    if found and _number(found.group(1)) > WIDEST:
        raise MemoryError("{0!r} pads to more than {1} characters".format(specification[:40], WIDEST))


def _number(digits):
    if len(digits) > _MOST_DIGITS:
        raise ValueError("Too many decimal digits in format string")
    return int(digits)
