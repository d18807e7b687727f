# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PFs, VFs and vGPUs on synthetic trees."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts, vgpu
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, h200, l40s
from hypothesis import given
from hypothesis import strategies as st

TYPES = "1145  : NVIDIA L40S-1B\n1147  : NVIDIA L40S-1Q\n1157  : NVIDIA L40S-12Q\n"
UUID = "5c630867-a549-4dfa-8b3d-e5e11d5ac4ed"


def devices(tree, also=()):
    host = Host(str(tree.root))
    found = facts.collect(host, also, tools=False)
    return {one["address"]: one for one in found["accelerators"] + found["others"]}, host


def test_a_nic_with_vfs(tmp_path):
    tree = Tree(tmp_path)
    nic = tree.function("0000:17:00.0", "8086:10c9", "020000", driver="igb")
    # The last VFs of a PF are on the next bus.
    names = ["0000:17:10.0", "0000:17:10.2", "0000:18:10.0"]
    tree.vfs(nic, names, "8086:10ca", "020000", 7, driver="igbvf")
    tree.write(f"{tree.home(nic)}/sriov_drivers_autoprobe", "0\n")
    found, _ = devices(tree, [nic, *names])
    assert found[nic]["sriov"] == {
        "role": "pf", "total": 7, "num": 3, "vf_device_id": "10ca", "autoprobe": False, "vfs": names}
    assert [found[name]["sriov"] for name in names] == [{"role": "vf", "pf": nic, "index": index} for index in range(3)]
    assert found[nic]["kind"] == "nic"
    assert [found[name]["group"]["viable"] for name in names] == [False] * 3


def test_vfs_are_in_the_order_of_their_index_not_of_their_name(tmp_path):
    tree = Tree(tmp_path)
    card = h200(tree, audio=False)
    names = [f"0000:41:{n // 8:02x}.{n % 8}" for n in range(4, 16)][::-1]
    tree.vfs(card, names, "10de:2335", "030200", 16)
    found, _ = devices(tree)
    assert found[card]["sriov"]["vfs"] == names
    assert found[names[11]]["sriov"]["index"] == 11
    assert len(found) == 13


@pytest.mark.parametrize("name, content, field, expected", [
    ("sriov_numvfs", "", "num", None), ("sriov_numvfs", "-1\n", "num", None),
    ("sriov_totalvfs", b"\xff", "total", None), ("sriov_vf_device", "ffffff\n", "vf_device_id", None),
    ("sriov_drivers_autoprobe", "2\n", "autoprobe", None),
])
def test_a_number_that_cannot_be_read_is_not_zero(tmp_path, name, content, field, expected):
    tree = Tree(tmp_path)
    card = h200(tree)
    tree.vfs(card, [], "10de:2335", "030200", 16)
    tree.write(f"{tree.home(card)}/{name}", content)
    assert devices(tree)[0][card]["sriov"][field] is expected


def test_a_vf_whose_pf_is_gone(tmp_path):
    tree = Tree(tmp_path)
    vf = tree.function("0000:41:00.4", "10de:2335", "030200")
    tree.link(f"{tree.home(vf)}/physfn", "../0000:41:00.0")
    assert devices(tree)[0][vf]["sriov"] == {"role": "vf", "pf": "0000:41:00.0", "index": None}


def test_a_card_without_sriov(tmp_path):
    tree = Tree(tmp_path)
    card = tree.function("0000:41:00.0", "10de:1eb8", "030200")
    assert devices(tree)[0][card]["sriov"] is None


def test_the_vendors_own_framework(tmp_path):
    tree = Tree(tmp_path)
    card, vfs = l40s(tree, types=TYPES, current={0: 1157, 31: 4711})
    found, host = devices(tree)
    assert found[vfs[1]]["vgpu"] == {
        "framework": "vendor_vfio", "type": None, "type_id": None, "mdevs": [], "creatable": [
            {"id": 1145, "name": "NVIDIA L40S-1B"}, {"id": 1147, "name": "NVIDIA L40S-1Q"},
            {"id": 1157, "name": "NVIDIA L40S-12Q"}]}
    # What is set is no longer creatable on that VF; its name is known from the others.
    assert (found[vfs[0]]["vgpu"]["type"], found[vfs[0]]["vgpu"]["type_id"]) == ("NVIDIA L40S-12Q", 1157)
    assert found[vfs[0]]["vgpu"]["creatable"] == []
    assert (found[vfs[31]]["vgpu"]["type"], found[vfs[31]]["vgpu"]["type_id"]) == ("4711", 4711)
    # The PF has no directory nvidia; the framework is that of its VFs.
    assert found[card]["vgpu"] == {
        "framework": "vendor_vfio", "type": None, "type_id": None, "creatable": [], "mdevs": []}
    assert len(found) == 33
    assert host.counts.started == 0


def test_a_card_whose_framebuffer_is_given_away_has_an_empty_list(tmp_path):
    tree = Tree(tmp_path)
    card, vfs = l40s(tree, count=1)
    found, _ = devices(tree)
    assert found[vfs[0]]["vgpu"] == {
        "framework": "vendor_vfio", "type": None, "type_id": None, "creatable": [], "mdevs": []}


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"Input/output error"])
def test_a_directory_nvidia_that_says_nothing(tmp_path, content):
    tree = Tree(tmp_path)
    card = h200(tree)
    (tmp_path / tree.home(card) / "nvidia").mkdir()
    if content is not None:
        tree.write(f"{tree.home(card)}/nvidia/current_vgpu_type", content)
    found = devices(tree)[0][card]["vgpu"]
    assert found["framework"] == ("vendor_vfio" if content not in (None, b"") else "none")
    assert found["type_id"] is None


def mdev_parent(tree, address, types):
    for kind, (label, left, uuids) in types.items():
        base = f"{tree.home(address)}/mdev_supported_types/{kind}"
        tree.write(f"{base}/name", label + "\n")
        tree.write(f"{base}/available_instances", f"{left}\n")
        (tree.root / base / "devices").mkdir()
        for uuid in uuids:
            tree.link(f"{base}/devices/{uuid}", f"../../../{uuid}")
            tree.write(f"{tree.home(address)}/{uuid}/uevent", "")
            tree.link(f"sys/bus/mdev/devices/{uuid}", f"../../../../{tree.home(address)}/{uuid}")
    tree.link(f"sys/class/mdev_bus/{address}", "../../../" + tree.home(address))


def test_mediated_devices(tmp_path):
    tree = Tree(tmp_path)
    card = tree.function("0000:25:00.0", "10de:2235", "030200", driver="nvidia")
    mdev_parent(tree, card, {"nvidia-558": ("NVIDIA A40-4Q", 11, [UUID]), "nvidia-556": ("NVIDIA A40-1Q", 0, [])})
    assert devices(tree)[0][card]["vgpu"] == {
        "framework": "mdev", "type": None, "type_id": None,
        "creatable": [{"id": "nvidia-558", "name": "NVIDIA A40-4Q", "available": 11}],
        "mdevs": [{"uuid": UUID, "type": "NVIDIA A40-4Q"}]}


def test_types_that_have_no_name_or_number(tmp_path):
    tree = Tree(tmp_path)
    card = tree.function("0000:25:00.0", "10de:2235", "030200")
    mdev_parent(tree, card, {"nvidia-558": ("", "many", []), "nvidia-559": ("", 2, [])})
    assert devices(tree)[0][card]["vgpu"]["creatable"] == [{"id": "nvidia-559", "name": "nvidia-559", "available": 2}]


@given(st.text())
def test_no_text_breaks_the_list_of_types(text):
    for one in vgpu.creatable(text):
        assert one["id"] >= 0 and one["name"] == one["name"].strip() != ""


PROFILE = st.from_regex(r"NVIDIA [A-Z0-9]{2,6}-[0-9]{1,2}[QBAC]", fullmatch=True)


@given(st.lists(st.tuples(st.integers(1, 10**8), PROFILE)))
def test_types_read_back_as_they_were_written(rows):
    text = "ID    : vGPU Name\n" + "".join(f"{number:<5} : {name}\n" for number, name in rows)
    assert vgpu.creatable(text) == [{"id": number, "name": name} for number, name in rows]
