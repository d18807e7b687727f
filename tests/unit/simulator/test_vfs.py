# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated VFs follow drivers/pci/iov.c and what igb did on the QEMU machines."""

from __future__ import annotations

import errno

import pytest
from simulator import Blocked, Model, describe
from simulator.testing import BUS, device, driver, refused

PF, FIRST = "0000:21:00.0", "0000:21:10.0"
CARD, SECOND = "0000:41:00.0", "0000:61:00.0"


@pytest.fixture
def model():
    return Model(describe("igb"))


@pytest.fixture
def cards():
    return Model(describe("l40s"))


def test_addresses_go_by_offset_and_stride(model):
    model.put(f"{device(PF)}/sriov_numvfs", "3")
    assert model.state.devices[PF].vfs == [FIRST, "0000:21:10.2", "0000:21:10.4"]
    assert model.readlink(model.resolve(f"{device(PF)}/virtfn1", last=False)) == "../0000:21:10.2"
    assert model.readlink(model.resolve(f"{device(FIRST)}/physfn", last=False)) == "../0000:21:00.0"
    assert model.text(f"{device(FIRST)}/device") == "0x10ca" and model.text(f"{device(PF)}/sriov_vf_device") == "10ca"
    vfs = [model.state.devices[one] for one in model.state.devices[PF].vfs]
    assert len({model.state.group(one) for one in vfs}) == 3


@pytest.mark.parametrize(("text", "number"), [("8", errno.ERANGE), ("-1", errno.EINVAL), ("many", errno.EINVAL),
                                              ("70000", errno.EINVAL)])
def test_wrong_numbers(model, text, number):
    refused(number, model.put, f"{device(PF)}/sriov_numvfs", text)


def test_from_some_to_others_is_busy_and_the_same_is_fine(model):
    model.put(f"{device(PF)}/sriov_numvfs", "2")
    refused(errno.EBUSY, model.put, f"{device(PF)}/sriov_numvfs", "3")
    model.put(f"{device(PF)}/sriov_numvfs", "2")
    model.put(f"{device(PF)}/sriov_numvfs", "0")
    assert FIRST not in model.names(f"{BUS}/devices")
    model.put(f"{device(PF)}/sriov_numvfs", "3")


def test_without_a_driver_there_are_none_and_those_there_were_go_with_it(model):
    model.put(f"{device(PF)}/sriov_numvfs", "2")
    model.put(f"{device(PF)}/driver/unbind", PF)
    assert model.state.devices[PF].vfs == []
    refused(errno.ENOENT, model.put, f"{device(PF)}/sriov_numvfs", "2")


def test_without_autoprobe_an_override_still_binds(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(PF)}/sriov_drivers_autoprobe", "0")
    model.put(f"{device(PF)}/sriov_numvfs", "2")
    assert driver(model, FIRST) is None
    model.run(["modprobe", "igbvf"])
    model.put(f"{BUS}/drivers_probe", FIRST)
    assert driver(model, FIRST) is None
    model.put(f"{device(FIRST)}/driver_override", "vfio-pci")
    model.put(f"{BUS}/drivers_probe", FIRST)
    assert driver(model, FIRST) == "vfio-pci"


def test_a_pf_on_vfio_captures_its_vfs(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(PF)}/driver_override", "vfio-pci")
    model.put(f"{device(PF)}/driver/unbind", PF)
    model.put(f"{BUS}/drivers_probe", PF)
    refused(errno.ENOENT, model.put, f"{device(PF)}/sriov_numvfs", "2")
    model.state.modules["vfio_pci"]["enable_sriov"] = "Y"
    model.put(f"{device(PF)}/sriov_drivers_autoprobe", "0")
    model.put(f"{device(PF)}/sriov_numvfs", "2")
    assert driver(model, FIRST) == "vfio-pci" and model.text(f"{device(FIRST)}/driver_override") == "vfio-pci"


def test_a_pf_with_vfs_is_busy_for_vfio(cards):
    cards.run(["modprobe", "vfio-pci"])
    cards.run(["sriov-manage", "-e", CARD])
    cards.put(f"{device(CARD)}/driver_override", "vfio-pci")
    cards.put(f"{device(CARD)}/driver/unbind", CARD)
    refused(errno.EBUSY, cards.put, f"{BUS}/drivers/vfio-pci/bind", CARD)


def test_taking_a_held_vf_away_waits_for_its_machine(model):
    model.run(["modprobe", "vfio-pci"])
    model.put(f"{device(PF)}/sriov_numvfs", "1")
    model.put(f"{device(FIRST)}/driver_override", "vfio-pci")
    if driver(model, FIRST):
        model.put(f"{device(FIRST)}/driver/unbind", FIRST)
    model.put(f"{BUS}/drivers_probe", FIRST)
    pid = model.virtual_machine(FIRST)
    with pytest.raises(Blocked):
        model.put(f"{device(PF)}/sriov_numvfs", "0")
    model.end(pid)
    model.put(f"{device(PF)}/sriov_numvfs", "0")
    assert model.problems() == []


def test_nvidia_refuses_the_raw_write_and_sriov_manage_works(cards):
    refused(errno.ENOENT, cards.put, f"{device(CARD)}/sriov_numvfs", "4")
    answer = cards.run(["/usr/lib/nvidia/sriov-manage", "-e", "41:00.0"])
    assert (answer.status, answer.stdout) == (0, f"Enabling VFs on {CARD}\n")
    assert cards.text(f"{device(CARD)}/sriov_numvfs") == "32" and driver(cards, "0000:41:00.4") == "nvidia"
    assert "already has VFs" in cards.run(["sriov-manage", "-e", CARD]).stdout
    assert driver(cards, CARD) == "nvidia" and driver(cards, SECOND) == "nvidia"


def test_all_cards_at_once(cards):
    assert cards.run(["sriov-manage", "-e", "ALL"]).status == 0
    assert [cards.text(f"{device(one)}/sriov_numvfs") for one in (CARD, SECOND)] == ["32", "32"]
    assert cards.run(["sriov-manage", "-d", "ALL"]).status == 0
    assert cards.state.devices[CARD].vfs == [] and cards.problems() == []


def test_the_unbind_lock_is_refused_for_a_while(cards):
    cards.fault("tool:sriov-manage", "unbindLock", times=2)
    said = [cards.run(["sriov-manage", "-e", CARD]) for _ in range(3)]
    assert [one.status for one in said] == [1, 1, 0]
    assert said[0].stderr == f"Cannot obtain unbindLock for {CARD}\n"


def test_a_client_keeps_the_unbind_lock(cards):
    pid = cards.hold("/dev/nvidia0", "nv-hostengine")
    assert "Cannot obtain unbindLock" in cards.run(["sriov-manage", "-e", CARD]).stderr
    cards.end(pid)
    assert cards.run(["sriov-manage", "-e", CARD]).status == 0


def test_the_silent_failure_of_one_release(cards):
    cards.fault("tool:sriov-manage", "silent")
    answer = cards.run(["sriov-manage", "-e", CARD])
    assert answer.status == 0 and cards.text(f"{device(CARD)}/sriov_numvfs") == "0"


def test_a_tool_that_dies_leaves_the_card_without_a_driver(cards):
    cards.fault("tool:sriov-manage", "dies")
    cards.run(["sriov-manage", "-e", CARD])
    assert driver(cards, CARD) is None
    assert cards.run(["sriov-manage", "-e", CARD]).status == 0 and driver(cards, CARD) == "nvidia"


def test_intel_and_amd_have_their_own_ways():
    flex = Model(describe("flex170", cards=1))
    flex.put(f"{device('0000:21:00.0')}/sriov_numvfs", "4")
    assert driver(flex, "0000:21:00.1") == "xe"
    amd = Model(describe("mi300x", gpus=2, driver="gim"))
    assert driver(amd, "0000:11:00.0") == "gim" and amd.state.devices["0000:11:00.0"].vfs == ["0000:11:02.0"]
    refused(errno.ENOENT, amd.put, f"{device('0000:11:00.0')}/sriov_numvfs", "2")
