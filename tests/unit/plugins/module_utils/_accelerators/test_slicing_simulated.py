# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices on whole simulated hosts: killed after every change, rebooted and restored, held by a virtual machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import mig, partitions, vfs, vgpu
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators import sliced_host
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import boot, said

# The simulator lies beside the tests and not in the collection.
sys.path.append(str(Path(__file__).resolve().parents[4]))
from simulator import Killed, MemoryHost, Model, describe
from simulator.testing import device, driver

L40S, A100, H200, MI300X, FLEX, NIC = (
    "0000:41:00.0", "0000:21:00.0", "0000:18:00.0", "0000:11:00.0", "0000:21:00.0", "0000:21:00.0")
SEVEN = [{"profile": "1g.18gb", "count": 7}]


def converge(domain, model, devices, **more):
    return sliced_host.converge(domain, MemoryHost(model), devices, **more)


def l40s():
    model = Model(describe("l40s", gpus=1))
    converge(vfs, model, [{"address": L40S, "vfs": 32}])
    return model


def a100():
    """An A100 in MIG mode, with its VFs: Ampere takes the mode at a reset."""
    model = Model(describe("a100", gpus=1))
    converge(mig, model, [{"address": A100}])
    model.reboot()
    boot(MemoryHost(model))
    converge(vfs, model, [{"address": A100, "vfs": 16}])
    return model


def mi300x():
    return Model(describe("mi300x", gpus=2, driver="gim"))


def with_vfs():
    model = Model(describe("igb"))
    model.put(device(NIC) + "/sriov_numvfs", "2")
    return model


def h200_in_mig():
    model = Model(describe("hgx", gpus=1))
    converge(mig, model, [{"address": H200, "instances": [{"profile": "1g.18gb", "count": 2}, {"profile": "3g.71gb"}]}])
    return model


CASES = {
    "VFs of a network card on VFIO": (
        lambda: Model(describe("igb")), vfs, [{"address": NIC, "vfs": 2, "driver": "vfio"}]),
    "VFs of an L40S": (lambda: Model(describe("l40s", gpus=1)), vfs, [{"address": L40S, "vfs": 32}]),
    "vGPUs of an L40S": (l40s, vgpu, [{"address": L40S, "profile": "L40S-12Q", "count": 4}]),
    "vGPUs of an L40S, heterogeneous": (
        l40s, vgpu, [{"address": L40S, "profile": "L40S-12Q", "count": 2, "heterogeneous": True}]),
    "MIG of an H200": (lambda: Model(describe("hgx", gpus=1)), mig, [{"address": H200, "instances": SEVEN}]),
    "MIG instances of an A100": (a100, mig, [{"address": A100, "instances": [
        {"profile": "3g.20gb"}, {"profile": "1g.5gb", "count": 2}]}]),
    "VFs of a Flex 170": (
        lambda: Model(describe("flex170", cards=1)), vfs, [{"address": FLEX, "vfs": 4, "driver": "none"}]),
    "another number of VFs": (
        with_vfs, vfs, [{"address": NIC, "vfs": 3}]),
    "VFs of an MI300X": (mi300x, vfs, [{"address": MI300X, "vfs": 1, "driver": "vfio"}]),
    "another MIG layout of an H200": (h200_in_mig, mig, [{"address": H200, "instances": SEVEN}]),
    "no MIG on an H200": (h200_in_mig, mig, [{"address": H200, "mode": "disabled"}]),
    "partitions of an MI300X": (
        lambda: Model(describe("mi300x", gpus=1)), partitions, [{"address": MI300X, "compute": "CPX"}]),
}


@pytest.mark.parametrize("name", CASES)
def test_it_converges_is_idempotent_and_comes_back_after_a_reboot(name):
    build, domain, devices = CASES[name]
    model = build()
    checked = converge(domain, model, devices, check=True)
    done = converge(domain, model, devices, expected=checked["actions"])
    assert said(done) == said(checked) and said(done)
    assert converge(domain, model, devices)["changed"] is False
    model.reboot()
    assert boot(MemoryHost(model)) == 0
    again = converge(domain, model, devices)
    assert again["changed"] is False, again["actions"]
    assert model.problems() == []


@pytest.mark.parametrize("name", CASES)
def test_killed_after_every_single_change_the_next_run_goes_on(name):
    build, domain, devices = CASES[name]
    for changes in range(1, 200):
        model = build()
        try:
            sliced_host.converge(domain, MemoryHost(model, kill_after=changes), devices)
            break
        except Killed:
            MemoryHost(model)
        converge(domain, model, devices)
        assert converge(domain, model, devices)["changed"] is False
        assert model.problems() == []
    assert changes >= 5, "it was killed somewhere"


def test_a_vgpu_of_a_server_is_never_touched():
    model = l40s()
    converge(vgpu, model, [{"address": L40S, "profile": "L40S-12Q", "count": 2}])
    pid = model.virtual_machine("0000:41:00.5")
    before = len(model.log)
    with pytest.raises(errors.Refused, match="keeps vGPU NVIDIA L40S-12Q"):
        converge(vgpu, model, [{"address": L40S, "profile": "L40S-24Q", "count": 1}])
    with pytest.raises(errors.Refused, match="left alone, because something works on them"):
        converge(vfs, model, [{"address": L40S, "vfs": 0}])
    assert len(model.log) == before
    model.end(pid)
    converge(vfs, model, [{"address": L40S, "vfs": 0}])
    assert model.text(device(L40S) + "/sriov_numvfs") == "0"


def test_mig_backed_vgpus_in_their_order_and_back_after_a_reboot():
    model = a100()
    layout = [{"address": A100, "instances": [{"profile": "1g.5gb", "count": 2}]}]
    converge(mig, model, layout)
    types = [{"address": A100, "profile": "GRID A100-1-5C", "count": 2}]
    converge(vgpu, model, types)
    model.reboot()
    assert boot(MemoryHost(model)) == 0
    for domain, devices in ((mig, layout), (vfs, [{"address": A100, "vfs": 16}]), (vgpu, types)):
        assert converge(domain, model, devices)["changed"] is False


def test_a_gpu_that_a_process_has_keeps_its_mode():
    model = Model(describe("hgx", gpus=1))
    model.hold("/dev/nvidia0")
    before = len(model.log)
    with pytest.raises(errors.Refused, match="MIG mode of 0000:18:00.0 is left as it is, because something"):
        converge(mig, model, [{"address": H200, "instances": SEVEN}])
    assert len(model.log) == before


def test_vfs_of_an_mi300x_through_gim():
    model = mi300x()
    devices = [{"address": MI300X, "vfs": 1, "driver": "vfio"}]
    converge(vfs, model, devices)
    vf = model.readlink(model.resolve(device(MI300X) + "/virtfn0", last=False)).rsplit("/", 1)[1]
    assert driver(model, vf) == "vfio-pci"
    model.reboot()
    assert boot(MemoryHost(model)) == 0
    assert converge(vfs, model, devices)["changed"] is False


def test_vfs_get_their_own_driver_though_it_was_not_loaded():
    model = Model(describe("igb", modules=[]))
    converge(vfs, model, [{"address": NIC, "vfs": 2, "driver": "vfio"}])
    MemoryHost(model).run(["modprobe", "-r", "igbvf"], 60, changes=True)
    plan = converge(vfs, model, [{"address": NIC, "vfs": 2, "driver": "default"}])["actions"]
    assert [(one["verb"], one["name"]) for one in plan if one["kind"] == "native driver"] == [("load", NIC + " VF 0")]
    assert {driver(model, one) for one in model.state.devices if model.state.devices[one].is_vf} == {"igbvf"}


def test_vfs_that_go_elsewhere_are_not_taken_at_boot():
    # On a real host udev loads igbvf when the first VF appears.
    model = Model(describe("igb", driverctl=True, modules=["igbvf"]))
    done = converge(vfs, model, [{"address": NIC, "vfs": 3}])
    first, second, third = [vf["address"] for vf in done["devices"][0]["vfs"]]
    host = MemoryHost(model)
    host.make_directory("/etc/driverctl.d")
    host.write_file("/etc/driverctl.d/pci-" + second, "vfio-pci\n")
    model.reboot()
    before = len(model.log)
    assert boot(MemoryHost(model), "1") == 0
    writes = [(one.path.rsplit("/", 1)[-1], one.data.strip()) for one in model.log[before:]
              if one.path.startswith("/sys")]
    assert writes[:3] == [("sriov_drivers_autoprobe", "0"), ("sriov_numvfs", "3"), ("driver_override", "vfio-pci")]
    assert ("sriov_drivers_autoprobe", "1") in writes
    assert [driver(model, one) for one in (first, third)] == ["igbvf", "igbvf"]
    assert driver(model, second) in (None, "vfio-pci")
