# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated reboot: what vanishes, what stays, what comes back and by whom; and the boot loader's files."""

from __future__ import annotations

import pytest
from simulator import Model, describe
from simulator.testing import device, driver, move

GPU, AUDIO = "0000:18:00.0", "0000:18:00.1"


def put(model, path, text):
    """Make a file as an operator would, in one go."""
    model.state.files.put(path, text)


def test_overrides_vanish_without_driverctl():
    model = Model(describe("hgx", gpus=1, driverctl=False))
    model.run(["modprobe", "vfio-pci"])
    assert move(model, GPU, "vfio-pci") == "vfio-pci"
    put(model, f"/etc/driverctl.d/pci-{GPU}", "vfio-pci\n")
    model.reboot()
    assert driver(model, GPU) == "nvidia" and model.text(f"{device(GPU)}/driver_override") == "(null)"


def test_overrides_come_back_with_driverctl():
    model = Model(describe("hgx", gpus=1))
    for address in (GPU, AUDIO):
        put(model, f"/etc/driverctl.d/pci-{address}", "vfio-pci\n")
    model.reboot()
    assert driver(model, GPU) == driver(model, AUDIO) == "vfio-pci"
    assert model.virtual_machine(GPU)


def test_an_override_waits_for_a_vf_that_comes_later():
    model = Model(describe("igb"))
    put(model, "/etc/driverctl.d/pci-0000:21:10.0", "vfio-pci")
    model.reboot()
    model.put(f"{device('0000:21:00.0')}/sriov_numvfs", "2")
    assert driver(model, "0000:21:10.0") == "vfio-pci"


def test_what_is_in_etc_stays_and_what_is_in_run_goes():
    model = Model(describe("igb"))
    put(model, "/etc/mine/a", "1")
    put(model, "/run/mine/b", "1")
    model.run(["modprobe", "kvm_intel"])
    model.reboot()
    assert model.text("/etc/mine/a") == "1" and model.text("/run/mine/b") is None
    assert "kvm" not in model.state.modules and model.state.boots == 2


def test_vfs_and_vgpus_vanish():
    model = Model(describe("l40s", gpus=1))
    model.run(["sriov-manage", "-e", "ALL"])
    model.put(f"{device('0000:41:00.4')}/nvidia/current_vgpu_type", "1153")
    model.reboot()
    assert model.text(f"{device('0000:41:00.0')}/sriov_numvfs") == "0"


def test_enabled_units_are_started_in_their_order():
    model = Model(describe("l40s", gpus=1))
    put(model, "/etc/systemd/system/b-vfs@.service",
        "[Unit]\nBefore=a-types.service\n[Service]\nExecStart=/usr/lib/nvidia/sriov-manage -e %i\n")
    put(model, "/etc/systemd/system/a-types.service", "[Service]\nExecStart=-/usr/bin/one x\nExecStart=/usr/bin/two\n")
    put(model, "/etc/systemd/system/c-not-enabled.service", "[Service]\nExecStart=/usr/bin/three\n")
    model.run(["systemctl", "enable", "b-vfs@0000:41:00.0.service", "a-types"])
    assert model.reboot() == [("b-vfs@0000:41:00.0.service", ["/usr/lib/nvidia/sriov-manage -e 0000:41:00.0"]),
                              ("a-types.service", ["/usr/bin/one x", "/usr/bin/two"])]


@pytest.mark.parametrize("text", ["GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX intel_iommu=on\"\n",
                                  "GRUB_CMDLINE_LINUX_DEFAULT=\"${GRUB_CMDLINE_LINUX_DEFAULT} intel_iommu=on\"\n"])
def test_grub_drop_ins_take_effect_at_the_reboot_after_update_grub(text):
    model = Model(describe("hgx", gpus=1, arguments="root=/dev/sda1 ro quiet"))
    put(model, "/etc/default/grub.d/90-mine.cfg", text)
    model.reboot()
    assert "intel_iommu" not in model.text("/proc/cmdline") and model.names("/sys/kernel/iommu_groups") == []
    assert model.run(["update-grub"]).status == 0
    assert "intel_iommu" not in model.text("/proc/cmdline")
    model.reboot()
    assert model.text("/proc/cmdline").split()[-2:].count("intel_iommu=on") == 1
    assert model.names("/sys/kernel/iommu_groups") != []


def test_grubby_changes_the_entries():
    model = Model(describe("hgx", gpus=1, os="el9", arguments="root=/dev/sda1 ro quiet"))
    assert 'args="root=/dev/sda1 ro quiet"' in model.run(["grubby", "--info=ALL"]).stdout
    model.run(["grubby", "--update-kernel=ALL", "--args=intel_iommu=on iommu=pt", "--remove-args", "quiet"])
    model.reboot()
    assert model.text("/proc/cmdline").endswith("root=/dev/sda1 ro intel_iommu=on iommu=pt")
    model.run(["grubby", "--update-kernel=ALL", "--args", "iommu=nopt"])
    assert model.run(["grubby", "--info=DEFAULT"]).stdout.count("iommu=") == 2


def test_a_blacklist_keeps_a_module_from_being_loaded():
    model = Model(describe("hgx", gpus=1, switches=0))
    put(model, "/etc/modprobe.d/mine.conf", "# hands off\nblacklist nvidia\nblacklist snd-hda-intel\n")
    put(model, "/etc/modules-load.d/simulated.conf", "vfio-pci\n")
    model.reboot()
    assert driver(model, GPU) is None and driver(model, AUDIO) is None and "vfio_pci" in model.state.modules


def test_more_vfs_than_a_partition_allows_are_none():
    model = Model(describe("mi300x", gpus=2, driver="gim"))
    put(model, "/etc/modprobe.d/gim.conf", "options gim vf_num=8\n")
    model.reboot()
    assert model.state.devices["0000:11:00.0"].vfs == []
    assert any("exceeds the vf limit 1" in text for _, text in model.state.kmsg)


def test_a_target_can_want_a_unit_and_the_earliest_run_before_modules_are_loaded():
    model = Model(describe("hgx", gpus=1))
    put(model, "/etc/systemd/system/early.service", "[Unit]\nBefore=systemd-udev-trigger.service\n"
        "ConditionDirectoryNotEmpty=/etc/driverctl.d\n[Service]\nExecStart=/bin/sh /etc/early.sh\n")
    put(model, "/etc/systemd/system/sysinit.target.d/50-early.conf", "[Unit]\nWants=early.service\n")
    assert model.begin_boot() == []
    put(model, f"/etc/driverctl.d/pci-{GPU}", "vfio-pci\n")
    assert model.begin_boot() == [("early.service", ["/bin/sh /etc/early.sh"])]
    assert driver(model, GPU) is None and list(model.state.modules) == []
    assert model.end_boot() == [] and driver(model, GPU) == "vfio-pci"


def test_the_programs_of_udev_rules_are_noted_for_what_appears():
    model = Model(describe("igb", driverctl=False))
    put(model, "/etc/udev/rules.d/05-mine.rules",
        'ACTION=="add", TEST=="/etc/driverctl.d/pci-$kernel", RUN+="/bin/sh /etc/mine.sh --add $kernel"\n')
    put(model, "/etc/driverctl.d/pci-0000:21:10.0", "vfio-pci")
    model.put(f"{device('0000:21:00.0')}/sriov_numvfs", "2")
    assert driver(model, "0000:21:10.0") != "vfio-pci"
    assert model.take_events() == ["/bin/sh /etc/mine.sh --add 0000:21:10.0"] and model.take_events() == []


def test_a_unit_is_enabled_below_its_own_target_and_only_when_it_is_there():
    model = Model(describe("igb"))
    put(model, "/etc/systemd/system/mine.service", "[Install]\nWantedBy=sysinit.target\n")
    assert model.run(["systemctl", "enable", "mine"]).status == 0
    assert model.names("/etc/systemd/system/sysinit.target.wants") == ["mine.service"]
    assert model.run(["systemctl", "is-enabled", "mine"]).stdout == "enabled\n"
    assert model.run(["systemctl", "disable", "mine"]).status == 0
    assert model.run(["systemctl", "is-enabled", "mine"]).status == 1
    assert model.run(["systemctl", "enable", "nobody"]).status == 1


def test_modules_are_loaded_by_alias_and_the_blacklist_is_minded_when_asked():
    model = Model(describe("hgx", gpus=1))
    model.run(["modprobe", "-r", "snd_hda_intel"])
    put(model, "/etc/modprobe.d/mine.conf", "blacklist snd_hda_intel\n")
    alias = model.text(f"{device(AUDIO)}/modalias")
    assert model.run(["modprobe", "--quiet", "--use-blacklist", alias]).status == 1 and driver(model, AUDIO) is None
    assert model.run(["modprobe", alias]).status == 0 and driver(model, AUDIO) == "snd_hda_intel"
