# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG mode and instances: bags of profiles, placements, pending modes, and what is left alone."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import mig, mig_instances
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._hardware import nvidia_mig_profiles, slicing
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators import sliced_smi
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.sliced_host import (
    Sliced,
    converge,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

GPU, OTHER = "0000:41:00.0", "0000:61:00.0"
SEVEN = [{"profile": "1g.18gb", "count": 7}]


def host_with(folder, mode="Disabled", instances=(), **more):
    folder.mkdir(exist_ok=True)
    host = Sliced(folder)
    host.nvidia_gpu(GPU, mig=mode, **more)
    host.nvidia_gpu(OTHER, mig="Enabled")
    if instances:
        status, text = sliced_smi.change(host, ["nvidia-smi", "mig", "-i", GPU, "-cgi", ",".join(instances), "-C"])
        assert status == 0, text
    return host


def profiles(host, address=GPU):
    return Counter(one["profile"] for one in host.gpus[address]["instances"].values())


def test_mode_and_instances_in_one_run(tmp_path):
    host = host_with(tmp_path)
    wanted = [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 3}, {"profile": "3g.71gb"}]}]
    checked = converge(mig, host, wanted, check=True)
    assert host.done == []
    with pytest.raises(errors.Refused, match="MIG mode of 0000:41:00.0 is turned on.*nothing was changed"):
        converge(mig, host, wanted, allowed=False)
    done = converge(mig, host, wanted, expected=checked["actions"])
    assert said(done) == ["set MIG mode 0000:41:00.0", "create MIG layout 0000:41:00.0"]
    assert profiles(host) == {"1g.18gb": 3, "3g.71gb": 1}
    assert "nvidia-smi mig -i 0000:41:00.0 -cgi 3g.71gb,1g.18gb,1g.18gb,1g.18gb -C" in host.done
    again = converge(mig, host, wanted)
    assert again["changed"] is False
    assert [one["profile"] for one in again["devices"][0]["instances"]] == ["3g.71gb", "1g.18gb", "1g.18gb", "1g.18gb"]
    assert profiles(host, OTHER) == {}


def test_a_mode_that_stays_pending_is_deferred_and_planned_once(tmp_path):
    host = host_with(tmp_path, live=False)
    wanted = [{"address": GPU, "instances": SEVEN}]
    done = converge(mig, host, wanted)
    assert "made at once where the GPU takes the mode at once" in done["actions"][-1]["deferred"]
    assert (host.gpus[GPU]["mig"], host.gpus[GPU]["pending"], profiles(host)) == ("Disabled", "Enabled", {})
    assert "waits for a reset of the GPU (nvidia-smi --gpu-reset -i 0000:41:00.0" in done["devices"][0]["deferred"]
    assert converge(mig, host, wanted)["changed"] is False
    host.reboot()
    assert said(converge(mig, host, wanted)) == ["create MIG layout 0000:41:00.0"]
    assert profiles(host) == {"1g.18gb": 7}


def test_only_what_differs_goes_and_only_when_it_is_allowed(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb", "1g.18gb", "2g.35gb"])
    wanted = [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 2}, {"profile": "3g.71gb"}]}]
    with pytest.raises(errors.Refused, match="1 x 2g.35gb of 0000:41:00.0 are destroyed; nothing was changed"):
        converge(mig, host, wanted, allowed=False)
    kept = [number for number, one in host.gpus[GPU]["instances"].items() if one["profile"] == "1g.18gb"]
    done = converge(mig, host, wanted)
    assert said(done) == ["delete compute instance set 0000:41:00.0", "delete GPU instance set 0000:41:00.0",
                          "create MIG layout 0000:41:00.0"]
    assert set(kept) <= set(host.gpus[GPU]["instances"])
    assert profiles(host) == {"1g.18gb": 2, "3g.71gb": 1}


def test_instances_that_are_not_declared_at_all_are_left_alone(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb"])
    assert said(converge(mig, host, [{"address": GPU}])) == []
    converge(mig, host, [{"address": GPU, "instances": []}])
    assert profiles(host) == {}


def test_placements(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb:3"])
    wanted = [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 2, "placements": [5, 6]},
                                             {"profile": "3g.71gb", "placements": [0]}]}]
    converge(mig, host, wanted)
    there = sorted((one["profile"], one["start"]) for one in host.gpus[GPU]["instances"].values())
    assert there == [("1g.18gb", 5), ("1g.18gb", 6), ("3g.71gb", 0)]
    assert converge(mig, host, wanted)["changed"] is False


def test_instances_that_stay_in_the_way_are_explained(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb:3"])
    with pytest.raises(change.PartialFailure, match="Insufficient Resources; the instances that stay leave no room"):
        converge(mig, host, [{"address": GPU, "instances": [
            {"profile": "1g.18gb"}, {"profile": "3g.71gb", "placements": [0]}]}])


def test_a_gpu_instance_without_its_compute_instance_is_completed(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb"])
    host.gpus[GPU]["instances"][3]["cis"] = 0
    done = converge(mig, host, [{"address": GPU, "instances": [{"profile": "1g.18gb"}]}])
    assert said(done) == ["create compute instance 0000:41:00.0 GPU instance 3"]
    assert host.gpus[GPU]["instances"][3]["cis"] == 1


@pytest.mark.parametrize("item, words", [
    ({"instances": [{"profile": "1g.81gb"}]}, "the nearest is '1g.18gb', and it offers: 1g.18gb .at most 7., 1g.35gb"),
    ({"instances": [{"profile": "1g.18gb", "count": 8}]}, r"\[0\].count: 8, but .* takes at most 7 of 1g.18gb"),
    ({"instances": [{"profile": "3g.71gb", "count": 2}, {"profile": "1g.18gb", "count": 2}]},
     "they ask for 8 compute slices, and .* has 7"),
    ({"instances": [{"profile": "half"}]}, "expected the name of a MIG profile such as 1g.18gb"),
    ({"instances": [{"profile": "1g.18gb", "count": 0}]}, "expected at least 1; leave the profile out for none"),
    ({"instances": [{"profile": "1g.18gb", "count": 2, "placements": [1]}]}, r"\[1\]|placements: 1 for 2 instances"),
    ({"instances": [{"profile": "1g.18gb", "count": 2, "placements": [1, 1]}]}, "expected different slices"),
    ({"mode": "disabled", "instances": SEVEN}, "without MIG mode there are none"),
    ({"address": "0000:51:00.0"}, "MIG is NVIDIA's. AMD's GPUs have partitions"),
    ({"address": "0000:71:00.0"}, "it is on driver vfio-pci, and MIG is set through nvidia"),
    ({"address": "0000:81:00.0"}, "nvidia-smi says N/A, so this GPU has no MIG"),
])
def test_what_cannot_be(tmp_path, item, words):
    host = host_with(tmp_path, "Enabled")
    host.card("0000:51:00.0", "1002", "74a1", "120000", None)
    host.card("0000:71:00.0", driver="vfio-pci")
    host.nvidia_gpu("0000:81:00.0")
    with pytest.raises(errors.DeclarationError, match=words):
        converge(mig, host, [dict({"address": GPU}, **item)])
    assert host.done == []


def test_what_works_on_a_gpu_keeps_it_as_it_is(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb"])
    host.process(7, "python3", "/dev/nvidia0")
    host.put("proc/driver/nvidia/gpus/{0}/information".format(GPU), "Device Minor: \t 0\n")
    for item in ({"mode": "disabled"}, {"instances": []}):
        with pytest.raises(errors.Refused, match="left a.*because something works on it: 0000:41:00.0: process"):
            converge(mig, host, [dict(item, address=GPU)])
    assert host.done == []
    # More instances beside those that are in use are no interruption.
    converge(mig, host, [{"address": GPU, "instances": [{"profile": "1g.18gb", "count": 2}]}], allowed=False)
    assert profiles(host) == {"1g.18gb": 2}


def test_the_mode_does_not_change_beside_vfs(tmp_path):
    host = host_with(tmp_path)
    host.numvfs(GPU, 4)
    with pytest.raises(errors.Refused, match="remove its 4 VFs first .sriov_vfs with vfs: 0."):
        converge(mig, host, [{"address": GPU}])


def test_turning_mig_off_takes_instances_first(tmp_path):
    host = host_with(tmp_path, "Enabled", ["1g.18gb"])
    done = converge(mig, host, [{"address": GPU, "mode": "disabled"}])
    assert said(done) == ["delete compute instance set 0000:41:00.0", "delete GPU instance set 0000:41:00.0",
                          "set MIG mode 0000:41:00.0"]
    assert host.gpus[GPU]["mig"] == "Disabled"
    assert not (tmp_path / slicing.path_of("mig", GPU).strip("/")).exists()



NAMES = st.sampled_from(sorted(sliced_smi.PROFILES))
BAG = st.lists(st.tuples(NAMES, st.integers(0, 6)), max_size=8)


@given(BAG, st.lists(st.tuples(NAMES, st.one_of(st.none(), st.integers(0, 6))), max_size=8))
def test_what_stays_and_what_comes_is_what_was_declared(there, wanted):
    instances = [{"profile": name, "gi_id": number, "placement": "{0}:1".format(start), "compute_instances": 1}
                 for number, (name, start) in enumerate(there)]
    item = {"mode": "enabled", "instances": [
        {"profile": name, "count": 1, "placements": None if start is None else [start]} for name, start in wanted]}
    kept, left, missing = mig_instances.match(item, {"mig": {"instances": instances}})
    assert len(kept) + len(left) == len(instances)
    assert Counter(one["profile"] for one in kept) + Counter(
        name for name, start in missing.elements()) == Counter(name for name, start in wanted)
    # Nothing goes that could have stayed.
    assert not {one["profile"] for one in left} & {name for name, start in missing if start is None}


@given(st.text(max_size=300))
def test_any_text_is_a_listing_of_profiles(text):
    assert isinstance(nvidia_mig_profiles.parse(text), list)


def test_the_listing_of_a_real_shape():
    text = ("| GPU instance profiles:                                                      |\n"
            "|   0  MIG 1g.6gb        14     4/4        5.81       No     14     1     0   |\n"
            "|                                                             1     0     0   |\n"
            "|   0  MIG 1g.6gb+me     21     0/1        5.81       No     14     1     0   |\n")
    assert nvidia_mig_profiles.parse(text) == [
        {"profile": "1g.6gb", "profile_id": 14, "free": 4, "total": 4},
        {"profile": "1g.6gb+me", "profile_id": 21, "free": 0, "total": 1}]
