# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confidential-computing modes of NVIDIA GPUs: CC of single GPUs, PPCIe of all GPUs and NVSwitches of a host together.

NVIDIA's tool writes to a device even to ask it, and its published version does not look whether a driver has it. So a
device that is in use, or on a driver of the host, is not even asked.
"""

from __future__ import annotations

import re

from .._core.change import Action
from .._core.errors import DeclarationError, Refused, unknown_name
from .._hardware import facts, groups, pci
from . import gpu_admin_tools

ARGUMENT_SPEC = {
    "tool": {"type": "path", "required": True},
    "tool_sha256": {"type": "str", "required": True},
    "devices": {"type": "list", "elements": "str", "default": []},
    "cc_mode": {"type": "str", "choices": ["off", "on", "devtools"]},
    "ppcie_mode": {"type": "str", "choices": ["off", "on"]},
    "skip_in_use": {"type": "bool", "default": False},
}
_UNSUPPORTED = gpu_admin_tools.UNSUPPORTED


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    found = []
    if not params["tool"].startswith("/"):
        found.append("tool: {0!r} is no absolute path".format(params["tool"]))
    if not re.fullmatch("[0-9a-fA-F]{64}", params["tool_sha256"]):
        found.append("tool_sha256: {0!r} is no sha256, which has 64 hexadecimal digits".format(params["tool_sha256"]))
    for index, text in enumerate(params["devices"]):
        if pci.address(text) is None:
            found.append("devices[{0}]: {1!r} is no PCI address such as '0000:41:00.0'".format(index, text))
    if params["cc_mode"] in ("on", "devtools") and params["ppcie_mode"] == "on":
        found.append("cc_mode: {0!r} and ppcie_mode: 'on' exclude each other; a GPU has one of them".format(
            params["cc_mode"]))
    return found


def observe(host, params):
    """Return ``{"devices": [...], "blocked": sentence or None}``.

    Each device: address, kind (``gpu`` or ``nvswitch``), model, why_not (why it is not asked, or None), in_use, vfs,
    resettable, and ``cc`` and ``ppcie`` as ``gpu_admin_tools.ask`` returns them. The tool is not run before its
    checksum was compared.
    """
    argv = gpu_admin_tools.check(host, params["tool"], params["tool_sha256"])
    classes = pci.scan(host)
    seen = facts.collect(host, [name for name in classes if classes[name] == "0680"], False)
    blocked = _blocked(seen["host"])
    devices = [_device(one, list(classes)) for one in seen["accelerators"] + seen["others"]
               if one["vendor_id"] == "10de" and one["kind"] in ("gpu", "nvswitch")
               and (one["sriov"] or {}).get("role") != "vf"]
    if not blocked:
        chosen = _chosen(params, devices)
        free = [one for one in devices if one["why_not"] is None
                and (one["address"] in chosen or params["ppcie_mode"] is not None)]
        for kind in ("cc", "ppcie"):
            addresses = [one["address"] for one in free if kind == "ppcie" or one["kind"] == "gpu"]
            told = gpu_admin_tools.ask(host, argv, kind, addresses)
            for one in free:
                one[kind] = told.get(one["address"])
    return {"devices": devices, "blocked": blocked}


def _blocked(about):
    if about["lockdown"] in ("integrity", "confidentiality"):
        return ("the kernel is locked down ({0}), so no program can reach the registers of a device; NVIDIA's tool "
                "needs a host without lockdown, which Secure Boot switches on".format(about["lockdown"]))
    status = about["sources"].get("holders", "ok")
    if status != "ok":
        return "who uses the devices is not known ({0}), so none of them is touched; run as root".format(status)
    return None


def _device(one, names):
    """Return what the decision needs of a described device. Pure."""
    why = None
    others = [name for name in names if one["address"] in name and name != one["address"]]
    holders = sorted({"{0} (pid {1})".format(item["command"], item["pid"]) if item["pid"] else item["kind"]
                      for item in one["holders"]})
    if one["in_use"]:
        why = "is in use by {0}".format(", ".join(holders) or "somebody")
    elif one["driver"] and not groups.is_vfio(one["driver"]):
        why = "is on the driver {0}, which works with its registers; release it with pci_driver first".format(
            one["driver"])
    elif others:
        why = "has an address that NVIDIA's tool takes for {0} as well".format(others[0])
    return {"address": one["address"], "kind": one["kind"], "model": one["model"], "why_not": why,
            "in_use": one["in_use"], "vfs": (one["sriov"] or {}).get("num") or 0,
            "resettable": bool(one["reset_methods"]), "cc": None, "ppcie": None}


def _chosen(params, devices):
    """Return the addresses of the declared GPUs; of all of them when none is named."""
    named = [pci.address(text) for text in params["devices"]]
    return named or [one["address"] for one in devices if one["kind"] == "gpu"]


def decide(params, observed):
    """Return the plan: one action for each device and mode, first what is switched off. Pure.

    Raises:
        DeclarationError: a declared address is that of no NVIDIA GPU of this host.
        Refused: a device is in use or cannot have the mode, or the modes exclude each other.
    """
    devices, problems = observed["devices"], []
    by_address = {one["address"]: one for one in devices}
    chosen = _chosen(params, devices)
    known = [one["address"] for one in devices if one["kind"] == "gpu"]
    unknown = [unknown_name("devices", address, "NVIDIA GPU of this host", known)
               for address in chosen if address not in known]
    if unknown:
        raise DeclarationError(unknown)
    if observed["blocked"] and (params["cc_mode"] or params["ppcie_mode"]):
        raise Refused(observed["blocked"])
    gpus, plan = [by_address[address] for address in chosen], []
    if params["ppcie_mode"] is not None:
        left_out = [one["address"] for one in devices if one["kind"] == "gpu" and one["address"] not in chosen]
        if left_out:
            problems.append("ppcie_mode: PPCIe is a mode of all GPUs and NVSwitches of a host together, and 'devices' "
                            "leaves out {0}; leave 'devices' out".format(", ".join(left_out)))
        plan += _of_kind("ppcie", params["ppcie_mode"], devices, params, problems)
    if params["cc_mode"] is not None:
        plan += _of_kind("cc", params["cc_mode"], gpus, params, problems)
        if params["ppcie_mode"] is None and params["cc_mode"] != "off":
            problems += _excluded(gpus, "ppcie", "cc_mode: {0!r}".format(params["cc_mode"]), "ppcie_mode: 'off'")
    if params["ppcie_mode"] == "on" and params["cc_mode"] is None:
        problems += _excluded(devices, "cc", "ppcie_mode: 'on'", "cc_mode: 'off'")
    if problems:
        raise Refused("\n".join(problems))
    return sorted(plan, key=lambda action: action.after["mode"] != "off")


def _excluded(devices, kind, wanted, way):
    """NVIDIA's tool would switch the other mode off by itself, of this device alone: it is declared for all instead."""
    return ["{0} cannot be: {1} has {2} mode {3!r}; declare {4} too".format(
        wanted, one["address"], gpu_admin_tools.KINDS[kind], _said(one[kind]), way)
        for one in devices if one[kind] and _said(one[kind]) not in ("off", _UNSUPPORTED, None)]


def _said(told):
    """Return the mode in effect; where that is off, the one that waits for a reset."""
    if told["mode"] == "off" and told["pending"] not in (None, _UNSUPPORTED):
        return told["pending"]
    return told["mode"]


def _of_kind(kind, mode, devices, params, problems):
    """Return the actions for one mode, and put into ``problems`` what speaks against them."""
    plan, skipped = [], []
    for one in devices:
        told = one[kind]
        if one["why_not"]:
            if params["skip_in_use"] and one["in_use"]:
                skipped.append(one)
            else:
                problems.append("{0} {1}, so its {2} mode is not asked for; it is never touched in use{3}".format(
                    one["address"], one["why_not"], gpu_admin_tools.KINDS[kind],
                    "" if not one["in_use"] else " (skip_in_use leaves it out)"))
        elif told is None or told["status"] != "ok":
            problems.append("{0}: its {1} mode is not known: {2}".format(
                one["address"], gpu_admin_tools.KINDS[kind], told["status"] if told else "it was not asked"))
        elif told["mode"] == _UNSUPPORTED:
            if mode != "off":
                problems.append("{0} ({1}) has no {2} mode, says NVIDIA's tool".format(
                    one["address"], one["model"] or one["kind"], gpu_admin_tools.KINDS[kind]))
        elif told["mode"] != mode or told["pending"] not in (None, _UNSUPPORTED, mode):
            plan.append(_action(kind, mode, one, told, problems))
    if kind == "ppcie" and plan and skipped:
        problems.append("ppcie_mode: {0} would change without {1}, which is in use; PPCIe is a mode of all of them "
                        "together".format(plan[0].name, skipped[0]["address"]))
    return plan


def _action(kind, mode, one, told, problems):
    if one["vfs"]:
        problems.append("{0} has {1} VFs, which its reset would remove; take them away with sriov_vfs first".format(
            one["address"], one["vfs"]))
    if not one["resettable"]:
        problems.append("{0} offers no reset to the kernel, so the mode would never take effect".format(one["address"]))
    return Action("set", gpu_admin_tools.KINDS[kind] + " mode", one["address"],
                  {"mode": told["mode"], "after_reset": told["pending"]}, {"mode": mode, "after_reset": mode},
                  interrupts="{0} ({1}) is reset".format(one["address"], one["model"] or one["kind"]), details=kind)


def performer(host, params, observed):
    """Return a function that carries out one Action; the tool is compared with its checksum before each."""

    def perform(action):
        argv = gpu_admin_tools.check(host, params["tool"], params["tool_sha256"])
        gpu_admin_tools.change(host, argv, action.details, action.name, action.after["mode"])

    return perform


def describe(params, observed):
    """Return ``modes``: of every declared device, and of every device of the host when PPCIe is declared."""
    chosen = _chosen(params, observed["devices"])
    rows = []
    for one in observed["devices"]:
        if one["address"] not in chosen and params["ppcie_mode"] is None:
            continue
        row = {"address": one["address"], "kind": one["kind"], "model": one["model"]}
        for kind in ("cc", "ppcie"):
            row[kind] = one[kind]["mode"] if one[kind] else None
            row[kind + "_after_reset"] = one[kind]["pending"] if one[kind] else None
        told = [one[kind]["status"] for kind in ("cc", "ppcie") if one[kind] and one[kind]["status"] != "ok"]
        row["status"] = "not asked: it {0}".format(one["why_not"]) if one["why_not"] else (told or [
            observed["blocked"] or "ok"])[0]
        rows.append(row)
    return {"modes": rows}
