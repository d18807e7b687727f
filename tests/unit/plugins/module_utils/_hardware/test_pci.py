# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one PCI function says of itself: attributes as they are, and None for everything else."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import pci
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import MEMORY, WIDE, Tree, h200, resource
from hypothesis import example, given
from hypothesis import strategies as st


def described(tree, address):
    host = Host(str(tree.root))
    folder = pci.open_folder(host, address)
    return pci.describe(folder, address, frozenset(folder.names()), pci.scan(host)[address])


@pytest.mark.parametrize("text, expected", [
    ("0000:41:00.0", "0000:41:00.0"),
    ("00000000:C8:1F.7", "0000:c8:1f.7"),
    ("000f:01:00.0", "000f:01:00.0"),
    ("00010000:01:00.0", "10000:01:00.0"),
    (" 0000:41:00.0\n", "0000:41:00.0"),
    ("41:00.0", None), ("0000:41:20.0", None), ("0000:41:00.8", None), ("0000:41:00", None), ("", None), (None, None),
    ("0000:41:00.0/../x", None),
])
def test_addresses(text, expected):
    assert pci.address(text) == expected


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 255), st.integers(0, 31), st.integers(0, 7))
def test_every_spelling_of_an_address_is_one_address(domain, bus, device, function):
    plain = f"{domain:04x}:{bus:02x}:{device:02x}.{function}"
    assert pci.address(f"{domain:08X}:{bus:02X}:{device:02X}.{function}") == plain == pci.address(plain)


def test_an_h200(tmp_path):
    tree = Tree(tmp_path)
    device = described(tree, h200(tree))
    assert (device["vendor_id"], device["device_id"]) == ("10de", "2335")
    assert (device["vendor"], device["model"], device["known"]) == ("NVIDIA", "H200 SXM 141GB", True)
    assert device["models"][:2] == ["H200", "H200 SXM"]
    assert (device["class"], device["class_name"], device["kind"]) == ("0302", "3D controller", "gpu")
    assert (device["subsystem_vendor_id"], device["subsystem_device_id"], device["revision"]) == ("10de", "18be", "a1")
    assert (device["driver"], device["driver_override"], device["numa_node"]) == ("nvidia", None, 0)
    assert device["reset_methods"] == ["flr", "bus"]
    assert device["bars"] == [
        {"index": 0, "size": 16 << 20, "prefetchable": False, "bits": 32},
        {"index": 1, "size": 256 << 30, "prefetchable": True, "bits": 64},
        {"index": 3, "size": 32 << 20, "prefetchable": False, "bits": 64}]
    assert device["link"] == {"speed_gts": 32.0, "width": 16, "max_speed_gts": 32.0, "max_width": 16, "degraded": False}
    assert device["device_links"] == {"consumers": ["0000:41:00.1"], "suppliers": []}
    assert described(tree, "0000:41:00.1")["device_links"] == {"consumers": [], "suppliers": ["0000:41:00.0"]}


@pytest.mark.parametrize("class_id, ids, address, expected", [
    ("030200", "10de:2335", "0000:41:00.0", "gpu"),
    ("030000", "10de:ffff", "0000:41:00.0", "gpu"),
    ("120000", "1002:74a1", "0000:41:00.0", "gpu"),
    ("120000", "abcd:0001", "0000:41:00.0", "gpu"),
    ("030000", "1a03:2000", "0000:c3:00.0", "display"),
    ("030000", "1234:1111", "0000:00:01.0", "display"),
    ("030000", "8086:a780", "0000:00:02.0", "display"),
    ("030000", "8086:ffff", "0000:a3:00.0", "gpu"),
    ("038000", "8086:56c0", "0000:a3:00.0", "gpu"),
    ("068000", "10de:22a3", "0000:05:00.0", "nvswitch"),
    ("068000", "8086:1234", "0000:05:00.0", "bridge"),
    ("060400", "8086:352a", "0000:00:01.0", "bridge"),
    ("020000", "8086:10c9", "0000:17:00.0", "nic"),
    ("040300", "10de:22b9", "0000:41:00.1", "audio"),
    ("0c0330", "10de:1ad8", "0000:41:00.2", "usb"),
    ("0c8000", "10de:1ad9", "0000:41:00.3", "ucsi"),
    ("010802", "144d:a80a", "0000:01:00.0", "other"),
])
def test_what_a_function_is(tmp_path, class_id, ids, address, expected):
    tree = Tree(tmp_path)
    device = described(tree, tree.function(address, ids, class_id))
    assert device["kind"] == expected
    assert device["class"] == class_id[:4]


@pytest.mark.parametrize("name, content, field, expected", [
    ("driver_override", "(null)\n", "driver_override", None),
    ("driver_override", "\n", "driver_override", None),
    ("driver_override", "vfio-pci\n", "driver_override", "vfio-pci"),
    ("driver_override", b"\xff\x00", "driver_override", None),
    ("numa_node", "-1\n", "numa_node", None),
    ("numa_node", "1\n", "numa_node", 1),
    ("numa_node", "one\n", "numa_node", None),
    ("vendor", "0xZZZZ\n", "vendor_id", None),
    ("vendor", b"\x00\x01\x02", "vendor_id", None),
    ("device", "", "device_id", None),
    ("device", "0x12345\n", "device_id", None),
    ("device", "f" * (1 << 20), "device_id", None),
    ("reset_method", "", "reset_methods", []),
    ("resource", b"\x80\x81", "bars", []),
    ("modalias", b"pci:\x00", "modalias", None),
])
def test_what_is_garbage_is_unknown(tmp_path, name, content, field, expected):
    tree = Tree(tmp_path)
    address = tree.function("0000:41:00.0", "10de:2335", "030200")
    tree.write(f"{tree.home(address)}/{name}", content)
    assert described(tree, address)[field] == expected


def test_an_unknown_id_is_kept_and_flagged(tmp_path):
    tree = Tree(tmp_path)
    device = described(tree, tree.function("0000:41:00.0", "10de:ffff", "030200"))
    assert (device["device_id"], device["known"], device["model"], device["models"]) == ("ffff", False, None, [])
    assert device["vendor"] == "NVIDIA"


@pytest.mark.parametrize("link, expected", [
    (("16.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16), False),
    (("32.0 GT/s PCIe", 8, "32.0 GT/s PCIe", 16), True),
    (("2.5 GT/s", 16, "32.0 GT/s PCIe", 16), False),
    (("Unknown", 0, "Unknown", 255), None),
    (("Unknown speed", 63, "16.0 GT/s PCIe", 16), None),
])
def test_a_link_is_degraded_by_width_only(tmp_path, link, expected):
    tree = Tree(tmp_path)
    device = described(tree, tree.function("0000:41:00.0", "10de:2335", "030200", link=link))
    assert device["link"]["degraded"] is expected


def test_attributes_that_are_missing(tmp_path):
    tree = Tree(tmp_path)
    address = tree.function("0000:41:00.0", "10de:2335", "030200")
    for file in (tmp_path / tree.home(address)).iterdir():
        if file.is_file() and file.name != "class":
            file.unlink()
    device = described(tree, address)
    assert (device["vendor_id"], device["kind"], device["bars"], device["reset_methods"]) == (None, "gpu", [], [])


def test_a_scan_takes_addresses_only(tmp_path):
    tree = Tree(tmp_path)
    tree.function("0001:c8:00.0", "10de:2bb5", "030200")
    for name in ("0000:41:00", "power", "0000:41:00.0.bak", "0000:AB:00.0"):
        (tmp_path / "sys/bus/pci/devices" / name).mkdir()
    assert pci.scan(Host(str(tmp_path))) == {"0001:c8:00.0": "0302"}


def test_a_function_whose_class_cannot_be_read_is_listed(tmp_path):
    tree = Tree(tmp_path)
    tree.link("sys/bus/pci/devices/0000:42:00.0", "../../../devices/pci0000:42/0000:42:00.0")
    tree.link("sys/bus/pci/devices/0000:43:00.0", "0000:43:00.0")
    assert pci.scan(Host(str(tmp_path))) == {"0000:42:00.0": None, "0000:43:00.0": None}


def test_links_do_not_leave_the_root(tmp_path):
    outside = Tree(tmp_path / "outside")
    outside.function("0000:41:00.0", "10de:2335", "030200")
    tree = Tree(tmp_path / "inside")
    real = tmp_path / "outside" / outside.home("0000:41:00.0")
    tree.link("sys/bus/pci/devices/0000:41:00.0", str(real))
    tree.link("sys/bus/pci/devices/0000:42:00.0", "../../../../../outside/" + outside.home("0000:41:00.0"))
    address = tree.function("0000:43:00.0", "10de:2335", "030200")
    place = tmp_path / "inside" / tree.home(address)
    (place / "vendor").unlink()
    (place / "vendor").symlink_to(real / "vendor")
    assert pci.scan(Host(str(tmp_path / "inside"))) == {
        "0000:41:00.0": None, "0000:42:00.0": None, "0000:43:00.0": "0302"}
    assert described(tree, address)["vendor_id"] is None


@given(st.lists(st.tuples(st.sampled_from(range(6)), st.integers(1, 2**40), st.sampled_from([MEMORY, MEMORY | WIDE])),
                unique_by=lambda bar: bar[0]))
def test_bars_read_back_as_they_were_written(wanted):
    found = pci.bars(resource(wanted))
    # A BAR of one byte has its end at its start, as an empty one has.
    assert {(bar["index"], bar["size"]) for bar in found} == {(index, size) for index, size, _ in wanted if size > 1}


@given(st.text())
@example("0x1 0x2 0x200 0x3\n")
@example("0x5 0x2 0x200")
def test_no_text_breaks_a_parser(text):
    assert all(bar["size"] > 0 for bar in pci.bars(text))
    assert pci.hexadecimal(text) is None or pci.hexadecimal(text) >= 0
    assert pci.decimal(text) is None or isinstance(pci.decimal(text), int)
    assert pci.identity(text) is None or len(pci.identity(text)) == 4
    assert pci.address(text) is None or pci.address(pci.address(text)) == pci.address(text)
    assert set(pci.device_links([text])) == {"consumers", "suppliers"}
    assert pci.kind(text, text, "0000:00:00.0")
