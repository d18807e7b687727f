# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel and the operating system of a host say."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import kernel
from ansible_collections.sovereign.region.tests.unit.synthetic_host.pci_tree import ALIASES, RELEASE, Tree, h200
from hypothesis import given
from hypothesis import strategies as st


def host_of(tree):
    return Host(str(tree.root))


@pytest.mark.parametrize("text, expected", [
    ("root=/dev/vda1 ro quiet", ["root=/dev/vda1", "ro", "quiet"]),
    ('a="b c" dyndbg="file x +p; y"', ['a="b c"', 'dyndbg="file x +p; y"']),
    ('broken="never closed', ['broken="never closed']),
    ("", []), (None, []), ("   \n", []),
])
def test_arguments_keep_their_order_and_their_quotes(text, expected):
    assert kernel.arguments(text) == expected


@given(st.text())
def test_no_argument_is_lost(text):
    joined = "".join(kernel.arguments(text))
    assert joined == "".join(text.split()) or '"' in text


@pytest.mark.parametrize("chips, expected", [
    (["IR-IO-APIC", "IR-PCI-MSI-0000:00:01.0"], True),
    (["DMAR-MSI", "IR-PCI-MSIX-0000:41:00.0"], True),
    (["IO-APIC", "PCI-MSI-0000:00:01.0"], False),
    (["PCI-MSIX-0000:00:01.0"], False),
    (["DMAR-MSI", "HPET-MSI"], None),
    (["GICv3", "ITS-MSI"], None),
    ([], None),
    (["", "\x00"], None),
])
def test_interrupt_remapping_is_told_by_what_is_in_use(tmp_path, chips, expected):
    tree = Tree(tmp_path)
    tree.interrupts(*chips)
    assert kernel.interrupt_remapping(host_of(tree)) is expected


def test_interrupt_remapping_is_not_guessed_from_the_command_line(tmp_path):
    tree = Tree(tmp_path)
    tree.write("proc/cmdline", "intel_iommu=on intremap=on\n")
    assert kernel.interrupt_remapping(host_of(tree)) is None


def test_interrupts_are_not_read_without_end(tmp_path):
    tree = Tree(tmp_path)
    tree.interrupts(*["dummy"] * 100)
    host = host_of(tree)
    assert kernel.interrupt_remapping(host) is None
    assert host.counts.opened == 64


def test_the_iommu(tmp_path):
    tree = Tree(tmp_path)
    h200(tree)
    h200(tree, "51")
    tree.write("sys/kernel/iommu_groups/2/type", "DMA-FQ\n")
    found = kernel.iommu(host_of(tree), {1, 2})
    assert found == {"enabled": True, "groups": 2, "interrupt_remapping": None, "translation": "DMA-FQ, identity"}
    assert kernel.iommu(host_of(tree))["translation"] == "identity"


def test_no_iommu(tmp_path):
    assert kernel.iommu(Host(str(tmp_path))) == {
        "enabled": False, "groups": 0, "interrupt_remapping": None, "translation": None}


def test_hugepages_of_each_node(tmp_path):
    tree = Tree(tmp_path)
    tree.hugepages(1, 1048576, 480, 12)
    tree.hugepages(0, 2048, 0, 0)
    tree.write("sys/devices/system/node/node0/hugepages/hugepages-garbage/nr_hugepages", "1\n")
    assert kernel.hugepages(host_of(tree)) == [
        {"size_kib": 2048, "node": 0, "total": 0, "free": 0},
        {"size_kib": 1048576, "node": 1, "total": 480, "free": 12}]


def test_hugepages_without_nodes(tmp_path):
    tree = Tree(tmp_path)
    tree.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n")
    assert kernel.hugepages(host_of(tree)) == [{"size_kib": 2048, "node": None, "total": 8, "free": None}]


@pytest.mark.parametrize("text, expected", [
    ('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n', {"id": "rhel", "id_like": ["fedora"], "version_id": "9.6"}),
    ("ID=debian\nVERSION_ID='13'\n", {"id": "debian", "id_like": [], "version_id": "13"}),
    ("# ID=no\nnothing\n=\n", {"id": None, "id_like": [], "version_id": None}),
])
def test_os_release(tmp_path, text, expected):
    tree = Tree(tmp_path)
    tree.write("etc/os-release", text)
    assert kernel.os_release(host_of(tree)) == expected


def test_memory_and_processors(tmp_path):
    tree = Tree(tmp_path)
    assert kernel.memory_kib(host_of(tree)) == 2113456128
    tree.write("sys/devices/system/cpu/online", "0-3,8,10-11\n")
    assert kernel.cpus(host_of(tree)) == 7
    tree.write("sys/devices/system/cpu/online", "all\n")
    assert kernel.cpus(host_of(tree)) is None


def test_overrides_that_driverctl_restores(tmp_path):
    tree = Tree(tmp_path)
    tree.write("etc/driverctl.d/pci-0000:41:00.0", "vfio-pci\n")
    tree.write("etc/driverctl.d/pci-0000:42:00.0", "")
    tree.write("etc/driverctl.d/pci-0000:43:00.0", b"\x00\x01")
    tree.write("etc/driverctl.d/vmbus-4f6b", "uio_hv_generic\n")
    tree.write("etc/driverctl.d/.pci-0000:44:00.0.new", "vfio-pci\n")
    assert kernel.driver_overrides(host_of(tree)) == {"0000:41:00.0": "vfio-pci"}


ALIAS_LIST = [("pci:" + line.split()[1].partition(":")[2], line.split()[2])
              for line in ALIASES.splitlines() if "vfio_pci:" in line]


@pytest.mark.parametrize("modalias, registered, expected", [
    ("pci:v000010DEd00002335sv000010DEsd000018BEbc03sc02i00", [], "vfio-pci"),
    ("pci:v000010DEd00002342sv000010DEsd000016EBbc03sc02i00", [], "nvgrace_gpu_vfio_pci"),
    ("pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00", ["mlx5_vfio_pci"], "mlx5_vfio_pci"),
    ("pci:v000019E5d0000A255sv000019E5sd00000001bc02sc00i00", [], "hisi-acc-vfio-pci"),
    ("pci:v000010DEd00002342sv000010DEsd000016EBbc03sc02i00", ["nvgrace-gpu-vfio-pci"], "nvgrace-gpu-vfio-pci"),
    (None, [], "vfio-pci"),
    ("pci:[", [], "vfio-pci"),
])
def test_the_variant_driver_with_the_fewest_wildcards_wins(modalias, registered, expected):
    assert kernel.best_vfio_driver(modalias, ALIAS_LIST, registered) == expected
    assert kernel.best_vfio_driver(modalias, ALIAS_LIST[::-1], registered) == expected


def test_aliases_are_those_of_the_running_kernel(tmp_path):
    tree = Tree(tmp_path)
    assert kernel.vfio_aliases(host_of(tree), RELEASE) == (ALIAS_LIST, "ok")
    assert kernel.vfio_aliases(host_of(tree), "6.1.0")[1] == "absent"
    assert kernel.vfio_aliases(host_of(tree), "../../etc")[1].startswith("error")
    assert kernel.vfio_aliases(host_of(tree), None)[1].startswith("error")


def test_a_kernel_without_the_file(tmp_path):
    tree = Tree(tmp_path)
    (tmp_path / f"lib/modules/{RELEASE}/modules.alias").rename(tmp_path / f"lib/modules/{RELEASE}/other")
    assert kernel.vfio_aliases(host_of(tree), RELEASE) == (
        [], f"error: /lib/modules/{RELEASE}/modules.alias cannot be read")
