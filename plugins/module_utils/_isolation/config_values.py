# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that Kata's shims refuse, or silently replace by others. Pure.

Sources, 4.1.0 and 3.32.0: ``pkg/katautils/config.go`` and ``pkg/device/config/config.go`` for the Go shim,
``kata-types/src/config`` for runtime-rs (the ``adjust_config`` and ``validate`` of each struct).
"""

from __future__ import annotations

import re

from .._core import errors
from .config_merge import at, leaves
from .config_shims import GO, RUST

_SIZES = "block_device_logical_sector_size", "block_device_physical_sector_size"
_BLOCK_RUST = ("virtio-blk-pci", "virtio-blk-ccw", "virtio-blk-mmio", "virtio-pmem", "virtio-scsi")
_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")
# Empty text stands for the default everywhere.
_VALUES = {
    GO: {
        "block_device_aio": ("io_uring", "native", "threads"),
        "block_device_driver": ("virtio-scsi", "virtio-blk", "virtio-mmio", "nvdimm", "virtio-blk-ccw"),
        "emptydir_mode": ("shared-fs", "block-encrypted", "block-plain"),
        "internetworking_model": ("default", "macvtap", "tcfilter", "none"),
        "shared_fs": ("virtio-9p", "virtio-fs", "virtio-fs-nydus", "none"),
        "vfio_mode": ("vfio", "guest-kernel"),
        "virtio_fs_cache": ("never", "metadata", "auto", "always"),
    },
    RUST: {
        "block_device_aio": ("io_uring", "native", "threads"),
        "block_device_driver": _BLOCK_RUST,
        "cold_plug_vfio": ("no-port", "root-port"),
        "emptydir_mode": ("shared-fs", "block-encrypted", "block-plain"),
        "internetworking_model": ("macvtap", "tcfilter", "l3forwarding", "none"),
        "log_level": _LEVELS,
        "shared_fs": ("virtio-fs", "inline-virtio-fs", "virtio-fs-nydus", "none"),
        "vfio_mode": ("vfio", "guest-kernel"),
        "virtio_fs_cache": ("never", "auto", "always"),
        "vm_rootfs_driver": _BLOCK_RUST,
    },
}
_SINCE_4 = ("block-plain",)
# Old names of values that an operator of the Go shim is used to.
_RENAMED_VALUES = {("block_device_driver", "virtio-blk"): "virtio-blk-pci",
                   ("block_device_driver", "virtio-mmio"): "virtio-blk-mmio",
                   ("block_device_driver", "nvdimm"): "virtio-pmem"}
# Lowest and highest, and what the shim does with others.
_CAPPED = "the shim would silently take the nearest of them"
_RANGES = {
    GO: {
        "default_bridges": (0, 5, _CAPPED),
        "default_memory": (256, None, "the shim would silently take 2048"),
        "hypervisor_loglevel": (0, 3, _CAPPED),
        "pcie_root_port": (0, 16, _CAPPED),
        "pcie_switch_port": (0, 16, _CAPPED),
    },
    RUST: {
        "default_bridges": (0, 5, _CAPPED),
        "default_memory": (64, None, "the shim refuses to start"),
        "dial_timeout_ms": (1, None, "the shim refuses to start"),
        "network_queues": (0, 256, _CAPPED),
        "overhead_vcpus": (0, None, "it is added to what a pod asks for"),
        # Ports and all other devices share the 32 slots of the guest's root bus (PCIE_ROOT_BUS_SLOTS_CAPACITY).
        "pcie_root_port": (0, 32, "the guest's root bus has no more slots"),
    },
}
# Keys that name a file or a program of the host which has to be there before a pod starts.
FILES = ("path", "kernel", "image", "initrd", "firmware", "virtio_fs_daemon", "jailer_path", "ctlpath")


def value_problems(kind, version, settings, option):
    """Return a sentence for each value that the shim does not take as it is.

    Args:
        kind: GO or RUST.
        version: of the release as numbers, such as (4, 1, 0).
        settings: nested mapping.
        option: what it is called in messages.
    """
    found = []
    for path, value in leaves(settings):
        where, key = ".".join((option,) + path), path[-1]
        allowed = _VALUES[kind].get(key)
        if allowed and version < (4,):
            allowed = tuple(one for one in allowed if one not in _SINCE_4)
        if allowed and value and value not in allowed:
            new = _RENAMED_VALUES.get((key, value)) if kind == RUST else None
            found.append("{0}: {1!r} is a value of the Go shim; in runtime-rs it is {2!r}".format(where, value, new)
                         if new else "{0}; expected {1}".format(
                             errors.unknown_name(where, value, "value of it", allowed), ", ".join(allowed)))
        lowest, highest, otherwise = _RANGES[kind].get(key, (None, None, None))
        if (lowest is not None and value < lowest) or (highest is not None and value > highest):
            span = "at least {0}".format(lowest) if highest is None else "{0} to {1}".format(lowest, highest)
            found.append("{0}: {1} is out of range; expected {2}, {3}".format(where, value, span, otherwise))
        if key in _SIZES and value and (not 512 <= value <= 65536 or value & (value - 1)):
            found.append("{0}: {1} is no sector size; expected 0 or a power of 2 from 512 to 65536".format(
                where, value))
    for path, value in leaves(settings):
        if path[-1] == "guest_extension_images":
            found += _extension_problems(".".join((option,) + path), value)
    return found


def _extension_problems(where, images):
    found, seen = [], set()
    for place, image in enumerate(images):
        name = image.get("name", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            found.append("{0}[{1}].name: {2!r} is no name; expected letters, digits, '-' and '_', since it stands on "
                         "the guest's kernel command line".format(where, place, name))
        elif name in seen:
            found.append("{0}[{1}].name: {2!r} is there twice".format(where, place, name))
        seen.add(name)
    return found


def whole_problems(kind, schema, tree):
    """Return a sentence for each thing in a whole configuration with which the shim would not start a pod.

    Args:
        kind: GO or RUST.
        schema: Schema of the shim, for names that stand for the same key.
        tree: the effective configuration.
    """
    found = _aliased(schema, tree)
    for name, rows in sorted(tree.get("hypervisor", {}).items()):
        found += _hypervisor_problems(kind, name, rows)
    runtime = tree.get("runtime", {})
    model = runtime.get("internetworking_model")
    if kind == GO and runtime.get("disable_new_netns") and model != "none":
        found.append("runtime.disable_new_netns: only works with runtime.internetworking_model 'none', and that is "
                     "{0!r}".format(model))
    for name, rows in sorted(tree.get("agent", {}).items()) if kind == RUST else ():
        pause, whole = rows.get("dial_timeout_ms", 10), rows.get("reconnect_timeout_ms", 3000)
        if whole < pause:
            found.append("agent.{0}.reconnect_timeout_ms: {1} is less than dial_timeout_ms, {2}; the first is how long "
                         "the shim tries in all, the second is the pause between two tries".format(name, whole, pause))
    return found


def _hypervisor_problems(kind, name, rows):
    found, where = [], "hypervisor.{0}.".format(name)
    if rows.get("image") and rows.get("initrd"):
        found.append("{0}image and {0}initrd are both set; a guest boots from one of them: set the other to ''".format(
            where))
    if name == "qemu" and not rows.get("image") and not rows.get("initrd") and not (
            str(rows.get("vm_rootfs_driver", "")).endswith("ccw") and rows.get("confidential_guest")):
        found.append("{0}image and {0}initrd are both empty; a guest boots from one of them".format(where))
    if kind == RUST:
        if rows.get("pcie_root_port") and rows.get("pcie_switch_port"):
            found.append("{0}pcie_root_port and {0}pcie_switch_port are both set; runtime-rs takes only one: set the "
                         "other to 0".format(where))
        if name == "qemu" and rows.get("enable_guest_swap"):
            found.append("{0}enable_guest_swap: runtime-rs has no guest swap with QEMU; leave it out".format(where))
    elif all(rows.get(one) not in (None, "", "no-port") for one in ("cold_plug_vfio", "hot_plug_vfio")):
        found.append("{0}cold_plug_vfio and {0}hot_plug_vfio are both set; only one can be: set the other to "
                     "'no-port'".format(where))
    return found


def _aliased(schema, tree):
    """Two names of one key in one configuration: a drop-in that uses another name than the base is enough."""
    found = []
    for section, names in schema.table.ALIASES.items():
        for above in _places(section.split("."), tree, ()):
            rows = at(tree, above, {})
            found += ["{0}: {1} and {2} are two names of one key, and the shim does not start with both, in two files "
                      "either; use the one that the packaged file has".format(".".join(above), *sorted(pair))
                      for pair in names.items() if all(one in rows for one in pair)]
    return found


def _places(parts, tree, above):
    if not parts:
        return [above]
    names = [one for one in tree if parts[0] in ("*", one) and isinstance(tree[one], dict)]
    return [place for one in names for place in _places(parts[1:], tree[one], above + (one,))]


def named_files(tree):
    """Return [(dotted key, path), ...] of what a configuration needs on the host."""
    found = []
    sections = tree.get("hypervisor")
    for name, rows in sorted(sections.items()) if isinstance(sections, dict) else ():
        for key in FILES if isinstance(rows, dict) else ():
            value = rows.get(key)
            unused = key == "virtio_fs_daemon" and rows.get("shared_fs") in ("none", "inline-virtio-fs", "virtio-9p")
            if isinstance(value, str) and value.startswith("/") and not unused:
                found.append(("hypervisor.{0}.{1}".format(name, key), value))
    return found
