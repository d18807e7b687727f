# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that speaks against moving a PCI function, and that each reason says what to do about it."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._accelerators.binding_refusals import holders
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_model import (
    Bus,
    Function,
    card,
    declared,
)

GPU = "0000:41:00.0"
VF = {"sriov": {"role": "vf", "pf": "0000:41:00.0", "index": 0}}
VENDOR = dict(VF, vgpu={"framework": "vendor_vfio", "type": None, "type_id": None, "creatable": [], "mdevs": []})
NIC = ("0000:42:00.0", "0200", "8086", "1521", "igb", "igb")


def refused(bus, asked):
    with pytest.raises(errors.Refused) as caught:
        binding.decide(asked, bus.facts())
    return str(caught.value)


def one(driver=None, **extra):
    return Bus([Function(GPU, driver=driver, extra=extra)])


def test_bad_declarations_are_told_all_at_once():
    asked = declared(("41:00.0", "vfio"), (GPU, "none"), ("00000000:41:00.0", "vfio"), ("2460.0", "a b"))
    assert binding.validate(asked) == [
        'devices[0].address: \'41:00.0\', expected a PCI address such as "0000:41:00.0", in quotes (YAML reads some as '
        "numbers)",
        'devices[1].driver: \'none\', expected the name of a driver, "vfio" or "default"; "default" gives the function '
        "back to its native driver",
        "devices[2].address: '00000000:41:00.0', expected each function once, it is devices[1] already",
        'devices[3].address: \'2460.0\', expected a PCI address such as "0000:41:00.0", in quotes (YAML reads some as '
        "numbers)",
        'devices[3].driver: \'a b\', expected the name of a driver such as nvidia, "vfio" or "default"',
    ]
    assert binding.validate(declared((GPU, "default"))) == []


def test_an_unknown_address():
    with pytest.raises(errors.DeclarationError, match="'0000:41:00.2' is no PCI function of this host; the nearest is"):
        binding.decide(declared(("0000:41:00.2", "vfio")), Bus(card()).facts())


def test_a_group_that_is_declared_to_go_two_ways():
    with pytest.raises(errors.DeclarationError, match=r"devices\[1\]: 0000:41:00.1 cannot stay with the host while "
                                                      r"0000:41:00.0 goes to vfio-pci: both are in IOMMU group 1"):
        binding.decide(declared((GPU, "vfio"), ("0000:41:00.1", "default")), Bus(card()).facts())


def test_a_foreign_function_in_the_group():
    said = refused(Bus(card() + [Function(*NIC)]), declared((GPU, "vfio")))
    assert said == (
        "devices[0]: 0000:41:00.0 shares IOMMU group 1 with 0000:42:00.0 (8086:1521, class 0200, driver igb), which "
        "does not move with it: a group goes to a guest as a whole, and VFIO would not open this one. Use a slot with "
        "a group of its own, turn on ACS in the firmware setup, or move that card to another slot")


@pytest.mark.parametrize("driver", [None, "vfio-pci", "pci-stub"])
def test_a_foreign_function_that_does_not_stand_in_the_way_is_left_alone(driver):
    bus = Bus(card() + [Function("0000:42:00.0", "0200", "8086", "1521", "igb", driver)])
    plan = binding.decide(declared((GPU, "vfio")), bus.facts())
    assert plan and not [one for one in plan if "0000:42" in one.name]


def test_a_function_of_the_card_that_is_to_stay():
    said = refused(Bus(card()), declared((GPU, "vfio"), siblings=False))
    assert "0000:41:00.1 (10de:22b9, class 0403, driver snd_hda_intel), a function of the same card that stays" in said
    assert "set siblings" in said


def test_another_port_of_the_same_card_is_not_taken_unasked():
    ports = [Function("0000:42:00.{0}".format(index), *NIC[1:]) for index in (0, 1)]
    said = refused(Bus(ports), declared(("0000:42:00.0", "vfio")))
    assert said.endswith("or declare that one here too")
    assert binding.decide(declared(("0000:42:00.0", "vfio"), ("0000:42:00.1", "vfio")), Bus(ports).facts())


def test_the_audio_of_another_card_is_no_sibling():
    other = Function("0000:42:00.1", "0403", "10de", "22b9", "snd_hda_intel", "snd_hda_intel")
    observed = Bus(card() + [other]).facts()
    for member in observed["accelerators"][0]["group"]["members"]:
        member["role"] = "audio" if member["class"] == "0403" else member["role"]
    with pytest.raises(errors.Refused, match="shares IOMMU group 1 with 0000:42:00.1"):
        binding.decide(declared((GPU, "vfio")), observed)


def test_somebody_uses_it():
    said = refused(Bus(card(held=True)), declared((GPU, "vfio")))
    assert said == ("devices[0]: 0000:41:00.0 is in use and is not touched: process python3 (pid 812) has /dev/nvidia0 "
                    "open; end that first, then run again")


def test_somebody_uses_another_function_of_the_group():
    bus = Bus(card() + [Function("0000:42:00.0", driver="vfio-pci", override="vfio-pci", held=True)])
    said = refused(bus, declared((GPU, "vfio")))
    assert "devices[0]: 0000:41:00.0 shares IOMMU group 1 with 0000:42:00.0, which is in use and is not touched" in said
    bus = Bus(card())
    bus.functions["0000:41:00.1"].held = True
    said = refused(bus, declared((GPU, "vfio")))
    assert "devices[0]: 0000:41:00.1, the audio function of that card, is in use" in said


def test_who_holds_it_in_words():
    device = {"in_use": True, "interfaces_up": ["eth0"], "holders": [
        {"kind": "driver", "pid": 1, "command": "x", "what": "/dev/nvidiactl"},
        {"kind": "mdev", "pid": None, "command": None, "what": "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"},
        {"kind": "vfio", "pid": 7, "command": None, "what": "/dev/vfio/27", "through": "0000:41:00.4"}]}
    assert holders(device) == [
        "mdev 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 exists",
        "process of unknown name (pid 7) has /dev/vfio/27 open on its VF 0000:41:00.4",
        "network interface eth0 is up"]
    assert holders({"in_use": True, "holders": []}) == ["by whom is not known"]
    assert holders({"in_use": False, "holders": device["holders"]}) == []


def test_many_holders_are_counted_and_known_ones_have_a_remedy():
    rows = [{"kind": "vfio", "pid": number, "command": "qemu-system-x86", "what": "/dev/vfio/1"} for number in range(9)]
    said = refused(one("nvidia", in_use=True, holders=rows), declared((GPU, "vfio")))
    assert ", and 5 more; stop or migrate the server that has it, then run again" in said


def test_who_uses_it_has_to_be_known():
    observed = Bus(card()).facts()
    observed["host"]["sources"]["holders"] = "partial: the open files of 9 of 10 processes cannot be read; run as root"
    with pytest.raises(errors.Refused, match="not known who uses it: partial: .*run as root"):
        binding.decide(declared((GPU, "vfio")), observed)


@pytest.mark.parametrize("pci_class, driver, words", [
    ("0604", "pcieport", "is a bridge: VFIO leaves bridges to the kernel"),
    ("0601", None, "is a bridge"),
    ("0108", "nvme", r"is a storage controller \(class 0108\)"),
])
def test_what_is_never_moved(pci_class, driver, words):
    bus = Bus([Function("0000:03:00.0", pci_class, "8086", "1234", driver, driver)])
    for target in ("vfio", "default"):
        with pytest.raises(errors.Refused, match=words):
            binding.decide(declared(("0000:03:00.0", target)), bus.facts())


def test_an_nvswitch_is_no_bridge_to_leave_alone():
    bus = Bus([Function("0000:05:00.0", "0680", "10de", "22a3", "nvidia-nvswitch", None)])
    assert binding.decide(declared(("0000:05:00.0", "vfio")), bus.facts())


def test_a_pf_with_vfs():
    physical = {"sriov": {"role": "pf", "total": 16, "num": 4, "vfs": []}}
    said = refused(one("nvidia", **physical), declared((GPU, "vfio")))
    assert said == ("devices[0]: 0000:41:00.0 has 4 virtual functions enabled, which go away with its driver nvidia; "
                    "set their number to 0 with sriov_vfs first")
    assert binding.decide(declared((GPU, "default")), one("nvidia", **physical).facts()) == []


def test_a_vf_of_an_nvidia_gpu_stays_on_nvidia():
    said = refused(one("nvidia", **VF), declared((GPU, "vfio")))
    assert "has to stay on nvidia" in said and "managed=no; choose its profile with vgpu_profiles" in said
    assert binding.decide(declared((GPU, "default")), one("nvidia", **VENDOR).facts()) == []
    assert "cannot drive (its probe ends with EINVAL)" in refused(one(**VENDOR), declared((GPU, "vfio")))


@pytest.mark.parametrize("device_id, model", [("74a1", "MI300X"), ("75a3", "MI355X"), ("74a9", "MI300X HF")])
def test_a_whole_mi300x_is_not_handed_out_by_default(device_id, model):
    bus = Bus([Function(GPU, "1200", "1002", device_id, "amdgpu")])
    said = refused(bus, declared((GPU, "vfio")))
    assert "is a whole {0}: ".format(model) in said and "MxGPU-Virtualization issue 25" in said
    assert binding.decide(declared((GPU, "vfio"), allow_pf_reset_risk=True), bus.facts())
    assert binding.decide(declared((GPU, "vfio")), Bus([Function(GPU, "1200", "1002", "74b5", None, extra=VF)]).facts())


def test_without_an_iommu():
    bus = Bus([Function(GPU, group=None)])
    bus.iommu = False
    assert "the IOMMU is off" in refused(bus, declared((GPU, "vfio"))) and "kernel_arguments" in refused(
        bus, declared((GPU, "vfio")))
    bus.iommu = True
    assert "it is in no IOMMU group although the IOMMU is on" in refused(bus, declared((GPU, "vfio")))
    assert binding.decide(declared((GPU, "default")), bus.facts()) == []


def test_the_console():
    said = refused(one("nouveau", boot_vga=True), declared((GPU, "vfio")))
    assert "boot_vga is 1" in said and "allow_console_loss" in said


def test_a_driver_that_is_not_there():
    observed = one().facts()
    observed["drivers"] = {"vfio-pci": {"registered": False, "available": False, "names": []},
                           "mlx5": {"registered": False, "available": False, "names": ["mlx5_core"]},
                           "qqq": {"registered": False, "available": False, "names": ["igb"]}}
    for driver, words in (("vfio-pci", "install the kernel package"), ("mlx5", "nearest is 'mlx5_core'"),
                          ("qqq", "install the package that has it")):
        with pytest.raises(errors.Refused, match=words):
            binding.decide(declared((GPU, driver)), observed)


def test_everything_that_speaks_against_it_is_said_at_once():
    bus = Bus(card(held=True) + [Function(*NIC)])
    assert len(refused(bus, declared((GPU, "vfio"))).splitlines()) == 2
