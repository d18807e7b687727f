# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments of a host: what is declared, what the next boot will have, what the running kernel was given.

A change takes effect with the next boot. So two things are told apart: whether the boot configuration is as declared
(that makes ``changed``), and whether the running kernel is (that makes ``reboot_needed``).
"""

from __future__ import annotations

from ansible.module_utils.common import warnings

from .._core.errors import DeclarationError, Refused
from .._hardware import kernel
from . import arguments, grub, grubby, loaders

ARGUMENT_SPEC = {
    "arguments": {"type": "list", "elements": "str", "default": []},
    "absent": {"type": "list", "elements": "str", "default": []},
    "iommu": {"type": "bool", "default": False},
}
_AT_BOOT = "takes effect after the next reboot"
_LOADERS = {"grub": grub, "grubby": grubby}
_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "amd"}
# The firmware describes an IOMMU in one of these ACPI tables, and leaves it out when it is switched off there.
_TABLES = {"intel": ("DMAR", "Intel VT-d (also \"VT for Directed I/O\")"), "amd": ("IVRS", "IOMMU (also \"AMD-Vi\")"),
           "arm": ("IORT", "SMMU")}


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return arguments.problems(params["arguments"], params["absent"])


def observe(host, params):
    """Return plain facts: ``running``, ``cpu``, ``iommu``, ``seen`` (of the boot loader), ``boot`` (what it will hand
    over; None where no loader is known)."""
    running = arguments.split(host.text("/proc/cmdline") or "")
    cpu = cpu_vendor(host.text("/proc/cpuinfo") or "")
    seen = loaders.observe(host, running)
    name = loaders.choose(seen, [])[0]
    state = kernel.iommu(host)
    tables = [one for one in ("DMAR", "IVRS", "IORT") if host.exists("/sys/firmware/acpi/tables/" + one)]
    return {
        "running": running,
        "cpu": cpu,
        "iommu": dict(state, tables=tables, acpi=host.exists("/sys/firmware/acpi/tables")),
        "seen": seen,
        "boot": _LOADERS[name].observe(host) if name else None,
    }


def cpu_vendor(text):
    """Return ``intel``, ``amd`` or ``arm`` from the content of ``/proc/cpuinfo``; None for others. Pure."""
    for line in text.splitlines():
        key, unused, value = line.partition(":")
        if key.strip() == "vendor_id":
            return _VENDORS.get(value.strip())
        if key.strip() == "CPU implementer":
            return "arm"
    return None


def declared(params, observed):
    """Return the declared arguments, with those that this CPU needs for its IOMMU. Pure. Raises DeclarationError."""
    if not params["iommu"]:
        return list(params["arguments"])
    if observed["cpu"] is None:
        raise DeclarationError(
            "iommu: this host's CPU is neither Intel's nor AMD's nor arm64, so what its IOMMU needs is not known here; "
            "leave iommu out and name the arguments in 'arguments'")
    needed = arguments.IOMMU[observed["cpu"]]
    mine = list(params["arguments"])
    against = [
        "iommu: this CPU needs {0!r}, and {1} stands against it; take one of them out".format(one, words)
        for one in needed for words in _against(one, mine, params["absent"])]
    if against:
        raise DeclarationError(against)
    return arguments.missing(mine, needed) + mine


def _against(one, mine, absent):
    other = arguments.opposed(mine, one)
    found = ["{0!r} in 'arguments'".format(other)] if other else []
    return found + ["{0!r} in 'absent'".format(item) for item in absent if arguments.matches(one, item)]


def decide(params, observed):
    """Return the plan: how the boot configuration becomes as declared. Pure. Raises DeclarationError, Refused."""
    wanted = declared(params, observed)
    if not wanted and not params["absent"]:
        return []
    name, reason = loaders.choose(observed["seen"], wanted)
    if name is None:
        if not reboot_reasons(wanted, params["absent"], observed["running"]):
            # What is declared holds already, by whatever means.
            return []
        raise Refused(reason)
    deferred = _AT_BOOT if reboot_reasons(wanted, params["absent"], observed["running"]) else None
    return _LOADERS[name].plan(wanted, params["absent"], observed["boot"], deferred)


def reboot_reasons(wanted, absent, running):
    """Return one sentence for each way in which the running kernel's command line is not as declared. Pure."""
    found = []
    for one in arguments.missing(running, wanted):
        other = arguments.opposed(running, one)
        found.append("the running kernel was started {0}".format(
            "with {0!r} instead of {1!r}".format(other, one) if other else "without {0!r}".format(one)))
    for one in running:
        if any(arguments.matches(one, other) for other in absent):
            found.append("the running kernel was started with {0!r}".format(one))
    return list(dict.fromkeys(found))


def performer(host, params, observed):
    """Return a function that carries out one Action."""
    name = loaders.choose(observed["seen"], [])[0]

    def perform(action):
        _LOADERS[name].perform(host, action)

    return perform


def describe(params, observed):
    """Return boot_loader, arguments, running, reboot_needed, reboot_reasons, iommu, advice."""
    wanted = declared(params, observed)
    name = loaders.choose(observed["seen"], wanted)[0]
    reasons = reboot_reasons(wanted, params["absent"], observed["running"])
    iommu = dict({key: observed["iommu"][key] for key in ("enabled", "groups", "interrupt_remapping", "translation")},
                 advice=iommu_advice(observed))
    advice = arguments.doubts(params["arguments"])
    if name == "grub":
        advice += grub.doubts(observed["boot"])
    elif name == "grubby":
        advice += grubby.doubts(wanted, observed["boot"])
    # The IOMMU is the operator's concern here only when it is asked for.
    asked = any(one in wanted for vendor in arguments.IOMMU.values() for one in vendor) or params["iommu"]
    for sentence in advice + (iommu["advice"] if asked else []):
        warnings.warn(sentence)
    return {
        "boot_loader": name,
        "arguments": wanted,
        "running": observed["running"],
        "reboot_needed": bool(reasons),
        "reboot_reasons": reasons,
        "iommu": iommu,
        "advice": advice,
    }


def iommu_advice(observed):
    """Return what to look at when the running kernel was told to use the IOMMU and made no groups. Pure."""
    state, cpu = observed["iommu"], observed["cpu"]
    if state["enabled"] or cpu is None:
        return []
    switched_off = ("intel_iommu=off", "amd_iommu=off", "iommu=off")
    off = next((one for one in observed["running"] if arguments.plain(one) in switched_off), None)
    if off:
        return ["there are no IOMMU groups: the running kernel was started with {0!r}".format(off)]
    table, name = _TABLES[cpu]
    if state["acpi"] and table not in state["tables"]:
        return ["there are no IOMMU groups: the firmware describes no IOMMU (no ACPI table {0}); switch on {1} in the "
                "firmware setup, and in a virtual machine give it one".format(table, name)]
    # Intel's alone has to be switched on by an argument, unless the kernel was built otherwise.
    told = "intel_iommu=on" if cpu == "intel" else "all that it needs"
    if cpu == "intel" and arguments.missing(observed["running"], [told]):
        return []
    return ["there are no IOMMU groups although the running kernel was started with {0}: look for {1} in the kernel "
            "log, and check that {2} is on in the firmware setup".format(told, table, name)]
