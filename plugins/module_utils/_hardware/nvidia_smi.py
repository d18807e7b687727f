# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``nvidia-smi -q -x`` says of each GPU.

Elements are renamed between driver branches. Each fact lists every spelling that is known; one that has none of them
is named in the status, so that a rename is seen and not taken for a card without that feature.
Source: ``nvidia-smi -q -x`` of the branches 570, 580 and 595 (NVIDIA/k8s-test-infra), and older ones for the layout
of ECC counters before Ampere.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from . import nvidia_mig
from .tool_output import OK, address, ask, cleaned, number, yes

TOOL = "nvidia-smi"
ARGV = (TOOL, "-q", "-x")

# Fact, then its spellings. A parent that only says N/A answers for all its children.
_SPELLINGS = (
    ("uuid", ("uuid",)),
    ("vbios", ("vbios_version",)),
    ("gsp", ("gsp_firmware_version",)),
    ("product", ("product_name",)),
    ("persistence", ("persistence_mode",)),
    ("mig", ("mig_mode/current_mig",)),
    ("mig_pending", ("mig_mode/pending_mig",)),
    ("virtualization", ("gpu_virtualization_mode/virtualization_mode",)),
    ("host_vgpu", ("gpu_virtualization_mode/host_vgpu_mode",)),
    ("heterogeneous", ("gpu_virtualization_mode/vgpu_heterogeneous_mode",)),
    ("recovery_action", ("gpu_recovery_action", "gpu_reset_status/reset_required")),
    ("ecc_mode", ("ecc_mode/current_ecc",)),
    ("rows_correctable", ("remapped_rows/remapped_row_corr",)),
    ("rows_uncorrectable", ("remapped_rows/remapped_row_unc",)),
    ("rows_pending", ("remapped_rows/remapped_row_pending",)),
    ("rows_failure", ("remapped_rows/remapped_row_failure",)),
    ("pages_pending", ("retired_pages/pending_retirement",)),
    ("fabric_state", ("fabric/state",)),
    ("fabric_status", ("fabric/status",)),
)
# Younger than the oldest branch that is read, so that their absence says nothing.
_OPTIONAL = (
    ("drain", ("gpu_reset_status/drain_and_reset_recommended",)),
    ("sram_threshold", ("ecc_errors/aggregate/sram_threshold_exceeded",)),
    ("channel_repair", ("ecc_errors/channel_repair_pending",)),
    ("tpc_repair", ("ecc_errors/tpc_repair_pending",)),
    ("unrepairable", ("ecc_errors/unrepairable_memory",)),
    ("module_id", ("platformInfo/module_id", "platform_info/module_id")),
    ("fabric_health", ("fabric/health/summary",)),
    ("clique", ("fabric/cliqueId",)),
)
_LOST = re.compile(r"GPU (?:is lost|requires reset)|fallen off the bus", re.IGNORECASE)
_NO_HANDLE = re.compile(
    r"device handle for[^\n]{0,40}?([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])[: \t]{0,9}([^\n]{0,300})")


class NotXml(ValueError):
    """What was printed is not what ``nvidia-smi -q -x`` prints. The message is one clause for a status."""


def observe(host):
    """Ask ``nvidia-smi`` once, and once more for the placement of MIG instances where a GPU has MIG enabled.

    Args:
        host: Host.

    Returns:
        (list of (address or None, facts) as ``parse`` returns it, {tool: status}).
    """
    finished, status = ask(host, ARGV)
    if finished is None:
        return [], {TOOL: status}
    lost = _without_handle(finished.stdout + "\n" + finished.stderr)
    try:
        rows, missing, attached = parse(finished.stdout)
    except NotXml as problem:
        # The exit status tells more than the shape of what was printed.
        if status == OK:
            status = "error: nvidia-smi ended with status 0, and {0}".format(problem)
        return lost, {TOOL: status}
    sources = {TOOL: _status(status, rows, missing, attached)}
    if any((facts["mig"] or {}).get("mode") == "enabled" for _address, facts in rows):
        order = [where for where, _facts in rows] if attached in (None, len(rows)) else None
        sources[nvidia_mig.TOOL] = nvidia_mig.complete(host, rows, order)
    listed = {where for where, _facts in rows}
    return rows + [row for row in lost if row[0] not in listed], sources


def parse(text):
    """Return what the XML says. Pure.

    Args:
        text: standard output of ``nvidia-smi -q -x``; what it prints before and after the document is left out.

    Returns:
        (rows, missing, attached): rows is a list of (address or None, facts) in the order of NVML's indexes; missing
        is a sorted list of elements that are in no known spelling; attached is the number of GPUs that it says are
        there, or None.

    Raises:
        NotXml: it is no such document.
    """
    root = _document(text)
    driver = cleaned(root.findtext("driver_version"))
    rows, missing = [], set()
    for gpu in root.findall("gpu"):
        said, unsaid = _said(gpu)
        missing.update(unsaid)
        where = address(gpu.get("id") or "") or address(gpu.findtext("pci/pci_bus_id") or "")
        rows.append((where, _facts(gpu, said, driver)))
    return rows, sorted(missing), number(root.findtext("attached_gpus"))


def _document(text):
    """Return the root element. Entities are refused before anything is parsed: none is needed, and they can explode."""
    start = min((place for place in (text.find("<?xml"), text.find("<nvidia_smi_log")) if place >= 0), default=-1)
    if start < 0:
        raise NotXml("printed no XML: {0!r}".format(" ".join(text.split())[:200]))
    ending = "</nvidia_smi_log>"
    end = text.rfind(ending)
    if end < start:
        raise NotXml("its XML is cut off after {0} characters".format(len(text)))
    content = text[start:end + len(ending)].encode("utf-8", "replace")
    head = content[:content.find(b"<nvidia_smi_log")].upper()
    if b"<!ENTITY" in content.upper() or b"[" in head:
        raise NotXml("its XML declares entities, which nvidia-smi never does")
    # A given encoding overrides the declared one, in which a declaration of entities could hide.
    parser = ElementTree.XMLParser(encoding="utf-8")
    try:
        parser.feed(content)
        root = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NotXml("its XML cannot be read: {0}".format(error))
    if root.tag != "nvidia_smi_log":
        raise NotXml("its XML begins with {0!r}, not with 'nvidia_smi_log'".format(root.tag))
    return root


def _said(gpu):
    """Return ({fact: text or None}, [first spelling of each fact that must be there and is not])."""
    said, unsaid = {}, []
    for names, must in ((_SPELLINGS, True), (_OPTIONAL, False)):
        for fact, spellings in names:
            present, said[fact] = False, None
            for path in spellings:
                there, text = _element(gpu, path)
                present = present or there
                if text is not None:
                    said[fact] = text
                    break
            if must and not present:
                unsaid.append(spellings[0])
    if gpu.find("ecc_errors") is None:
        unsaid.append("ecc_errors")
    return said, unsaid


def _element(gpu, path):
    """Return (whether the tool speaks of it, the text or None)."""
    found = gpu.find(path)
    if found is not None:
        return True, cleaned(found.text)
    parent = gpu.find(path.split("/", 1)[0]) if "/" in path else None
    return parent is not None and len(parent) == 0 and cleaned(parent.text) is None, None


def _facts(gpu, said, driver):
    """Return the facts of one GPU, in the shape of a device."""
    return {
        "uuid": said["uuid"],
        "driver_version": driver,
        "product": said["product"],
        "firmware": {"vbios": said["vbios"], "gsp": said["gsp"]},
        "persistence_mode": _mode(said["persistence"]),
        "virtualization": {"mode": said["virtualization"], "host_vgpu": said["host_vgpu"],
                           "heterogeneous": said["heterogeneous"]},
        "fabric": _fabric(said),
        "mig": nvidia_mig.of_xml(gpu, _mode(said["mig"]), _mode(said["mig_pending"])),
        "health": _health(gpu, said),
    }


def _fabric(said):
    if said["fabric_state"] is None and said["module_id"] is None:
        return None
    return {"state": said["fabric_state"], "status": said["fabric_status"], "health": said["fabric_health"],
            "clique": number(said["clique"]), "module_id": number(said["module_id"])}


def _health(gpu, said):
    """Return what ``health.judge`` needs, as plain numbers and booleans."""
    rows = {"correctable": number(said["rows_correctable"]), "uncorrectable": number(said["rows_uncorrectable"]),
            "pending": yes(said["rows_pending"]), "failure": yes(said["rows_failure"])}
    return {
        "ecc_mode": _mode(said["ecc_mode"]),
        "ecc_uncorrected": _uncorrected(gpu.find("ecc_errors/volatile")),
        "ecc_uncorrected_lifetime": _uncorrected(gpu.find("ecc_errors/aggregate")),
        "sram_threshold_exceeded": yes(said["sram_threshold"]),
        "unrepairable_memory": yes(said["unrepairable"]),
        "repair_pending": [name for name in ("channel", "tpc") if yes(said[name + "_repair"])],
        "remapped_rows": rows if any(value is not None for value in rows.values()) else None,
        "retirement_pending": yes(said["pages_pending"]),
        "recovery_action": _recovery(said),
        "lost": next((text.strip() for text in gpu.itertext() if _LOST.search(text)), None),
    }


def _recovery(said):
    """Return the action in the words of younger branches; older ones say it in two yes or no elements."""
    old = yes(said["recovery_action"])
    if old is None:
        return said["recovery_action"]
    if yes(said["drain"]):
        return "Drain and Reset"
    return "Reset" if old else "None"


def _uncorrected(counters):
    """Return the sum of uncorrected errors, or None when nothing is counted.

    ``sram_uncorrectable`` became ``sram_uncorrectable_parity`` and ``_secded`` with Ampere; before Turing there was
    ``double_bit/total``.
    """
    if counters is None:
        return None
    found = [number(one.text) for one in counters if "uncorrectable" in one.tag]
    found = found or [number(counters.findtext("double_bit/total"))]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def _mode(text):
    return text.lower() if text else None


def _without_handle(text):
    """Return rows for GPUs of which nvidia-smi only says that it cannot open them."""
    return [(address(where), {"health": {"lost": why.strip() or "Unable to determine the device handle"}})
            for where, why in _NO_HANDLE.findall(text)]


def _status(status, rows, missing, attached):
    if not rows:
        return status if status != OK else "error: nvidia-smi lists no GPU"
    partial = []
    if status != OK:
        partial.append(status.split(": ", 1)[1])
    if attached is not None and attached != len(rows):
        partial.append("it counts {0} GPUs and describes {1}".format(attached, len(rows)))
    if missing:
        partial.append("this branch has no element {0}".format(", ".join(missing)))
    return "partial: {0}".format("; ".join(partial)) if partial else OK
