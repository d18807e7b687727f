# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays what vendors' tools say over devices that sysfs found, by PCI address.

A tool never adds a device: a row whose address is not on the bus is dropped and counted. A tool that is absent, prints
nonsense or hangs is a status and no more. A tool is asked only where a device of its vendor is.
"""

from __future__ import annotations

from . import amd_smi, nvidia_smi, nvidia_smi_vgpu, xpu_smi
from .tool_output import OK

NVIDIA, AMD, INTEL = "10de", "1002", "8086"

# The only keys that a tool may write: who a device is, and where, is known from the bus.
_KEYS = ("uuid", "driver_version", "product", "firmware", "persistence_mode", "virtualization", "fabric", "mig",
         "partition", "health")
_DRIVER = "/proc/driver/nvidia/version"
_ACCELERATORS = ("03", "12")


def overlay(host, devices):
    """Fill what the vendors' tools know into devices, in place.

    Args:
        host: Host.
        devices: list of dicts in the shape of ``facts.collect``; read are address, vendor_id, class, driver, vgpu.
            Filled are uuid, driver_version, firmware, mig, partition, and health with the raw values that
            ``health.judge`` reads; and, where a tool says so, product (the marketing name), persistence_mode,
            virtualization, fabric, ``vgpu.supported``. Each device gets ``sources`` for the tools of its vendor.

    Returns:
        (sources, dropped): {tool: status} with ``ok``, ``absent``, ``skipped: …``, ``partial: …`` or ``error: …``,
        and the number of rows that belong to no device on the bus.
    """
    by_vendor = {}
    for device in devices:
        if str(device.get("class") or "")[:2] in _ACCELERATORS:
            by_vendor.setdefault(device.get("vendor_id"), []).append(device)
    sources, dropped = {}, 0
    for vendor, reader in ((NVIDIA, _nvidia), (AMD, _amd), (INTEL, _intel)):
        if vendor in by_vendor:
            rows, told = reader(host, by_vendor[vendor])
            dropped += lay(rows, by_vendor[vendor], told)
            sources.update(told)
    return sources, dropped


def lay(rows, devices, told):
    """Write rows into devices, in place. Pure otherwise.

    Args:
        rows: list of (address or None, facts).
        devices: list of devices of one vendor.
        told: {tool: status}.

    Returns:
        the number of rows without a device; a second row for the same address is one as well.
    """
    by_address = {device["address"]: device for device in devices}
    written, dropped = set(), 0
    for where, facts in rows:
        if where not in by_address or where in written:
            dropped += 1
            continue
        written.add(where)
        _merge(by_address[where], facts)
    for device in devices:
        mine = device.setdefault("sources", {})
        for tool, status in told.items():
            # A reader that knows better has written it already.
            mine.setdefault(tool, _own_status(status, device["address"] in written))
    return dropped


def _merge(device, facts):
    """Write what is known. A value that the tool does not have never removes one that is there."""
    for key in _KEYS:
        value = facts.get(key)
        if isinstance(value, dict) and isinstance(device.get(key), dict):
            device[key].update({name: one for name, one in value.items() if one is not None})
        elif value is not None:
            device[key] = value


def _own_status(status, written):
    """Return the status for one device: a tool that answered, but not about this one, is not ``ok`` for it."""
    if written or not (status == OK or status.startswith("partial")):
        return status
    return "not listed"


def _nvidia(host, devices):
    """Ask nvidia-smi, unless that would change the host: it loads the module, which then takes every free GPU."""
    if host.is_real and not host.exists(_DRIVER) and not any(device.get("driver") == "nvidia" for device in devices):
        return [], {nvidia_smi.TOOL: "skipped: the module nvidia is not loaded, and nvidia-smi would load it"}
    rows, told = nvidia_smi.observe(host)
    if rows and any((device.get("vgpu") or {}).get("framework", "none") != "none" for device in devices):
        types, told[nvidia_smi_vgpu.TOOL] = nvidia_smi_vgpu.observe(host)
        for device in devices:
            found = types.get(device["address"])
            if found and isinstance(device.get("vgpu"), dict):
                device["vgpu"]["supported"] = found
            device.setdefault("sources", {})[nvidia_smi_vgpu.TOOL] = _own_status(
                told[nvidia_smi_vgpu.TOOL], bool(found))
    return rows, told


def _amd(host, devices):
    rows, told = amd_smi.observe(host)
    found = []
    for device in devices:
        if device.get("driver") == "amdgpu":
            facts, status = amd_smi.errors_of(host, device["address"])
            _merge(device, facts)
            device.setdefault("sources", {})[amd_smi.COUNTERS] = status
            found.append(status)
    if found:
        told[amd_smi.COUNTERS] = next((status for status in found if status != OK), OK)
    return rows, told


def _intel(host, _devices):
    return xpu_smi.observe(host)
