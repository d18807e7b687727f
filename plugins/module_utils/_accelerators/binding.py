# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI functions on the drivers that are declared for them: VFIO, another one, or their own again.

The four steps are here; which functions, why not, in which order and how are in the files ``binding_*``.
"""

from __future__ import annotations

import posixpath

from .._core.errors import Refused
from .._hardware import facts, pci
from . import binding_kernel, binding_plan
from . import binding_refusals as refusals
from . import binding_targets as targets

ARGUMENT_SPEC = {
    "devices": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"address": {"type": "str", "required": True}, "driver": {"type": "str", "default": targets.VFIO}},
    },
    "siblings": {"type": "bool", "default": True},
    "persistent": {"type": "bool", "default": True},
    "allow_console_loss": {"type": "bool", "default": False},
    "allow_pf_reset_risk": {"type": "bool", "default": False},
}
_MODPROBE_FOLDERS = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return targets.problems(params)


def observe(host, params):
    """Return the facts of the declared functions and of their groups. Reads only.

    Args:
        host: Host.
        params: options of the module.

    Returns:
        The facts of ``accelerator_info``, and ``drivers`` (what is known of each driver that is asked for:
        ``registered``, ``available``, ``names``), and ``addresses`` of all PCI functions where a declared one is
        missing.
    """
    declared = [pci.address(item["address"]) for item in params["devices"]]
    wanted = {address for address in declared if host.exists("{0}/{1}".format(binding_kernel.DEVICES, address))}
    for address in list(wanted):
        wanted.update(host.names("{0}/{1}/iommu_group/devices".format(binding_kernel.DEVICES, address)))
    observed = facts.collect(host, also=sorted(wanted), tools=False)
    if not wanted.issuperset(declared):
        observed["addresses"] = host.names(binding_kernel.DEVICES)
        return observed
    names = {move.target for move in targets.moves(params, observed) if move.target}
    observed["drivers"] = _drivers(host, observed, names)
    return observed


def _drivers(host, observed, names):
    """Return what is known of drivers: registered, or there as a module; None where the kernel keeps no lists."""
    registered = host.names(binding_kernel.DRIVERS)
    modules = None
    found = {}
    for name in sorted(names):
        if name not in registered and modules is None:
            modules = _modules(host, observed["host"]["kernel"]["release"])
        missing = name not in registered
        available = name.replace("-", "_") in modules if missing and modules else None if missing else True
        near = sorted(set(registered) | modules) if missing and available is False else []
        found[name] = {"registered": not missing, "available": available, "names": near}
    return found


def _modules(host, release):
    """Return the names under which modprobe finds something, as modules are called when loaded; empty when unknown.

    Sources: ``modules.dep`` and ``modules.builtin`` of the running kernel; modprobe.d(5), ``alias`` and ``install``,
    by which Debian's ``nvidia`` is ``nvidia-current``.
    """
    names = set()
    for listing in ("modules.dep", "modules.builtin"):
        for line in (host.text("/lib/modules/{0}/{1}".format(release, listing)) or "").splitlines():
            names.add(posixpath.basename(line.partition(":")[0]).partition(".ko")[0].replace("-", "_"))
    if not names:
        return set()
    for path in _MODPROBE_FOLDERS:
        for name in host.names(path):
            for line in (host.text("{0}/{1}".format(path, name)) or "").splitlines():
                words = line.split()
                if len(words) > 2 and words[0] in ("alias", "install"):
                    names.add(words[1].replace("-", "_"))
    return names


def decide(params, observed):
    """Return the plan. Pure.

    Args:
        params: options of the module.
        observed: the facts of ``accelerator_info``, with what ``observe`` adds where it is known.

    Raises:
        DeclarationError: there is no such function, or one group is declared to go two ways.
        Refused: a function is in use, cannot be handed out, or should not be; everything that speaks against it.
    """
    found = targets.moves(params, observed)
    needs = {move.address: binding_plan.need(move, params, observed) for move in found}
    said = refusals.refusals(params, observed, found, needs)
    if said:
        raise Refused("\n".join(dict.fromkeys(said)))
    return binding_plan.actions(params, observed, found, needs)


def performer(host, params, observed):
    """Return a function that carries out one Action.

    All functions of a group get their overrides first. When one of them came into use since, and is left alone, those
    that did not leave their drivers yet must not go elsewhere by themselves later: their overrides are taken back.
    """
    written = []

    def perform(action):
        try:
            binding_kernel.perform(host, action)
        except Refused as error:
            taken = binding_kernel.take_back(host, written)
            raise Refused("{0}{1}".format(error, ". The driver override was taken back from {0}".format(
                ", ".join(taken)) if taken else "")) from error
        if action.kind == binding_plan.KIND_SETTING:
            written.append((action.name, action.after["driver_override"], action.before["driver_override"]))

    return perform


def describe(params, observed):
    """Return the declared functions and what moves with them, as they are now."""
    persisted = observed["host"].get("driver_overrides") or {}
    rows = []
    for move in targets.moves(params, observed):
        device, group = move.device, move.device.get("group") or {}
        rows.append({
            "address": move.address,
            "model": device.get("model"),
            "role": move.role or device.get("kind"),
            "driver": device.get("driver"),
            "driver_override": device.get("driver_override"),
            "driver_at_boot": persisted.get(move.address),
            "iommu_group": device.get("iommu_group"),
            "viable": group.get("viable"),
            "held_by": refusals.holders(device),
        })
    return {"devices": rows}
