# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files whose reading never ends: a pipe without a writer stands for them, since opening it waits as well."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts, waiting_files
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import Tree, h200, l40s


@pytest.fixture()
def hang():
    """A function that makes a file of a function one that nobody can read; whoever waits is freed in the end."""
    made = []

    def make(tree, address, name):
        place = tree.root / tree.home(address) / name
        place.unlink(missing_ok=True)
        os.mkfifo(place)
        made.append(place)

    yield make
    for place in made:
        for _ in range(50):
            try:
                os.close(os.open(place, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                # Nobody waits any longer.
                break
            time.sleep(0.02)


@pytest.fixture()
def patient(monkeypatch):
    """Shorter times than on a real host."""
    inner = waiting_files.silent
    monkeypatch.setattr(waiting_files, "silent", lambda host, present: inner(host, present, 0.5, 0.3))


@pytest.mark.parametrize("name", ["driver_override", "sriov_numvfs", "current_compute_partition", "vbios_version"])
def test_a_device_that_does_not_answer_costs_its_own_files_only(tmp_path, hang, patient, name):
    tree = Tree(tmp_path)
    card, other = h200(tree, audio=False), h200(tree, "51")
    tree.vfs(card, [], "10de:2335", "030200", 16)
    hang(tree, card, name)
    began = time.monotonic()
    found = facts.collect(Host(str(tmp_path)), tools=False)
    assert time.monotonic() - began < 10
    first, second = found["accelerators"]
    assert (first["address"], first["model"], first["driver"]) == (card, "H200 SXM 141GB", "nvidia")
    assert (first["driver_override"], first["sriov"]["num"], first["sriov"]["total"]) == (None, None, 16)
    assert first["sources"]["sysfs"] == (
        f"error: sysfs gives no answer about {card}: its driver nvidia hangs, or an unbind waits for whoever uses it")
    assert found["host"]["sources"]["pci"] == f"error: sysfs gives no answer about {card}"
    assert (second["address"], "sysfs" in second["sources"]) == (other, False)


def test_a_sibling_that_does_not_answer(tmp_path, hang, patient):
    tree = Tree(tmp_path)
    card = h200(tree)
    hang(tree, "0000:41:00.1", "driver_override")
    found = facts.collect(Host(str(tmp_path)), tools=False)
    assert [one["driver_override"] for one in found["accelerators"][0]["group"]["members"]] == [None, None]
    assert found["accelerators"][0]["address"] == card
    assert found["host"]["sources"]["pci"] == "error: sysfs gives no answer about 0000:41:00.1"


@pytest.mark.parametrize("name", ["current_vgpu_type", "creatable_vgpu_types"])
def test_a_vgpu_driver_that_hangs(tmp_path, hang, patient, name):
    tree = Tree(tmp_path)
    _, vfs = l40s(tree, count=3, types="1145  : NVIDIA L40S-1B\n")
    hang(tree, vfs[1], "nvidia/" + name)
    found = {one["address"]: one for one in facts.collect(Host(str(tmp_path)), tools=False)["accelerators"]}
    assert [found[vf]["vgpu"]["framework"] for vf in vfs] == ["vendor_vfio", "none", "vendor_vfio"]
    assert [found[vf]["sriov"]["index"] for vf in vfs] == [0, 1, 2]


def test_a_parent_of_mediated_devices_that_hangs(tmp_path, hang, patient):
    tree = Tree(tmp_path)
    card = tree.function("0000:25:00.0", "10de:2235", "030200", driver="nvidia")
    tree.write(f"{tree.home(card)}/mdev_supported_types/nvidia-558/name", "NVIDIA A40-4Q\n")
    hang(tree, card, "mdev_supported_types/nvidia-558/available_instances")
    tree.link(f"sys/class/mdev_bus/{card}", "../../../" + tree.home(card))
    device = facts.collect(Host(str(tmp_path)), tools=False)["accelerators"][0]
    assert (device["vgpu"]["framework"], "sysfs" in device["sources"]) == ("none", True)


def test_no_child_where_there_is_nothing_to_ask(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting_files, "within", None)
    assert waiting_files.silent(Host(str(tmp_path)), {}) == frozenset()
    assert waiting_files.silent(Host(str(tmp_path)), {"0000:41:00.0": ("class", "vendor")}) == frozenset()
