# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a host as they will be when earlier modules of the same run have done what they planned. Pure.

MIG mode, VFs, MIG instances and vGPU types build on each other. So that all of them can be planned from one look at a
host, what the earlier ones will do is laid over the facts before the later ones decide.
"""

from __future__ import annotations

import copy
import dataclasses

from .._hardware import slicing
from . import slices

SPEC = {"type": "list", "elements": "dict", "default": []}
_MODE = "MIG mode"
_AFTER_RESET = "MIG mode: made at once where the GPU takes the mode at once, else by a run after the GPU was reset"


def after(actions, observed):
    """Return the facts after some actions; the given ones where there are none.

    Args:
        actions: list of actions in the shape of docs/outputs.md; those of other kinds change nothing.
        observed: facts.
    """
    changes = {"VF count": _vfs, _MODE: _mode, "MIG layout": _layout, "GPU instance set": _freed}
    if not actions:
        return observed
    observed = copy.deepcopy(observed)
    devices = slices.known(observed)
    for action in actions:
        if action["kind"] in changes and action["name"] in devices:
            changes[action["kind"]](devices[action["name"]], action)
        elif action["kind"] in ("boot file", "boot unit"):
            _boot(observed["host"]["slicing"]["restored"], action)
    return observed


def deferred(actions, plan):
    """Return the plan with what waits for a MIG mode that the given earlier actions set: a GPU may need a reset for it.

    Args:
        actions: list of actions in the shape of docs/outputs.md.
        plan: list of Action.
    """
    switched = [action["name"] for action in actions if action["kind"] == _MODE]
    if not switched:
        return plan
    return [dataclasses.replace(action, deferred=_AFTER_RESET)
            if action.deferred is None and any(address in action.name for address in switched) else action
            for action in plan]


def _vfs(device, action):
    """VFs that are made anew have no addresses, drivers and vGPUs yet, and end what MIG and vGPUs had on the GPU."""
    device["sriov"].update(num=action["after"]["vfs"], vfs=[])
    if slices.is_nvidia_gpu(device):
        if device.get("mig"):
            device["mig"]["instances"] = []
        if device.get("virtualization"):
            device["virtualization"]["heterogeneous"] = "Disabled"


def _mode(device, action):
    mode = action["after"]["mode"]
    device["mig"] = dict(device.get("mig") or {"instances": []}, mode=mode, pending=mode)


def _layout(device, action):
    for profile, count in action["after"]["profiles"].items():
        device["mig"]["instances"] += [
            {"profile": profile, "profile_id": None, "gi_id": None, "placement": None, "compute_instances": 1}
            for _one in range(count)]


def _freed(device, action):
    gone = action["before"]["gpu_instances"]
    device["mig"]["instances"] = [one for one in device["mig"]["instances"] if one["gi_id"] not in gone]


def _boot(restored, action):
    if action["kind"] == "boot unit":
        restored["enabled"] = True
    elif action["name"] == slicing.PROGRAM:
        restored["program"] = action["after"]["sha256"]
    elif action["name"] == slicing.UNIT_PATH:
        restored["unit"] = action["after"]["sha256"]
    else:
        kind, _dash, rest = action["name"].rsplit("/", 1)[1].partition("-")
        address = rest[:-len(".json")]
        restored["declared"][kind].pop(address, None)
        if action["after"] is not None:
            restored["declared"][kind][address] = action["after"]
