# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What simulated nvidia-smi knows of each card, by driver branch: XML of ``-q -x``, columns of ``--query-gpu``.

Element names follow the captures of 570.148.08 (A100), 580.105.08 (H100) and 595.91.07 (L40S, T4); a test holds every
path against them where they are at hand. Only what decisions need is there: a part of the real output. 570 has
``gpu_reset_status``, from 580 on ``pdi``, ``display_attached`` and ``fabric/health/summary``, from 595 on the inactive
remapped rows. ``mig_device`` stands for the captures' text form (590): no XML of it was captured.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

CUDA = {535: "12.2", 550: "12.4", 570: "12.8", 580: "13.0", 590: "13.1", 595: "13.2"}


def branch(state):
    """The driver branch as a number, such as 570."""
    return int(state.description.nvidia_version.split(".")[0])


def cuda(state):
    """The CUDA version that goes with the branch."""
    return CUDA[max(one for one in CUDA if one <= max(branch(state), 535))]


def long_address(address):
    """The address as nvidia-smi prints it: eight digits of domain, upper case."""
    return "0000" + address.upper()


def visible(state):
    """The cards that NVML sees, as [(index, address, Gpu, Device)]: PFs on the nvidia driver, in order of the bus."""
    found = [
        (address, gpu)
        for address, gpu in sorted(state.gpus.items())
        if gpu.model != "NVSWITCH" and address in state.devices and state.devices[address].driver == "nvidia"
    ]
    return [(index, address, gpu, state.devices[address]) for index, (address, gpu) in enumerate(found)]


def virtualization(state):
    """(virtualization mode, host vGPU mode) of a host: with the vGPU driver cards report SR-IOV."""
    return ("Host VGPU", "SR-IOV") if state.description.vgpu != "none" else ("None", "N/A")


def mode(value):
    """Enabled or Disabled."""
    return "Enabled" if value else "Disabled"


def mig_modes(gpu):
    """(current, pending) in nvidia-smi's words; N/A on a card without MIG."""
    return (mode(gpu.mig), mode(gpu.mig_pending)) if gpu.about.mig else ("N/A", "N/A")


def fabric(state, gpu):
    """(state, status) of the NVLink fabric: only cards on a board with NVSwitches have one."""
    if not any(one.model == "NVSWITCH" for one in state.gpus.values()):
        return "N/A", "N/A"
    switches = [one for one in state.devices.values() if one.driver == "nvidia-nvswitch"]
    return ("Completed", "Success") if switches else ("In Progress", "N/A")


def card(state, address, gpu, device):
    """A card as nested lists of (element, text or list)."""
    number, about = branch(state), device.about
    current, pending = mig_modes(gpu)
    virtual, host = virtualization(state)
    fabric_state, fabric_status = fabric(state, gpu)
    rows = [
        ("product_name", gpu.about.name),
        ("product_brand", "NVIDIA"),
        ("product_architecture", gpu.about.architecture),
        ("persistence_mode", mode(gpu.persistence)),
        ("addressing_mode", "HMM" if state.description.nvidia_open else "None"),
        ("mig_mode", [("current_mig", current), ("pending_mig", pending)]),
        (
            "mig_devices",
            [_mig_device(index, one) for index, one in enumerate(with_compute(gpu))] or "\n\t\t\tNone\n\t\t",
        ),
        ("serial", f"16500000{gpu.index:05d}"),
        ("uuid", gpu.uuid),
        *([("pdi", f"0x{gpu.index:016x}")] if number >= 580 else []),
        ("minor_number", str(gpu.index)),
        ("vbios_version", gpu.about.vbios),
        (
            "gpu_virtualization_mode",
            [
                ("virtualization_mode", virtual),
                ("host_vgpu_mode", host),
                ("vgpu_heterogeneous_mode", mode(gpu.heterogeneous) if host != "N/A" else "N/A"),
            ],
        ),
        *(
            [
                (
                    "gpu_reset_status",
                    [
                        ("reset_required", "Requested functionality has been deprecated"),
                        ("drain_and_reset_recommended", "Requested functionality has been deprecated"),
                    ],
                )
            ]
            if number < 580
            else []
        ),
        *([("gpu_recovery_action", gpu.recovery)] if number >= 570 else []),
        ("gsp_firmware_version", state.description.nvidia_version if state.description.nvidia_open else "N/A"),
        (
            "pci",
            [
                ("pci_bus", about.address.split(":")[1].upper()),
                ("pci_device", about.address.split(":")[2][:2].upper()),
                ("pci_domain", about.address.split(":")[0].upper()),
                ("pci_base_class", "3"),
                ("pci_sub_class", "2"),
                ("pci_device_id", f"{about.device}{about.vendor}".upper()),
                ("pci_bus_id", long_address(address)),
                ("pci_sub_system_id", f"{about.subsystem_device}{about.subsystem_vendor}".upper()),
                (
                    "pci_gpu_link_info",
                    [
                        (
                            "link_widths",
                            [("max_link_width", f"{about.max_width}x"), ("current_link_width", f"{about.width}x")],
                        )
                    ],
                ),
            ],
        ),
        ("fb_memory_usage", [("total", f"{gpu.about.memory_mib} MiB"), ("used", "0 MiB")]),
        ("cc_protected_memory_usage", [("total", f"{gpu.about.memory_mib if gpu.cc == 'on' else 0} MiB")]),
        ("ecc_mode", [("current_ecc", "Enabled"), ("pending_ecc", "Enabled")]),
        ("ecc_errors", _ecc(gpu, number)),
        ("retired_pages", [("pending_blacklist", "N/A"), ("pending_retirement", "N/A")]),
        ("remapped_rows", _remapped(gpu, number)),
        (
            "fabric",
            [
                ("state", fabric_state),
                ("status", fabric_status),
                ("cliqueId", "0" if fabric_state == "Completed" else "N/A"),
                ("clusterUuid", "N/A"),
                (
                    "health",
                    [
                        *([("summary", "Healthy" if fabric_state == "Completed" else "N/A")] if number >= 580 else []),
                        ("bandwidth", "N/A"),
                    ],
                ),
            ],
        ),
        ("processes", None),
    ]
    return rows


def with_compute(gpu):
    """The MIG devices: instances that have a compute instance, largest first, as nvidia-smi numbers them."""
    return sorted((one for one in gpu.instances if one.compute), key=lambda one: (-one.profile.size, one.number))


def _mig_device(index, one):
    return (
        "mig_device",
        [
            ("index", str(index)),
            ("gpu_instance_id", str(one.number)),
            ("compute_instance_id", "0"),
            ("fb_memory_usage", [("total", f"{int(one.profile.memory_gib * 1024)} MiB"), ("used", "0 MiB")]),
        ],
    )


def _ecc(gpu, number):
    count = str(gpu.ecc_uncorrected)
    if gpu.model == "T4":
        both = [
            ("sram_correctable", "0"),
            ("sram_uncorrectable", "0"),
            ("dram_correctable", "0"),
            ("dram_uncorrectable", count),
        ]
        return [("volatile", both), ("aggregate", both)]
    both = [
        ("sram_correctable", "0"),
        ("sram_uncorrectable_parity", "0"),
        ("sram_uncorrectable_secded", "0"),
        ("dram_correctable", "0"),
        ("dram_uncorrectable", count),
    ]
    rest = [("channel_repair_pending", "No"), ("tpc_repair_pending", "No")] if number >= 580 else []
    return [("volatile", both), ("aggregate", [*both, ("sram_threshold_exceeded", "No")]), *rest]


def _remapped(gpu, number):
    if gpu.model == "T4":
        return "N/A"
    rows = gpu.remapped
    inactive = [("remapped_row_corr_inactive", "0"), ("remapped_row_unc_inactive", "0")] if number >= 595 else []
    return [
        ("remapped_row_corr", str(rows["corr"])),
        ("remapped_row_unc", str(rows["unc"])),
        *inactive,
        ("remapped_row_pending", rows["pending"]),
        ("remapped_row_failure", rows["failure"]),
    ]


def xml(state, cards):
    """The document of ``nvidia-smi -q -x``."""
    root = ElementTree.Element("nvidia_smi_log")
    for name, text in (
        ("timestamp", "Sat Nov 21 12:00:00 2026"),
        ("driver_version", state.description.nvidia_version),
        ("cuda_version", cuda(state)),
        ("attached_gpus", str(len(visible(state)))),
    ):
        ElementTree.SubElement(root, name).text = text
    for _, address, gpu, device in cards:
        _fill(ElementTree.SubElement(root, "gpu", id=long_address(address)), card(state, address, gpu, device))
    ElementTree.indent(root, "\t")
    head = '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n'
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def _fill(element, rows):
    for name, value in rows:
        below = ElementTree.SubElement(element, name)
        if isinstance(value, list):
            _fill(below, value)
        else:
            below.text = value


def columns(state, index, address, gpu, device):
    """What ``--query-gpu`` can be asked, by key. None stands for what this card has not."""
    current, pending = (None, None) if not gpu.about.mig else mig_modes(gpu)
    fabric_state, fabric_status = fabric(state, gpu)
    about, rows = device.about, {} if gpu.model == "T4" else gpu.remapped
    number = branch(state)
    found = {
        "timestamp": "2026/11/21 12:00:00.000",
        "driver_version": state.description.nvidia_version,
        "count": str(len(visible(state))),
        "name": gpu.about.name,
        "serial": f"16500000{gpu.index:05d}",
        "uuid": gpu.uuid,
        "pci.bus_id": long_address(address),
        "pci.domain": "0x" + address[:4].upper(),
        "pci.device_id": f"0x{about.device}{about.vendor}".upper().replace("X", "x"),
        "pci.sub_device_id": f"0x{about.subsystem_device}{about.subsystem_vendor}".upper().replace("X", "x"),
        "index": str(index),
        "persistence_mode": mode(gpu.persistence),
        "vbios_version": gpu.about.vbios,
        "memory.total": f"{gpu.about.memory_mib} MiB",
        "ecc.mode.current": "Enabled",
        "ecc.mode.pending": "Enabled",
        "ecc.errors.uncorrected.volatile.total": str(gpu.ecc_uncorrected),
        "ecc.errors.uncorrected.aggregate.total": str(gpu.ecc_uncorrected),
        "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded": "No" if rows else None,
        "remapped_rows.correctable": str(rows["corr"]) if rows else None,
        "remapped_rows.uncorrectable": str(rows["unc"]) if rows else None,
        "remapped_rows.pending": rows.get("pending"),
        "remapped_rows.failure": rows.get("failure"),
        "mig.mode.current": current,
        "mig.mode.pending": pending,
        "gsp.mode.current": mode(state.description.nvidia_open),
        "gsp.mode.default": mode(state.description.nvidia_open),
        "fabric.state": None if fabric_state == "N/A" else fabric_state,
        "fabric.status": None if fabric_status == "N/A" else fabric_status,
    }
    if number >= 570:
        found["gpu_recovery_action"] = gpu.recovery
    if number >= 580:
        found["fabric.health.summary"] = "Healthy" if fabric_state == "Completed" else "N/A"
    return found
