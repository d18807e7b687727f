# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four floors, and imports only go down: plugins, one domain, _region and _hardware, _core."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from checkout import ROOT, files, name, tree

UTILS = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.sovereign.region.plugins"
FLOORS = {"_vendor": -1, "_core": 0, "_region": 1, "_hardware": 1}
DOMAIN = 2
PLUGIN = 3
SESSION = tuple(f"plugins/module_utils/_core/{file}.py" for file in ("cloud", "api", "failures"))
# Only these may reach the world outside a process.
GATES = {
    "openstack": ("plugins/module_utils/_core/cloud.py",),
    "keystoneauth1": SESSION,
    "requests": SESSION,
    "subprocess": ("plugins/module_utils/_core/commands.py",),
}
PLUGINS = files("plugins/**.py", "plugins/*.py", ":!plugins/module_utils/_vendor")


def room(path: Path) -> str:
    """The package of module_utils that a file belongs to; empty for a plugin."""
    return path.relative_to(UTILS).parts[0] if path.is_relative_to(UTILS) else ""


def floor(package: str) -> int:
    """How high up a package is."""
    return PLUGIN if not package else FLOORS.get(package, DOMAIN)


def imported(path: Path) -> set[str]:
    """Everything that a file imports, by absolute dotted name, wherever in the file it does so."""
    found = set()
    home = [PACKAGE, *path.relative_to(ROOT / "plugins").parent.parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    return found


def rooms_used(path: Path) -> set[str]:
    """The packages of module_utils that a file uses."""
    prefix = f"{PACKAGE}.module_utils."
    return {target.removeprefix(prefix).split(".")[0] for target in imported(path) if target.startswith(prefix)}


def test_there_is_something_to_hold():
    assert len(PLUGINS) > 10
    assert any(rooms_used(path) for path in PLUGINS)


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_imports_only_go_down(path):
    mine = room(path)
    above = {other for other in rooms_used(path) if other != mine and floor(other) >= floor(mine)}
    assert not above, f"{name(path)} is on floor {floor(mine)} and imports {sorted(above)}"


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_a_plugin_uses_one_domain(path):
    domains = {other for other in rooms_used(path) if floor(other) == DOMAIN}
    assert len(domains) <= 1, f"{name(path)} uses {sorted(domains)}"


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_only_the_gates_reach_outside(path):
    for target in imported(path):
        gate = GATES.get(target.split(".")[0])
        assert gate is None or name(path) in gate, f"{name(path)} imports {target}; only {gate} may"


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_only_the_host_opens_files(path):
    if name(path) == "plugins/module_utils/_core/host.py":
        return
    calls = (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    opened = [call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "open"]
    assert not opened, f"{name(path)} opens files at lines {opened}"


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_the_sdk_is_imported_lazily(path):
    top = [node for node in tree(path).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom) and not node.level}
    assert not {target for target in names if target.split(".")[0] in GATES} - {"subprocess"}
