# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel_arguments on simulated hosts: from observing to a reboot, in check mode, and killed in the middle."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import boot, grub
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.boot_hosts import (
    AMD,
    ARM,
    GRUB,
    Killed,
    debian,
)

DROP_IN = "/etc/default/grub.d/90-sovereign-region.cfg"
WANTED = ["intel_iommu=on", "iommu=pt"]


def verbs(result):
    return [(one["verb"], one["kind"]) for one in result["actions"]]


def test_debian_from_nothing_to_the_next_boot(tmp_path):
    machine = debian(tmp_path)
    planned = machine.converge(arguments=WANTED, check_mode=True)
    assert not (tmp_path / DROP_IN.lstrip("/")).exists()
    assert machine.calls == []
    result = machine.converge(arguments=WANTED)
    assert planned["actions"] == result["actions"]
    assert verbs(result) == [("create", "GRUB drop-in"), ("run", "boot menu")]
    assert [one["deferred"] for one in result["actions"]] == ["takes effect after the next reboot"] * 2
    assert result["actions"][1]["before"] == {
        "entries": 3, "missing": WANTED, "unwanted": [], "complete": True}
    assert machine.settings()[1] == (" intel_iommu=on iommu=pt", "quiet")
    for told in (planned, result):
        assert told["boot_loader"] == "grub"
        assert told["reboot_needed"] is True
        assert told["reboot_reasons"] == ["the running kernel was started without 'intel_iommu=on'",
                                          "the running kernel was started without 'iommu=pt'"]
    again = machine.converge(arguments=WANTED)
    assert (again["changed"], again["reboot_needed"], machine.calls) == (False, True, [["update-grub"]])
    machine.reboot()
    machine.groups(7)
    after = machine.converge(arguments=WANTED)
    assert (after["changed"], after["reboot_needed"], after["reboot_reasons"]) == (False, False, [])
    assert after["iommu"]["enabled"] is True
    assert after["iommu"]["groups"] == 7
    assert after["iommu"]["advice"] == []


def test_what_is_absent_leaves_our_drop_in_and_the_menu(tmp_path):
    machine = debian(tmp_path)
    machine.converge(arguments=["mitigations=off", "hugepagesz=1G", "hugepages=16"])
    machine.reboot()
    result = machine.converge(absent=["mitigations", "hugepagesz=1G", "hugepages"])
    assert verbs(result) == [("delete", "GRUB drop-in"), ("run", "boot menu")]
    assert result["actions"][1]["before"]["unwanted"] == ["mitigations=off", "hugepagesz=1G", "hugepages=16"]
    assert result["reboot_reasons"] == [
        "the running kernel was started with 'mitigations=off'", "the running kernel was started with 'hugepagesz=1G'",
        "the running kernel was started with 'hugepages=16'"]
    assert not (tmp_path / DROP_IN.lstrip("/")).exists()
    assert "mitigations" not in machine.read("/boot/grub/grub.cfg")
    assert machine.converge(absent=["mitigations", "hugepages"])["changed"] is False


def test_a_reboot_is_asked_for_when_another_value_runs(tmp_path):
    machine = debian(tmp_path, running="mitigations=auto")
    machine.converge(arguments=["mitigations=off"])
    assert machine.converge(arguments=["mitigations=off"])["reboot_reasons"] == [
        "the running kernel was started with 'mitigations=auto' instead of 'mitigations=off'"]


def test_nothing_waits_for_a_reboot_when_the_kernel_runs_so_already(tmp_path):
    machine = debian(tmp_path, running="intel_iommu=on iommu=pt")
    result = machine.converge(arguments=WANTED)
    assert [one["deferred"] for one in result["actions"]] == [None, None]
    assert result["reboot_needed"] is False


@pytest.mark.parametrize(("cpu", "expected"), [(None, WANTED), (AMD, ["iommu=pt"]), (ARM, [])])
def test_the_preset_knows_what_the_cpu_needs(tmp_path, cpu, expected):
    machine = debian(tmp_path, **({"cpuinfo": cpu} if cpu else {}))
    result = machine.converge(iommu=True)
    assert result["arguments"] == expected
    assert result["changed"] is bool(expected)
    assert machine.converge(iommu=True)["changed"] is False


def test_the_preset_adds_only_what_is_not_declared_anyway(tmp_path):
    machine = debian(tmp_path)
    result = machine.converge(iommu=True, arguments=["intel_iommu=on,sm_on"])
    assert result["arguments"] == ["iommu=pt", "intel_iommu=on,sm_on"]


def test_the_preset_refuses_a_cpu_that_it_does_not_know_and_what_stands_against_it(tmp_path):
    machine = debian(tmp_path, cpuinfo="cpu\t: POWER9\n")
    with pytest.raises(errors.DeclarationError, match="neither Intel's nor AMD's"):
        machine.converge(iommu=True)
    machine = debian(tmp_path / "intel")
    with pytest.raises(errors.DeclarationError, match=r"'intel_iommu=on', and 'intel_iommu=off' in 'arguments'"):
        machine.converge(iommu=True, arguments=["intel_iommu=off"])
    with pytest.raises(errors.DeclarationError, match=r"'iommu=pt', and 'iommu' in 'absent'"):
        machine.converge(iommu=True, absent=["iommu"])
    assert machine.calls == []


def test_what_the_operator_has_is_recognised_and_never_repeated(tmp_path):
    mine = GRUB.replace('LINUX=""', 'LINUX="intel_iommu=on,sm_on"').replace('"quiet"', "'iommu=pt'")
    machine = debian(tmp_path, mine)
    result = machine.converge(arguments=WANTED, iommu=True)
    assert result["changed"] is False
    machine.converge(arguments=[*WANTED, "nosmt"])
    assert machine.settings()[1] == ("intel_iommu=on,sm_on nosmt", "iommu=pt")


def test_what_the_operator_takes_over_leaves_our_drop_in(tmp_path):
    machine = debian(tmp_path)
    machine.converge(arguments=["nosmt", "iommu=pt"])
    machine.write("/etc/default/grub", GRUB.replace('"quiet"', '"quiet nosmt"'))
    assert machine.converge(arguments=["nosmt", "iommu=pt"])["changed"] is True
    assert machine.settings()[1] == (" iommu=pt", "quiet nosmt")


@pytest.mark.parametrize(("setting", "params", "said"), [
    ("quiet intel_iommu=off", {"arguments": WANTED}, "grub:6: 'intel_iommu=off' is set there, and 'intel_iommu=on'"),
    ("mitigations=auto", {"arguments": ["mitigations=off"]}, "grub:6: 'mitigations=auto' is set there"),
    ("quiet", {"absent": ["quiet"]}, "grub:6: 'quiet' is set there, and declared absent by 'quiet'"),
    ("hugepagesz=2M hugepages=512", {"arguments": ["hugepagesz=1G", "hugepages=8"]},
     "'hugepagesz=2M hugepages=512' is set there; huge pages only mean something as one list"),
])
def test_what_the_operator_has_is_never_changed(tmp_path, setting, params, said):
    machine = debian(tmp_path, GRUB.replace('"quiet"', '"{0}"'.format(setting)))
    before = machine.read("/etc/default/grub")
    with pytest.raises(errors.Refused) as caught:
        machine.converge(**params)
    assert said in str(caught.value)
    assert (machine.calls, machine.read("/etc/default/grub")) == ([], before)
    assert not (tmp_path / DROP_IN.lstrip("/")).exists()


def test_a_later_drop_in_that_drops_ours_is_named(tmp_path):
    machine = debian(tmp_path, drop_ins={"50-cloudimg-settings.cfg": "GRUB_CMDLINE_LINUX=\n",
                                         "99-site.cfg": "# site\nGRUB_CMDLINE_LINUX=\"nosmt\"\n"})
    with pytest.raises(errors.Refused, match=r"99-site.cfg:2: GRUB_CMDLINE_LINUX is set anew there.*'intel_iommu=on'"):
        machine.converge(arguments=WANTED)


def test_a_file_that_sh_cannot_read_is_named(tmp_path):
    machine = debian(tmp_path)
    machine.write("/etc/default/grub", GRUB + 'GRUB_TIMEOUT="5\n')
    with pytest.raises(errors.Refused, match="grub:9: a double quote is opened and never closed"):
        machine.converge(arguments=WANTED)


def test_where_init_takes_over_the_kernel_reads_no_more(tmp_path):
    machine = debian(tmp_path, GRUB.replace('LINUX=""', 'LINUX="nosmt -- single"'))
    with pytest.raises(errors.Refused, match="after '--'"):
        machine.converge(arguments=WANTED)


def test_two_tasks_with_lists_of_their_own_do_not_take_turns(tmp_path):
    machine = debian(tmp_path)
    machine.converge(arguments=["console=tty0", "console=ttyS0,115200n8"])
    machine.converge(arguments=["nosmt", "iommu=pt"])
    for given in (["console=tty0", "console=ttyS0,115200n8"], ["iommu=pt", "nosmt"]):
        assert machine.converge(arguments=given)["changed"] is False
    assert machine.settings()[1][0] == " console=tty0 console=ttyS0,115200n8 nosmt iommu=pt"
    machine.converge(arguments=["console=ttyS0,115200n8", "console=tty0"])
    assert machine.settings()[1][0] == " nosmt iommu=pt console=ttyS0,115200n8 console=tty0"
    assert "console=ttyS0,115200n8 console=tty0" in machine.read("/boot/grub/grub.cfg")


def test_another_value_takes_the_place_of_the_old_one(tmp_path):
    machine = debian(tmp_path)
    machine.converge(arguments=["mitigations=off", "intel_iommu=off"])
    machine.converge(arguments=["mitigations=auto", "intel_iommu=on"])
    assert machine.settings()[1][0] == " mitigations=auto intel_iommu=on"


def test_huge_pages_are_one_list_in_its_order(tmp_path):
    machine = debian(tmp_path)
    first = ["default_hugepagesz=1G", "hugepagesz=1G", "hugepages=16", "hugepagesz=2M", "hugepages=16"]
    machine.converge(arguments=["nosmt", *first])
    assert machine.converge(arguments=first)["changed"] is False
    second = ["hugepagesz=1G", "hugepages=32"]
    machine.converge(arguments=second)
    assert machine.settings()[1][0] == " nosmt hugepagesz=1G hugepages=32"
    assert machine.converge(arguments=second)["changed"] is False


def test_what_is_for_init_is_none_of_the_kernels(tmp_path):
    machine = debian(tmp_path, GRUB.replace('"quiet"', '"quiet -- nosmt iommu=pt"'))
    assert machine.converge(absent=["nosmt"])["changed"] is False
    machine.converge(arguments=["iommu=pt"])
    assert machine.settings()[1][0] == " iommu=pt"
    assert machine.converge(arguments=["iommu=pt"])["changed"] is False


class TestKilled:
    """After a kill at any place the next run sees what is left to do, and does it."""

    def test_before_update_grub_when_only_the_order_changed(self, tmp_path):
        machine = debian(tmp_path)
        machine.converge(arguments=["console=tty0", "console=ttyS0"])
        machine.write(DROP_IN, grub.drop_in(["console=ttyS0", "console=tty0"]))
        assert verbs(machine.converge(arguments=["console=ttyS0", "console=tty0"])) == [("run", "boot menu")]
        assert machine.converge(arguments=["console=ttyS0", "console=tty0"])["changed"] is False

    def test_before_update_grub(self, tmp_path):
        machine = debian(tmp_path)

        def kill(argv):
            raise Killed

        machine.fail = kill
        with pytest.raises(Killed):
            machine.converge(arguments=WANTED)
        machine.fail = None
        result = machine.converge(arguments=WANTED, check_mode=True)
        assert verbs(result) == [("run", "boot menu")]
        assert result["actions"][0]["before"]["missing"] == WANTED
        machine.converge(arguments=WANTED)
        assert machine.converge(arguments=WANTED)["changed"] is False

    def test_before_update_grub_when_taking_away(self, tmp_path):
        machine = debian(tmp_path)
        machine.converge(arguments=WANTED)

        def kill(argv):
            raise Killed

        machine.fail = kill
        with pytest.raises(Killed):
            machine.converge(absent=WANTED)
        machine.fail = None
        assert verbs(machine.converge(absent=WANTED)) == [("run", "boot menu")]
        assert "iommu" not in machine.read("/boot/grub/grub.cfg")

    def test_what_a_killed_run_declared_is_finished_by_the_next_that_declares_something_else(self, tmp_path):
        machine = debian(tmp_path)
        machine.write(DROP_IN, grub.drop_in(["nosmt"]))
        result = machine.converge(arguments=["iommu=pt"])
        assert result["actions"][1]["before"]["missing"] == ["iommu=pt", "nosmt"]

    @pytest.mark.parametrize("part", [0, 1, 400, 1500, -200])
    def test_while_the_menu_was_written(self, tmp_path, part):
        machine = debian(tmp_path)
        machine.converge(arguments=WANTED)
        whole = machine.read("/boot/grub/grub.cfg")
        machine.write("/boot/grub/grub.cfg", whole[:part])
        result = machine.converge(arguments=WANTED)
        assert verbs(result) == [("run", "boot menu")]
        assert machine.read("/boot/grub/grub.cfg") == whole

    def test_an_argument_that_moved_to_the_operator_is_not_left_twice(self, tmp_path):
        machine = debian(tmp_path)
        machine.converge(arguments=["nosmt"])
        machine.write("/etc/default/grub", GRUB.replace('"quiet"', '"quiet nosmt"'))
        machine.run(["update-grub"], 1)
        (tmp_path / DROP_IN.lstrip("/")).unlink()
        assert verbs(machine.converge(arguments=["nosmt"])) == [("run", "boot menu")]
        assert machine.converge(arguments=["nosmt"])["changed"] is False


def test_update_grub_that_fails_is_told_and_the_next_run_goes_on(tmp_path):
    machine = debian(tmp_path)
    machine.fail = lambda argv: Finished(tuple(argv), 1, "", "/usr/sbin/grub-probe: error: cannot find a device for /")
    with pytest.raises(change.PartialFailure) as caught:
        machine.converge(arguments=WANTED)
    assert "cannot find a device for /" in str(caught.value)
    assert [one.kind for one in caught.value.done] == ["GRUB drop-in"]
    machine.fail = None
    assert verbs(machine.converge(arguments=WANTED)) == [("run", "boot menu")]


def test_update_grub_that_says_yes_and_does_nothing_is_found_out(tmp_path):
    machine = debian(tmp_path)
    machine.fail = lambda argv: Finished(tuple(argv), 0, "", "done")
    with pytest.raises(change.PartialFailure) as caught:
        machine.converge(arguments=WANTED)
    assert isinstance(caught.value.cause, errors.NotInEffect)
    assert "missing in one of them: intel_iommu=on, iommu=pt" in str(caught.value)


def test_a_setting_that_only_a_shell_knows_is_judged_by_the_menu(tmp_path):
    conditional = "if true; then\n  GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT nosmt\"\nfi\n"
    machine = debian(tmp_path, drop_ins={"95-site.cfg": conditional})
    result = machine.converge(arguments=["iommu=pt"])
    assert result["changed"] is True
    assert result["advice"] == ["/etc/default/grub.d/95-site.cfg:2: it is set under a condition; what is set there is "
                                "only seen in /boot/grub/grub.cfg"]
    assert machine.converge(arguments=["iommu=pt"])["changed"] is False


class TestIommuAdvice:
    def test_arguments_without_groups_point_to_the_firmware(self, tmp_path):
        machine = debian(tmp_path, running="intel_iommu=on iommu=pt")
        machine.write("/sys/firmware/acpi/tables/FACP", "")
        assert "no ACPI table DMAR" in machine.converge(iommu=True, check_mode=True)["iommu"]["advice"][0]
        machine.write("/sys/firmware/acpi/tables/DMAR", "")
        assert "look for DMAR in the kernel log" in machine.converge(iommu=True, check_mode=True)["iommu"]["advice"][0]

    def test_no_advice_while_a_reboot_is_due(self, tmp_path):
        machine = debian(tmp_path)
        assert machine.converge(iommu=True)["iommu"] == {
            "enabled": False, "groups": 0, "interrupt_remapping": None, "translation": None, "advice": []}

    def test_amd_needs_no_argument_to_be_on(self, tmp_path):
        machine = debian(tmp_path, cpuinfo=AMD)
        machine.write("/sys/firmware/acpi/tables/FACP", "")
        assert "AMD-Vi" in machine.converge(iommu=True)["iommu"]["advice"][0]

    def test_an_argument_that_switches_it_off_is_named(self, tmp_path):
        machine = debian(tmp_path, running="iommu=off")
        assert "started with 'iommu=off'" in machine.converge()["iommu"]["advice"][0]


def test_a_host_without_anything_is_left_alone(tmp_path):
    machine = debian(tmp_path)
    result = machine.converge()
    assert (result["changed"], result["reboot_needed"], result["arguments"]) == (False, False, [])
    assert machine.calls == []


def test_a_plan_that_was_read_aloud_is_kept(tmp_path):
    machine = debian(tmp_path)
    planned = machine.converge(arguments=WANTED, check_mode=True)["actions"]
    machine.write("/etc/default/grub", GRUB.replace('"quiet"', '"quiet iommu=pt"'))
    with pytest.raises(errors.Refused, match="changed since it was planned"):
        machine.converge(arguments=WANTED, expected_actions=planned)


def test_the_spec_has_no_option_that_the_host_does_not_need():
    assert set(boot.ARGUMENT_SPEC) == {"arguments", "absent", "iommu"}
