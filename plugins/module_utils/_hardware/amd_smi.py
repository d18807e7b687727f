# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AMD's tools and the amdgpu driver say of each GPU.

``amd-smi static --json`` is asked; where it is not installed or knows no GPU, ``rocm-smi`` (ROCm 6 and older).
Uncorrected memory errors come from the driver's own files, so that they need no tool.

The UUID that amd-smi prints is made of the ASIC's serial number, so it is not taken over.
Sources: ROCm/amdsmi and ROCm/rocm_smi_lib (JSON of ROCm 6.1 to 7), kernel Documentation/gpu/amdgpu/ras.rst.
"""

from __future__ import annotations

import re

from .tool_output import ABSENT, OK, address, ask, cleaned, json_value, mapping

TOOL, FALLBACK, COUNTERS = "amd-smi", "rocm-smi", "amdgpu ras"
ARGV = (TOOL, "static", "--json")
FALLBACK_ARGV = (FALLBACK, "--showbus", "--showvbios", "--showdriverversion", "--showcomputepartition",
                 "--showmemorypartition", "--json")

_COUNTS = re.compile(r"^(ue|ce):[ \t]*(\d{1,18})$", re.MULTILINE)
_BAD_PAGE = re.compile(r"^0x[0-9a-fA-F]+[ \t]*:[ \t]*0x[0-9a-fA-F]+[ \t]*:[ \t]*([RPF])[ \t]*$", re.MULTILINE)


def observe(host):
    """Ask ``amd-smi``, and ``rocm-smi`` when that said nothing.

    Args:
        host: Host.

    Returns:
        (list of (address or None, facts), {tool: status}).
    """
    finished, status = ask(host, ARGV)
    rows = parse(finished.stdout) if finished else []
    sources = {TOOL: _status(TOOL, status, rows, finished)}
    if rows or (finished is None and status != ABSENT):
        # A tool that hangs or floods speaks for the driver: a second one would hang as well.
        return rows, sources
    finished, status = ask(host, FALLBACK_ARGV)
    rows = parse_fallback(finished.stdout) if finished else []
    sources[FALLBACK] = _status(FALLBACK, status, rows, finished)
    return rows, sources


def parse(text):
    """Return what ``amd-smi static --json`` says. Pure; raises nothing.

    Args:
        text: a list of GPUs, or since ROCm 7 a mapping with ``gpu_data``.

    Returns:
        list of (address or None, facts).
    """
    value = json_value(text)
    if isinstance(value, dict):
        value = value.get("gpu_data", [value])
    rows = []
    for gpu in value if isinstance(value, list) else []:
        if not isinstance(gpu, dict) or not isinstance(gpu.get("bus"), dict):
            continue
        driver, vbios, partition = mapping(gpu, "driver"), mapping(gpu, "vbios"), mapping(gpu, "partition")
        rows.append((address(gpu["bus"].get("bdf")), {
            "product": cleaned(mapping(gpu, "asic").get("market_name")),
            "driver_version": cleaned(driver.get("version", driver.get("driver_version"))),
            # Since ROCm 7 the section is named ifwi.
            "firmware": {"vbios": _vbios(vbios or mapping(gpu, "ifwi"))},
            "partition": _partition(partition.get("compute_partition", partition.get("accelerator_partition")),
                                    partition.get("memory_partition")),
        }))
    return rows


def parse_fallback(text):
    """Return what ``rocm-smi … --json`` says: ``{"card0": {"PCI Bus": …}, "system": {…}}``. Pure; raises nothing."""
    value = json_value(text)
    if not isinstance(value, dict):
        return []
    driver = cleaned(mapping(value, "system").get("Driver version"))
    rows = []
    for name, card in sorted(value.items()):
        if not name.startswith("card") or not isinstance(card, dict):
            continue
        rows.append((address(card.get("PCI Bus")), {
            "driver_version": driver or cleaned(card.get("Driver version")),
            "firmware": {"vbios": cleaned(card.get("VBIOS version"))},
            "partition": _partition(card.get("Compute Partition"), card.get("Memory Partition")),
        }))
    return rows


def errors_of(host, where):
    """Return what the amdgpu driver has counted since it was loaded.

    Args:
        host: Host.
        where: PCI address.

    Returns:
        (facts with ``health``, status). Source: ``/sys/bus/pci/devices/<address>/ras/*_err_count`` with lines
        ``ue: 0`` (uncorrected) and ``ce: 0``, and ``gpu_vram_bad_pages`` with R (reserved), P (pending) or F (failed).
    """
    folder = host.folder("/sys/bus/pci/devices/{0}/ras".format(where))
    names = folder.names()
    if not names:
        return {}, ABSENT
    uncorrected = None
    for name in names:
        if not name.endswith("_err_count"):
            continue
        for kind, count in _COUNTS.findall(folder.text(name) or ""):
            if kind == "ue":
                uncorrected = (uncorrected or 0) + int(count)
    pages = _BAD_PAGE.findall(folder.text("gpu_vram_bad_pages") or "") if "gpu_vram_bad_pages" in names else []
    health = {"ecc_uncorrected": uncorrected, "bad_pages": {
        "reserved": pages.count("R"), "pending": pages.count("P"), "failed": pages.count("F")}}
    return {"health": health}, OK if uncorrected is not None else "error: no counter in {0} could be read".format(
        folder.path)


def _vbios(section):
    return cleaned(section.get("version")) or cleaned(section.get("part_number"))


def _partition(compute, memory):
    """Return modes; what is available comes from sysfs. None when the GPU has none."""
    found = {"compute": cleaned(compute), "memory": cleaned(memory)}
    return found if any(found.values()) else None


def _status(tool, status, rows, finished):
    if finished is None:
        return status
    if rows:
        return OK if status == OK else "partial: {0}".format(status.split(": ", 1)[1])
    return status if status != OK else "error: {0} ended with status 0 and printed no GPU: {1!r}".format(
        tool, " ".join(finished.stdout.split())[:200])
