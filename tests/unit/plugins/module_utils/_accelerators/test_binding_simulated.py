# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI functions on whole simulated hosts: killed after every change, rebooted, held by a virtual machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_model import declared

# The simulator lies beside the tests and not in the collection.
sys.path.append(str(Path(__file__).resolve().parents[4]))
from simulator import Killed, MemoryHost, Model, describe
from simulator.testing import driver

GPU, AUDIO = "0000:18:00.0", "0000:18:00.1"


def converge(model, *pairs, check=False, **options):
    asked = declared(*pairs, **dict({"allow_interruption": True}, **options))
    return host_module.converge(binding, MemoryHost(model), asked, check)


def test_a_card_goes_to_vfio_survives_a_reboot_and_comes_home():
    # What restores it without driverctl has to run for real: tests/fuse has that.
    model = Model(describe("hgx", gpus=2, driverctl=True))
    assert converge(model, (GPU, "vfio"))["devices"][0]["viable"]
    for _boot in range(2):
        assert driver(model, GPU) == driver(model, AUDIO) == "vfio-pci"
        assert converge(model, (GPU, "vfio"))["changed"] is False
        model.reboot()
    converge(model, (GPU, "default"))
    for _boot in range(2):
        assert (driver(model, GPU), driver(model, AUDIO)) == ("nvidia", "snd_hda_intel")
        assert converge(model, (GPU, "default"))["changed"] is False
        model.reboot()
    assert model.problems() == []


@pytest.mark.parametrize("wanted, persistent", [("vfio", True), ("default", True), ("default", False)])
def test_killed_after_every_single_change_the_next_run_goes_on(wanted, persistent):
    for changes in range(1, 60):
        model = Model(describe("hgx", gpus=1, driverctl=False))
        if wanted == "default":
            converge(model, (GPU, "vfio"))
        asked = declared((GPU, wanted), allow_interruption=True, persistent=persistent)
        try:
            host_module.converge(binding, MemoryHost(model, kill_after=changes), asked, False)
            break
        except Killed:
            MemoryHost(model)
        converge(model, (GPU, wanted), persistent=persistent)
        assert driver(model, GPU) == ("vfio-pci" if wanted == "vfio" else "nvidia")
        assert converge(model, (GPU, wanted), persistent=persistent)["changed"] is False
    assert changes > 8, "it was killed somewhere"


def test_a_card_in_a_virtual_machine_is_left_alone():
    model = Model(describe("hgx", gpus=2))
    converge(model, (GPU, "vfio"))
    pid = model.virtual_machine(GPU)
    assert pid and converge(model, (GPU, "vfio"))["changed"] is False
    with pytest.raises(errors.Refused, match="is in use and is not touched: .*stop or migrate the server"):
        converge(model, (GPU, "default"), check=True)
    model.end(pid)
    converge(model, (GPU, "default"))
    assert driver(model, GPU) == "nvidia"


def test_a_vf_of_a_network_card_goes_and_comes_back_with_the_vfs_after_a_reboot():
    model = Model(describe("igb", driverctl=True))
    physical, virtual = "/sys/bus/pci/devices/0000:21:00.0/", "0000:21:10.0"
    model.put(physical + "sriov_drivers_autoprobe", "0")
    model.put(physical + "sriov_numvfs", "2")
    done = converge(model, (virtual, "vfio"), allow_interruption=False)
    assert done["changed"] and driver(model, virtual) == "vfio-pci"
    with pytest.raises(errors.Refused, match="2 virtual functions enabled"):
        converge(model, ("0000:21:00.0", "vfio"))
    model.reboot()
    model.put(physical + "sriov_numvfs", "2")
    assert converge(model, (virtual, "vfio"))["changed"] is False


def test_what_the_vendors_do_not_want():
    mi300x = Model(describe("mi300x"))
    address = next(one.address for one in mi300x.state.description.functions if one.device == "74a1")
    with pytest.raises(errors.Refused, match="is a whole MI300X"):
        converge(mi300x, (address, "vfio"))
    l40s = Model(describe("l40s", gpus=1))
    l40s.run(["sriov-manage", "-e", "ALL"])
    with pytest.raises(errors.Refused, match="has to stay on nvidia"):
        converge(l40s, ("0000:41:00.4", "vfio"))


def test_who_takes_a_card_after_its_override_was_written_keeps_it_for_good():
    model = Model(describe("hgx", gpus=1))
    host, asked = MemoryHost(model), declared((GPU, "vfio"), allow_interruption=True)
    observed = binding.observe(host, asked)
    plan, perform = binding.decide(asked, observed), binding.performer(host, asked, observed)
    with pytest.raises(errors.Refused, match="is in use and is not touched.*back from {0}, {1}".format(GPU, AUDIO)):
        for action in plan:
            if action.verb == "unbind":
                model.hold("/dev/nvidia0")
            perform(action)
    for address, native in ((GPU, "nvidia"), (AUDIO, "snd_hda_intel")):
        assert driver(model, address) == native
        assert host.text("/sys/bus/pci/devices/{0}/driver_override".format(address)) in ("(null)", "", None)


def test_files_of_a_driverctl_that_is_gone_are_not_brought_to_life():
    model = Model(describe("hgx", gpus=2, driverctl=False))
    MemoryHost(model).make_directory("/etc/driverctl.d")
    MemoryHost(model).write_file("/etc/driverctl.d/pci-0000:2a:00.0", "vfio-pci\n")
    with pytest.raises(errors.Refused, match="pci-0000:2a:00.0 names vfio-pci, and driverctl is not installed"):
        converge(model, (GPU, "vfio"))
    assert driver(model, GPU) == "nvidia"
    converge(model, (GPU, "vfio"), persistent=False)
    converge(model, (GPU, "vfio"), ("0000:2a:00.0", "vfio"))
    converge(model, (GPU, "vfio"))
    assert driver(model, "0000:2a:00.0") == "vfio-pci"
