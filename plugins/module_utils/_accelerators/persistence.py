# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver overrides that outlast a reboot, in driverctl's own format; the files that restore them; their actions.

Where driverctl is installed, its own udev rule restores them and nothing of ours is written besides its format.
"""

from __future__ import annotations

import posixpath

from .._core.change import Action
from .._hardware.boot_drivers import RELEASES, digest
from .persistence_files import FILES

OVERRIDES = "/etc/driverctl.d"
KIND_OVERRIDE = "driverctl file"
KIND_FILE = "file"
KIND_RELEASE = "pending release"


def override_path(address):
    """Return the file that holds the driver of a function."""
    return "{0}/pci-{1}".format(OVERRIDES, address)


def restore_actions(restore, declared, remaining):
    """Return (actions that bring the files which restore drivers, actions that remove them). Pure.

    Args:
        restore: what ``boot_drivers.observe`` returned.
        declared: whether the declaration has a function that has to get its driver at boot.
        remaining: whether any function of the host has to, once the plan is done.
    """
    there, bring = restore["files"], []
    if not remaining:
        gone = [path for path, unused in reversed(FILES) if path in there]
        return [], [Action("delete", KIND_FILE, path, {"sha256": there[path]}, None) for path in gone]
    for path, text in FILES if declared and not restore["driverctl"] else ():
        if there.get(path) != digest(text):
            before = {"sha256": there[path]} if path in there else None
            bring.append(Action("update" if before else "create", KIND_FILE, path, before, {"sha256": digest(text)}))
    return bring, []


def override_actions(address, before, after):
    """Return the action that persists a driver, or that removes it: none or one. Pure.

    Args:
        address: of the function.
        before: the driver that is persisted; None when there is none.
        after: the driver that has to be; None when there has to be none.
    """
    if before == after:
        return []
    verb = "delete" if after is None else "create" if before is None else "update"
    old, new = ({"driver": name} if name is not None else None for name in (before, after))
    return [Action(verb, KIND_OVERRIDE, override_path(address), old, new)]


def release_action(verb, address):
    """Return the action that notes a release as begun, or as ended. Pure."""
    path = {"path": "{0}/{1}".format(RELEASES, address)}
    return Action(verb, KIND_RELEASE, address, None if verb == "create" else path, path if verb == "create" else None)


def perform(host, action):
    """Carry out an action of this file. Raises HostError."""
    if action.kind == KIND_RELEASE:
        path = (action.after or action.before)["path"]
        text = "pci_driver gives {0} back to its native driver\n".format(action.name)
    elif action.kind == KIND_OVERRIDE:
        path = action.name
        text = "{0}\n".format((action.after or {}).get("driver"))
    else:
        path, text = action.name, dict(FILES)[action.name]
    if action.after is None:
        host.remove_file(path)
        return
    host.make_directory(posixpath.dirname(path))
    host.write_file(path, text)
