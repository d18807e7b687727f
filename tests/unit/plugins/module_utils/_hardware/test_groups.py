# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IOMMU groups: roles of the siblings, and whether a VM could have the group."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts, groups
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, h200
from hypothesis import given
from hypothesis import strategies as st


def device_of(tree, address, also=()):
    found = facts.collect(Host(str(tree.root)), also, tools=False)
    return next(one for one in found["accelerators"] + found["others"] if one["address"] == address)


def roles(device):
    return {member["address"]: member["role"] for member in device["group"]["members"]}


def rebind(tree, address, driver):
    (tree.root / tree.home(address) / "driver").unlink()
    if driver:
        tree.bind(address, driver)


def test_a_gpu_and_its_audio_function_are_one_card(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree)
    device = device_of(tree, card)
    assert roles(device) == {card: "gpu", "0000:41:00.1": "audio"}
    assert device["iommu_group"] == 1
    assert device["group"]["viable"] is False
    assert device["group"]["reason"] == (
        "0000:41:00.0 (gpu) is bound to nvidia, 0000:41:00.1 (audio) is bound to snd_hda_intel; every function of "
        "IOMMU group 1 that is no PCI bridge has to be on a vfio driver, on pci-stub or on no driver")
    assert device["group"]["members"][1] == {
        "address": "0000:41:00.1", "vendor_id": "10de", "device_id": "22b9", "class": "0403", "driver": "snd_hda_intel",
        "driver_override": None, "role": "audio"}


@pytest.mark.parametrize("gpu, audio, viable", [
    ("vfio-pci", "vfio-pci", True),
    ("vfio-pci", None, True),
    (None, None, True),
    ("vfio-pci", "pci-stub", True),
    ("nvgrace_gpu_vfio_pci", "vfio-pci", True),
    ("vfio-pci", "snd_hda_intel", False),
    ("nvidia", "vfio-pci", False),
    ("nouveau", None, False),
])
def test_viability_is_that_of_the_kernel(tmp_path, gpu, audio, viable):
    tree = Tree(tmp_path)
    card = h200(tree)
    rebind(tree, card, gpu)
    rebind(tree, "0000:41:00.1", audio)
    group = device_of(tree, card)["group"]
    assert group["viable"] is viable
    assert (group["reason"] is None) is viable


def test_the_four_functions_of_a_turing_card(tmp_path):
    tree = Tree(tmp_path)
    card = tree.function("0000:65:00.0", "10de:1eb1", "030000", group=7)
    for function, device, class_id in ((1, "10f8", "040300"), (2, "1ad8", "0c0330"), (3, "1ad9", "0c8000")):
        tree.function(f"0000:65:00.{function}", f"10de:{device}", class_id, group=7)
    assert list(roles(device_of(tree, card)).values()) == ["gpu", "audio", "usb", "ucsi"]


def test_what_is_in_another_slot_is_foreign_unless_it_is_a_bridge_or_an_nvswitch(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False, driver="vfio-pci")
    tree.function("0000:40:01.0", "8086:352a", "060400", group=1, driver="pcieport")
    tree.function("0000:42:00.0", "10de:22a3", "068000", group=1)
    tree.function("0000:43:00.0", "15b3:1021", "020700", group=1, driver="mlx5_core")
    tree.function("0000:44:00.0", "10de:2335", "030200", group=1)
    tree.function("0000:45:00.0", "10de:22b9", "040300", group=1)
    device = device_of(tree, card)
    assert roles(device) == {
        "0000:40:01.0": "bridge", card: "gpu", "0000:42:00.0": "nvswitch", "0000:43:00.0": "foreign",
        "0000:44:00.0": "foreign", "0000:45:00.0": "foreign"}
    assert device["group"]["reason"].startswith("0000:43:00.0 (foreign) is bound to mlx5_core; ")


def test_a_nic_or_a_disk_in_the_slot_of_a_gpu_is_foreign(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False)
    tree.function("0000:41:00.1", "15b3:1021", "020700", group=1)
    tree.function("0000:41:00.2", "144d:a80a", "010802", group=1)
    assert roles(device_of(tree, card)) == {card: "gpu", "0000:41:00.1": "foreign", "0000:41:00.2": "foreign"}


def test_a_nic_that_was_asked_for_owns_its_ports_and_no_gpu(tmp_path):
    tree = Tree(tmp_path)
    nic = tree.function("0000:17:00.0", "8086:10c9", "020000", driver="igb", group=3)
    tree.function("0000:17:00.1", "8086:10c9", "020000", driver="igb", group=3)
    tree.function("0000:18:00.0", "10de:2335", "030200", group=3)
    assert roles(device_of(tree, nic, [nic])) == {nic: "nic", "0000:17:00.1": "nic", "0000:18:00.0": "foreign"}


def test_vfs_without_acs_share_the_group_of_their_pf(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False)
    tree.vfs(card, ["0000:41:00.4", "0000:41:01.0"], "10de:2335", "030200", 16, group=1)
    other = tree.function("0000:51:00.0", "10de:2335", "030200", group=1)
    tree.vfs(other, ["0000:51:00.4"], "10de:2335", "030200", 16, group=1)
    seen = {card: "gpu", "0000:41:00.4": "vf", "0000:41:01.0": "vf", other: "foreign", "0000:51:00.4": "foreign"}
    assert roles(device_of(tree, card)) == seen
    assert roles(device_of(tree, "0000:41:01.0")) == seen


def test_without_an_iommu_there_is_no_group(tmp_path):
    tree = Tree(tmp_path, iommu=False)
    device = device_of(tree, h200(tree))
    assert (device["iommu_group"], device["group"]) == (None, None)


def test_a_group_whose_members_cannot_be_read_is_not_viable(tmp_path):
    tree = Tree(tmp_path, iommu=False)
    card = h200(tree, audio=False)
    tree.link(f"{tree.home(card)}/iommu_group", "../../../kernel/iommu_groups/9")
    group = device_of(tree, card)["group"]
    assert group["viable"] is False
    assert group["reason"] == "the members of IOMMU group 9 could not be read"
    assert [member["address"] for member in group["members"]] == [card]


def test_a_member_that_is_no_pci_function_counts(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False, driver="vfio-pci")
    tree.write("sys/devices/platform/soc-dma/uevent", "")
    tree.link("sys/devices/platform/soc-dma/driver", "../../../bus/platform/drivers/pl330")
    tree.link("sys/kernel/iommu_groups/1/devices/soc-dma", "../../../../devices/platform/soc-dma")
    device = device_of(tree, card)
    assert roles(device) == {card: "gpu", "soc-dma": "foreign"}
    assert device["group"]["reason"].startswith("soc-dma (foreign) is bound to pl330; ")


def test_a_member_that_left_the_bus(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False, driver="vfio-pci")
    tree.link("sys/kernel/iommu_groups/1/devices/0000:99:00.0", "../../../../devices/pci0000:99/0000:99:00.0")
    device = device_of(tree, card)
    assert roles(device)["0000:99:00.0"] == "foreign"
    assert device["group"]["viable"] is True


@pytest.mark.parametrize("driver, expected", [
    ("vfio-pci", True), ("vfio_pci", True), ("mlx5_vfio_pci", True), ("hisi-acc-vfio-pci", True),
    ("vfio-platform", True), ("nvidia", False), ("nvidia_vgpu_vfio", False), ("pci-stub", False), (None, False),
    ("", False), ("xvfio-pci", False),
])
def test_vfio_drivers_by_name(driver, expected):
    assert groups.is_vfio(driver) is expected


DRIVERS = st.sampled_from([None, "vfio-pci", "nvgrace_gpu_vfio_pci", "pci-stub", "nvidia", "snd_hda_intel", "pcieport"])
MEMBER = st.fixed_dictionaries({
    "address": st.sampled_from(["0000:41:00.0", "0000:41:00.1", "0000:42:00.0"]), "driver": DRIVERS,
    "class": st.sampled_from([None, "0302", "0403", "0604", "0680", "0200"]), "role": st.just("foreign")})


@given(st.lists(MEMBER, max_size=6))
def test_a_group_is_viable_exactly_when_no_driver_of_the_kernel_has_an_endpoint(members):
    hosts = ("nvidia", "snd_hda_intel", "pcieport")
    held = [one for one in members if one["class"] != "0604" and one["driver"] in hosts]
    reason = groups.reason_against(4, members)
    assert (reason is None) is (not held)
    assert all(one["driver"] in reason for one in held)
