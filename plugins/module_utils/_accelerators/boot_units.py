# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes slices come back at boot: one program, one systemd unit, and a declaration for each device.

MIG mode, VFs, MIG instances and vGPU types depend on each other and all vanish at a reboot, so one unit restores them
in the one order in which they can be made. Deciding is pure; ``perform`` writes.
"""

from __future__ import annotations

import json

from .._core.change import Action
from .._core.errors import HostError
from .._hardware.slicing import FOLDER, PROGRAM, UNIT, UNIT_PATH, digest, path_of
from .boot_program import PROGRAM_TEXT

INTERPRETER = "/usr/bin/python3"
UNIT_TEXT = """\
# Written by the Ansible collection sovereign.region; changes are overwritten.
[Unit]
Description=Restore VFs, MIG instances, vGPU types and partitions of accelerators
ConditionDirectoryNotEmpty={folder}
After=systemd-modules-load.service nvidia-persistenced.service nvidia-fabricmanager.service
After=nvidia-vgpud.service nvidia-vgpu-mgr.service local-fs.target
Before=libvirtd.service virtqemud.service nova-compute.service openstack-nova-compute.service
Before=docker.service containerd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={interpreter} -I {program}
TimeoutStartSec=900
StandardOutput=journal
StandardError=journal

[Install]
WantedBy=multi-user.target
""".format(folder=FOLDER, interpreter=INTERPRETER, program=PROGRAM)

_FILE = "boot file"
_UNIT = "boot unit"


def text_of(declaration):
    """Return the text of a declaration file. Pure."""
    return json.dumps(declaration, indent=1, sort_keys=True) + "\n"


def decide(kind, wanted, slicing, program=PROGRAM_TEXT):
    """Return (actions before everything else, actions after it). Pure.

    What is not to come back is taken out first, and what is to come back is written once it works: a crash in between
    never brings back what was removed.

    Args:
        kind: one of ``slicing.KINDS``.
        wanted: {address: declaration, or None when nothing of that kind is to be restored}.
        slicing: ``host["slicing"]`` of the facts.
        program: text of the program at boot.
    """
    restored = slicing["restored"]
    there = restored["declared"].get(kind, {})
    first, last = [], []
    for address, declaration in wanted.items():
        path = path_of(kind, address)
        before = there.get(address)
        if declaration is None:
            if before is not None or path in restored.get("unreadable", ()):
                first.append(Action("delete", _FILE, path, before, None))
        elif before != declaration:
            verb = "create" if before is None and path not in restored.get("unreadable", ()) else "update"
            last.append(Action(verb, _FILE, path, before, declaration, details=(text_of(declaration), 0o644)))
    if any(declaration is not None for declaration in wanted.values()):
        last = _unit(restored, program) + last
    return first, last


def _unit(restored, program):
    """Return the actions that put the program and its unit in place: those that are missing or of another version."""
    plan = []
    for key, path, text, mode in (("program", PROGRAM, program, 0o755), ("unit", UNIT_PATH, UNIT_TEXT, 0o644)):
        if restored[key] != digest(text):
            before = None if restored[key] is None else {"sha256": restored[key]}
            plan.append(Action("create" if before is None else "update", _FILE, path, before,
                               {"sha256": digest(text)}, details=(text, mode)))
    if not restored["enabled"]:
        plan.append(Action("enable", _UNIT, UNIT, {"enabled": False}, {"enabled": True}))
    return plan


def perform(host, action):
    """Carry out one of the actions above. Return whether it was one of them.

    Raises:
        HostError: a file could not be written, or systemd refused.
    """
    if action.kind == _FILE:
        if action.verb == "delete":
            host.remove_file(action.name)
        else:
            text, mode = action.details
            host.make_directory(action.name.rsplit("/", 1)[0])
            host.write_file(action.name, text, mode)
        return True
    if action.kind == _UNIT:
        finished = host.run(["systemctl", "enable", UNIT], 60, changes=True)
        if not finished.ok:
            raise HostError("the unit that restores slices at boot could not be enabled: {0}; without it nothing comes "
                            "back after a reboot".format(finished.words()))
        return True
    return False
