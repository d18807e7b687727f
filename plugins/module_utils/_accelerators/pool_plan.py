# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the pools of a host and its facts to the options of the modules that make it so, and to their plan. Pure.

It runs on the controller, on what one ``accelerator_info`` returned, with the same decisions that the modules make.
"""

from __future__ import annotations

from .._core.errors import RegionError
from . import binding, mig, mig_mode, vfs, vgpu
from .matching import match

# In the order in which they run: MIG comes before VFs, which wipe it, and vGPU types come on VFs.
MODULES = {"pci_driver": binding, "mig_layout": mig, "sriov_vfs": vfs, "vgpu_profiles": vgpu}

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
        ``iommu`` (whether kernel arguments have to turn it on first), ``modules`` (options by module, for those that
        look after something), ``actions`` (by module, for those that have something to do), ``deferred`` (what waits).
    """
    mine = [pool for pool in pools if pool["mode"] in (PASSTHROUGH if part == "passthrough" else PARTITIONING)]
    cards, problems = match(pools, facts["accelerators"])
    devices = {device["address"]: device for device in facts["accelerators"]}
    if part == "passthrough":
        problems = problems + _kept_by_host(pools, cards, devices) + _shared_groups(pools, cards, devices)
    # One part turns it on for both, and the other one waits for it.
    iommu = any(pool["mode"] in _NEEDS_IOMMU for pool in pools) and not facts["host"]["iommu"]["enabled"]
    found = {"cards": {pool["name"]: cards[pool["name"]] for pool in mine}, "problems": problems, "iommu": iommu,
             "modules": {}, "actions": {}, "deferred": []}
    if problems or not mine:
        return found
    chosen = _passthrough(mine, cards) if part == "passthrough" else _partitioning(mine, cards, devices)
    found["modules"] = {name: _with_defaults(name, dict(options or {}, **more)) for name, more in chosen.items()}
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


def _passthrough(pools, cards):
    addresses = [address for pool in pools for address in cards[pool["name"]]]
    return {"pci_driver": {"devices": [{"address": address, "driver": "vfio"} for address in addresses]}}


def _partitioning(pools, cards, devices):
    """Return options by module, in the order in which they have to run: MIG, VFs, then the types on them."""
    functions, vgpus, layouts = [], [], []
    for pool in pools:
        for address in cards[pool["name"]]:
            if pool["mode"] == "mig":
                instances = [{"profile": pool["profile"], "count": pool["slices"], "placements": None}]
                layouts.append({"address": address, "mode": "enabled", "instances": instances})
            elif pool["mode"] == "vf":
                functions.append({"address": address, "vfs": pool["slices"], "driver": "vfio"})
            else:
                vgpus.append({"address": address, "profile": pool["profile"], "count": pool["slices"]})
                total = (devices[address]["sriov"] or {}).get("total")
                if total:
                    # sriov-manage makes all of them or none; those without a type cost nothing.
                    functions.append({"address": address, "vfs": total})
    found = {"mig_layout": layouts, "sriov_vfs": functions, "vgpu_profiles": vgpus}
    return {name: {"devices": rows} for name, rows in found.items() if rows}


def _decide(found, facts):
    """Plan module by module; what an earlier one will do is pending for those after it."""
    done = []
    for name, options in found["modules"].items():
        if "pending" in options:
            options["pending"] = list(done)
        said, actions = _decided(MODULES[name], options, facts)
        if said:
            found["problems"] += ["{0}: {1}".format(name, line) for line in said]
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
    rows = found["modules"].get("mig_layout", {"devices": ()})["devices"]
    return [mig_mode.waits(row["address"]) for row in rows if mig_mode.is_pending(row, devices[row["address"]])]
