# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides name is there: pages, playbooks, make targets, files and variables."""

from __future__ import annotations

import re

import pytest
from checkout import ROOT, files, name

PAGES = [path for path in files("*.md", "**/*.md") if "changelogs" not in path.parts]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
COMMAND = re.compile(r"^(?:    |\$ )(.+)$", re.M)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_playbooks_exist(page):
    named = set(re.findall(r"ansible-playbook (?:-\S+ )*sovereign\.region\.(\w+)", page.read_text()))
    named |= set(re.findall(r"ansible-playbook (?:-\S+ )*playbooks/(\w+)\.yml", page.read_text()))
    assert {one for one in named if not (ROOT / "playbooks" / f"{one}.yml").is_file()} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = page.read_text()
    commands = "\n".join(COMMAND.findall(text) + re.findall("`([^`\n]+)`", text))
    named = set(re.findall(r"(?:^|[ ;])make ([a-z-]+)", commands, re.M))
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_variables_of_the_verbs_are_used_by_a_playbook(page):
    playbooks = "".join(path.read_text() for path in files("playbooks/*.yml", "playbooks/**/*.yml"))
    named = set(re.findall(r"-e (region_\w+)=", page.read_text()))
    assert {one for one in named if one not in playbooks} == set()
