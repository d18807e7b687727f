# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets pytest import `ansible_collections.sovereign.region…` from a checkout of any name, on every ansible-core."""

from __future__ import annotations

from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

# The self-link beside the playbooks is the only place where this checkout looks like an installed collection.
_AnsibleCollectionFinder(paths=[str(Path(__file__).parent / "playbooks" / "collections")])._install()
