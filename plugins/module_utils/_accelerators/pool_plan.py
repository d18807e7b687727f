# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the pools of a host and its facts to the options of the modules that make it so, and to their plan. Pure.

It runs on the controller, on what one ``accelerator_info`` returned, with the same decisions that the modules make.
"""

from __future__ import annotations

from .._core.errors import RegionError
from . import binding, mig, mig_mode, pool_rows, vfs, vgpu
from .matching import match

# The steps, in the order in which they run. Each is a module of that name but for ``mig_mode``, which is mig_layout
# without instances: beside VFs the mode cannot be changed, and instances do not outlive that VFs are made.
MODULES = {"pci_driver": binding, "mig_mode": mig, "sriov_vfs": vfs, "mig_layout": mig, "vgpu_profiles": vgpu}

PASSTHROUGH = ("passthrough",)
PARTITIONING = ("vf", "vgpu", "mig")
_NEEDS_IOMMU = ("passthrough", "vf", "vgpu")
_AFTER_REBOOT = "waits until the IOMMU is on: kernel arguments first, then a reboot"


def plan(facts, pools, part, options=None):
    """Return what has to be done for the pools of one kind on one host.

    Args:
        facts: what ``accelerator_info`` returned.
        pools: all pools of the host, as ``region`` returns them in ``hosts``; together they say whose card is whose.
        part: ``passthrough`` or ``partitioning``.
        options: further options of pci_driver, such as ``allow_pf_reset_risk``.

    Returns:
        Mapping of ``cards`` (addresses by pool), ``problems`` (sentences; when there is one nothing may be done),
        ``iommu`` (whether kernel arguments have to turn it on first), ``modules`` (options by step, for those that look
        after something), ``actions`` (by step, for those that have something to do), ``deferred`` (what waits).
    """
    mine = [pool for pool in pools if pool["mode"] in (PASSTHROUGH if part == "passthrough" else PARTITIONING)]
    cards, problems = match(pools, facts["accelerators"])
    devices = {device["address"]: device for device in facts["accelerators"]}
    if part == "passthrough":
        problems = problems + _kept_by_host(pools, cards, devices) + _shared_groups(pools, cards, devices)
    else:
        problems = problems + pool_rows.problems(mine, cards, devices)
    # One part turns it on for both, and the other one waits for it.
    iommu = any(pool["mode"] in _NEEDS_IOMMU for pool in pools) and not facts["host"]["iommu"]["enabled"]
    found = {"cards": {pool["name"]: cards[pool["name"]] for pool in mine}, "problems": problems, "iommu": iommu,
             "modules": {}, "actions": {}, "deferred": []}
    if problems or not mine:
        return found
    chosen = (pool_rows.passthrough(mine, cards) if part == "passthrough"
              else pool_rows.partitioning(mine, cards, devices))
    waiting = _waiting(chosen, devices)
    for name, rows in chosen.items():
        # What comes after a MIG mode that waits for a reset waits too.
        rows = [row for row in rows if name == "mig_mode" or row["address"] not in waiting]
        if rows:
            found["modules"][name] = _with_defaults(name, dict(options or {}, devices=rows))
    if iommu:
        found["deferred"] = [
            "{0}: {1}".format(address, _AFTER_REBOOT) for pool in mine for address in cards[pool["name"]]
        ]
    else:
        _decide(found, facts)
    return found


def _kept_by_host(pools, cards, devices):
    """Return a sentence for each card that the host is to use itself, and that is or will be handed out."""
    said = []
    for pool in pools:
        for address in cards[pool["name"]] if pool["mode"] == "host" else ():
            now = "is on {0}".format(devices[address]["driver"]) if "vfio" in (devices[address]["driver"] or "") else \
                "goes to {0} by its driver_override".format(devices[address]["driver_override"]) \
                if "vfio" in (devices[address]["driver_override"] or "") else \
                "is on no driver" if devices[address]["driver"] is None else None
            if now:
                said.append("pool {0}: {1} {2}, and the host is to use it itself; give it back with pci_driver and "
                            "driver: default".format(pool["name"], address, now))
    return said


def _shared_groups(pools, cards, devices):
    """Return a sentence for each whole card whose IOMMU group holds a card that is to be used another way."""
    mode = {address: (pool["name"], pool["mode"]) for pool in pools for address in cards[pool["name"]]}
    return [
        "pool {0}: {1} is in one IOMMU group with {2} of pool {3}, and a group goes to VFIO as a whole".format(
            name, address, member["address"], mode[member["address"]][0])
        for address, (name, way) in mode.items() if way == "passthrough"
        for member in (devices[address]["group"] or {"members": ()})["members"]
        if mode.get(member["address"], (name, way))[1] != "passthrough"
    ]


def _with_defaults(name, options):
    """Return options as the module itself would have them. What a module does not know is none of its business."""
    found = {}
    for key, spec in MODULES[name].ARGUMENT_SPEC.items():
        found[key] = options.get(key, spec.get("default"))
    row_spec = MODULES[name].ARGUMENT_SPEC["devices"]["options"]
    row_defaults = {key: spec.get("default") for key, spec in row_spec.items()}
    found["devices"] = [dict(row_defaults, **row) for row in options["devices"]]
    return found


def _waiting(chosen, devices):
    """Return the addresses of cards whose MIG mode below vGPUs was set, and waits for a reset."""
    return {row["address"] for row in chosen.get("mig_mode", ()) if mig_mode.is_pending(row, devices[row["address"]])}


def _decide(found, facts):
    """Plan step by step; what an earlier one will do is pending for those after it."""
    done = []
    for name, options in found["modules"].items():
        if "pending" in options:
            options["pending"] = list(done)
        said, actions = _decided(MODULES[name], options, facts)
        if said:
            found["problems"] += ["{0}: {1}".format("mig_layout" if name == "mig_mode" else name, line)
                                  for line in said]
            return
        done += actions
        if actions:
            found["actions"][name] = actions
    found["deferred"] = _pending_modes(found, facts)


def _decided(domain, options, facts):
    """Return (what speaks against it, the actions in the shape of docs/outputs.md)."""
    said = domain.validate(options)
    if said:
        return said, []
    try:
        return [], [action.as_dict() for action in domain.decide(options, facts)]
    except RegionError as error:
        return str(error).splitlines(), []
    except Exception as error:  # pylint: disable=broad-except
        # A defect of ours, or facts of another release: one host must not take the whole run down.
        return ["unexpected {0}: {1}".format(type(error).__name__, error)], []


def _pending_modes(found, facts):
    """Return a sentence for each card whose MIG mode was set, and waits for a reset: nothing is to be done, and it is
    not as declared either."""
    devices = {device["address"]: device for device in facts["accelerators"]}
    said = []
    for name, more in (("mig_mode", "; its VFs, MIG instances and vGPU types come after it, by another run"),
                       ("mig_layout", "")):
        rows = found["modules"].get(name, {"devices": ()})["devices"]
        said += [mig_mode.waits(row["address"]) + more for row in rows
                 if mig_mode.is_pending(row, devices[row["address"]])]
    return said
