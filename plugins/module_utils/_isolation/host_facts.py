# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host can do for Kata Containers, in one pass, as plain data, and which handlers that is enough for.

Nothing is guessed and nothing is changed: no module is loaded, no node is opened whose driver is not registered
already. Each source has a status, and one that fails costs itself only.
"""

from __future__ import annotations

import math
import time

from .._core import errors
from .._hardware import facts as hardware
from .._hardware import groups, kernel
from . import handlers, host_cpu, host_nodes, host_runtimes, kvm_probe

ARGUMENT_SPEC = {
    "root": {"type": "path", "default": "/"},
    "probe": {"type": "str", "choices": list(kvm_probe.LEVELS), "default": "run"},
    "timeout": {"type": "float", "default": 20},
}
# A program that hangs holds up a run; more than this is never right.
_LONGEST = 600


def validate(params):
    """Return a sentence for each option that cannot be right. Pure.

    Args:
        params: options of kata_host_info.
    """
    problems = []
    if not params["root"].startswith("/"):
        problems.append("root: {0!r} is no absolute path; / is this host".format(params["root"]))
    if not math.isfinite(params["timeout"]) or not 0 < params["timeout"] <= _LONGEST:
        problems.append("timeout: {0:g} is not more than 0 and at most {1} seconds".format(params["timeout"], _LONGEST))
    return problems


def execute(host, params):
    """Return the result of kata_host_info. Raises DeclarationError.

    Args:
        host: Host.
        params: its options.
    """
    problems = validate(params)
    if not problems and not host.exists("/."):
        problems.append("root: {0} is no directory".format(params["root"]))
    if problems:
        raise errors.DeclarationError(problems)
    kata = collect(host, params["probe"], params["timeout"])
    return {"kata": kata, "handlers": handlers.decide(kata), "changed": False}


def collect(host, probe="run", timeout=20.0):
    """Return the facts of a host, as ``kata`` of kata_host_info documents them.

    Args:
        host: Host.
        probe: how far KVM is asked, one of kvm_probe.LEVELS.
        timeout: for each program and for the child that asks KVM, in seconds.
    """
    began = time.monotonic()
    before = (host.counts.opened, host.counts.listed, host.counts.started)
    release = host.text("/proc/sys/kernel/osrelease")
    sources = {}
    cpu, arch, sources["cpuinfo"] = host_cpu.observe(host)
    nodes, told = host_nodes.observe(host, release)
    sources.update(told)
    kvm, sources["kvm"] = kvm_probe.observe(host, nodes["kvm"], cpu, arch, probe, timeout)
    kvm.update(nested=cpu.pop("nested"), modules=host_cpu.kvm_modules(host))
    runtimes, snapshotters, told = host_runtimes.observe(host, timeout)
    sources.update(told)
    syslog = host_nodes.syslog(host)
    sources["syslog"] = syslog.pop("status")
    shared, sources["dev_shm"] = host_nodes.shared_memory(host)
    seen = hardware.collect(host, tools=False)
    sources["pci"] = seen["host"]["sources"].get("pci", "absent")
    after = (host.counts.opened, host.counts.listed, host.counts.started)
    return {
        "arch": arch, "kernel": release, "cpu": cpu, "kvm": kvm,
        "nodes": {name: one for name, one in nodes.items() if name != "kvm"},
        "iommu": seen["host"]["iommu"],
        "vfio": {"container": nodes["vfio"]["available"], "iommufd": nodes["iommufd"]["available"],
                 "cdev": [name for name in host.names("/dev/vfio/devices") if name.startswith("vfio")]},
        "accelerators": [accelerator(device, host) for device in seen["accelerators"] if device["kind"] != "display"],
        "confidential": host_cpu.confidential(host, nodes), "cgroup": host_cpu.cgroups(host),
        "runtimes": runtimes, "snapshotters": snapshotters, "syslog": syslog,
        "memory_kib": kernel.memory_kib(host), "dev_shm_kib": shared, "sources": sources,
        "counts": dict(zip(("opened", "listed", "started"), (new - old for new, old in zip(after, before)))),
        "seconds": round(time.monotonic() - began, 3),
    }


def accelerator(device, host):
    """Return what matters to Kata of an accelerator that ``_hardware`` described.

    ``ready`` is whether a sandbox could have it as it is: its group is viable and it is on a VFIO driver itself.
    """
    group = device["group"] or {"viable": False, "reason": "it has no IOMMU group: the IOMMU is off", "members": []}
    driver = device["driver"]
    reason = group["reason"]
    if group["viable"] and not groups.is_vfio(driver):
        reason = "it is on {0}; a sandbox takes it from a VFIO driver".format(driver or "no driver")
    return {
        "address": device["address"], "vendor_id": device["vendor_id"], "device_id": device["device_id"],
        "vendor": device["vendor"], "model": device["model"], "kind": device["kind"], "driver": driver,
        "in_use": device["in_use"], "iommu_group": device["iommu_group"], "viable": group["viable"],
        "ready": bool(group["viable"]) and reason is None, "reason": reason,
        "members": [one["address"] for one in group["members"]],
        "cdev": next(iter(host.names("/sys/bus/pci/devices/{0}/vfio-dev".format(device["address"]))), None),
    }
