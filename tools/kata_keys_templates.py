# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the packaged configuration files of Kata's sources against what its shims read. For ``kata_keys.py``."""

from __future__ import annotations

import re

import kata_keys_go
import kata_keys_rust

_FOLDERS = {"src/runtime/config": kata_keys_go, "src/runtime-rs/config": kata_keys_rust}


def unknown(sources):
    """Return a line for each key of a packaged file that its shim does not read."""
    found = []
    for folder, reader in _FOLDERS.items():
        keys = reader.tables(sources)["keys"]
        for path in sorted((sources / folder).glob("configuration-*.toml.in")):
            section = ""
            for line in path.read_text(encoding="utf-8").splitlines():
                head = re.fullmatch(r"\s*\[+([\w.@]+)\]+\s*", line)
                row = re.match(r"\s*(\w+)\s*=", line)
                if head:
                    section = re.sub(r"^(agent|hypervisor)\.[^.]+", r"\1.*", head.group(1))
                elif row and row.group(1) not in keys.get(section, {}):
                    found.append("{0}/{1}: [{2}] {3}".format(folder, path.name, section, row.group(1)))
    return found
