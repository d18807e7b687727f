# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GRUB's menu and the entries of the Boot Loader Specification say, and what our drop-in holds."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import (
    arguments,
    grub,
    grub_menu,
    grubby,
)
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.boot_hosts import (
    debian,
    menu,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# In the shape of an Ubuntu cloud image: two kernels in one entry, and the initrd left out at first.
UBUNTU = """\
### BEGIN /etc/grub.d/10_linux ###
menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple-PARTUUID' {
\trecordfail
\tload_video
\tif [ "${initrdfail}" = 1 ]; then
\t  linux\t/boot/vmlinuz-6.8.0-71-generic root=PARTUUID=aa ro  iommu=pt console=tty1 console=ttyS0
\t  initrd\t/boot/initrd.img-6.8.0-71-generic
\telse
\t  linux\t/boot/vmlinuz-6.8.0-71-generic root=PARTUUID=aa ro  console=tty1 console=ttyS0 panic=-1 $vt_handoff
\t  #Dont attempt ext4
\tfi
}
### END /etc/grub.d/10_linux ###
### BEGIN /etc/grub.d/20_memtest86+ ###
menuentry "Memory test (memtest86+x64.efi)" {
\tlinux\t/boot/memtest86+x64.efi console=ttyS0,115200
}
### END /etc/grub.d/20_memtest86+ ###
### BEGIN /etc/grub.d/40_custom ###
menuentry 'Mine' {
\tlinux /boot/vmlinuz-mine root=/dev/sdb1
}
### END /etc/grub.d/40_custom ###
"""


def test_normal_entries_and_only_those_are_judged():
    found = grub_menu.read(menu("iommu=pt", "quiet"))
    assert found["complete"] is True
    assert [one["title"] for one in found["entries"]] == [
        "Debian GNU/Linux", "Debian GNU/Linux, with Linux 6.12.48+deb13-amd64",
        "Debian GNU/Linux, with Linux 6.12.43+deb13-amd64"]
    assert all(one["arguments"][-2:] == ["iommu=pt", "quiet"] for one in found["entries"])


def test_every_kernel_line_of_an_entry_counts():
    found = grub_menu.read(UBUNTU)
    assert found["complete"] is True
    assert [len(one["arguments"]) for one in found["entries"]] == [5, 6]
    assert arguments.missing(found["entries"][1]["arguments"], ["iommu=pt"]) == ["iommu=pt"]


def test_a_menu_without_sections_and_with_quoted_titles():
    text = ("menuentry \"A \\\"b\\\"\" {\n linux /vmlinuz ro 'iommu=pt'\n}\n"
            "menuentry 'It'\\''s' --unrestricted {\n linuxefi /vmlinuz ro nosmt\n}\n")
    found = grub_menu.read(text)
    assert found["entries"] == [{"title": 'A \\"b\\"', "arguments": ["ro", "iommu=pt"]},
                                {"title": "It'\\''s", "arguments": ["ro", "nosmt"]}]
    assert found["complete"] is True


@pytest.mark.parametrize("text", ["", "\n", "### BEGIN /etc/grub.d/10_linux ###\n", menu("", "")[:2000],
                                  "menuentry 'x' {\n\tlinux /vmlinuz\n"])
def test_a_menu_that_was_cut_off_is_not_complete(text):
    assert grub_menu.read(text)["complete"] is False


@given(st.one_of(st.text(), st.text(alphabet="{}'\"\n \tmenutrylix#BEGIND/_1"), st.integers(0, 6000).map(
    lambda place: menu("iommu=pt", "quiet")[:place])))
def test_a_menu_of_garbage_never_raises(text):
    found = grub_menu.read(text)
    assert all(isinstance(one, str) for entry in found["entries"] for one in entry["arguments"])


@given(st.lists(st.sampled_from(["iommu=pt", "nosmt", "console=tty0", "isolcpus=1-3", "a=~[b](c)*!?%^"]), min_size=1))
def test_our_drop_in_says_what_it_was_given(items):
    assert grub.own_arguments(grub.drop_in(items)) == items


def test_no_arguments_no_drop_in():
    assert grub.drop_in([]) is None
    assert grub.own_arguments(None) == []


def test_a_drop_in_is_sourced_where_its_name_belongs():
    files = [["/etc/default/grub", "GRUB_CMDLINE_LINUX=a"],
             ["/etc/default/grub.d/50-x.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX b"'],
             ["/etc/default/grub.d/kdump-tools.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX d"']]
    assert grub.sourced(files, grub.drop_in(["c"])).text("GRUB_CMDLINE_LINUX") == "a b c d"


BLOCK = "# GRUB Environment Block\nsaved_entry=abc\nkernelopts=root=/dev/sda1 ro iommu=pt \ntuned_params=\n" + "#" * 900


def test_variables_of_an_entry_are_looked_up():
    block = grubby.environment(BLOCK)
    assert block == {"saved_entry": "abc", "kernelopts": "root=/dev/sda1 ro iommu=pt ", "tuned_params": ""}
    text = "title x\noptions $kernelopts $tuned_params ${unknown}\noptions\tnosmt\ninitrd /i $tuned_initrd\n"
    assert grubby.entry("a.conf", text, block)["arguments"] == ["root=/dev/sda1", "ro", "iommu=pt", "nosmt"]


def test_what_grubby_tells():
    text = ('index=0\nkernel="/boot/vmlinuz-5"\nargs="ro iommu=pt $kernelopts"\nroot="/dev/sda1"\nid="x"\n'
            'index=1\nkernel=/boot/vmlinuz-4\nargs="ro"\nnon linux entry\nindex=2\nnon linux entry\n')
    assert grubby.info(text, {"kernelopts": "nosmt"}) == [
        {"name": "/boot/vmlinuz-5", "arguments": ["ro", "iommu=pt", "nosmt"]},
        {"name": "/boot/vmlinuz-4", "arguments": ["ro"]}]


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_garbage_from_grubby_never_raises(text, block):
    grubby.environment(text)
    grubby.info(text, block)
    grubby.info("index=0\n" + text, block)
    grubby.entry("x", text, block)


NAMES = ["nosmt", "iommu=pt", "intel_iommu=on", "intel_iommu=sm_on", "console=tty0", "console=ttyS0", "mitigations=off",
         "mitigations=auto", "hugepagesz=1G", "hugepages=8"]
DECLARED = st.lists(st.sampled_from(NAMES), unique=True, max_size=4)
SETTING = st.lists(st.sampled_from([*NAMES, "quiet"]), max_size=3).map(" ".join)


@pytest.mark.parametrize("first", [["console=tty0"], ["console=ttyS0"], ["nosmt", "console=tty0"]])
def test_the_order_of_consoles_is_as_declared_after_one_run(tmp_path, first):
    machine = debian(tmp_path)
    machine.converge(arguments=first)
    declared = ["console=ttyS0", "console=tty0"]
    machine.converge(arguments=declared)
    assert [one for one in machine.settings()[1][0].split() if one in declared] == declared
    assert machine.converge(arguments=declared)["changed"] is False


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DECLARED, DECLARED, st.lists(st.sampled_from(NAMES), unique=True, max_size=2), SETTING, SETTING)
def test_whatever_is_declared_holds_after_one_run_or_is_refused(tmp_path_factory, first, second, absent, every, normal):
    machine = debian(tmp_path_factory.mktemp("host"), "GRUB_CMDLINE_LINUX='{0}'\n".format(every), {
        "50-x.cfg": "GRUB_CMDLINE_LINUX_DEFAULT=\"{0}\"\n".format(normal)})
    try:
        machine.converge(arguments=first)
    except errors.RegionError as error:
        assert isinstance(error, (errors.DeclarationError, errors.Refused))
    try:
        machine.converge(arguments=second, absent=absent)
    except errors.RegionError as error:
        assert isinstance(error, (errors.DeclarationError, errors.Refused))
        return
    done, (now_every, now_normal) = machine.settings()
    assert now_every.split()[:len(every.split())] == every.split()
    assert now_normal == normal
    words = arguments.split(now_every + " " + now_normal)
    assert arguments.missing(words, second) == []
    assert not [one for one in words if any(arguments.matches(one, other) for other in absent)]
    assert machine.converge(arguments=second, absent=absent)["changed"] is False
