# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four steps on a synthetic /sys: what is written and read back, and what is said when it fails."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._hardware import boot_drivers
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_model import declared
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_tree import Killed, TreeHost

GPU, AUDIO = "0000:41:00.0", "0000:41:00.1"
TO_VFIO = declared((GPU, "vfio"), allow_interruption=True)
HOME = declared((GPU, "default"), allow_interruption=True)


@pytest.fixture()
def host(tmp_path):
    return h200(tmp_path)


def h200(root, **options):
    host = TreeHost(root, **options)
    host.device(GPU, driver="nvidia")
    host.device(AUDIO, "0x040300", "0x10de 0x22b9", driver="snd_hda_intel")
    return host


def converge(host, asked, check=False):
    return host_module.converge(binding, host, asked, check)


def test_a_card_goes_to_vfio_and_home_again(host):
    planned = converge(host, TO_VFIO, check=True)
    assert host.writes == []
    done = converge(host, TO_VFIO)
    assert done["actions"] == planned["actions"] and len(done["actions"]) == len(host.writes)
    assert (host.now(GPU), host.now(AUDIO)) == (("vfio-pci", "vfio-pci"), ("vfio-pci", "vfio-pci"))
    assert host.text("/etc/driverctl.d/pci-0000:41:00.1") == "vfio-pci"
    assert done["devices"][0]["viable"] is True and done["devices"][0]["driver_at_boot"] == "vfio-pci"
    assert converge(host, TO_VFIO)["changed"] is False
    converge(host, HOME)
    assert (host.now(GPU), host.now(AUDIO)) == (("nvidia", "(null)"), ("snd_hda_intel", "(null)"))
    assert host.names("/etc/driverctl.d") == [] and not host.exists(boot_drivers.UNIT)
    assert ("/sys/bus/pci/devices/0000:41:00.0/driver_override", "\n") in host.writes
    assert ["modprobe", "--quiet", "--use-blacklist", "pci:v000010DEd00002335"] in host.commands
    assert converge(host, HOME)["changed"] is False


@pytest.mark.parametrize("asked", [TO_VFIO, HOME, dict(HOME, persistent=False)])
@pytest.mark.parametrize("most", range(0, 18))
def test_killed_after_any_write_the_next_run_goes_on(tmp_path, asked, most):
    host = h200(tmp_path)
    if asked is not TO_VFIO:
        converge(host, TO_VFIO)
    host.writes, host.most = [], most
    try:
        converge(host, asked)
    except Killed:
        pass
    host.most = None
    converge(host, asked)
    expected = ("vfio-pci", "vfio-pci") if asked is TO_VFIO else ("nvidia", "(null)")
    assert host.now(GPU) == expected and host.names(boot_drivers.RELEASES) == []
    assert converge(host, asked)["changed"] is False


def test_interruptions_wait_for_permission(host):
    with pytest.raises(errors.Refused, match="nvidia loses 0000:41:00.0 .*; snd_hda_intel loses 0000:41:00.1"):
        converge(host, dict(TO_VFIO, allow_interruption=False))
    assert host.writes == []


def test_who_opens_it_meanwhile_is_not_disturbed(host):
    observed = binding.observe(host, TO_VFIO)
    plan = binding.decide(TO_VFIO, observed)
    host.put("/proc/driver/nvidia/gpus/0000:41:00.0/information", "Device Minor: \t 0")
    host.hold(812, "python3", "/dev/nvidia0")
    with pytest.raises(change.PartialFailure, match=r"python3 \(pid 812\) has /dev/nvidia0 open") as caught:
        change.apply(plan, binding.performer(host, TO_VFIO, observed))
    assert (caught.value.failed.verb, host.now(GPU)[0]) == ("unbind", "nvidia")


def test_who_holds_it_is_said_before_anything_is_touched(host):
    host.put("/proc/driver/nvidia/gpus/0000:41:00.0/information", "Device Minor: \t 0")
    host.hold(900, "nvidia-persiste", "/dev/nvidia0")
    with pytest.raises(errors.Refused, match="systemctl stop nvidia-persistenced, then run again"):
        converge(host, TO_VFIO)
    assert host.writes == []


def test_an_unbind_that_hangs_says_what_to_do(tmp_path):
    host = h200(tmp_path, hanging=(GPU,))
    with pytest.raises(change.PartialFailure, match="fuser -v .*the next run goes on.*only a reboot helps"):
        converge(host, TO_VFIO)
    host.hanging = ()
    assert converge(host, TO_VFIO)["changed"]


def test_a_driver_that_takes_it_not_is_a_failure_that_says_where_to_look(tmp_path):
    host = h200(tmp_path, refusing=("vfio-pci",))
    with pytest.raises(change.PartialFailure, match=r"vfio-pci did not take 0000:41:00.0.*journalctl -k"):
        converge(host, TO_VFIO)
    assert host.names("/etc/driverctl.d") == [], "what never worked is not made permanent"
    converge(host, HOME)
    assert host.now(GPU) == ("nvidia", "(null)")


def test_ids_given_to_vfio_pci_are_found_out(host, monkeypatch):
    converge(host, TO_VFIO)
    monkeypatch.setattr(host, "_probe", lambda address: host._link(address, "vfio-pci"))
    with pytest.raises(change.PartialFailure, match="vfio-pci.ids= off the kernel command line"):
        converge(host, HOME)


def test_something_else_that_moves_it_is_not_fought(host):
    observed = binding.observe(host, TO_VFIO)
    plan = binding.decide(TO_VFIO, observed)
    host.driver("nouveau")
    (host.top / "sys/bus/pci/devices" / GPU / "driver").unlink()
    host._link(GPU, "nouveau")
    with pytest.raises(change.PartialFailure, match="is on nouveau now, it was on nvidia when this began"):
        change.apply(plan, binding.performer(host, TO_VFIO, observed))


def test_a_function_that_has_left_its_driver_by_itself_is_no_failure(host):
    observed = binding.observe(host, TO_VFIO)
    plan = binding.decide(TO_VFIO, observed)
    (host.top / "sys/bus/pci/devices" / GPU / "driver").unlink()
    change.apply(plan, binding.performer(host, TO_VFIO, observed))
    assert host.now(GPU) == ("vfio-pci", "vfio-pci")
    assert "/sys/bus/pci/drivers/nvidia/unbind" not in [path for path, text in host.writes]


def test_another_override_meanwhile_is_said(host):
    observed = binding.observe(host, TO_VFIO)
    plan = binding.decide(TO_VFIO, observed)
    perform = binding.performer(host, TO_VFIO, observed)

    def disturbed(action):
        if action.verb == "bind":
            host.driver("pci-stub")
            host.put("/sys/bus/pci/devices/{0}/driver_override".format(GPU), "pci-stub")
        perform(action)

    with pytest.raises(change.PartialFailure, match="went to pci-stub instead of vfio-pci"):
        change.apply(plan, disturbed)


def test_a_driver_that_does_not_exist_has_a_nearest_name(host):
    with pytest.raises(errors.Refused, match="no such driver, loaded or as a module; the nearest is 'nvidia'"):
        converge(host, declared((GPU, "nvidai")))


def test_a_kernel_without_vfio_is_told_before_anything(host):
    host.put("/lib/modules/6.12.94/modules.dep", "kernel/nvidia.ko:")
    with pytest.raises(errors.Refused, match="kernel 6.12.94 has no such driver.*linux-modules-extra"):
        converge(host, TO_VFIO)


def test_modprobe_itself_may_know_a_name_by_configuration(host):
    host.put("/etc/modprobe.d/nvidia.conf", "alias nvidia-legacy nvidia-legacy-390xx\n# alias x y\noptions foo a=1")
    with pytest.raises(change.PartialFailure, match=r"Module nvidia_legacy not found; the kernel log.*Secure Boot"):
        converge(host, declared((GPU, "nvidia-legacy"), allow_interruption=True))


def test_a_module_without_its_driver_is_said(host):
    with pytest.raises(change.PartialFailure, match="module deaf is loaded, but there is no PCI driver 'deaf'"):
        converge(host, declared((GPU, "deaf"), allow_interruption=True))


def test_an_unknown_address_names_the_nearest(host):
    with pytest.raises(errors.DeclarationError, match="devices.0..address: '0000:41:00.3' is no PCI function of this "
                                                      "host; the nearest is '0000:41:00.1'"):
        converge(host, declared(("0000:41:00.3", "vfio")))


def test_an_interface_that_is_up_is_in_use(host):
    host.device("0000:21:10.0", "0x020000", "0x8086 0x10ca", "igb", 7, **{"net/eth1/flags": "0x1003"})
    with pytest.raises(errors.Refused, match="network interface eth1 is up"):
        converge(host, declared(("0000:21:10.0", "vfio")))
    host.put("/sys/bus/pci/devices/0000:21:10.0/net/eth1/flags", "0x1002")
    converge(host, declared(("0000:21:10.0", "vfio"), allow_interruption=True))
    assert host.now("0000:21:10.0")[0] == "vfio-pci"


def test_the_console_of_the_host_stays(host):
    host.device("0000:61:00.0", "0x030000", "0x10de 0x2bb5", "nvidia", 9, boot_vga="1")
    with pytest.raises(errors.Refused, match="shows the console of this host"):
        converge(host, declared(("0000:61:00.0", "vfio")))
    assert converge(host, declared(("0000:61:00.0", "vfio"), allow_console_loss=True), check=True)["changed"]


def test_without_a_view_of_the_processes_nothing_is_taken_away(host):
    (host.top / "proc/1/fd").rmdir()
    (host.top / "proc/1/comm").unlink()
    (host.top / "proc/1").rmdir()
    (host.top / "proc").rename(host.top / "elsewhere")
    with pytest.raises(errors.Refused, match="nothing is taken from a driver while it is not known who uses it: error"):
        converge(host, TO_VFIO, check=True)


def test_driverctl_is_left_to_do_its_work(host):
    host.put("/usr/lib/udev/rules.d/05-driverctl.rules", "x")
    assert {one["kind"] for one in converge(host, TO_VFIO)["actions"]} == {
        "kernel module", "driver override", "PCI function", "driverctl file"}


def test_the_budget_of_a_run_that_changes_nothing(host):
    converge(host, TO_VFIO)
    host.counts.opened = host.counts.listed = host.counts.started = 0
    converge(host, TO_VFIO)
    # The one process is the modinfo of the facts.
    assert host.counts.started <= 1 and host.counts.opened < 60
