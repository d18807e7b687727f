# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a device, in one cheap pass, and never one card's holder on another card."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._hardware import device_nodes, holders
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._hardware.smi_documents import (
    CAPTURES,
    device,
    host_with,
)
from hypothesis import given, settings
from hypothesis import strategies as st

INFORMATION = "Model: \t\t NVIDIA H200\nDevice Minor: \t {0}\nGPU Excluded:\t No\n"
UUID = "c8ff0e0f-6a1c-4ab4-8a24-9f2d7f8e0a01"
VENDOR_VFIO = {"framework": "vendor_vfio", "type": "NVIDIA L40S-12Q", "mdevs": []}


def minors(*addresses):
    return {"/proc/driver/nvidia/gpus/{0}/information".format(where): INFORMATION.format(number)
            for number, where in enumerate(addresses)}


def process(pid, command, *targets):
    """Return (files, links) of a process with these files open, beside the usual ones."""
    opened = ["/dev/null", "socket:[4711]", "anon_inode:[eventpoll]", "/var/log/nvidia0.log", *targets]
    return ({"/proc/{0}/comm".format(pid): command + "\n"},
            {"/proc/{0}/fd/{1}".format(pid, number): target for number, target in enumerate(opened)})


def observed(root, devices, processes=(), files=None, links=None):
    files, links = dict(files or {}), dict(links or {"/proc/1/fd/0": "/dev/null"})
    for more_files, more_links in processes:
        files.update(more_files)
        links.update(more_links)
    host = host_with(root, {}, files, links)
    status = holders.observe(host, devices)
    json.dumps(devices)
    return status, host


def test_one_card_of_two_is_held(tmp_path):
    devices = [device("0000:06:00.0"), device("0000:07:00.0")]
    opened = ["/dev/nvidiactl", "/dev/nvidia1", "/dev/nvidia1", "/dev/nvidia-uvm"]
    status, _host = observed(
        tmp_path, devices, [process(42, "python3", *opened)], minors("0000:06:00.0", "0000:07:00.0"))
    assert status == "ok"
    assert devices[1]["holders"] == [{"kind": "process", "pid": 42, "command": "python3", "what": "/dev/nvidia1"}]
    assert devices[1]["in_use"] is True
    assert devices[0]["holders"] == [] and devices[0]["in_use"] is False


def test_nvidiactl_alone_holds_the_driver_and_no_card(tmp_path):
    devices = [device("0000:06:00.0"), device("0000:07:00.0", driver="vfio-pci")]
    observed(tmp_path, devices, [process(832, "sleep", "/dev/nvidiactl")], minors("0000:06:00.0"))
    assert devices[0]["holders"] == [] and devices[0]["in_use"] is False
    assert devices[0]["driver_holders"] == [
        {"kind": "driver", "pid": 832, "command": "sleep", "what": "/dev/nvidiactl"}]
    assert devices[1]["driver_holders"] == []


def test_a_minor_that_nobody_claims_counts_for_every_card_without_one(tmp_path):
    devices = [device("0000:06:00.0"), device("0000:07:00.0"), device("0000:08:00.0")]
    observed(tmp_path, devices, [process(42, "a", "/dev/nvidia2"), process(43, "b", "/dev/nvidia0")],
             minors("0000:06:00.0"))
    assert [[one["pid"] for one in each["holders"]] for each in devices] == [[43], [42], [42]]


@pytest.mark.parametrize("target", ["/dev/vfio/17", "/dev/vfio/devices/vfio3"])
def test_a_virtual_machine_has_the_whole_function(tmp_path, target):
    devices = [device("0000:06:00.0", driver="vfio-pci", iommu_group=17), device("0000:07:00.0", driver="vfio-pci")]
    observed(tmp_path, devices, [process(42, "qemu-system-x86", "/dev/vfio/vfio", target)],
             {"/sys/bus/pci/devices/0000:06:00.0/vfio-dev/vfio3/dev": "1:2"})
    assert devices[0]["holders"] == [{"kind": "vfio", "pid": 42, "command": "qemu-system-x86", "what": target}]
    assert [one["in_use"] for one in devices] == [True, False]


def test_all_functions_of_a_group_are_in_use_together(tmp_path):
    devices = [device("0000:06:00.0", driver="vfio-pci", iommu_group=17),
               device("0000:06:00.1", driver="vfio-pci", iommu_group=17)]
    observed(tmp_path, devices, [process(42, "qemu-system-x86", "/dev/vfio/17")])
    assert [one["in_use"] for one in devices] == [True, True]


def test_a_group_is_told_by_its_whole_path(tmp_path):
    devices = [device("0000:06:00.0", driver="vfio-pci", iommu_group=17)]
    observed(tmp_path, devices, [process(42, "vim", "/home/somebody/17", "/dev/pts/17", "/tmp/dev/vfio/17")])
    assert devices[0]["holders"] == [] and devices[0]["in_use"] is False


def test_a_vgpu_on_a_vf_holds_its_pf_too(tmp_path):
    devices = [device("0000:41:00.0", sriov={"role": "pf", "vfs": ["0000:41:00.4"]}),
               device("0000:41:00.4", iommu_group=30, sriov={"role": "vf", "pf": "0000:41:00.0"}, vgpu=VENDOR_VFIO),
               device("0000:41:00.5", iommu_group=31, sriov={"role": "vf", "pf": "0000:41:00.0"}, vgpu=VENDOR_VFIO)]
    observed(tmp_path, devices, [process(42, "qemu-kvm", "/dev/vfio/30")], minors("0000:41:00.0"))
    held = {"kind": "vgpu", "pid": 42, "command": "qemu-kvm", "what": "/dev/vfio/30"}
    idle = {"kind": "vgpu", "pid": None, "command": None, "what": "NVIDIA L40S-12Q"}
    assert devices[1]["holders"] == [held] and devices[2]["holders"] == [idle]
    assert devices[0]["holders"] == [dict(held, through="0000:41:00.4"), dict(idle, through="0000:41:00.5")]
    assert [one["in_use"] for one in devices] == [True, True, False]


@pytest.mark.parametrize("target", [None, "/dev/vfio/55", "/dev/vfio/devices/vfio9"])
def test_a_mediated_device_is_there_for_somebody(tmp_path, target):
    devices = [device("0000:41:00.0"), device("0000:42:00.0")]
    real = "/sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0/" + UUID
    observed(tmp_path, devices, [process(42, "qemu-kvm", *([target] if target else []))],
             {real + "/vfio-dev/vfio9/dev": "1:2"},
             {"/sys/bus/mdev/devices/" + UUID: "../../../devices/pci0000:40/0000:40:01.0/0000:41:00.0/" + UUID,
              real + "/iommu_group": "../../../../../kernel/iommu_groups/55"})
    (holder,) = devices[0]["holders"]
    assert holder["kind"] == "mdev" and holder["what"] == (target or UUID)
    assert holder["pid"] == (42 if target else None)
    assert [one["in_use"] for one in devices] == [True, False]


@pytest.mark.parametrize("vendor, driver, folder, target", [
    ("1002", "amdgpu", "drm/renderD128", "/dev/dri/renderD128"), ("8086", "xe", "drm/card1", "/dev/dri/card1"),
    ("1da3", "habanalabs", "accel/accel0", "/dev/accel/accel0"),
    ("1da3", "habanalabs", "accel/accel_controlD0", "/dev/accel/accel_controlD0"),
    ("1da3", "habanalabs", "accel/accel0", "/dev/accel/accel_controlD0"),
    ("1da3", "habanalabs", "habanalabs/hl2", "/dev/hl2"),
    ("1da3", "habanalabs", "habanalabs/hl2", "/dev/hl_controlD2")])
def test_nodes_of_other_makers(tmp_path, vendor, driver, folder, target):
    devices = [device("0000:06:00.0", vendor, driver=driver), device("0000:07:00.0", vendor, driver=driver)]
    observed(tmp_path, devices, [process(42, "python3", target)],
             {"/sys/bus/pci/devices/0000:06:00.0/{0}/dev".format(folder): "226:128"})
    assert [one["in_use"] for one in devices] == [True, False]


def test_kfd_holds_the_driver_and_a_partition_holds_every_card(tmp_path):
    devices = [device("0000:06:00.0", "1002", driver="amdgpu"), device("0000:07:00.0", "1002", driver="amdgpu")]
    observed(tmp_path, devices, [process(42, "python3", "/dev/kfd"), process(43, "python3", "/dev/dri/renderD153")],
             {"/sys/bus/pci/devices/0000:06:00.0/drm/renderD128/dev": "226:128"},
             {"/sys/class/drm/renderD153": "../../devices/platform/amdgpu_xcp_30/drm/renderD153",
              "/sys/class/drm/card9": "../../devices/pci0000:00/0000:00:02.0/drm/card9"})
    assert [[one["pid"] for one in each["holders"]] for each in devices] == [[43], [43]]
    assert [[one["pid"] for one in each["driver_holders"]] for each in devices] == [[42], [42]]


def test_a_node_that_was_removed_is_still_held(tmp_path):
    devices = [device("0000:06:00.0")]
    observed(tmp_path, devices, [process(42, "python3", "/dev/nvidia0 (deleted)")], minors("0000:06:00.0"))
    assert devices[0]["holders"][0]["what"] == "/dev/nvidia0"


def test_no_proc_is_a_status(tmp_path):
    devices = [device("0000:06:00.0")]
    host = host_with(tmp_path)
    assert holders.observe(host, devices).startswith("error: /proc: ")
    assert devices[0]["holders"] == [] and devices[0]["in_use"] is False


@pytest.mark.parametrize("refused", ["listdir", "readlink"])
def test_processes_of_others_are_named_in_the_status(tmp_path, monkeypatch, refused):
    devices = [device("0000:06:00.0")]
    files, links = process(42, "python3", "/dev/nvidia0")
    host = host_with(tmp_path, {}, {**files, **minors("0000:06:00.0")}, {**links, "/proc/43/fd/0": "/dev/nvidia0"})
    real = getattr(host, refused)

    def refuse(path):
        if path.startswith("/proc/43/fd"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(host, refused, refuse)
    folder = host.folder

    class Closed:
        def target_name(self, name):
            return None

    monkeypatch.setattr(host, "folder", lambda path: Closed() if path == "/proc/43/fd" else folder(path))
    status = holders.observe(host, devices)
    assert status.startswith("partial: the open files of 1 of 2 processes cannot be read as this user")
    assert [one["pid"] for one in devices[0]["holders"]] == [42]


def test_two_thousand_processes_are_one_pass(tmp_path):
    devices = [device("0000:{0:02x}:00.0".format(number), iommu_group=number) for number in range(8)]
    for pid in range(1, 2001):
        os.makedirs("{0}/proc/{1}/fd".format(tmp_path, pid))
        os.symlink("socket:[{0}]".format(pid), "{0}/proc/{1}/fd/3".format(tmp_path, pid))
    files, links = process(9999, "python3", "/dev/nvidia3")
    host = host_with(tmp_path, {}, {**files, **minors(*(one["address"] for one in devices))}, links)
    assert holders.observe(host, devices) == "ok"
    assert [one["in_use"] for one in devices] == [False] * 3 + [True] + [False] * 4
    # One listing for each process, and a handful for the devices; files are opened only for holders.
    assert host.counts.started == 0
    assert host.counts.listed <= 2001 + 1 + 2 * len(devices) + 2
    assert host.counts.opened <= 1 + len(devices)


INFORMATIONS = sorted(CAPTURES.glob("nvidia-driver/b-gh100-boot0/*-proc-information*.stdout"))


@pytest.mark.parametrize("text", [INFORMATION.format(0), *(path.read_text() for path in INFORMATIONS)])
def test_the_minor_that_a_real_driver_tells(text):
    assert device_nodes.minor_of(text) == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=30)
                | st.sampled_from(["/dev/nvidia0", "nvidia0", "/dev/vfio/17", "/dev/vfio/", "/", "17"]), max_size=6),
       st.text())
def test_any_link_and_any_text_raise_nothing(tmp_path_factory, targets, text):
    root = tmp_path_factory.mktemp("root")
    devices = [device("0000:06:00.0", iommu_group=17)]
    status, _host = observed(root, devices, [process(42, "x", *targets)],
                             {"/proc/driver/nvidia/gpus/0000:06:00.0/information": text.encode("utf-8", "replace")})
    assert status == "ok"
    held = {one["what"] for one in devices[0]["holders"]}
    assert held == {one for one in targets if one in ("/dev/nvidia0", "/dev/vfio/17")} or device_nodes.minor_of(text)


def test_sound_and_infiniband_have_holders_too(tmp_path):
    audio, nic = device("0000:06:00.1", driver="snd_hda_intel"), device("0000:07:00.0", driver="mlx5_core")
    base = "/sys/bus/pci/devices/"
    files = {base + "0000:06:00.1/sound/card1/" + name + "/dev": "116:3\n" for name in ("controlC1", "pcmC1D3p", "id")}
    files.update({base + "0000:07:00.0/" + name + "/dev": "231:192\n" for name in (
        "infiniband_verbs/uverbs0", "infiniband_mad/umad0", "infiniband/mlx5_0")})
    status, _host = observed(tmp_path, [audio, nic], [
        process(42, "pipewire", "/dev/snd/controlC1", "/dev/snd/controlC0"), process(43, "ib_write_bw",
                                                                                    "/dev/infiniband/uverbs0")], files)
    assert status == "ok"
    assert [one["what"] for one in audio["holders"]] == ["/dev/snd/controlC1"]
    assert [one["what"] for one in nic["holders"]] == ["/dev/infiniband/uverbs0"]
    assert audio["in_use"] and nic["in_use"]


@pytest.mark.parametrize("pids, namespace, status", [
    (("1", "42"), "pid:[4026531836]", "ok"),
    (("1", "42"), "pid:[4026532201]", "partial: /proc shows only some processes"),
    (("42",), "pid:[4026531836]", "partial: /proc shows only some processes"),
])
def test_in_another_pid_namespace_nobody_knows_all_holders(tmp_path, pids, namespace, status):
    class Real:
        """A synthetic host that says it is the one on which we run."""

        is_real = True

        def __getattr__(self, name):
            return getattr(host, name)

        def readlink(self, path):
            return namespace if path == "/proc/self/ns/pid" else host.readlink(path)

    host = host_with(tmp_path, {}, {}, {"/proc/{0}/fd/0".format(pid): "/dev/null" for pid in pids})
    assert holders.scan(Real(), device_nodes.Nodes())[1].startswith(status)
