# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated vGPUs, MIG, mediated devices, partitions: capacity, order, and what one change does to the others."""

from __future__ import annotations

import errno

import pytest
from simulator import Blocked, Model, describe
from simulator.testing import device, driver, refused

CARD, VF, OTHER = "0000:41:00.0", "0000:41:00.4", "0000:41:00.5"
MIG_CARD, MIG_VF = "0000:21:00.0", "0000:21:00.4"
UUID = "12345678-1234-1234-1234-123456789abc"


def nvidia(address, name):
    """A file of the vendor-specific VFIO framework."""
    return f"{device(address)}/nvidia/{name}"


def creatable(model, address):
    """The ids that can be created."""
    return [int(line.split(":")[0]) for line in model.text(nvidia(address, "creatable_vgpu_types")).splitlines()[1:]]


@pytest.fixture
def vgpus():
    model = Model(describe("l40s", gpus=1))
    model.run(["sriov-manage", "-e", CARD])
    return model


@pytest.fixture
def mig():
    model = Model(describe("a100", gpus=1))
    model.run(["nvidia-smi", "-i", "0", "-mig", "1"])
    model.run(["nvidia-smi", "-r", "-i", "0"])
    return model


def test_a_pf_has_no_such_directory(vgpus):
    assert "nvidia" not in vgpus.names(vgpus.resolve(device(CARD)))
    assert vgpus.names("/sys/class").count("mdev_bus") == 0


def test_a_type_is_created_and_freed(vgpus):
    assert vgpus.text(nvidia(VF, "current_vgpu_type")) == "0"
    refused(errno.ENXIO, vgpus.read, vgpus.resolve(nvidia(VF, "gpu_instance_id")))
    vgpus.put(nvidia(VF, "current_vgpu_type"), "1153\n")
    assert vgpus.text(nvidia(VF, "current_vgpu_type")) == "1153" and vgpus.text(nvidia(VF, "placement_id")) == "0"
    assert creatable(vgpus, VF) == [] and creatable(vgpus, OTHER) == [1153, 1163]
    vgpus.put(nvidia(VF, "current_vgpu_type"), "0")
    assert 1145 in creatable(vgpus, OTHER)


def test_the_list_shrinks_to_its_header(vgpus):
    for number in range(4):
        vgpus.put(nvidia(f"0000:41:00.{4 + number}", "current_vgpu_type"), "1153")
    assert vgpus.text(nvidia("0000:41:01.0", "creatable_vgpu_types")) == "ID    : vGPU Name"
    refused(errno.EIO, vgpus.put, nvidia("0000:41:01.0", "current_vgpu_type"), "1153")
    assert any("0x38" in text for _, text in vgpus.state.kmsg)


@pytest.mark.parametrize(
    ("text", "number"), [("115", errno.EIO), ("NVIDIA L40S-12Q", errno.EINVAL), ("0x481", errno.EINVAL)]
)
def test_only_decimal_ids_of_the_list(vgpus, text, number):
    refused(number, vgpus.put, nvidia(VF, "current_vgpu_type"), text)


def test_sizes_mix_in_heterogeneous_mode_only(vgpus):
    vgpus.run(["nvidia-smi", "vgpu", "-shm", "1", "-i", "0"])
    vgpus.put(nvidia(VF, "current_vgpu_type"), "1153")
    assert 1147 in creatable(vgpus, OTHER) and 1156 not in creatable(vgpus, OTHER)


def test_a_vgpu_in_use_is_not_freed_and_its_card_not_taken(vgpus):
    vgpus.put(nvidia(VF, "current_vgpu_type"), "1153")
    pid = vgpus.virtual_machine(VF)
    refused(errno.EPERM, vgpus.put, nvidia(VF, "current_vgpu_type"), "0")
    assert vgpus.run(["sriov-manage", "-d", CARD]).status == 1
    with pytest.raises(Blocked):
        vgpus.put(f"{device(CARD)}/driver/unbind", CARD)
    vgpus.end(pid)
    assert vgpus.run(["sriov-manage", "-d", CARD]).status == 0


def test_vfio_is_nothing_for_these_vfs(vgpus):
    vgpus.run(["modprobe", "vfio-pci"])
    vgpus.put(f"{device(VF)}/driver_override", "vfio-pci")
    vgpus.put(f"{device(VF)}/driver/unbind", VF)
    refused(errno.EINVAL, vgpus.put, "/sys/bus/pci/drivers/vfio-pci/bind", VF)


def test_names_are_found_by_nvidia_smi_with_hexadecimal_ids(vgpus):
    said = vgpus.run(["nvidia-smi", "vgpu", "-s", "-v"]).stdout
    assert "    vGPU Type ID                          : 0x481\n" in said and "NVIDIA L40S-12Q\n" in said
    assert "        GPU Instance Profile ID           : N/A\n" in said


def test_an_ampere_card_waits_for_a_reset():
    model = Model(describe("a100", gpus=1))
    model.run(["nvidia-smi", "-i", MIG_CARD, "-mig", "1"])
    asked = ["nvidia-smi", "--query-gpu=mig.mode.current,mig.mode.pending", "--format=csv,noheader"]
    assert model.run(asked).stdout == "Disabled, Enabled\n"
    model.run(["nvidia-smi", "--gpu-reset", "-i", "00000000:21:00.0"])
    assert model.run(asked).stdout == "Enabled, Enabled\n"
    model.reboot()
    assert model.run(asked).stdout == "Enabled, Enabled\n"


def test_a_hopper_card_switches_at_once_and_forgets_at_a_reboot():
    model = Model(describe("hgx", gpus=1))
    assert "Enabled MIG Mode" in model.run(["nvidia-smi", "-mig", "1"]).stdout
    assert model.run(["nvidia-smi", "mig", "-cgi", "1g.18gb,1g.18gb", "-C"]).status == 0
    model.reboot()
    assert model.run(["nvidia-smi", "mig", "-lgi"]).stdout == "No MIG-enabled devices found.\n"


def test_a_client_keeps_the_mode():
    model = Model(describe("hgx", gpus=1))
    model.hold("/dev/nvidia0", "dcgm")
    assert "In use by another client" in model.run(["nvidia-smi", "-mig", "1"]).stdout
    assert model.state.gpus["0000:18:00.0"].mig is False
    assert model.run(["nvidia-smi", "-r"]).status == 19


def test_instances_go_where_they_fit(mig):
    said = mig.run(["nvidia-smi", "mig", "-i", "0", "-cgi", "9,14,19", "-C"])
    assert said.status == 0 and said.stdout.count("Successfully created") == 6
    assert mig.run(["nvidia-smi", "mig", "-cgi", "9"]).stdout.endswith("Insufficient Resources\n")
    assert mig.run(["nvidia-smi", "-L"]).stdout.count("  MIG ") == 3
    assert mig.run(["nvidia-smi", "mig", "-dgi"]).status == 19
    assert mig.run(["nvidia-smi", "mig", "-dci"]).status == 0 and mig.run(["nvidia-smi", "mig", "-dgi"]).status == 0
    assert mig.run(["nvidia-smi", "mig", "-dgi"]).stdout == "No GPU instances found: Not Found\n"


def test_placements_are_printed_as_nvidia_does_and_can_be_asked_for(mig):
    said = mig.run(["nvidia-smi", "mig", "-lgipp"]).stdout
    assert (
        "GPU  0 Profile ID 19 Placements: {0,1,2,3,4,5,6}:1\n" in said and "Profile ID  0 Placement : {0}:8\n" in said
    )
    mig.run(["nvidia-smi", "mig", "-cgi", "3g.20gb:4"])
    assert (
        "|   0  MIG 3g.20gb            9        1          4:4     |" in mig.run(["nvidia-smi", "mig", "-lgi"]).stdout
    )


def test_enabling_vfs_wipes_the_instances(mig):
    mig.run(["nvidia-smi", "mig", "-cgi", "19,19", "-C"])
    mig.run(["sriov-manage", "-e", MIG_CARD])
    assert mig.state.gpus[MIG_CARD].instances == [] and mig.state.gpus[MIG_CARD].mig
    assert mig.run(["nvidia-smi", "-mig", "0"]).status == 19


def test_a_type_backed_by_mig_needs_its_instance(mig):
    mig.run(["sriov-manage", "-e", MIG_CARD])
    assert creatable(mig, MIG_VF) == []
    mig.run(["nvidia-smi", "mig", "-cgi", "19,14", "-C"])
    assert creatable(mig, MIG_VF) == [474, 475]
    mig.put(nvidia(MIG_VF, "current_vgpu_type"), "475")
    assert mig.text(nvidia(MIG_VF, "gpu_instance_id")) == "3" and creatable(mig, "0000:21:00.5") == [474]


def test_mediated_devices():
    model = Model(describe("a100", gpus=1, vgpu="mdev", modules=["nvidia_vgpu_vfio"]))
    model.run(["sriov-manage", "-e", MIG_CARD])
    parent = f"/sys/class/mdev_bus/{MIG_VF}/mdev_supported_types/nvidia-471"
    assert model.text(f"{parent}/name") == "NVIDIA A100-10C" and model.text(f"{parent}/available_instances") == "1"
    refused(errno.EINVAL, model.put, f"{parent}/create", "no uuid")
    model.put(f"{parent}/create", UUID)
    refused(errno.EEXIST, model.put, f"{parent}/create", UUID)
    assert model.text(f"{parent}/available_instances") == "0"
    assert model.readlink(model.resolve(f"/sys/bus/mdev/devices/{UUID}/mdev_type", last=False)).endswith("nvidia-471")
    pid = model.virtual_machine(UUID)
    with pytest.raises(Blocked):
        model.put(f"/sys/bus/mdev/devices/{UUID}/remove", "1")
    model.end(pid)
    model.put(f"/sys/bus/mdev/devices/{UUID}/remove", "1")
    assert model.names("/sys/bus/mdev/devices") == [] and model.problems() == []


def test_partitions_of_an_mi300x():
    model, card = Model(describe("mi300x", gpus=1)), "0000:11:00.0"
    assert model.text(f"{device(card)}/available_compute_partition") == "SPX, DPX, QPX, CPX"
    model.put(f"{device(card)}/current_compute_partition", "CPX")
    assert model.text(f"{device(card)}/current_compute_partition") == "CPX"
    refused(errno.EINVAL, model.put, f"{device(card)}/current_compute_partition", "XPX")
    model.put(f"{device(card)}/current_memory_partition", "NPS4")
    assert model.text(f"{device(card)}/current_memory_partition") == "NPS1"
    model.run(["modprobe", "-r", "amdgpu"])
    model.run(["modprobe", "amdgpu"])
    assert driver(model, card) == "amdgpu" and model.text(f"{device(card)}/current_memory_partition") == "NPS4"
    model.hold("/dev/dri/renderD128")
    refused(errno.EBUSY, model.put, f"{device(card)}/current_compute_partition", "QPX")


def test_confidential_modes_exclude_each_other():
    model, tool = Model(describe("hgx", gpus=1, switches=1, tools=["nvidia_gpu_tools.py"])), "nvidia_gpu_tools.py"
    card, switch = "0000:18:00.0", "0000:41:00.0"
    set_cc = [tool, f"--gpu-bdf={card}", "--set-cc-mode=on", "--reset-after-cc-mode-switch"]
    assert "driver is bound" in model.run(set_cc).stderr
    model.put(f"{device(card)}/driver/unbind", card)
    assert model.run(set_cc).status == 0
    assert "CC mode is on" in model.run([tool, "--gpu-bdf", card, "--query-cc-mode"]).stderr
    assert model.run([tool, "--gpu-bdf", card, "--set-ppcie-mode", "on"]).status == 1
    assert model.run([tool, "--gpu-bdf", switch, "--set-ppcie-mode", "on"]).status == 0
    model.reboot()
    assert (model.state.gpus[card].cc, model.state.gpus[switch].ppcie) == ("on", "on")
