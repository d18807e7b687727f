# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor as the kernel shows it, what KVM's modules say of it, confidential computing, and the cgroups."""

from __future__ import annotations

import os
import re

_MODULES = ("kvm_amd", "kvm_intel")
# The flags that matter to virtual machines; all others are left out.
FLAGS = ("svm", "npt", "nrip_save", "vmx", "ept", "vpid", "unrestricted_guest", "sev", "sev_es", "sev_snp",
         "tdx_host_platform", "sgx", "hypervisor", "popcnt", "bmi1", "bmi2", "avx2", "avx512f")
_SEV_MODULE, _TDX_MODULE = "/sys/module/kvm_amd/parameters/", "/sys/module/kvm_intel/parameters/"
CGROUPS = "/sys/fs/cgroup"


def observe(host):
    """Return (processor, architecture or None, status). Sources: ``/proc/cpuinfo``, ``/proc/sys/kernel/arch``.

    The architecture is that of the kernel, such as ``x86_64`` or ``aarch64``; on a kernel before 6.1 uname says it, and
    below a root it is None then.
    """
    arch = host.text("/proc/sys/kernel/arch") or (os.uname().machine if host.is_real else None)
    text = host.text("/proc/cpuinfo")
    return dict(parse(text), nested=nested(host)), arch, "ok" if text else "absent"


def parse(text):
    """Return the processor of a ``/proc/cpuinfo``. Pure.

    Returns:
        ``vendor`` (AuthenticAMD, GenuineIntel, or the implementer's number on arm64; None when unknown), ``model``,
        ``processors``, ``flags`` (those of FLAGS that every processor has; None when the file shows no flags at all),
        ``virtualization`` (svm, vmx or None), ``nested_paging`` (npt or ept; None when the flags are unknown) and
        ``hypervisor`` (this host is a virtual machine itself; None when unknown).
    """
    vendor = model = common = None
    processors, own = 0, None
    for line in (text or "").splitlines() + ["processor : end"]:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        if key == "processor":
            if own is not None:
                common = own if common is None else common & own
            own = None
            processors += 1
        elif key in ("flags", "vmx flags"):
            # ept and unrestricted_guest are among the vmx flags since Linux 5.6.
            own = (own or frozenset()) | frozenset(value.split())
        elif key in ("vendor_id", "CPU implementer") and vendor is None:
            vendor = value[:64] or None
        elif key == "model name" and model is None:
            model = value[:200] or None
    flags = None if common is None else [name for name in FLAGS if name in common]
    return {
        "vendor": vendor, "model": model, "processors": processors - 1, "flags": flags,
        "virtualization": next((name for name in ("svm", "vmx") if name in (flags or ())), None),
        "nested_paging": None if flags is None else "npt" in flags or "ept" in flags,
        "hypervisor": None if flags is None else "hypervisor" in flags,
    }


def nested(host):
    """Return whether a guest could have virtual machines itself, or None: no KVM module of AMD or Intel is loaded."""
    for name in _MODULES:
        value = switch(host.text("/sys/module/{0}/parameters/nested".format(name)))
        if value is not None:
            return value
    return None


def kvm_modules(host):
    """Return the names of the KVM modules that are loaded or built in, such as kvm and kvm_amd."""
    return [name for name in host.names("/sys/module") if name == "kvm" or name.startswith("kvm_")]


def switch(text):
    """Return the bool in a module's parameter such as ``Y``, ``N``, ``1`` or ``0``, or None. Pure."""
    return {"y": True, "1": True, "n": False, "0": False}.get((text or "").strip().lower())


def confidential(host, nodes):
    """Return ``sev_snp``, ``tdx``, ``sgx`` and ``keys``.

    Args:
        host: Host.
        nodes: what ``host_nodes.observe`` returned.

    ``enabled`` is what KVM's own module says (the files that Kata's shims read too); None without that module. ``keys``
    are of the root of the misc controller, {name: {"capacity", "used"}}: ``sev``, ``sev_es`` (an SNP guest takes one
    of these), ``tdx`` and ``sgx_epc`` (bytes). Source: Documentation/admin-guide/cgroup-v2.rst, Misc.
    """
    enabled = {name: switch(host.text(_SEV_MODULE + name)) for name in ("sev", "sev_es", "sev_snp")}
    return {
        "sev_snp": {"enabled": enabled["sev_snp"], "sev": enabled["sev"], "sev_es": enabled["sev_es"],
                    "node": nodes["sev"]["node"]},
        "tdx": {"enabled": switch(host.text(_TDX_MODULE + "tdx"))},
        "sgx": {"enabled": switch(host.text(_TDX_MODULE + "sgx")), "node": nodes["sgx_enclave"]["node"],
                "epc_bytes": _epc(host)},
        "keys": keys(host),
    }


def keys(host):
    """Return {name: {"capacity": int, "used": int or None}} of the misc controller; none where it is absent."""
    found = {}
    for base in (CGROUPS, CGROUPS + "/misc"):
        capacity = counts(host.text(base + "/misc.capacity"))
        used = counts(host.text(base + "/misc.current"))
        for name, number in capacity.items():
            found.setdefault(name, {"capacity": number, "used": used.get(name)})
    return found


def counts(text):
    """Return {name: number} of lines such as ``sev_es 99``; what is none is left out. Pure."""
    found = {}
    for line in (text or "").splitlines():
        match = re.fullmatch(r"([a-z][a-z0-9_]{0,63}) ([0-9]{1,19})", line.strip())
        if match:
            found[match.group(1)] = int(match.group(2))
    return found


def cgroups(host):
    """Return ``version`` (2, 1 or None) and ``controllers`` (of the root, version 2 only). Source: the mounted tree."""
    listed = host.text(CGROUPS + "/cgroup.controllers")
    if listed is not None:
        return {"version": 2, "controllers": listed.split()}
    return {"version": 1 if host.exists(CGROUPS + "/memory") or host.exists(CGROUPS + "/cpu") else None,
            "controllers": []}


def _epc(host):
    """Return the bytes of SGX's protected memory on all NUMA nodes, or None. Source: sysfs-devices-node of the ABI."""
    base = "/sys/devices/system/node"
    sizes = [host.text("{0}/{1}/x86/sgx_total_bytes".format(base, name)) for name in host.names(base)]
    known = [int(size) for size in sizes if size and re.fullmatch("[0-9]{1,19}", size)]
    return sum(known) if known else None
