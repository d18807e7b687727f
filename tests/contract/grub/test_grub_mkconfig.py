# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop-in and what is read of the menu, judged by Debian's real update-grub. tools/grub_root.py runs this.

Only grub-probe, which asks for the disk below ``/``, is a script that answers for one: a directory has no disk.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import arguments, boot, grub_menu, shell
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import execute
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host

ROOT = Path(os.environ["GRUB_ROOT"])
KERNELS = ("6.12.48+deb13-amd64", "6.12.43+deb13-amd64")
WANTED = ["intel_iommu=on", "iommu=pt"]
# In a mount namespace of its own: the settings and the menu are this test's, the programs are Debian's.
ENTER = """
set -e
mount --make-rprivate /
mount --bind "$1/etc/default" "$2/etc/default"
mount --bind "$1/boot" "$2/boot"
shift
root=$1
shift
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
"""


class Debian:
    """One host: the files of a test, the programs of the root."""

    def __init__(self, root, settings=None, drop_ins=None):
        self.root = root
        shutil.copytree(ROOT / "etc/default", root / "etc/default")
        (root / "etc/default/grub.d").mkdir(exist_ok=True)
        source = (ROOT / "usr/share/grub/default/grub").read_text(encoding="utf-8")
        (root / "etc/default/grub").write_text(settings(source) if settings else source, encoding="utf-8")
        for name, text in (drop_ins or {}).items():
            (root / "etc/default/grub.d" / name).write_text(text, encoding="utf-8")
        (root / "boot/grub").mkdir(parents=True)
        for kernel in KERNELS:
            (root / "boot" / f"vmlinuz-{kernel}").touch()
            (root / "boot" / f"initrd.img-{kernel}").touch()
        (root / "usr/sbin").mkdir(parents=True)
        for name in ("update-grub", "grub-mkconfig"):
            shutil.copy(ROOT / "usr/sbin" / name, root / "usr/sbin" / name)
        (root / "proc").mkdir()
        (root / "proc/cmdline").write_text("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet\n", encoding="utf-8")
        (root / "proc/cpuinfo").write_text("vendor_id\t: GenuineIntel\n", encoding="utf-8")
        done = self.run(["update-grub"], 120)
        assert done.ok, done.stderr

    def run(self, argv, timeout):
        return execute(["unshare", "--mount", "sh", "-c", ENTER, "sh", str(self.root), str(ROOT), *argv], timeout)

    def converge(self, check_mode=False, **params):
        given = {"arguments": [], "absent": [], "iommu": False, "allow_interruption": False, "expected_actions": None}
        return host_module.converge(boot, Host(str(self.root), runner=self.run), dict(given, **params), check_mode)

    @property
    def menu(self):
        return (self.root / "boot/grub/grub.cfg").read_text(encoding="utf-8")

    def lines(self):
        """(whether of a recovery entry, arguments) of every line that loads a kernel: read without our parser."""
        found = re.findall(r"^\s*linux\s+/boot/vmlinuz-\S+ (.*)$", self.menu, re.M)
        return [("single" in line.split(), line.split()) for line in found]


def test_the_real_menu_carries_what_is_declared(tmp_path):
    host = Debian(tmp_path / "host")
    result = host.converge(arguments=WANTED)
    assert [one["kind"] for one in result["actions"]] == ["GRUB drop-in", "boot menu"]
    lines = host.lines()
    assert [recovery for recovery, words in lines] == [False, False, True, False, True]
    assert all(set(WANTED) <= set(words) for recovery, words in lines)
    assert [words[-3:] for recovery, words in lines if not recovery] == [[*WANTED, "quiet"]] * 3
    assert host.converge(arguments=WANTED)["changed"] is False


def test_the_real_menu_is_read_as_it_is(tmp_path):
    found = grub_menu.read(Debian(tmp_path / "host").menu)
    assert found["complete"] is True
    assert [one["title"] for one in found["entries"]] == [
        "Debian GNU/Linux", *["Debian GNU/Linux, with Linux " + kernel for kernel in KERNELS]]
    assert all(one["arguments"] == ["root=/dev/vda1", "ro", "quiet"] for one in found["entries"])


def test_what_goes_is_gone_from_the_real_menu(tmp_path):
    host = Debian(tmp_path / "host")
    host.converge(arguments=[*WANTED, "nosmt"])
    host.converge(absent=["intel_iommu", "iommu=pt"])
    assert [words[-2:] for recovery, words in host.lines() if not recovery] == [["nosmt", "quiet"]] * 3
    host.converge(absent=["nosmt"])
    assert not (tmp_path / "host/etc/default/grub.d/90-sovereign-region.cfg").exists()
    assert "nosmt" not in host.menu


def test_every_letter_that_is_allowed_reaches_the_real_menu(tmp_path):
    host = Debian(tmp_path / "host")
    odd = ["pci=resource_alignment=20@0000:01:00.0,noacs", "isolcpus=managed_irq,domain,2-31", "a.b=[c](d)~!?*%^+",
           "hugepagesz=1G", "hugepages=16", "hugepagesz=2M", "hugepages=16", "vfio-pci.ids=10de:2335,10de:22a3"]
    assert arguments.problems(odd, []) == []
    host.converge(arguments=odd)
    assert all(words[2:-1] == odd for recovery, words in host.lines() if not recovery)
    checked = host.run(["grub-script-check", "/boot/grub/grub.cfg"], 60)
    assert checked.ok, checked.stderr


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.8])
def test_a_menu_that_was_cut_off_is_made_again(tmp_path, part):
    host = Debian(tmp_path / "host")
    host.converge(arguments=WANTED)
    whole = host.menu
    (tmp_path / "host/boot/grub/grub.cfg").write_text(whole[:int(len(whole) * part)], encoding="utf-8")
    assert [one["kind"] for one in host.converge(arguments=WANTED)["actions"]] == ["boot menu"]
    assert host.menu == whole


def test_a_kill_before_the_menu_is_seen(tmp_path):
    host = Debian(tmp_path / "host")
    (tmp_path / "host/etc/default/grub.d/90-sovereign-region.cfg").write_text(
        'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX intel_iommu=on iommu=pt"\n', encoding="utf-8")
    assert host.converge(arguments=WANTED)["actions"][-1]["before"]["missing"] == WANTED
    assert all(set(WANTED) <= set(words) for recovery, words in host.lines())


SETTINGS = [
    (lambda text: text.replace('LINUX=""', "LINUX='nosmt console=tty0'"), {}),
    (lambda text: text + "GRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX:+$GRUB_CMDLINE_LINUX }mitigations=auto\"\n",
     {"kdump-tools.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=512M"\n'}),
    (lambda text: text, {"50-cloudimg-settings.cfg": "# cloud\nGRUB_CMDLINE_LINUX_DEFAULT=\"console=tty1 \\\n"
                                                     "  console=ttyS0\"\nGRUB_TERMINAL=console\n"}),
    (lambda text: text, {"10-x.cfg": "A=nosmt; export GRUB_CMDLINE_LINUX=$A\\ splash # end\n"}),
]


@pytest.mark.parametrize(("settings", "drop_ins"), SETTINGS)
def test_the_settings_are_read_as_grub_mkconfig_reads_them(tmp_path, settings, drop_ins):
    host = Debian(tmp_path / "host", settings, drop_ins)
    observed = boot.observe(Host(str(tmp_path / "host")), {})["boot"]
    state = shell.source([(path, text) for path, text in observed["files"]])
    ours = [word for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")
            for word, path, line in shell.words(state.values.get(name, ()))]
    assert all(words[2:] == ours for recovery, words in host.lines() if not recovery)
    assert host.converge(arguments=["iommu=pt"])["changed"] is True
    assert all("iommu=pt" in words for recovery, words in host.lines())


def test_a_file_that_grub_mkconfig_cannot_read_is_refused_before(tmp_path):
    host = Debian(tmp_path / "host")
    (tmp_path / "host/etc/default/grub.d/10-x.cfg").write_text('GRUB_TIMEOUT="5\n', encoding="utf-8")
    assert not host.run(["update-grub"], 60).ok
    with pytest.raises(errors.Refused, match="10-x.cfg:1: a double quote is opened"):
        host.converge(arguments=WANTED)


def test_the_root_is_the_real_one():
    command = ["dpkg", "--root", str(ROOT), "-l", "grub2-common"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith("ii  grub2-common")
