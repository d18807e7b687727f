# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI functions as sysfs has them: which there are, and what each says of itself.

Sources: the kernel's Documentation/ABI/testing/sysfs-bus-pci, and include/linux/ioport.h for the flags of ``resource``.
An attribute that is missing or is no such value reads as None: nothing is guessed.
"""

from __future__ import annotations

import re

from . import models

DEVICES = "/sys/bus/pci/devices"
EXPECTED = "domain:bus:device.function such as 0000:41:00.0"

_ADDRESS = re.compile(r"([0-9a-fA-F]{4,8}):([0-9a-fA-F]{2}):([01][0-9a-fA-F])\.([0-7])")
_SPEED = re.compile(r"(\d+(?:\.\d+)?) ?GT/s")
_MEMORY, _PREFETCH, _64_BITS = 0x200, 0x2000, 0x100000
# IFF_UP of include/uapi/linux/if.h.
_UP = 0x1
# Widths that the PCI Express specification has; what is broken or not there reads as 0, 63 or 255.
_WIDTHS = (1, 2, 4, 8, 12, 16, 32)
# An attribute is a page at most; what is longer is none.
_LONGEST = 65536

GPU_CLASSES = ("0300", "0302", "0380", "1200")
CLASS_NAMES = {
    "0106": "SATA controller", "0107": "Serial Attached SCSI controller", "0108": "Non-Volatile memory controller",
    "0200": "Ethernet controller", "0207": "Infiniband controller", "0280": "Network controller",
    "0300": "VGA compatible controller", "0302": "3D controller", "0380": "Display controller",
    "0403": "Audio device", "0600": "Host bridge", "0601": "ISA bridge", "0604": "PCI bridge", "0680": "Bridge",
    "0880": "System peripheral", "0b40": "Co-processor", "0c03": "USB controller", "0c05": "SMBus",
    "0c80": "Serial bus controller", "1200": "Processing accelerators",
}
# Makers whose display functions are GPUs, never the console of a management controller.
_GPU_MAKERS = ("10de", "1002", "1da3")


def address(text):
    """Return an address as sysfs writes it, or None when the text is none.

    Args:
        text: such as ``0000:41:00.0``, or ``00000000:C8:00.0`` as nvidia-smi writes it.
    """
    found = _ADDRESS.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        return None
    domain = int(found.group(1), 16)
    return "{0:04x}:{1}:{2}.{3}".format(domain, *(part.lower() for part in found.groups()[1:]))


def slot(name):
    """Return domain, bus and device of an address: functions with the same are one card."""
    return name.rpartition(".")[0]


def scan(host):
    """Return what is on the bus, {address: class}: one directory is listed and one file is opened for each function.

    Args:
        host: Host.

    A class is four hexadecimal digits; None when it cannot be read, and the function is listed all the same.
    """
    found = {}
    for name in host.names(DEVICES):
        if address(name) == name:
            found[name] = class_of(open_folder(host, name))
    return found


def open_folder(host, name):
    """Return the Folder of a function, or None when its path cannot be resolved."""
    try:
        return host.folder(DEVICES + "/" + name)
    except OSError:
        return None


def class_of(folder):
    """Return the class of a function, such as ``0302``, or None."""
    number = hexadecimal(read(folder, "class"))
    return "{0:06x}".format(number)[:4] if number is not None and number < 1 << 24 else None


def describe(folder, name, present, class_id):
    """Return what a function says of itself; groups, VFs and vGPUs are of their own modules.

    Args:
        folder: its Folder.
        name: its address.
        present: names in its directory, so that nothing is opened that is not there.
        class_id: its class.
    """
    def get(attribute):
        return read(folder, attribute) if attribute in present else None

    ids = [identity(get(key)) for key in ("vendor", "device", "subsystem_vendor", "subsystem_device")]
    known = models.lookup(*ids)
    return {
        "address": name, "vendor_id": ids[0], "device_id": ids[1], "subsystem_vendor_id": ids[2],
        "subsystem_device_id": ids[3], "revision": identity(get("revision"), 2), "vendor": known["vendor"],
        "model": known["model"], "models": known["models"], "known": known["known"],
        "class": class_id, "class_name": CLASS_NAMES.get(class_id),
        "kind": kind(class_id, ids[0], name, known["kind"]),
        "numa_node": _at_least_zero(get("numa_node")), "link": _link(get), "bars": bars(get("resource")),
        "reset_methods": _words(get("reset_method")), "modalias": _line(get("modalias")),
        "driver": folder.target_name("driver"), "driver_override": override(get("driver_override")),
        "device_links": device_links(present), "boot_vga": get("boot_vga") == "1",
    }


def interfaces_up(host, name, present):
    """Return the names of a function's network interfaces that are up: somebody uses these.

    Args:
        host: Host.
        name: address of the function.
        present: names in its directory.
    """
    base = "{0}/{1}/net".format(DEVICES, name)
    flags = {one: hexadecimal(host.text("{0}/{1}/flags".format(base, one))) for one in host.names(base)} \
        if "net" in present else {}
    return [one for one, number in flags.items() if number is not None and number & _UP]


def kind(class_id, vendor_id, name, known=None):
    """Return what a function is, by its class: gpu, display, nic, audio, usb, ucsi, nvswitch, bridge or other. Pure.

    Args:
        class_id: such as ``0302``, or None.
        vendor_id: such as ``10de``, or None.
        name: its address: a display function of Intel on bus 0 is built into the processor.
        known: kind of the catalogue, or None.
    """
    if class_id is None:
        return known or "other"
    if class_id in GPU_CLASSES:
        if known or class_id in ("0302", "1200") or vendor_id in _GPU_MAKERS:
            return "gpu"
        discrete = vendor_id == "8086" and not name.split(":")[1] == "00"
        return "gpu" if discrete else "display"
    if class_id == "0680":
        return "nvswitch" if known == "nvswitch" or vendor_id == "10de" else "bridge"
    whole = {"0403": "audio", "0c03": "usb", "0c80": "ucsi"}.get(class_id)
    return whole or {"02": "nic", "06": "bridge"}.get(class_id[:2], "other")


def bars(text):
    """Return the memory BARs of a ``resource`` file: index, size in bytes, prefetchable, bits. Pure.

    BARs of I/O ports, the expansion ROM and the BARs that VFs will have are left out.
    """
    found = []
    for index, line in enumerate((text or "").splitlines()[:6]):
        numbers = [hexadecimal(word) for word in line.split()]
        if len(numbers) != 3 or None in numbers:
            continue
        start, end, flags = numbers
        if flags & _MEMORY and end > start:
            found.append({"index": index, "size": end - start + 1, "prefetchable": bool(flags & _PREFETCH),
                          "bits": 64 if flags & _64_BITS else 32})
    return found


def device_links(present):
    """Return the functions that the kernel ties to this one: those that need it, and those that it needs. Pure."""
    found = {}
    for key, prefix in (("consumers", "consumer:pci:"), ("suppliers", "supplier:pci:")):
        named = (address(name[len(prefix):]) for name in present if name.startswith(prefix))
        found[key] = sorted(name for name in named if name)
    return found


def override(text):
    """Return the name in a ``driver_override``; an empty one and ``(null)`` are none. Pure."""
    line = _line(text)
    return None if line in (None, "(null)") else line


def read(folder, name):
    """Return an attribute as text, or None when it is not there, empty, or longer than any attribute."""
    text = folder.text(name) if folder is not None else None
    return text if text and len(text) <= _LONGEST else None


def identity(text, digits=4):
    """Return an id as bare hexadecimal digits, or None. Pure."""
    number = hexadecimal(text)
    return "{0:0{1}x}".format(number, digits) if number is not None and number < 16 ** digits else None


def hexadecimal(text):
    """Return the number in a text such as ``0x10de`` or ``2335``, or None. Pure."""
    found = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{1,16})", text or "")
    return int(found.group(1), 16) if found else None


def decimal(text):
    """Return the number in a text, or None. Pure."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text or "") else None


def _at_least_zero(text):
    number = decimal(text)
    return number if number is not None and number >= 0 else None


def _line(text):
    """Return a text of one printable line, or None."""
    return text if text and len(text) < 4096 and text.isprintable() else None


def _words(text):
    return (_line(text) or "").split()


def _link(get):
    """Return speed and width of the link, now and at best."""
    link = {"speed_gts": _speed(get("current_link_speed")), "width": _width(get("current_link_width")),
            "max_speed_gts": _speed(get("max_link_speed")), "max_width": _width(get("max_link_width"))}
    # Not by speed: an idle GPU lowers that to save power, and a slot may be slower than the card.
    link["degraded"] = link["width"] < link["max_width"] if link["width"] and link["max_width"] else None
    return link


def _speed(text):
    found = _SPEED.match(text or "")
    return float(found.group(1)) if found else None


def _width(text):
    number = decimal(text)
    return number if number in _WIDTHS else None
