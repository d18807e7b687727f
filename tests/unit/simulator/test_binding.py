# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated driver core answers as the kernel does: notes on accelerators 2.1, machines 2 and 3, drivers/base."""

from __future__ import annotations

import errno

import pytest
from simulator import Blocked, Model, describe
from simulator.testing import BUS, device, driver, refused

GPU, AUDIO, NIC = "0000:18:00.0", "0000:18:00.1", "0000:21:00.0"

@pytest.fixture
def model():
    return Model(describe("hgx", gpus=2, switches=1))


def test_an_unset_override_reads_null(model):
    assert model.text(f"{device(GPU)}/driver_override") == "(null)"


def test_a_newer_kernel_may_read_nothing():
    assert Model(describe("hgx", gpus=1, unset_override="")).text(f"{device(GPU)}/driver_override") == ""


@pytest.mark.parametrize("clearing", ["\n", ""])
def test_an_override_is_any_name_and_an_empty_one_clears(model, clearing):
    model.put(f"{device(GPU)}/driver_override", "no-such-driver\n")
    assert model.text(f"{device(GPU)}/driver_override") == "no-such-driver"
    model.put(f"{device(GPU)}/driver_override", clearing)
    assert model.text(f"{device(GPU)}/driver_override") == "(null)"


def test_an_override_is_shorter_than_a_page(model):
    refused(errno.EINVAL, model.put, f"{device(GPU)}/driver_override", "x" * 4095)
    model.put(f"{device(GPU)}/driver_override", "x" * 4094)


def test_an_override_alone_moves_nothing(model):
    model.put(f"{device(GPU)}/driver_override", "vfio-pci")
    assert driver(model, GPU) == "nvidia"


def test_the_whole_way_to_vfio_and_back(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(GPU)}/driver_override", "vfio-pci")
    model.put(f"{device(GPU)}/driver/unbind", f"{GPU}\n")
    assert driver(model, GPU) is None
    model.put(f"{BUS}/drivers_probe", GPU)
    assert driver(model, GPU) == "vfio-pci"
    assert "1" in model.names("/dev/vfio") and model.names(f"{BUS}/drivers/vfio-pci").count(GPU) == 1
    model.put(f"{device(GPU)}/driver_override", "\n")
    model.put(f"{device(GPU)}/driver/unbind", GPU)
    model.put(f"{BUS}/drivers_probe", GPU)
    assert driver(model, GPU) == "nvidia"


def test_probing_without_a_driver_succeeds_and_binds_nothing(model):
    model.put(f"{device(GPU)}/driver_override", "vfio-pci")
    model.put(f"{device(GPU)}/driver/unbind", GPU)
    model.put(f"{BUS}/drivers_probe", GPU)
    assert driver(model, GPU) is None


def test_a_probe_that_fails_is_silent_by_drivers_probe_and_loud_by_bind():
    model = Model(describe("hgx", gpus=1, nvidia_version=None, modules=["nouveau"], tools=[]))
    assert driver(model, GPU) is None
    model.put(f"{BUS}/drivers_probe", GPU)
    refused(errno.ENODEV, model.put, f"{BUS}/drivers/nouveau/bind", GPU)
    assert any("unknown chipset" in text for _, text in model.state.kmsg)


@pytest.mark.parametrize(("path", "text", "number"), [
    ("drivers/nvidia/bind", "0000:ff:00.0", errno.ENODEV),
    ("drivers/nvidia/bind", AUDIO, errno.ENODEV),
    ("drivers/nvidia/bind", GPU, errno.EBUSY),
    ("drivers/nvidia/unbind", AUDIO, errno.ENODEV),
    ("drivers/nvidia/unbind", "nonsense", errno.ENODEV),
    ("drivers_probe", "0000:ff:00.0", errno.ENODEV),
    ("drivers_probe", f"{GPU}\n\n", errno.ENODEV),
])
def test_refusals(model, path, text, number):
    refused(number, model.put, f"{BUS}/{path}", text)


def test_write_only_attributes_cannot_be_read_and_read_only_ones_not_written(model):
    refused(errno.EACCES, model.read, f"{BUS}/drivers_probe")
    refused(errno.EACCES, model.put, f"{device(GPU)}/vendor", "0x0000")


def test_a_bridge_is_nothing_for_vfio(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device('0000:17:01.0')}/driver_override", "vfio-pci")
    model.put(f"{device('0000:17:01.0')}/driver/unbind", "0000:17:01.0")
    refused(errno.EINVAL, model.put, f"{BUS}/drivers/vfio-pci/bind", "0000:17:01.0")


def test_vfio_needs_an_iommu():
    model = Model(describe("hgx", gpus=1, arguments="root=/dev/sda1 ro"))
    assert model.names("/sys/kernel/iommu_groups") == []
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(GPU)}/driver_override", "vfio-pci")
    model.put(f"{device(GPU)}/driver/unbind", GPU)
    refused(errno.EINVAL, model.put, f"{BUS}/drivers/vfio-pci/bind", GPU)


def test_a_group_has_its_siblings_and_their_links(model):
    group = f"{device(GPU)}/iommu_group/devices"
    assert sorted(model.names(model.resolve(group))) == [GPU, AUDIO]
    assert f"consumer:pci:{AUDIO}" in model.names(model.resolve(device(GPU)))
    assert f"supplier:pci:{GPU}" in model.names(model.resolve(device(AUDIO)))


def test_a_group_is_viable_when_its_siblings_are_off_the_host(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(GPU)}/driver_override", "vfio-pci")
    model.put(f"{device(GPU)}/driver/unbind", GPU)
    model.put(f"{BUS}/drivers_probe", GPU)
    # snd_hda_intel still has the sibling: seen on a QEMU machine as "not viable".
    refused(errno.EINVAL, model.virtual_machine, GPU)
    model.put(f"{device(AUDIO)}/driver/unbind", AUDIO)
    pid = model.virtual_machine(GPU)
    with pytest.raises(Blocked):
        model.put(f"{device(GPU)}/driver/unbind", GPU)
    with pytest.raises(Blocked):
        model.put(f"{device(GPU)}/driver_override", "\n")
    model.end(pid)
    model.put(f"{device(GPU)}/driver/unbind", GPU)


def test_an_open_device_blocks_the_unbind_and_an_open_control_node_only_the_module(model):
    pid = model.hold("/dev/nvidiactl")
    model.put(f"{device(GPU)}/driver/unbind", GPU)
    assert "in use" in model.run(["rmmod", "nvidia_uvm", "nvidia"]).stderr
    model.end(pid)
    pid = model.hold("/dev/nvidia1")
    with pytest.raises(Blocked):
        model.put(f"{device('0000:2a:00.0')}/driver/unbind", "0000:2a:00.0")
    assert model.log[-1].error is None
    assert driver(model, "0000:2a:00.0") == "nvidia"


def test_reads_wait_for_the_lock_on_kernels_that_take_it(model):
    model.state.locked_reads = True
    model.hold("/dev/nvidia0")
    with pytest.raises(Blocked):
        model.put(f"{device(GPU)}/driver/unbind", GPU)
    with pytest.raises(Blocked):
        model.text(f"{device(GPU)}/driver_override")
    assert model.text(f"{device(GPU)}/vendor") == "0x10de"


def test_nodes_stay_after_unbinding_and_unloading(model):
    for address in (GPU, "0000:2a:00.0"):
        model.put(f"{device(address)}/driver/unbind", address)
    assert model.run(["modprobe", "-r", "nvidia"]).status == 0
    assert "nvidia0" in model.names("/dev") and "nvidia" not in model.names("/sys/module")


def test_a_new_id_takes_every_card_of_that_model(model):
    model.run(["modprobe", "vfio-pci"])
    for address in (GPU, "0000:2a:00.0"):
        model.put(f"{device(address)}/driver/unbind", address)
    model.put(f"{BUS}/drivers/vfio-pci/new_id", "10de 2335")
    assert driver(model, GPU) == driver(model, "0000:2a:00.0") == "vfio-pci"
    refused(errno.EEXIST, model.put, f"{BUS}/drivers/vfio-pci/new_id", "10de 2335")


def test_removing_and_rescanning(model):
    model.put(f"{device(AUDIO)}/remove", "1")
    assert AUDIO not in model.names(f"{BUS}/devices")
    model.put(f"{BUS}/rescan", "1")
    assert driver(model, AUDIO) == "snd_hda_intel"


def test_an_mi300x_under_vfio_answers_no_more_after_a_reset():
    model, card = Model(describe("mi300x", gpus=1)), "0000:11:00.0"
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(card)}/driver_override", "vfio-pci")
    model.put(f"{device(card)}/driver/unbind", card)
    model.put(f"{BUS}/drivers_probe", card)
    model.put(f"{device(card)}/reset", "1")
    assert model.read(model.resolve(f"{device(card)}/config")).strip(b"\xff") == b""
    assert model.text(f"{device(card)}/vendor") == "0x1002"
    model.reboot()
    assert driver(model, card) == "amdgpu"
