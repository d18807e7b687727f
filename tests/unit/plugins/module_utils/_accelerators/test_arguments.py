# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments: what is valid, what counts, what stands against what."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import arguments
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.from_regex(r"[a-z_]{1,8}([.][a-z_]{1,5})?(=[a-z0-9,:@+]{1,8})?", fullmatch=True)


@pytest.mark.parametrize(("given_arguments", "absent", "said"), [
    (["iommu=pt quiet"], [], "arguments[0]: 'iommu=pt quiet' holds ' '"),
    (["a=\"b\""], [], "holds '\"'"),
    (["a='b'"], [], "holds \"'\""),
    (["a=b\nc"], [], "holds '\\n'"),
    (["a=\0"], [], "holds '\\x00'"),
    (["a=$HOME"], [], "holds '$'"),
    (["pci=resource_alignment=20@0000:01:00.0;1"], [], "holds ';'"),
    (["a=b\\"], [], "holds '\\\\'"),
    ([""], [], "arguments[0]: '' is empty"),
    (["=on"], [], "does not begin with a name"),
    (["-x"], [], "does not begin with a name"),
    (["iommu="], [], "has no value"),
    (["root=/dev/sda1"], [], "written by the boot loader itself"),
    ([], ["ro"], "absent[0]: 'ro' is written by the boot loader"),
    (["iommu=pt"], ["iommu"], "arguments[0]: 'iommu=pt' is declared absent too, by 'iommu'"),
    (["vfio-pci.ids=10de:2335"], ["vfio_pci.ids=10de:2335"], "is declared absent too"),
    (["quiet", "quiet"], [], "arguments[1]: 'quiet' is declared twice"),
    (["vfio_pci.ids=1", "vfio-pci.ids=1"], [], "is declared twice"),
    (["mitigations=off", "mitigations=auto"], [], "'mitigations=auto' stands against 'mitigations=off'"),
    (["intel_iommu=on", "intel_iommu=off"], [], "'intel_iommu=off' stands against 'intel_iommu=on'"),
])
def test_what_cannot_be_right(given_arguments, absent, said):
    assert said in "\n".join(arguments.problems(given_arguments, absent))


@pytest.mark.parametrize(("given_arguments", "absent"), [
    ([], []),
    (["intel_iommu=on", "iommu=pt"], ["quiet", "intel_iommu=off"]),
    (["hugepagesz=1G", "hugepages=16", "hugepagesz=2M", "hugepages=16"], []),
    (["console=tty0", "console=ttyS0,115200n8"], ["console=hvc0"]),
    (["intel_iommu=on", "intel_iommu=sm_on"], []),
    (["isolcpus=managed_irq,domain,2-31", "vfio-pci.ids=10de:2335,10de:22a3", "nosmt"], []),
])
def test_what_is_right(given_arguments, absent):
    assert arguments.problems(given_arguments, absent) == []


@pytest.mark.parametrize(("line", "declared", "missing"), [
    ("quiet intel_iommu=on iommu=pt", ["intel_iommu=on", "iommu=pt"], []),
    ("intel_iommu=on,sm_on", ["intel_iommu=on"], []),
    ("intel_iommu=sm_on intel_iommu=on", ["intel_iommu=on,sm_on"], []),
    ("intel_iommu=on intel_iommu=off", ["intel_iommu=on"], ["intel_iommu=on"]),
    ("iommu=pt,nopt", ["iommu=pt"], ["iommu=pt"]),
    ("mitigations=off mitigations=auto", ["mitigations=off"], ["mitigations=off"]),
    ("mitigations=auto mitigations=off", ["mitigations=off"], []),
    ("nosmt=force", ["nosmt"], ["nosmt"]),
    ("vfio_pci.ids=10de:2335", ["vfio-pci.ids=10de:2335"], []),
    ('vfio_pci.ids="10de:2335"', ["vfio-pci.ids=10de:2335"], []),
    ("console=ttyS0 console=tty0", ["console=ttyS0"], []),
    ("hugepagesz=1G hugepages=16", ["hugepagesz=1G", "hugepages=16"], []),
    ("hugepages=16 hugepagesz=1G", ["hugepagesz=1G", "hugepages=16"], ["hugepagesz=1G", "hugepages=16"]),
    ("hugepagesz=1G hugepages=16 hugepagesz=2M hugepages=4", ["hugepagesz=1G", "hugepages=16"],
     ["hugepagesz=1G", "hugepages=16"]),
    ("nosmt -- iommu=pt", ["nosmt", "iommu=pt"], ["iommu=pt"]),
    ('dyndbg="file a.c +p" iommu=pt', ["iommu=pt"], []),
])
def test_what_counts(line, declared, missing):
    assert arguments.missing(arguments.split(line), declared) == missing


@pytest.mark.parametrize(("argument", "pattern", "expected"), [
    ("quiet", "quiet", True), ("iommu=pt", "iommu", True), ("iommu=pt", "iommu=pt", True),
    ("iommu=pt", "iommu=on", False), ("iommu.strict=1", "iommu", False), ("vfio-pci.ids=1", "vfio_pci.ids", True),
])
def test_what_absent_names(argument, pattern, expected):
    assert arguments.matches(argument, pattern) is expected


@pytest.mark.parametrize(("argument", "said"), [
    ("intel_iomu=on", "'intel_iomu=on': the kernel ignores names that it does not know; is 'intel_iommu' meant?"),
    ("hugepagez=16", "is 'hugepages"), ("mitigation=off", "is 'mitigations' meant?"), ("amd_iommu=on", "does nothing"),
])
def test_a_slip_of_the_pen_is_a_warning(argument, said):
    assert said in arguments.doubts([argument])[0]


@pytest.mark.parametrize("argument", ["intel_iommu=on", "my_own.setting=1", "rd.break", "systemd.unit=rescue", "foo"])
def test_what_is_known_or_far_from_it_is_no_slip(argument):
    assert arguments.doubts([argument]) == []


@given(st.lists(WORDS))
def test_a_command_line_is_split_as_it_was_joined(words):
    assert arguments.split(" ".join(words)) == words


@given(st.lists(WORDS, unique_by=lambda word: arguments.name_of(word)), st.text())
def test_what_is_there_is_not_missing(words, noise):
    assert arguments.missing(words, words) == []
    arguments.missing(arguments.split(noise), words)


@given(st.lists(st.text()), st.lists(st.text()))
def test_garbage_is_told_and_never_raises(first, second):
    assert all(isinstance(one, str) for one in arguments.problems(first, second))
    arguments.doubts(first)
    arguments.split(" ".join(first))
