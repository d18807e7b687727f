# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Kata's handlers a host can offer as it is now, and why the others are out. Pure.

Sources, all of Kata Containers 4.1.0: tools/packaging/kata-deploy/helm-chart/kata-deploy/values.yaml (names and
architectures), docs/hypervisors.md (GPUs, SNP and TDX only with QEMU), src/runtime/pkg/katautils/config.go (the Go shim
asks for /dev/vhost-vsock with QEMU, and ends when there is no syslog), src/runtime-rs/crates/hypervisor/src/qemu/
cmdline_generator.rs and src/runtime/virtcontainers/network_linux.go (QEMU's network takes /dev/vhost-net), and
src/libs/kata-sys-util/src/protection.rs (how SNP and TDX are told).
"""

from __future__ import annotations

GO, RUST = "go", "runtime-rs"
_AMD64, _BOTH = ("x86_64",), ("x86_64", "aarch64")
_SNP = ("sev_es", "AMD SEV-SNP")
_TDX = ("tdx", "Intel TDX")
NVIDIA = "10de"
# QEMU shares files with its guest over virtio-fs, and the guest's memory lies in a file of /dev/shm for that.
_MEMORY = "room in /dev/shm for the memory of its guests"
_BLOCKS = "a snapshotter of block devices, such as devmapper"
# Those whose configuration shares no files with the guest. The erofs snapshotter is for runtime-rs.
_NYDUS = "the nydus snapshotter"
_NYDUS_EROFS = "the nydus snapshotter, or the erofs snapshotter of containerd 2.2 or later"
_EROFS = "a snapshotter of block devices, such as erofs of containerd 2.2 or later"

# name, shim, hypervisor, architectures, takes GPUs of NVIDIA, confidential, what else it needs that depends on
# configuration and so is not held against a host.
_ROWS = (
    ("qemu", GO, "qemu", _BOTH, False, None, _MEMORY),
    ("qemu-runtime-rs", RUST, "qemu", _BOTH, False, None, _MEMORY),
    ("clh", GO, "cloud-hypervisor", _AMD64, False, None, None),
    ("clh-runtime-rs", RUST, "cloud-hypervisor", _AMD64, False, None, None),
    ("dragonball", RUST, "dragonball", _AMD64, False, None, None),
    ("fc", GO, "firecracker", _AMD64, False, None, _BLOCKS),
    ("qemu-nvidia-gpu", GO, "qemu", _AMD64, True, None, _MEMORY),
    ("qemu-nvidia-gpu-runtime-rs", RUST, "qemu", _BOTH, True, None, _EROFS),
    ("qemu-snp", GO, "qemu", _AMD64, False, _SNP, _NYDUS),
    ("qemu-snp-runtime-rs", RUST, "qemu", _AMD64, False, _SNP, _NYDUS_EROFS),
    ("qemu-tdx", GO, "qemu", _AMD64, False, _TDX, _NYDUS),
    ("qemu-tdx-runtime-rs", RUST, "qemu", _AMD64, False, _TDX, _NYDUS_EROFS),
    ("qemu-nvidia-gpu-snp", GO, "qemu", _AMD64, True, _SNP, _NYDUS),
    ("qemu-nvidia-gpu-snp-runtime-rs", RUST, "qemu", _AMD64, True, _SNP, _NYDUS_EROFS),
    ("qemu-nvidia-gpu-tdx", GO, "qemu", _AMD64, True, _TDX, _NYDUS),
    ("qemu-nvidia-gpu-tdx-runtime-rs", RUST, "qemu", _AMD64, True, _TDX, _NYDUS_EROFS),
)
NAMES = tuple(row[0] for row in _ROWS)
# The release that has the shim since 4.1.0; before, one tarball had both.
_FLAVOURS = {GO: "go-static", RUST: "static"}


def decide(kata):
    """Return the handlers in a fixed order.

    Args:
        kata: what ``host_facts.collect`` returned.

    Returns:
        A list, each with ``name`` (of upstream's shim), ``handler`` (as it is wired, ``kata-<name>``), ``shim`` (go or
        runtime-rs), ``flavour`` (of the release that has it), ``hypervisor``, ``gpu``, ``confidential`` (snp, tdx or
        None), ``offered``, ``reasons`` (each in one sentence with what to do; empty exactly when it is offered),
        ``needs`` (what depends on configuration and is not held against the host, or None) and ``accelerators``
        (addresses that it could hand out).
    """
    return [_handler(kata, *row) for row in _ROWS]


def gpu_refusal(name):
    """Return why a handler takes no GPU, or None when it does. For those who want to hand one out.

    Args:
        name: of upstream's shim, with or without ``kata-``.
    """
    plain = name[len("kata-"):] if name.startswith("kata-") else name
    row = next((one for one in _ROWS if one[0] == plain), None)
    if row is None or row[4] or row[2] == "qemu":
        return None
    return "{0} runs {1}, which takes no GPU: GPUs go into a sandbox with QEMU only, such as with {2}".format(
        name, row[2], "kata-qemu-nvidia-gpu-runtime-rs")


def _handler(kata, name, shim, hypervisor, architectures, gpu, confidential, needs):
    reasons = _architecture(kata, architectures) + _kvm(kata) + _nodes(kata, hypervisor)
    if shim == GO:
        reasons += _syslog(kata)
    if confidential:
        reasons += _confidential(kata, *confidential)
    ready = [one for one in kata["accelerators"] if one["ready"] and one["kind"] == "gpu"]
    if gpu:
        reasons += _gpus(kata)
        ready = [one for one in ready if one["vendor_id"] == NVIDIA]
    reasons += _runtime(kata)
    return {
        "name": name, "handler": "kata-" + name, "shim": shim, "flavour": _FLAVOURS[shim], "hypervisor": hypervisor,
        "gpu": gpu, "confidential": {None: None, _SNP: "snp", _TDX: "tdx"}[confidential], "offered": not reasons,
        "reasons": reasons, "needs": needs,
        "accelerators": [one["address"] for one in ready] if hypervisor == "qemu" and (gpu or not confidential) else [],
    }


def _architecture(kata, architectures):
    if kata["arch"] in architectures:
        return []
    return ["it exists for {0}, and this host is {1}; choose another handler".format(
        " and ".join(architectures), kata["arch"] or "of an unknown architecture")]


def _kvm(kata):
    if kata["kvm"]["usable"] is True:
        return []
    # What is not known is no yes: a handler is offered on what was seen only.
    word = "is not usable" if kata["kvm"]["usable"] is False else "is not known to be usable"
    return ["KVM {0}: {1}".format(word, "; ".join(kata["kvm"]["reasons"]) or "nothing says why")]


def _nodes(kata, hypervisor):
    # Firecracker, Cloud Hypervisor and Dragonball bring a vsock of their own over a Unix socket.
    wanted = [("tun", "tun", "the network of a sandbox")]
    if hypervisor == "qemu":
        wanted += [("vhost_vsock", "vhost_vsock", "QEMU's way to the agent in the guest"),
                   ("vhost_net", "vhost_net", "QEMU's network")]
    reasons = []
    for name, module, purpose in wanted:
        node = kata["nodes"][name]
        if node["available"] is not True:
            reasons.append("{0} is missing ({1}), which is {2}: load the module {3}, and see that it is loaded at boot"
                           .format(node["path"], node["status"], purpose, module))
    return reasons


def _syslog(kata):
    if kata["syslog"]["listening"] is True:
        return []
    return ["the Go shim ends when nothing takes its log: {0}; start systemd-journald or another syslog, or use "
            "the handler with runtime-rs".format(kata["sources"].get("syslog")
                                                 if kata["syslog"]["path"] else "there is no socket /dev/log")]


def _confidential(kata, key, words):
    known = kata["confidential"]
    reasons = []
    if key == "tdx":
        if known["tdx"]["enabled"] is not True:
            reasons.append(_off(words, known["tdx"]["enabled"], "kvm_intel", "tdx",
                                "a kernel with CONFIG_INTEL_TDX_HOST and the argument kvm_intel.tdx=1"))
    else:
        if known["sev_snp"]["enabled"] is not True:
            reasons.append(_off(words, known["sev_snp"]["enabled"], "kvm_amd", "sev_snp",
                                "a kernel with CONFIG_KVM_AMD_SEV whose IOMMU translates (neither iommu=pt nor off)"))
        elif not known["sev_snp"]["node"]:
            reasons.append("there is no /dev/sev, through which QEMU asks the secure processor: see that the driver "
                           "ccp has started it")
    counted = known["keys"].get(key)
    if counted and counted["used"] is not None and counted["used"] >= counted["capacity"]:
        reasons.append("no key is left for {0}: {1} of {2} {3} are taken; stop a confidential sandbox{4}".format(
            words, counted["used"], counted["capacity"], key,
            ", or give SEV-ES more identifiers in the firmware" if key == "sev_es" else ""))
    return reasons


def _off(words, enabled, module, parameter, kernel):
    state = "is off" if enabled is False else "is unknown: the module {0} shows no such parameter".format(module)
    return "{0} {1} (/sys/module/{2}/parameters/{3}); it needs its firmware setting and {4}".format(
        words, state, module, parameter, kernel)


def _gpus(kata):
    found = [one for one in kata["accelerators"] if one["kind"] == "gpu"]
    nvidia = [one for one in found if one["vendor_id"] == NVIDIA]
    if not nvidia:
        others = sorted({one["vendor"] or one["vendor_id"] or "unknown" for one in found})
        return ["its guest has NVIDIA's driver only, and this host has no GPU of NVIDIA{0}".format(
            "; for those of {0} take qemu-runtime-rs with an image of your own".format(", ".join(others))
            if others else "")]
    if any(one["ready"] for one in nvidia):
        return []
    shown = ["{0}: {1}".format(one["address"], one["reason"]) for one in nvidia[:4]]
    rest = " and {0} more".format(len(nvidia) - 4) if len(nvidia) > 4 else ""
    return ["no GPU can be handed to a sandbox: {0}{1}; hand whole groups to VFIO with the module pci_driver".format(
        "; ".join(shown), rest)]


def _runtime(kata):
    runtimes = kata["runtimes"].values()
    if any(one["installed"] for one in runtimes):
        return []
    unknown = any(one["installed"] is None for one in runtimes)
    return ["{0}; install containerd 1.7 or later, CRI-O or Docker 26 or later".format(
        "it is not known which container runtime is installed" if unknown else "there is no container runtime")]
