# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host without a mount is the real class to whoever uses it; the exported tree says what the model says."""

from __future__ import annotations

import inspect
import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Folder, Host
from simulator import Killed, MemoryHost, Model, describe, export
from simulator.description import from_plain, to_plain
from simulator.memory import MemoryFolder

OVERRIDE = "/sys/bus/pci/devices/0000:21:00.0/driver_override"


def interface(kind):
    """The public methods of a class with the names of their parameters."""
    return {name: list(inspect.signature(value).parameters) for name, value in vars(kind).items()
            if inspect.isfunction(value) and not name.startswith("_")}


@pytest.mark.parametrize(("mine", "real"), [(MemoryHost, Host), (MemoryFolder, Folder)])
def test_it_has_the_interface_of_the_real_class(mine, real):
    assert interface(mine) == interface(real)


def test_attributes_files_and_tools():
    host = MemoryHost(Model(describe("igb")))
    host.write_attribute(OVERRIDE, "vfio-pci\n")
    assert host.text(OVERRIDE) == "vfio-pci"
    with pytest.raises(HostError) as caught:
        host.write_attribute("/sys/bus/pci/drivers/igb/bind", "0000:21:00.0")
    assert caught.value.number == 19
    host.make_directory("/etc/a/b")
    host.write_file("/etc/a/b/c", "text\n", 0o640)
    host.write_file("/etc/a/b/c", "text 2\n", 0o640)
    assert host.text("/etc/a/b/c") == "text 2" and host.names("/etc/a/b") == ["c"]
    host.remove_file("/etc/a/b/c")
    host.remove_file("/etc/a/b/c")
    assert host.program("nvidia-smi") is None and host.program("modprobe") == "modprobe"
    assert host.run(["modprobe", "vfio-pci"], 10, changes=True).ok
    assert host.target_name("/sys/bus/pci/devices/0000:21:00.0/driver") == "igb"
    assert host.folder("/sys/bus/pci/devices/0000:21:00.0").text("vendor") == "0x8086"
    assert host.counts.started == 1


def test_what_would_wait_ends_in_time():
    model = Model(describe("hgx", gpus=1))
    model.hold("/dev/nvidia0")
    with pytest.raises(HostError) as caught:
        MemoryHost(model).write_attribute("/sys/bus/pci/drivers/nvidia/unbind", "0000:18:00.0", timeout=2)
    assert caught.value.number is None
    model.fault("tool:nvidia-smi", "hang")
    assert MemoryHost(model).run(["nvidia-smi"], 3).status is None


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_it_can_be_killed_after_each_step_of_a_file(number):
    model = Model(describe("igb"))
    with pytest.raises(Killed):
        MemoryHost(model, kill_after=number).write_file("/etc/mine", "new")
    assert len(model.log) == number
    again = MemoryHost(model)
    again.write_file("/etc/mine", "new")
    assert again.text("/etc/mine") == "new" and [one for one in again.names("/etc") if "mine" in one] == ["mine"]


@pytest.mark.parametrize("name", ["hgx", "l40s", "a100", "mi300x", "gaudi", "flex170", "igb"])
def test_a_description_survives_json(name):
    description = describe(name)
    assert from_plain(to_plain(description)) == description


def test_an_exported_tree_is_read_by_the_real_class(tmp_path):
    def bound(model):
        model.run(["modprobe", "vfio-pci"])
        model.put("/sys/bus/pci/devices/0000:18:00.0/driver_override", "vfio-pci")
        model.put("/sys/bus/pci/drivers/nvidia/unbind", "0000:18:00.0")
        model.put("/sys/bus/pci/drivers_probe", "0000:18:00.0")
        model.hold("/dev/nvidia1")
    assert export(describe("hgx", gpus=2), tmp_path, bound) > 500
    host = Host(root=str(tmp_path))
    assert host.target_name("/sys/bus/pci/devices/0000:18:00.0/driver") == "vfio-pci"
    assert host.folder("/sys/bus/pci/devices/0000:18:00.0").text("device") == "0x2335"
    group = "/sys/bus/pci/devices/0000:18:00.0/iommu_group/devices"
    assert host.names(group) == ["0000:18:00.0", "0000:18:00.1"]
    assert "/dev/nvidia1" in [os.readlink(f"{tmp_path}/proc/{pid}/fd/3") for pid in os.listdir(tmp_path / "proc")
                              if os.path.lexists(f"{tmp_path}/proc/{pid}/fd/3")]
    assert host.text("/proc/cmdline").endswith("quiet") and host.text("/sys/module/vfio_pci/refcnt") == "0"


def test_four_hundred_functions_and_two_thousand_processes():
    model = Model(describe("hgx", functions=400, processes=2000))
    assert len(model.names("/sys/bus/pci/devices")) == 400
    assert sum(name.isdigit() for name in model.names("/proc")) == 2000
