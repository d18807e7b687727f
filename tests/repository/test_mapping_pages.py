# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of findings and the picture of a mapping say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys

import mapping_findings
import pytest
from checkout import ROOT


@pytest.mark.parametrize("tool", ["mapping_findings.py", "mapping_picture.py"])
def test_it_is_up_to_date(tool):
    done = subprocess.run([sys.executable, str(ROOT / "tools" / tool), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tool", ["mapping_findings.py", "mapping_picture.py"])
def test_what_is_out_of_date_is_found_and_written(tool, tmp_path):
    target = tmp_path / "new" if tool == "mapping_picture.py" else tmp_path
    command = [sys.executable, str(ROOT / "tools" / tool), "--target", str(target / "made")]
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 1
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 0


def test_the_page_tells_of_each_finding_once():
    page = mapping_findings.TARGET.read_text(encoding="utf-8")
    assert re.findall(r"^### (\S+)$", page, re.M) == list(mapping_findings.table().KINDS)


def test_words_are_never_markup():
    assert mapping_findings._text("**a.** ", "HTTP_X is <b> *not* \\.") == "**a.** HTTP\\_X is \\<b> \\*not\\* \\\\."
