# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute and memory partitions of AMD's GPUs."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import partitions
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import (
    Sliced,
    converge,
    said,
)

GPU = "0000:c1:00.0"


def host_with(folder, **more):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    host.card(GPU, "1002", "74a1", "120000", "amdgpu", **dict({
        "current_compute_partition": "SPX", "available_compute_partition": "SPX, DPX, QPX, CPX",
        "current_memory_partition": "NPS1", "available_memory_partition": "NPS1, NPS4"}, **more))
    return host


def test_a_compute_partition_is_set_when_that_is_allowed(tmp_path):
    host = host_with(tmp_path)
    with pytest.raises(errors.Refused, match="is divided anew, and its devices are named anew; nothing was changed"):
        converge(partitions, host, [{"address": GPU, "compute": "CPX"}], allowed=False)
    done = converge(partitions, host, [{"address": GPU, "compute": "CPX"}])
    assert said(done) == ["set compute partition 0000:c1:00.0"]
    assert host.here(GPU, "current_compute_partition") == "CPX"
    assert converge(partitions, host, [{"address": GPU, "compute": "CPX"}])["changed"] is False


def test_a_memory_partition_waits_for_the_driver_and_is_asked_for_once(tmp_path, monkeypatch):
    host = host_with(tmp_path)
    path = "sys/bus/pci/devices/{0}/current_memory_partition".format(GPU)
    kernel = host._written
    monkeypatch.setattr(host, "_written", lambda parts, text: 0 if "/".join(parts) == path else kernel(parts, text))
    wanted = [{"address": GPU, "compute": "CPX", "memory": "NPS4"}]
    done = converge(partitions, host, wanted)
    assert said(done) == ["set memory partition 0000:c1:00.0"]
    assert "until amdgpu is loaded anew" in done["actions"][0]["deferred"]
    assert done["devices"][0]["deferred"] == ["memory", "compute"]
    assert converge(partitions, host, wanted)["changed"] is False
    # The driver was loaded anew: now the compute partition can follow.
    host.put(path, "NPS4\n")
    assert said(converge(partitions, host, wanted)) == ["set compute partition 0000:c1:00.0"]
    assert converge(partitions, host, wanted)["changed"] is False
    # It was lost in a reboot: it is asked for again.
    host.put(path, "NPS1\n")
    host.reboot()
    assert said(converge(partitions, host, wanted)) == ["set memory partition 0000:c1:00.0"]


@pytest.mark.parametrize("item, words", [
    ({"compute": "CPS"}, "'CPS' is no compute partition of .*; the nearest is 'CPX'"),
    ({"memory": "NPS8"}, "the nearest is 'NPS"),
    ({}, "neither compute nor memory is declared"),
    ({"address": "0000:21:00.0", "compute": "CPX"}, "shows no partitions; expected an AMD Instinct GPU from MI300 on"),
    ({"address": "0000:22:00.0", "compute": "CPX"}, "no PCI function of this host"),
])
def test_what_cannot_be(tmp_path, item, words):
    host = host_with(tmp_path)
    host.card("0000:21:00.0")
    with pytest.raises(errors.DeclarationError, match=words):
        converge(partitions, host, [dict({"address": GPU}, **item)])
    assert host.done == []


def test_a_gpu_in_use_or_with_vfs_stays_as_it_is(tmp_path):
    host = host_with(tmp_path)
    host.put("sys/bus/pci/devices/{0}/drm/renderD128/dev".format(GPU), "226:128\n")
    host.process(9, "python3", "/dev/dri/renderD128")
    with pytest.raises(errors.Refused, match="because something works on it: 0000:c1:00.0: process python3 .pid 9."):
        converge(partitions, host, [{"address": GPU, "compute": "CPX"}])
    assert host.done == []


def test_what_the_driver_refuses_is_explained(tmp_path, monkeypatch):
    host = host_with(tmp_path)
    monkeypatch.setattr(host, "_written", lambda parts, text: 22)
    with pytest.raises(change.PartialFailure, match="the present memory partition does not allow it"):
        converge(partitions, host, [{"address": GPU, "compute": "CPX"}])
