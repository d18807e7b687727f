# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Habits of every file: short, licensed, without what belongs to one machine."""

from __future__ import annotations

import re

import pytest
from checkout import ROOT, files, name

VENDOR = ":!plugins/module_utils/_vendor"  # other people's, kept as they are: see test_vendor.py
PYTHON = files("*.py", ":!tests/data", VENDOR)
TEXT = [path for path in files(":!LICENSE", ":!requirements/*.txt", ":!roles/*/files/requirements.txt", VENDOR)
        if path.suffix not in (".png", ".svg", ".gz", ".raw")]
LONGEST = 350
# Tables that are generated: one row a line, however many rows there are.
GENERATED = re.compile(r"^\"\"\"Generated|^# Generated", re.M)
# Written in two halves, so that this file does not find itself.
PRIVATE = re.compile("/ro" + "ot/|/wo" + "rk/|BEGIN [A-Z ]*PRIVATE" + " KEY|TO" + "DO|FIX" + "ME")


@pytest.mark.parametrize("path", files("plugins/*.py", "roles/*.py", "tools/*.py", "tests/*.py", VENDOR), ids=name)
def test_no_file_is_longer_than_one_can_read(path):
    content = path.read_text(encoding="utf-8")
    assert content.count("\n") <= LONGEST or GENERATED.search(content)


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_python_names_its_licence(path):
    content = path.read_text(encoding="utf-8")
    if content.strip():
        head = content[:400]
        assert "SPDX-License-Identifier: GPL-3.0-or-later" in head
        assert "GNU General Public License v3.0+" in head


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_python_postpones_annotations(path):
    content = path.read_text(encoding="utf-8")
    if content.strip():
        assert "from __future__ import annotations" in content


@pytest.mark.parametrize("path", TEXT, ids=name)
def test_nothing_private_and_nothing_unfinished(path):
    found = PRIVATE.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{name(path)} holds {found[0]!r}" if found else ""


def test_the_private_would_be_found():
    for planted in ("see /ro" + "ot/x", "-----BEGIN RSA PRIVATE" + " KEY-----", "# TO" + "DO later"):
        assert PRIVATE.search(planted)


def test_the_collection_says_which_licence_it_has():
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")[:200]
