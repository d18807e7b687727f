# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIMULATOR: a hypervisor that runs nothing and reports GPUs which do not exist.

It subclasses a driver that Nova ships for its own tests, so it is pinned to one Nova release. What is above it (API,
scheduler, PCI tracker, Placement) is the real thing. nova.conf names it as `fakegpu.GpuDriver`.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import types
import uuid

from embedded_region import EmbeddedRegionError
from embedded_region.topology import Host

NOVA = "34.0.0"


def install(hosts: list[Host]) -> None:
    """Makes `compute_driver = fakegpu.GpuDriver` loadable, and gives every simulated host an identity of its own."""
    found = importlib.metadata.version("nova")
    if found != NOVA:
        raise EmbeddedRegionError(f"the GPU simulator fits Nova {NOVA} and no other; this environment has Nova {found}")
    from nova.compute import manager, power_state
    from nova.virt import fake

    by_name = {host.name: host for host in hosts}

    class GpuDriver(fake.FakeDriver):
        """A host of the topology: two sockets, 96 cores, 2 TiB of memory, and its GPUs as PCI devices."""

        vcpus = 192
        memory_mb = 2 * 1024 * 1024
        local_gb = 20000

        def get_available_resource(self, nodename):
            resources = super().get_available_resource(nodename)
            host = by_name[nodename]
            resources["uuid"] = host.uuid
            resources["pci_passthrough_devices"] = json.dumps(devices(host))
            return resources

        def get_nodenames_by_uuid(self, refresh=False):
            return {by_name[name].uuid: name for name in self.get_available_nodes()}

        def process_instances_at_startup(self, context, instances):
            # What ran before a restart runs on: the servers of a real host outlive nova-compute as well.
            for instance in instances:
                if instance.power_state == power_state.RUNNING:
                    self.instances[instance.uuid] = fake.FakeInstance(
                        instance.name, power_state.RUNNING, instance.uuid)
                    self.resources.claim(instance.flavor.vcpus, instance.flavor.memory_mb, instance.flavor.root_gb)
            return instances

    module = types.ModuleType("nova.virt.fakegpu")
    module.GpuDriver = GpuDriver
    sys.modules["nova.virt.fakegpu"] = module
    # One process has one compute_id file, but four hosts; theirs come from the driver above, and never change.
    manager.ComputeManager._ensure_existing_node_identity = lambda self, service_ref: None


def nova(hosts: list[Host]) -> dict[str, dict[str, object]]:
    """What nova.conf has for this simulator, for any hosts."""
    return {"DEFAULT": {"compute_driver": "fakegpu.GpuDriver"}}


def devices(host: Host) -> list[dict[str, object]]:
    """The GPUs of a host as Nova's libvirt driver would report them."""
    half = (host.gpus + 1) // 2
    return [
        {
            "address": address,
            "vendor_id": host.vendor_id,
            "product_id": host.product_id,
            "status": "available",
            "dev_type": "type-PCI",
            "parent_addr": None,
            "numa_node": 0 if number < half else 1,
            "label": f"label_{host.vendor_id}_{host.product_id}",
            "dev_id": "pci_" + address.replace(":", "_").replace(".", "_"),
            "capabilities": {"vpd": {"card_serial_number": str(uuid.uuid5(uuid.UUID(host.uuid), address))}},
        }
        for number, address in enumerate(host.addresses())
    ]
