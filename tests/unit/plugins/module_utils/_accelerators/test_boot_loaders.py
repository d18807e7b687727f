# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel_arguments with grubby, and on hosts whose boot loader is another one."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.boot_hosts import (
    debian,
    enterprise,
)

WANTED = ["intel_iommu=on", "iommu=pt"]


def verbs(result):
    return [(one["verb"], one["kind"]) for one in result["actions"]]


class TestEnterpriseLinux:
    @pytest.mark.parametrize("shared", [False, True])
    def test_from_nothing_to_the_next_boot_and_back(self, tmp_path, shared):
        machine = enterprise(tmp_path, shared=shared)
        planned = machine.converge(arguments=WANTED, check_mode=True)
        assert [argv for argv in machine.calls if argv != ["grubby", "--info=ALL"]] == []
        result = machine.converge(arguments=WANTED)
        assert planned["actions"] == result["actions"]
        assert result["boot_loader"] == "grubby"
        assert verbs(result) == [("set", "kernel arguments")]
        assert result["actions"][0]["before"] == {"entries": 2, "missing": WANTED, "unwanted": []}
        assert ["grubby", "--update-kernel=ALL", "--args=intel_iommu=on iommu=pt"] in machine.calls
        assert machine.converge(arguments=WANTED)["changed"] is False
        machine.reboot()
        assert machine.converge(arguments=WANTED)["reboot_needed"] is False
        removed = machine.converge(absent=["intel_iommu", "iommu=pt"])
        assert removed["actions"][0]["before"]["unwanted"] == WANTED
        assert machine.converge(absent=["intel_iommu", "iommu=pt"])["changed"] is False

    def test_what_may_be_repeated_keeps_what_it_has(self, tmp_path):
        machine = enterprise(tmp_path, options="root=/dev/sda1 ro console=tty0 intel_iommu=sm_on mitigations=auto")
        machine.converge(arguments=["console=ttyS0,115200n8", "intel_iommu=on", "mitigations=off"])
        assert ["grubby", "--update-kernel=ALL", "--args=console=tty0 console=ttyS0,115200n8 intel_iommu=sm_on "
                "intel_iommu=on mitigations=off"] in machine.calls
        assert "rd.lvm" not in machine.read("/boot/grub2/grubenv")

    def test_entries_that_differ_are_not_made_equal_silently(self, tmp_path):
        machine = enterprise(tmp_path)
        path = next((tmp_path / "boot/loader/entries").glob("*rescue.conf"))
        path.write_text(path.read_text().replace(" $tuned", " console=ttyS1 $tuned"))
        with pytest.raises(errors.Refused, match="the boot entries differ in console"):
            machine.converge(arguments=["console=ttyS0"])

    def test_huge_pages_are_replaced_as_a_whole(self, tmp_path):
        machine = enterprise(tmp_path, options="root=/dev/sda1 default_hugepagesz=2M hugepagesz=2M hugepages=512")
        wanted = ["hugepagesz=1G", "hugepages=16"]
        machine.converge(arguments=wanted)
        assert machine.converge(arguments=wanted)["changed"] is False

    def test_one_entry_that_a_kill_left_behind_is_seen(self, tmp_path):
        machine = enterprise(tmp_path)
        machine.converge(arguments=WANTED)
        path = next((tmp_path / "boot/loader/entries").glob("*rescue.conf"))
        path.write_text(path.read_text().replace(" iommu=pt", ""))
        assert machine.converge(arguments=WANTED)["actions"][0]["before"]["missing"] == ["iommu=pt"]

    def test_grubby_and_the_entries_must_agree(self, tmp_path):
        machine = enterprise(tmp_path)
        machine.converge(arguments=WANTED)
        other = 'index=0\nkernel="/boot/vmlinuz-5"\nargs="ro quiet"\nroot="/dev/sda1"\n'
        machine.fail = lambda argv: Finished(tuple(argv), 0, other, "")
        with pytest.raises(change.Unverified):
            machine.converge(arguments=WANTED)

    def test_kernels_that_come_later_are_thought_of(self, tmp_path):
        machine = enterprise(tmp_path)
        machine.write("/etc/kernel/cmdline", "root=/dev/mapper/rl-root ro\n")
        assert "intel_iommu=on" in machine.converge(arguments=["intel_iommu=on"])["advice"][0]


class TestOtherLoaders:
    CASES = [
        ({"/run/ostree-booted": ""}, "", "image (ostree)", "rpm-ostree kargs --append=iommu=pt"),
        ({}, "snapd_recovery_mode=run", "image (Ubuntu Core)", "system.kernel.cmdline-append='iommu=pt'"),
        ({}, "flatcar.first_boot=detected", "image (Flatcar)", "/oem/grub.cfg"),
        ({"/etc/kernel/proxmox-boot-uuids": "1234-ABCD\n"}, "", "proxmox-boot-tool", "proxmox-boot-tool refresh"),
        ({"/proc/xen/capabilities": "control_d\n"}, "", "Xen's first domain", "GRUB_CMDLINE_XEN"),
        ({"/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f":
          "\6\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0" "2\0" "5\0" "7\0"}, "", "started by systemd-boot 257",
         "/etc/kernel/cmdline"),
    ]

    @pytest.mark.parametrize(("files", "running", "reason", "way"), CASES)
    def test_are_refused_with_the_way_by_hand(self, tmp_path, files, running, reason, way):
        machine = debian(tmp_path, running=running)
        for path, text in files.items():
            machine.write(path, text)
        with pytest.raises(errors.Refused) as caught:
            machine.converge(arguments=["iommu=pt"])
        assert reason in str(caught.value)
        assert way in str(caught.value)
        assert machine.calls == []

    @pytest.mark.parametrize(("gone", "added", "said"), [
        ("boot/grub/grub.cfg", None, "/boot is not mounted"),
        ("usr/sbin/update-grub", None, "no boot loader that is known here"),
        ("usr/sbin/update-grub", "/usr/sbin/grub2-mkconfig", "grub2-mkconfig -o /boot/grub2/grub.cfg"),
        ("usr/sbin/update-grub", "/boot/extlinux/extlinux.conf", "the lines APPEND"),
        ("usr/sbin/update-grub", "/boot/firmware/cmdline.txt", "Raspberry Pi"),
        ("usr/sbin/update-grub", "/boot/loader/entries/a.conf", "install grubby"),
    ])
    def test_what_is_missing_is_named(self, tmp_path, gone, added, said):
        machine = debian(tmp_path)
        (tmp_path / gone).unlink()
        if added:
            machine.write(added, "")
        with pytest.raises(errors.Refused) as caught:
            machine.converge(arguments=["iommu=pt"])
        assert said in str(caught.value)

    def test_a_grub_that_reads_no_drop_ins(self, tmp_path):
        machine = debian(tmp_path)
        machine.write("/usr/sbin/grub-mkconfig", "#! /bin/sh\n. ${sysconfdir}/default/grub\n")
        with pytest.raises(errors.Refused, match="does not read /etc/default/grub.d"):
            machine.converge(arguments=["iommu=pt"])

    def test_nothing_is_refused_when_the_kernel_runs_as_declared(self, tmp_path):
        machine = debian(tmp_path, running="iommu=pt")
        machine.write("/run/ostree-booted", "")
        result = machine.converge(arguments=["iommu=pt"], absent=["nosmt"])
        assert (result["changed"], result["boot_loader"], result["reboot_needed"]) == (False, None, False)
