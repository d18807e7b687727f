# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver, Secure Boot, modules and kernel log of a host."""

from __future__ import annotations

import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._hardware import (
    kernel_log,
    modules,
    nvidia_driver,
    secure_boot,
)
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._hardware.smi_documents import (
    CAPTURES,
    host_with,
)
from hypothesis import given
from hypothesis import strategies as st

RELEASE = "6.12.94+deb13-amd64"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.163.01  Release Build  (buildd@debian)  Mon\n"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Sat Feb 24 22:46:26 UTC 2024\nGCC version:  gcc\n"
DEPENDENCIES = """kernel/drivers/video/fbdev/nvidia/nvidiafb.ko.xz: kernel/drivers/video/vgastate.ko.xz
kernel/drivers/perf/nvidia_cspmu.ko.xz:
updates/dkms/nvidia-current-open.ko.xz: kernel/drivers/video/video.ko.xz
updates/dkms/nvidia-current-open-drm.ko.xz: updates/dkms/nvidia-current-open.ko.xz
updates/dkms/nvidia-current-open-uvm.ko.xz: updates/dkms/nvidia-current-open.ko.xz
"""
MODINFO = """filename:       /lib/modules/6.12.94+deb13-amd64/updates/dkms/nvidia-current-open.ko.xz
firmware:       nvidia/550.163.01/gsp_tu10x.bin
version:        550.163.01
license:        Dual MIT/GPL
signer:         DKMS module signing key
sig_key:        30:3B
"""
SECURE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM = "/sys/firmware/efi/efivars/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"
XID = "NVRM: Xid (PCI:0000:01:00): 143, pid='<unknown>', name=<unknown>, Timeout while polling for FSP boot complete"


def machine(root, files=None, **answers):
    known = {"/proc/sys/kernel/osrelease": RELEASE + "\n", **(files or {})}
    base = " -b {0}".format(os.path.realpath(root))
    return host_with(root, {
        "modinfo -k {0}{1} {2}".format(RELEASE, base, name.replace("_", "-")): answer
        for name, answer in answers.items()}, known)


def test_a_host_without_the_driver(tmp_path):
    host = machine(tmp_path, {"/lib/modules/{0}/modules.dep".format(RELEASE): "kernel/fs/ext4/ext4.ko:\n"})
    assert nvidia_driver.observe(host) is None
    assert host.counts.started == 0


def test_running_open_and_installed(tmp_path):
    found = nvidia_driver.observe(machine(tmp_path, {
        "/proc/driver/nvidia/version": OPEN,
        "/lib/modules/{0}/modules.dep".format(RELEASE): DEPENDENCIES,
        "/lib/firmware/nvidia/550.163.01/gsp_ga10x.bin": "x", "/lib/firmware/nvidia/gm206/acr/bl.bin": "x",
        "/proc/driver/nvidia-nvswitch/devices/0000:c1:00.0/information": "x",
    }, nvidia_current_open=(0, MODINFO)))
    assert found == {
        "version": "550.163.01", "open": True, "installed_version": "550.163.01", "installed_open": True,
        "signer": "DKMS module signing key",
        "installed": [{"module": "nvidia-current-open", "version": "550.163.01", "open": True,
                       "signer": "DKMS module signing key"}],
        "gsp_firmware": {"550.163.01": ["gsp_ga10x.bin"]}, "gsp_matches": True,
        "fabric_manager": {"installed": False, "running": False, "version": None, "mode": None},
        "nvswitches": 1, "status": "ok"}


def test_without_tools_no_process_is_started(tmp_path):
    host = machine(tmp_path, {
        "/proc/driver/nvidia/version": OPEN, "/usr/bin/nv-fabricmanager": "",
        "/lib/modules/{0}/modules.dep".format(RELEASE): DEPENDENCIES}, nvidia_current_open=(0, MODINFO))
    found = nvidia_driver.observe(host, tools=False)
    assert host.counts.started == 0
    assert (found["version"], found["installed_version"]) == ("550.163.01", None)
    assert found["fabric_manager"]["installed"] and found["status"].startswith("skipped: ")


@pytest.mark.parametrize("text, expected", [
    (OPEN, ("550.163.01", True)), (CLOSED, ("535.161.08", False)), (None, (None, None)), ("", (None, None)),
    ("NVRM version: garbage\n", (None, None)),
    ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95  Release", ("580.95", True))])
def test_the_running_driver(text, expected):
    assert nvidia_driver.running_driver(text) == expected


def test_an_upgrade_without_a_reboot_shows_both_versions(tmp_path):
    installed = MODINFO.replace("nvidia-current-open", "nvidia")
    found = nvidia_driver.observe(machine(
        tmp_path, {"/proc/driver/nvidia/version": CLOSED}, nvidia=(0, installed)))
    assert (found["version"], found["installed_version"]) == ("535.161.08", "550.163.01")
    assert (found["open"], found["installed_open"], found["gsp_matches"]) == (False, True, False)


def test_of_two_files_the_one_that_runs_is_reported(tmp_path):
    other = MODINFO.replace("-open", "").replace("Dual MIT/GPL", "NVIDIA").replace("signer: ", "x: ")
    found = nvidia_driver.observe(machine(tmp_path, {
        "/proc/driver/nvidia/version": OPEN,
        "/lib/modules/{0}/modules.dep".format(RELEASE): DEPENDENCIES + "updates/dkms/nvidia-current.ko.xz:\n",
    }, **{"nvidia_current nvidia_current_open": (0, other + MODINFO)}))
    assert found["signer"] == "DKMS module signing key" and found["installed_open"] is True
    assert [(one["module"], one["open"], one["signer"]) for one in found["installed"]] == [
        ("nvidia-current", False, None), ("nvidia-current-open", True, "DKMS module signing key")]


@pytest.mark.parametrize("answer, words", [
    (None, "there is no program modinfo"), ((1, "", "modinfo: ERROR: Module nvidia not found."), "not found"),
    ((None, ""), "gave no answer"), ((0, "garbage"), "printed no module")])
def test_modinfo_that_does_not_help_is_a_status(tmp_path, answer, words):
    answers = {"nvidia": answer} if answer else {}
    found = nvidia_driver.observe(machine(tmp_path, {"/proc/driver/nvidia/version": OPEN}, **answers))
    assert found["status"].startswith("partial: ") and words in found["status"]
    assert found["version"] == "550.163.01" and found["installed_version"] is None


@pytest.mark.parametrize("files, running", [
    ({}, False),
    ({"/run/nvidia-fabricmanager/nv-fabricmanager.pid": "77\n"}, False),
    ({"/run/nvidia-fabricmanager/nv-fabricmanager.pid": "77\n", "/proc/77/comm": "nv-fabricmanage\n"}, True),
    ({"/sys/fs/cgroup/system.slice/nvidia-fabricmanager.service/cgroup.procs": "77\n"}, True)])
def test_fabric_manager(tmp_path, files, running):
    configuration = "/usr/share/nvidia/nvswitch/fabricmanager.cfg"
    host = machine(tmp_path, {"/usr/bin/nv-fabricmanager": "", configuration: "# x\nFABRIC_MODE=1\n", **files})
    host._runner.answers["nv-fabricmanager --version"] = (0, "Fabric Manager version is : 550.163.01\n")
    assert nvidia_driver.observe(host)["fabric_manager"] == {
        "installed": True, "running": running, "version": "550.163.01", "mode": 1}


@pytest.mark.parametrize("text", [MODINFO, *(
    path.read_text() for path in sorted(CAPTURES.glob("nvidia-driver/s*/78-modinfo.stdout")))])
def test_modinfo_of_a_real_module(text):
    (one,) = nvidia_driver.parse_modinfo(text)
    assert (one["module"], one["version"], one["signer"]) == (
        "nvidia-current-open", "550.163.01", "DKMS module signing key")


@pytest.mark.parametrize("files, expected", [
    ({SECURE: b"\x06\0\0\0\x01", "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n"},
     (True, "integrity", "ok")),
    ({SECURE: b"\x06\0\0\0\x00", "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n"},
     (False, "none", "ok")),
    ({SECURE: b"\x06\0\0\0\x01", SHIM: b"\x06\0\0\0\x01"}, (False, None, "ok")),
    ({SECURE: b"\x06\0\0\0\x01", SHIM: b"\x07\0\0\0\x01"}, (True, None, "ok")),
    ({SECURE: b"\x06\0\0\0\x01", SHIM: b"\x06\0\0\0\x00"}, (True, None, "ok")),
    ({"/sys/firmware/acpi/tables/DSDT": b""}, (False, None, "ok")),
])
def test_secure_boot(tmp_path, files, expected):
    assert secure_boot.observe(host_with(tmp_path, {}, files)) == expected


@pytest.mark.parametrize("files", [
    {}, {"/sys/firmware/efi/fw_platform_size": "64"}, {SECURE: b""}, {SECURE: b"\x06\0\0\0"}, {SECURE: b"garbage"}])
def test_secure_boot_that_cannot_be_told_is_unknown(tmp_path, files):
    state, _lockdown, status = secure_boot.observe(host_with(tmp_path, {}, files))
    assert state is None and status.startswith("partial: ")


@given(st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=8), st.none() | st.text())
def test_any_bytes_raise_nothing(variable, shim, text):
    assert secure_boot.enabled(variable, shim) in (True, False, None)
    secure_boot.lockdown(text)


def test_modules(tmp_path):
    found = modules.observe(host_with(tmp_path, {}, {
        "/proc/modules": "nvidia_uvm 4927488 0 - Live 0x0\nnvidia 10211328 2 nvidia_uvm,nvidia_modeset, Live 0x0\n"
                         "nvgrace_gpu_vfio_pci 20480 0 - Live 0x0\next4 1 1 - Live 0x0\ngarbage\nx y z w\n",
        "/sys/module/vfio_pci/uevent": "", "/sys/module/gim/refcnt": "3\n", "/sys/module/gim/holders/other": ""}))
    assert found["nvidia"] == {
        "loaded": True, "refcnt": 2, "used_by": ["nvidia_uvm", "nvidia_modeset"], "builtin": False}
    assert found["nvidia_uvm"]["used_by"] == []
    assert found["vfio_pci"] == {"loaded": True, "refcnt": None, "used_by": [], "builtin": True}
    assert found["gim"] == {"loaded": True, "refcnt": 3, "used_by": ["other"], "builtin": False}
    assert found["nouveau"] == {"loaded": False, "refcnt": 0, "used_by": [], "builtin": False}
    assert found["nvgrace_gpu_vfio_pci"]["loaded"] and "ext4" not in found and "x" not in found


def test_modules_of_nothing(tmp_path):
    assert set(modules.observe(host_with(tmp_path))) == set(modules.NAMES)


@given(st.text())
def test_modules_of_any_text(text):
    modules.parse(text)
    nvidia_driver.parse_modinfo(text)
    nvidia_driver.module_names(text)
    nvidia_driver.running_driver(text)


@pytest.mark.parametrize("line, expected", [
    ("6,1234,120345432,-;" + XID, ("0000:01:00.0", 143, 120.345432)),
    ("[  120.345432] " + XID, ("0000:01:00.0", 143, 120.345432)),
    ("<4>[    1.5] NVRM: Xid (PCI:0001:C8:00 GPU-I:05 GPU-CI:00): 94, pid=7194, Contained", ("0001:c8:00.0", 94, 1.5)),
    ("May 6 kernel: NVRM: Xid (0000:01:00): 13, 0005 00000000", ("0000:01:00.0", 13, None)),
    ("NVRM: Xid (PCI:0000:00:1e): 31", ("0000:00:1e.0", 31, None)),
])
def test_an_xid(line, expected):
    ((where, (one,)),) = kernel_log.parse(line + "\n SUBSYSTEM=pci\n").items()
    assert (where, one["xid"], one["time"]) == expected


def test_messages_are_kept_and_storms_are_not(tmp_path):
    host = host_with(tmp_path, {}, {"/dev/kmsg": "".join(
        "6,{0},{0}000000,-;{1}\n".format(number, XID) for number in range(500))})
    found, status = kernel_log.xids(host)
    assert status == "ok" and len(found["0000:01:00.0"]) == kernel_log.MOST_PER_DEVICE
    assert found["0000:01:00.0"][-1] == {"xid": 143, "time": 499.0, "message": XID.split(": 143, ")[1]}
    assert kernel_log.xids(host_with(tmp_path), path="/var/log/none") == ({}, "absent")


def test_a_kernel_log_that_must_not_be_read(tmp_path, monkeypatch):
    host = host_with(tmp_path)

    def refuse(path):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(host, "read_records", refuse)
    found, status = kernel_log.xids(host)
    assert found == {} and status.startswith("error: /dev/kmsg: Operation not permitted")


@given(st.text())
def test_any_log_raises_nothing(text):
    kernel_log.parse(text)
    kernel_log.parse("NVRM: Xid (" + text)
    kernel_log.parse(XID[:len(text)])


LOGS = sorted(CAPTURES.glob("nvidia-driver/b-gh100-boot0/28-nvidia-smi-q-x.dmesg"))


@pytest.mark.parametrize("text", ["[  120.345432] " + XID + "\n", *(path.read_text() for path in LOGS)])
def test_the_xid_of_a_real_driver(text):
    ((where, (one,)),) = kernel_log.parse(text).items()
    assert (where, one["xid"], one["time"]) == ("0000:01:00.0", 143, 120.345432)
