# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which PCI functions are moved to their drivers. Pure.

One action is one write to the host. First of all come the overrides of functions that have no driver, in both
directions: a driver that is loaded, for whichever card, takes every function that it may have, and so none that is to
go elsewhere. Then a group is finished before the next one is begun, and in it: all overrides, all unbinding, all
binding, and then the files for the next boot. The files come last, because what was never seen to work
must not be made permanent: a power cut before them leaves a host that boots as it did before, and the next run starts
again. When a function is given back its file goes last too, and stands for what is still to be done until then.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._core.change import Action
from .._hardware import boot_drivers
from . import binding_targets as targets
from . import persistence
from .binding_refusals import holders

KIND_FUNCTION = "PCI function"
KIND_SETTING = "driver override"
KIND_MODULE = "kernel module"
KIND_NATIVE = "native driver"


@dataclass(frozen=True)
class Need:
    """What a function lacks.

    Attributes:
        override: whether its ``driver_override`` has to change.
        unbind: whether it has to leave its driver.
        bind: whether the kernel has to look for a driver for it.
        file: whether its file for the next boot has to change.
        release: whether a note is needed that its release was begun.
    """

    override: bool
    unbind: bool
    bind: bool
    file: bool
    release: bool


def restore_of(observed):
    """Return what restores drivers at boot; nothing is there when nobody looked."""
    return observed["host"].get("boot_drivers") or boot_drivers.nothing()


def persisted_after(move, params, observed):
    """Return the driver that has to be in a function's file for the next boot; None for no file."""
    if move.target is None:
        # Given back for now only: the next boot hands it out again.
        return None if params["persistent"] else _persisted(move, observed)
    return move.target if params["persistent"] else None


def need(move, params, observed):
    """Return the Need of a function."""
    driver, override = move.device.get("driver"), move.device.get("driver_override")
    file = persisted_after(move, params, observed) != _persisted(move, observed)
    noted = move.address in restore_of(observed)["releasing"]
    if move.target is not None:
        away = driver != move.target
        return Need(override != move.target, away and driver is not None, away, file, False)
    unbind = targets.is_handed_out(driver)
    begun = override is not None or noted or file
    bind = unbind or (driver is None and begun)
    # Where the file goes, it says until then that the release is not done.
    return Need(override is not None, unbind, bind, file, bind and not file)


def actions(params, observed, found, needs):
    """Return the plan.

    Args:
        params: options of the module.
        observed: what was observed.
        found: list of Move that nothing speaks against.
        needs: mapping of address to Need.
    """
    persisted = dict(observed["host"].get("driver_overrides") or {})
    declared = False
    for move in found:
        after = persisted_after(move, params, observed)
        declared = declared or (move.target is not None and after is not None)
        if after is None:
            persisted.pop(move.address, None)
        else:
            persisted[move.address] = after
    bring, remove = persistence.restore_actions(restore_of(observed), declared, bool(persisted))
    groups = targets.by_group(found).values()
    plan = [action for group in groups for action in _begin(observed, group, needs, has_driver=False)]
    plan += _loads(observed, found, needs) + bring
    for group in groups:
        plan += _group(params, observed, group, needs)
    return plan + remove


def _begin(observed, group, needs, has_driver):
    """Return notes of releases and overrides for those functions of a group that have a driver, or that have none."""
    noted, held = restore_of(observed)["releasing"], any(holders(move.device) for move in group)
    notes, settings = [], []
    for move in group:
        lacks, device = needs[move.address], move.device
        if (device.get("driver") is not None) != has_driver:
            continue
        if lacks.release and move.address not in noted:
            notes.append(persistence.release_action("create", move.address))
        if lacks.override and not held:
            # While somebody uses a function of the group nothing is written to it, not even this.
            old = {"driver_override": device.get("driver_override")}
            settings.append(Action("set", KIND_SETTING, move.address, old, {"driver_override": move.target}))
    return notes + settings


def _loads(observed, found, needs):
    wanted = {}
    for move in found:
        if move.target and needs[move.address].bind and not _registered(move.target, observed):
            wanted.setdefault(move.target.replace("-", "_"), move.target)
    return [
        Action("load", KIND_MODULE, module, {"loaded": False}, {"loaded": True}, details=driver)
        for module, driver in wanted.items()
    ]


def _registered(driver, observed):
    found = observed.get("drivers", {}).get(driver)
    if found:
        return found["registered"]
    host = observed["host"]
    module = (host.get("modules") or {}).get(driver.replace("-", "_")) or {}
    return driver in host.get("vfio_drivers", ()) or bool(module.get("loaded"))


def _group(params, observed, group, needs):
    noted = restore_of(observed)["releasing"]
    unbinds, binds, after = [], [], []
    for move in group:
        lacks, device = needs[move.address], move.device
        if lacks.unbind:
            unbinds.append(Action("unbind", KIND_FUNCTION, move.address, {"driver": device["driver"]}, {"driver": None},
                                  interrupts="{0} loses {1}".format(device["driver"], _called(move)), details=device))
        if lacks.bind:
            binds += _binds(move)
        if lacks.file:
            after += persistence.override_actions(
                move.address, _persisted(move, observed), persisted_after(move, params, observed))
        if move.address in noted or lacks.release:
            after.append(persistence.release_action("delete", move.address))
    return _begin(observed, group, needs, has_driver=True) + unbinds + binds + after


def _binds(move):
    after = {"driver": move.target or targets.DEFAULT}
    bind = Action("bind", KIND_FUNCTION, move.address, {"driver": None}, after, details=move.target)
    # The kernel looks only among the drivers that are loaded.
    return [bind] if move.target else [Action("load", KIND_NATIVE, move.address, None, after), bind]


def _called(move):
    model = move.device.get("model")
    return "{0} ({1})".format(move.address, model) if model else move.address


def _persisted(move, observed):
    return (observed["host"].get("driver_overrides") or {}).get(move.address)
