# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests about this repository share: its files, and their parts."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def files(*patterns: str) -> list[Path]:
    """Files that git knows or would know, that match one of the patterns of git's pathspec; never the self-link."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
         *patterns], cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    found = (ROOT / name for name in listed.split("\0") if name)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def name(path: Path) -> str:
    """A path as people write it, for the ids of tests."""
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    """A Python file, parsed with the grammar of the oldest Python that managed hosts have."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))


def load(path: Path):
    """A YAML file as data. Tags of Ansible, such as !vault, have no place in this repository."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
