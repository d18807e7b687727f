# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a pod's machine has to be for what a pool gives it: ports, memory, timeouts, and the pod's overhead. Pure.

Sources, 4.1.0: ``src/runtime-rs/Makefile`` and ``src/runtime/Makefile`` (the values of the NVIDIA configurations),
``docs/how-to/how-to-size-sandbox-overhead-runtime-rs.md`` (the overhead of a pod is the guest's share and the host's
share), ``tools/packaging/kata-deploy/helm-chart`` (320 MiB and a quarter of a CPU for a pod with plain QEMU).
"""

from __future__ import annotations

from .config_merge import at
from .config_shims import GO

SPEC = {
    "gpus": {"type": "int", "default": 0},
    "nvswitches": {"type": "int", "default": 0},
    "other_devices": {"type": "int", "default": 0},
    "guest_memory": {"type": "int"},
}
# The Go shim cuts more to 16 (maxPCIeRootPorts). On the root bus of a machine of runtime-rs there are 32 slots
# (PCIE_ROOT_BUS_SLOTS_CAPACITY), and its disks, network, consoles and bridges need some eight of them.
_MOST_PORTS = {GO: 16}
_MOST_PORTS_RUST = 24
# Seconds that upstream gives machines with GPUs: all their memory is pinned before the first instruction runs.
TIMEOUT = 1200
# In MiB: shim, QEMU and virtiofsd of one pod.
_HOST_MEMORY = 320
_NVSWITCHES_SINCE = (4, 1)


def devices(sizing):
    """Return how many devices a pod gets at most."""
    return sizing["gpus"] + sizing["nvswitches"] + sizing["other_devices"]


def problems(sizing):
    """Return what cannot be right, a sentence each."""
    found = ["sizing.{0}: {1} is out of range; expected 0 or more".format(name, value)
             for name, value in sorted(sizing.items()) if value is not None and value < 0]
    if sizing["guest_memory"] == 0:
        found.append("sizing.guest_memory: 0 is no size; expected MiB, or leave it out")
    if sizing["nvswitches"] and not sizing["gpus"]:
        found.append("sizing.nvswitches: {0} without a GPU; NVSwitches go to the machine that has the GPUs".format(
            sizing["nvswitches"]))
    return found


def settings(sizing, kind, version, base):
    """Return (settings, problems).

    Args:
        sizing: ``gpus``, ``nvswitches``, ``other_devices`` for one pod, ``guest_memory`` in MiB or None.
        kind: GO or RUST.
        version: of the release as numbers.
        base: the configuration without ours.

    Returns:
        A nested mapping for the drop-in, and a list of sentences; either may be empty.
    """
    names = sorted(base.get("hypervisor", {}))
    if len(names) != 1:
        return {}, ["sizing: the configuration has {0} hypervisors, and sizing is for one".format(len(names))]
    name, number = names[0], devices(sizing)
    rows, has = {}, base["hypervisor"][names[0]]
    found = device_problems(sizing, kind, version, name)
    if number:
        rows = {"cold_plug_vfio": "root-port", "pcie_root_port": max(number, has.get("pcie_root_port", 0))}
        if kind == GO:
            rows["hot_plug_vfio"] = "no-port"
        elif has.get("pcie_switch_port"):
            rows["pcie_switch_port"] = 0
    if sizing["guest_memory"]:
        rows["default_memory"] = sizing["guest_memory"]
        most = has.get("default_maxmemory")
        if most and most < sizing["guest_memory"]:
            rows["default_maxmemory"] = sizing["guest_memory"]
    result = {"hypervisor": {name: rows}} if rows else {}
    if number:
        result.update(_timeouts(kind, base))
    return result, found


def device_problems(sizing, kind, version, name):
    """Return why a pod cannot have these devices, a sentence each."""
    number, found = devices(sizing), []
    if not number:
        return []
    most = _MOST_PORTS.get(kind, _MOST_PORTS_RUST)
    if name != "qemu":
        found.append("sizing: devices are only handed to machines of QEMU, and this shim's hypervisor is {0!r}".format(
            name))
    if number > most:
        found.append("sizing: {0} devices need as many root ports, and a machine of this shim has {1} at most; give a "
                     "pod fewer".format(number, most))
    if sizing["nvswitches"] and version < _NVSWITCHES_SINCE:
        found.append("sizing.nvswitches: Kata hands out NVSwitches from 4.1 on; install a newer release")
    return found


def _timeouts(kind, base):
    """Return timeouts that are at least upstream's for GPUs; longer ones of the configuration stay."""
    agent = sorted(base.get("agent", {})) or ["kata"]
    rows = base.get("agent", {}).get(agent[0], {})
    if kind == GO:
        created = at(base, ("runtime", "create_container_timeout"), 0)
        return {"runtime": {"create_container_timeout": max(TIMEOUT, created)},
                "agent": {agent[0]: {"dial_timeout": max(TIMEOUT, rows.get("dial_timeout", 0))}}}
    return {"agent": {agent[0]: {
        "create_container_timeout": max(TIMEOUT, rows.get("create_container_timeout", 0)),
        "dial_timeout_ms": max(1000, rows.get("dial_timeout_ms", 0)),
        "reconnect_timeout_ms": max(1000 * TIMEOUT, rows.get("reconnect_timeout_ms", 0)),
    }}}


def result(sizing, kind, tree):
    """Return what Kubernetes has to know: ``devices``, ``pcie_root_port``, ``memory_mib``, ``cpus``, ``timeout``.

    Args:
        sizing: as above, or None.
        kind: GO or RUST.
        tree: the effective configuration.

    ``memory_mib`` and ``cpus`` are a pod's overhead (``podFixed``): the guest's own share, which a pod's limits do not
    have, and the host's. With devices the host keeps tables of all guest memory for the IOMMU and for the processor,
    8 bytes for each 4 KiB in both. ``timeout`` in seconds is the least that the kubelet may wait for a container.
    """
    name = next(iter(sorted(tree.get("hypervisor", {}))), "")
    rows, number = at(tree, ("hypervisor", name), {}), devices(sizing) if sizing else 0
    memory = rows.get("default_memory", 2048)
    # The Go shim adds a pod's limits to default_memory; runtime-rs adds them to overhead_memory, where it has that key.
    guest = rows["overhead_memory"] if "overhead_memory" in rows else memory
    tables = 2 * -(-memory // 512) if number else 0
    cpus = float(rows.get("overhead_vcpus", 0)) + (1.0 if number else 0.25)
    if kind == GO:
        timeout = at(tree, ("runtime", "create_container_timeout"), 60)
    else:
        timeout = max([one.get("create_container_timeout", 30) for one in tree.get("agent", {}).values()] or [30])
    return {"devices": number, "pcie_root_port": rows.get("pcie_root_port", 0), "cpus": round(cpus, 3),
            "memory_mib": guest + _HOST_MEMORY + tables, "timeout": timeout}


def short_problems(sizing, kind, tree):
    """Return what a whole configuration lacks for the devices, such as a port that somebody else took away."""
    if not sizing or not devices(sizing):
        return []
    found = []
    for name, rows in sorted(tree.get("hypervisor", {}).items()):
        ports, where = rows.get("pcie_root_port", 0), "hypervisor.{0}.".format(name)
        if ports < devices(sizing):
            found.append("{0}pcie_root_port: {1} is too few for {2} devices ({3} GPUs, {4} NVSwitches, {5} others); "
                         "each needs a port of its own".format(where, ports, devices(sizing), sizing["gpus"],
                                                               sizing["nvswitches"], sizing["other_devices"]))
        if rows.get("cold_plug_vfio") in (None, "", "no-port") and (
                kind != GO or rows.get("hot_plug_vfio") in (None, "", "no-port")):
            found.append("{0}cold_plug_vfio: {1!r}, so no device reaches the machine; expected 'root-port'".format(
                where, rows.get("cold_plug_vfio")))
    return found
