# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that travel with the modules are those that their authors published, and nobody mends them here."""

from __future__ import annotations

import hashlib

import pytest
from checkout import ROOT, files

HOME = ROOT / "plugins" / "module_utils" / "_vendor"
# As the RECORD of each wheel has them. Their __init__ is left out: ansible-test wants it empty.
PUBLISHED = {
    "tomli_2_0_2/_parser.py": "d9139117e567c0aca28873ef8abecf78038154a658a115fcc9a90be909f4796c",
    "tomli_2_0_2/_re.py": "75b8e0e428594f6dca6bdcfd0c73977ddb52a4fc147dd80c5e78fc34ea25cbec",
    "tomli_2_0_2/_types.py": "f864c6d9552a929c7032ace654ee05ef26ca75d21b027b801d77e65907138b74",
    "tomli_w_1_2_0/_writer.py": "76c89f152db161fd62efa9a64727f3f72d76e710bb67f1d0f38e592a126c617b",
}
# What was added to the files of tomli-w. ansible-test's pylint takes texts side by side for a forgotten comma.
LICENCE = "# SPDX-License-Identifier: MIT\n# SPDX-FileCopyrightText: 2021 Taneli Hukkinen\n"
PYLINT = "# pylint: disable=implicit-str-concat\n"


def as_published(path: str) -> str:
    """The digest of a file without what was changed in it."""
    text = (HOME / path).read_text(encoding="utf-8")
    if path.startswith("tomli_w_1_2_0/"):
        for added in (LICENCE, PYLINT, "\n"):
            text = text.removeprefix(added)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("path", sorted(PUBLISHED))
def test_it_is_as_published(path):
    assert as_published(path) == PUBLISHED[path]


def test_nothing_else_is_there():
    found = {str(path.relative_to(HOME)) for path in files("plugins/module_utils/_vendor")}
    assert found == {*PUBLISHED, "README.md", "tomli.py", "tomli_w.py"}, "the latter two are doors to the others"
