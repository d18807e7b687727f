# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated trees of /sys, /proc and /etc for the compute hosts of the embedded region: plain files, read only.

    tools/region_hosts.py DIRECTORY        writes DIRECTORY/<host> for each host that is not there yet

They carry the GPUs that the region's simulated Nova has, at the same PCI addresses, handed to VFIO as `site` would: the
module's own decisions are carried out on the simulator. Nothing in them reacts to a write.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "roles" / "embedded_region" / "files"),
                str(CHECKOUT / "playbooks" / "collections")]

from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._core.host_module import converge
from embedded_region import topology
from simulator import MemoryHost, export
from simulator.presets import Board, describe

# Which simulated machine lends its kernel, tools and processes to hosts of a model.
MACHINES = {"H200": "hgx_h200", "L40S": "l40s_vgpu"}


def write(directory: Path) -> list[str]:
    """Writes the trees that are missing and returns their names."""
    made = []
    directory.mkdir(parents=True, exist_ok=True)
    for host in topology.DEFAULT:
        target = directory / host.name
        if target.exists():
            continue
        partial = directory / f".{host.name}"
        shutil.rmtree(partial, ignore_errors=True)
        export(description(host), partial, lambda model, host=host: hand_out(model, host.addresses()))
        partial.rename(target)
        made.append(host.name)
    return made


def description(host: topology.Host):
    """The simulated machine: its own house, and the host's GPUs behind a root port each."""
    board = Board()
    pattern = describe(MACHINES[host.model], gpus=1)
    card = next(one for one in pattern.functions if one.device == host.product_id)
    known = ("subsystem_vendor", "subsystem_device", "model", "speed", "max_speed", "width", "max_width", "bars",
             "reset_methods", "sriov")
    fields = {name: getattr(card, name) for name in known}
    for number, address in enumerate(host.addresses()):
        bus = int(address.split(":")[1], 16)
        board.slot(bus - 1, number * 2 // host.gpus, [(f"{host.vendor_id}:{host.product_id}", "030200", fields)])
    return dataclasses.replace(pattern, functions=board.house())


def hand_out(model, addresses: list[str]) -> None:
    """Carries out on the simulator what pci_driver decides for these cards."""
    devices = [{"address": address, "driver": "vfio"} for address in addresses]
    defaults = {name: spec["default"] for name, spec in binding.ARGUMENT_SPEC.items() if "default" in spec}
    params = dict(defaults, devices=devices, allow_interruption=True, expected_actions=None)
    converge(binding, MemoryHost(model), params, False)


if __name__ == "__main__":
    print(", ".join(write(Path(sys.argv[1]))) or "nothing to write")
