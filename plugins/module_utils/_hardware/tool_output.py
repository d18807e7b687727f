# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of vendors' tools share: how a tool is asked, and how what it prints is cleaned."""

from __future__ import annotations

import itertools
import json
import re

from .._core.errors import RegionError
from . import pci

# A driver that hangs takes its tool with it; the facts go on after this many seconds.
TIMEOUT = 20.0
# An 8-GPU host prints 0.2 MB. Forty times that is no answer of a tool any more.
MOST_CHARACTERS = 8 * 1024 * 1024

# Warnings such as "[WARN] …" that may come before a JSON value.
_MOST_BEGINNINGS = 5

ABSENT = "absent"
OK = "ok"

# "GPU is lost" and its like are no values either; the reader that cares looks for them before it cleans.
_NO_VALUE = ("", "n/a", "not supported", "unknown error", "err!", "insufficient permissions", "not available",
             "gpu is lost", "gpu requires reset", "requested functionality has been deprecated")


def address(text):
    """Return a PCI address as sysfs writes it, or None when the text is none. Pure.

    Args:
        text: such as ``00000000:83:00.0``, ``0000:4D:00.0`` or ``0000:01:00``. A missing function is function 0.

    Returns:
        str such as ``0000:83:00.0``: lower case, a domain of four digits, or of more where the domain needs them.
    """
    if not isinstance(text, str):
        return None
    return pci.address(text) or pci.address(text.strip() + ".0")


def cleaned(value):
    """Return a printed value, or None where the tool says in its own words that it has none. Pure.

    Args:
        value: str, number or None; ``[N/A]`` and ``N/A`` are the same.
    """
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    text = str(value).strip()
    return None if text.strip("[]").strip().lower() in _NO_VALUE else text


def number(value):
    """Return the whole number at the start of a printed value such as ``640 bank(s)``, or None. Pure."""
    text = cleaned(value)
    found = re.match(r"[0-9]{1,18}(?![0-9.xX])", text) if text else None
    return int(found.group()) if found else None


def yes(value):
    """Return True for ``Yes``, False for ``No``, None for everything else. Pure."""
    return {"yes": True, "no": False, "true": True, "false": False}.get((cleaned(value) or "").lower())


def ask(host, argv, timeout=TIMEOUT):
    """Run a tool that only reads.

    Args:
        host: Host.
        argv: list of arguments, the program first.
        timeout: in seconds.

    Returns:
        (Finished or None, status). None when there is nothing to read: no such program, no answer in time, or far
        too much of it. An exit status other than 0 is in the status, and what was printed is there to be judged.
    """
    try:
        finished = host.run(list(argv), timeout)
    except RegionError as error:
        if host.program(argv[0]) is None:
            return None, ABSENT
        return None, "error: {0}".format(error)
    except OSError as error:
        return None, "error: {0} could not be run: {1}".format(argv[0], error.strerror or error)
    if finished.status is None:
        return None, "error: {0}".format(finished.words())
    if len(finished.stdout) > MOST_CHARACTERS:
        return None, "error: {0} wrote {1} characters; at most {2} are read".format(
            argv[0], len(finished.stdout), MOST_CHARACTERS)
    return finished, OK if finished.ok else "error: {0}".format(finished.words())


def json_value(text):
    """Return the JSON value in what a tool printed, or None. Pure; raises nothing.

    Args:
        text: tools print warnings before their JSON, so a value begins at a line that begins with a bracket. One
            that is indented is part of a value that was cut off, and says nothing on its own.
    """
    for found in itertools.islice(re.finditer(r"^[\[{]", text, re.MULTILINE), _MOST_BEGINNINGS):
        try:
            return json.JSONDecoder().raw_decode(text, found.start())[0]
        except (ValueError, RecursionError):
            continue
    return None


def mapping(value, key):
    """Return ``value[key]`` when both are mappings, else an empty one. Pure."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
