# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restores drivers at boot: the files, and the script as /bin/sh runs it on a synthetic tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import persistence, persistence_files
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import boot_drivers
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_tree import TreeHost

GPU, AUDIO = "0000:41:00.0", "0000:41:00.1"
SHELLS = [shell for shell in ("/bin/sh", "/bin/dash", "/bin/bash") if os.path.exists(shell)]


@pytest.fixture()
def host(tmp_path):
    """A card on its native drivers, whose files say vfio-pci."""
    (tmp_path / "root").mkdir()
    host = TreeHost(tmp_path / "root")
    host.device(GPU, driver="nvidia")
    host.device(AUDIO, "0x040300", "0x10de 0x22b9")
    host.driver("vfio-pci")
    for address in (GPU, AUDIO):
        host.put(persistence.override_path(address), "vfio-pci")
    return host


def boot(host, *arguments, shell="/bin/sh"):
    """Run the script; return (status, what it said, {attribute: what was written}). Nothing acts on what it writes."""
    script = host.top.parent / "pci-driver.sh"
    script.write_text(persistence_files.SCRIPT)
    tools = host.top.parent / "tools"
    if not tools.exists():
        tools.mkdir()
        (tools / "modprobe").write_text("#!/bin/sh\necho \"$@\" >> {0}/loaded\n[ \"$1\" != absent ]\n".format(tools))
        (tools / "modprobe").chmod(0o755)
    done = subprocess.run([shell, str(script), "--root", str(host.top), *arguments], capture_output=True, text=True,
                          env={"PATH": "{0}:/usr/bin:/bin".format(tools)}, timeout=60)
    loaded = (tools / "loaded").read_text().split() if (tools / "loaded").exists() else []
    return done.returncode, done.stderr, loaded


def settle(host, address, driver):
    link = host.top / "sys/bus/pci/devices" / address / "driver"
    if link.is_symlink():
        link.unlink()
    if driver:
        host._link(address, driver)


@pytest.mark.parametrize("shell", SHELLS)
def test_at_boot_everything_is_overridden_taken_and_offered(host, shell):
    status, said, loaded = boot(host, shell=shell)
    assert [host.now(one)[1] for one in (GPU, AUDIO)] == ["vfio-pci", "vfio-pci"]
    assert host.text("/sys/bus/pci/drivers/nvidia/unbind") == GPU
    assert host.text("/sys/bus/pci/drivers_probe") == AUDIO
    assert loaded == []
    # No kernel acts here, so the script has to find that neither arrived.
    assert status == 1
    assert said.splitlines() == ["pci-driver: 0000:41:00.0 is on nvidia instead of vfio-pci",
                                 "pci-driver: 0000:41:00.1 is on no driver instead of vfio-pci"]


def test_what_is_right_already_is_left_alone(host):
    for address in (GPU, AUDIO):
        settle(host, address, "vfio-pci")
        host.put("/sys/bus/pci/devices/{0}/driver_override".format(address), "vfio-pci")
    assert boot(host) == (0, "", [])
    assert host.text("/sys/bus/pci/drivers_probe") == ""


def test_one_that_appears_later_is_not_taken_from_who_may_use_it(host):
    status, said, loaded = boot(host, "--add", GPU)
    assert host.text("/sys/bus/pci/drivers/nvidia/unbind") == ""
    assert host.now(AUDIO)[1] == "(null)", "only the one that appeared"
    assert (status, said) == (1, "pci-driver: 0000:41:00.0 is on nvidia instead of vfio-pci\n")


@pytest.mark.parametrize("flags, taken", [("0x1002", "0000:21:10.0"), ("0x1003", "")])
def test_a_network_vf_whose_interface_is_down_is_taken(host, flags, taken):
    host.device("0000:21:10.0", "0x020000", "0x8086 0x10ca", "igbvf", 7, **{"net/eth1/flags": flags})
    os.symlink("../0000:21:00.0", host.top / "sys/bus/pci/devices/0000:21:10.0/physfn")
    host.device("0000:21:00.0", "0x020000", "0x8086 0x10c9", "igb", 8)
    host.put(persistence.override_path("0000:21:10.0"), "vfio-pci")
    boot(host, "--add", "0000:21:10.0")
    assert host.text("/sys/bus/pci/drivers/igbvf/unbind") == taken


def test_a_missing_driver_leaves_the_function_where_it_is(host):
    host.put(persistence.override_path(GPU), "absent")
    status, said, loaded = boot(host, "--add", GPU)
    assert (status, loaded, host.now(GPU)) == (1, ["absent"], ("nvidia", "(null)"))
    assert said == "pci-driver: 0000:41:00.0 stays as it is: there is no driver absent in this kernel\n"


def test_a_module_is_loaded_where_the_driver_is_missing(host):
    host.put(persistence.override_path(AUDIO), "mlx5_vfio_pci")
    assert boot(host, "--add", AUDIO)[2] == ["mlx5_vfio_pci"]


def test_the_none_of_driverctl_keeps_a_function_without_a_driver(host):
    host.put(persistence.override_path(GPU), "none")
    settle(host, GPU, None)
    assert boot(host, "--add", GPU) == (0, "", []) and host.now(GPU)[1] == "none"


def test_functions_that_are_gone_and_empty_files_are_passed_over(host):
    shutil.rmtree(host.top / "etc/driverctl.d")
    host.put(persistence.override_path("0000:99:00.0"), "vfio-pci")
    host.put(persistence.override_path(GPU), "")
    assert boot(host) == (0, "", [])
    shutil.rmtree(host.top / "etc/driverctl.d")
    assert boot(host) == (0, "", [])


def test_it_says_how_it_is_used(host):
    assert boot(host, "--help")[0] == 64


def test_a_refusal_of_the_kernel_is_told(host):
    unbind = host.top / "sys/bus/pci/drivers/nvidia/unbind"
    unbind.unlink()
    unbind.symlink_to("/dev/full")
    assert "the kernel refused 0000:41:00.0 in {0}".format(unbind) in boot(host)[1]


def test_the_files_name_each_other_and_run_before_udev():
    texts = dict(persistence_files.FILES)
    assert "ExecStart=/bin/sh {0}\n".format(boot_drivers.SCRIPT) in texts[boot_drivers.UNIT]
    assert "/bin/sh {0} --add $kernel".format(boot_drivers.SCRIPT) in texts[boot_drivers.RULES]
    assert "Wants={0}\n".format(boot_drivers.UNIT.rpartition("/")[2]) in texts[boot_drivers.WANTS]
    before = re.search(r"^Before=(.*)$", texts[boot_drivers.UNIT], re.M)[1].split()
    assert {"systemd-udev-trigger.service", "systemd-modules-load.service"} < set(before)
    assert set(texts) == {boot_drivers.SCRIPT, boot_drivers.UNIT, boot_drivers.RULES, boot_drivers.WANTS}


def test_what_stands_on_a_host_is_observed(tmp_path):
    host = Host(str(tmp_path))
    assert boot_drivers.observe(host) == boot_drivers.nothing()
    bring, remove = persistence.restore_actions(boot_drivers.observe(host), True, True)
    for action in bring + [persistence.release_action("create", GPU)]:
        persistence.perform(host, action)
    observed = boot_drivers.observe(host)
    assert persistence.restore_actions(observed, True, True) == ([], []) and observed["releasing"] == [GPU]
    (tmp_path / boot_drivers.SCRIPT.lstrip("/")).write_text("of an older version")
    assert [one.verb for one in persistence.restore_actions(boot_drivers.observe(host), True, True)[0]] == ["update"]
    assert persistence.restore_actions(boot_drivers.observe(host), False, True) == ([], [])
    gone = persistence.restore_actions(boot_drivers.observe(host), False, False)[1]
    assert gone[0].name == boot_drivers.WANTS, "what starts the others goes first"
    for action in gone:
        persistence.perform(host, action)
    assert boot_drivers.observe(host)["files"] == {}


def test_a_file_of_driverctl_is_in_its_format(tmp_path):
    host = Host(str(tmp_path))
    steps = (None, "vfio-pci", "create"), ("vfio-pci", "nvidia", "update"), ("nvidia", None, "delete")
    for before, after, verb in steps:
        action, = persistence.override_actions(GPU, before, after)
        persistence.perform(host, action)
        assert action.verb == verb
        assert host.names("/etc/driverctl.d") == (["pci-" + GPU] if after else [])
        assert after is None or host.read_text("/etc/driverctl.d/pci-" + GPU) == after + "\n"
    assert persistence.override_actions(GPU, "vfio-pci", "vfio-pci") == []
