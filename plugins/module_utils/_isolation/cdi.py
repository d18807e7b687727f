# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CDI specifications for devices that are bound to vfio-pci, of any vendor and without an operator in the cluster.

The form is that of the Container Device Interface (specification 1.1.0, SPEC.md and schema/schema.json). Kata 4.1.0
reads it when it starts a sandbox: it asks the kubelet which devices a pod has, looks for ``<resource>=<device id>`` in
the specifications, and hands every device node found there to the hypervisor. So:

- a kind is the name of the resource that a device plugin advertises, and a device's name the id that it gives;
- ``/dev/vfio/vfio`` is not listed: runtime-rs would try to plug it (src/libs/pod-resources-rs/src/lib.rs);
- the file lies in ``/var/run/cdi``: the numbers of groups can change with every boot, and so does that folder's
  content, while one in ``/etc/cdi`` would hand out whatever has got the number next time.
"""

from __future__ import annotations

import json
import re

from .._core.errors import DeclarationError

FOLDER = "/var/run/cdi"
# The first version in which names of devices may begin with a digit, and classes hold dots (SPEC.md, 0.5.0 and 0.6.0).
VERSION = "0.6.0"

# pkg/parser/parser.go of the reference implementation: the first character of a vendor or class is a letter.
_PART = re.compile(r"[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?\Z")
_DEVICE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?\Z")
_GROUP = re.compile(r"[0-9]{1,7}\Z")
_CDEV = re.compile(r"vfio[0-9]{1,7}\Z")


def file_of(kind):
    """Return where the specification of a kind belongs, such as ``/var/run/cdi/amd.com-gpu.json``."""
    return "{0}/{1}.json".format(FOLDER, kind.replace("/", "-"))


def text(specification):
    """Return a specification as the content of its file."""
    return json.dumps(specification, indent=2) + "\n"


def render(kind, devices, path="devices"):
    """Return the CDI specification of one kind.

    Args:
        kind: ``vendor/class``, such as ``nvidia.com/pgpu`` or ``amd.com/gpu``.
        devices: list of mappings with ``address`` (PCI address) and ``group`` (number of its IOMMU group, for
            ``/dev/vfio/<group>``) or ``cdev`` (such as ``vfio0``, for ``/dev/vfio/devices/vfio0``, where the kernel has
            IOMMUFD); ``name`` where it is not the group's number or the cdev's name.
        path: what messages call the list.

    Raises:
        DeclarationError: everything that is wrong with the kind or the devices.
    """
    found = problems(kind, devices, path)
    if found:
        raise DeclarationError(found)
    return {"cdiVersion": VERSION, "kind": kind, "devices": [_device(one) for one in devices]}


def problems(kind, devices, path):
    """Return what is wrong with a kind or its devices, as sentences."""
    return _kind_problems(kind, path) + _problems(devices, path)


def _kind_problems(kind, path):
    vendor, separator, name = kind.partition("/")
    if separator and _PART.match(vendor) and _PART.match(name):
        return []
    return ["{0}: {1!r} is no kind of a CDI device, expected vendor/class such as amd.com/gpu, each a letter first, "
            "then letters, digits, '.', '_' and '-'".format(path, kind)]


def _problems(devices, path):
    if not devices:
        return [path + ": no device, expected at least one; without devices the file of the kind is to be removed"]
    found, names, places = [], {}, {}
    for index, one in enumerate(devices):
        where = "{0}[{1}]".format(path, index)
        group, cdev = one.get("group"), one.get("cdev")
        if (group is None) == (cdev is None):
            found.append("{0}: {1} has {2}, expected either group (from iommu_group) or cdev (from vfio-dev)".format(
                where, one.get("address", "the device"), "both group and cdev" if cdev else "neither group nor cdev"))
            continue
        if group is not None and not _GROUP.match(str(group)):
            found.append("{0}.group: {1!r} is no number of an IOMMU group".format(where, group))
            continue
        if cdev is not None and not _CDEV.match(str(cdev)):
            found.append("{0}.cdev: {1!r} is no VFIO device, expected one such as vfio0".format(where, cdev))
            continue
        name, node = _name(one), _node(one)
        if not _DEVICE.match(name):
            found.append("{0}.name: {1!r} is no name of a CDI device, expected letters, digits, '.', '_', '-' and ':', "
                         "a letter or digit first and last".format(where, name))
        if node in places:
            found.append(
                "{0}: {1} has the same {2} as {3}: what shares an IOMMU group goes to one guest together, so it is one "
                "device; leave out the functions beside the GPU".format(
                    where, one.get("address", name), node, places[node]))
        elif name in names:
            found.append("{0}.name: {1!r} is the name of {2} already".format(where, name, names[name]))
        places.setdefault(node, one.get("address", name))
        names.setdefault(name, one.get("address", where))
    return found


def _name(device):
    return str(device.get("name") or (device["cdev"] if device.get("cdev") else device["group"]))


def _node(device):
    if device.get("cdev"):
        return "/dev/vfio/devices/{0}".format(device["cdev"])
    return "/dev/vfio/{0}".format(device["group"])


def _device(device):
    rendered = {"name": _name(device), "containerEdits": {"deviceNodes": [{"path": _node(device)}]}}
    if device.get("address"):
        rendered["annotations"] = {"sovereign.region/pci-address": device["address"]}
    return rendered
