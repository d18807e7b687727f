# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated tools say what the captures of the real ones say, where there is a capture, and go wrong when asked to."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from simulator import Blocked, Model, describe

SHARED = Path(__file__).resolve().parents[4] / "shared" / "captures"
# Which description stands beside which capture.
BESIDE = {
    "qx-a100.xml": ("a100", {"nvidia_version": "570.148.08", "vgpu": "none"}),
    "qx-h100.xml": ("hgx", {"nvidia_version": "580.105.08", "gpus": 1}),
    "qx-l40s.xml": ("l40s", {"nvidia_version": "595.91.07", "vgpu": "none"}),
}
CAPTURES = sorted(path for path in SHARED.glob("nvidia-smi/*.xml") if path.name in BESIDE)
REAL = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n\n"
)


def paths(root):
    """The paths of all elements below an element."""
    found = set()
    for child in root:
        found.add(child.tag)
        found |= {f"{child.tag}/{one}" for one in paths(child)}
    return found


def document(name, changes):
    """The XML of a simulated host."""
    return ElementTree.fromstring(Model(describe(name, **changes)).run(["nvidia-smi", "-q", "-x"]).stdout)


@pytest.mark.parametrize("capture", CAPTURES or [None], ids=lambda path: path.name if path else "no captures here")
def test_every_element_is_one_of_the_capture_of_its_branch(capture):
    if capture is None:
        # A checkout alone: the simulated document at least has what the notes name.
        assert "gpu/mig_mode/current_mig" in paths(document("hgx", {"gpus": 1}))
        return
    real = paths(ElementTree.parse(capture).getroot())
    mine = paths(document(*BESIDE[capture.name]))
    assert mine - real == set()


def test_renamed_elements_go_with_the_branch():
    old, new = (paths(document("hgx", {"gpus": 1, "nvidia_version": one})) for one in ("570.148.08", "595.91.07"))
    assert "gpu/gpu_reset_status/reset_required" in old - new
    assert {"gpu/remapped_rows/remapped_row_corr_inactive", "gpu/fabric/health/summary"} <= new - old
    assert "gpu/gpu_recovery_action" not in paths(document("hgx", {"gpus": 1, "nvidia_version": "550.163.01"}))


def test_without_a_driver_and_without_a_card():
    model = Model(describe("hgx", gpus=1, switches=1))
    model.state.devices["0000:18:00.0"].driver = None
    said = model.run(["nvidia-smi", "-L"])
    assert (said.status, said.stdout) == (
        255,
        "Failed to initialize NVML: No supported GPUs were found\n"
        "Unable to determine the number of available GPUs: Uninitialized\n",
    )
    assert model.run(["rmmod", "nvidia_uvm", "nvidia"]).status == 0
    assert (model.run(["nvidia-smi"]).status, model.run(["nvidia-smi"]).stdout) == (9, REAL)


def test_columns_and_unknown_ones():
    model = Model(describe("hgx", gpus=2))
    asked = ["nvidia-smi", "--query-gpu=index,pci.bus_id,memory.total,mig.mode.current", "--format=csv"]
    assert model.run(asked).stdout.splitlines()[:2] == [
        "index, pci.bus_id, memory.total [MiB], mig.mode.current",
        "0, 00000000:18:00.0, 143771 MiB, Disabled",
    ]
    wrong = model.run(["nvidia-smi", "--query-gpu=nonsense", "--format=csv"])
    assert wrong.status == 2 and wrong.stdout == 'Field "nonsense" is not a valid field to query.\n\n'
    assert model.run(["nvidia-smi", "-i", "2a:00.0", "--query-gpu=index", "--format=csv,noheader"]).stdout == "1\n"
    assert model.run(["nvidia-smi", "-i", "7", "-L"]).status == 6


def test_a_card_without_mig_says_so():
    model = Model(describe("l40s"))
    assert (
        model.run(["nvidia-smi", "--query-gpu=mig.mode.current", "--format=csv,noheader", "-i", "0"]).stdout
        == "[N/A]\n"
    )
    assert "Not Supported" in model.run(["nvidia-smi", "-mig", "1"]).stdout


@pytest.mark.parametrize(
    ("kind", "data", "status", "hangs"),
    [
        ("nonsense", "\x00garbage", 0, False),
        ("status", [42, "broken"], 42, False),
        ("absent", None, 127, False),
        ("hang", None, 0, True),
    ],
)
def test_faults(kind, data, status, hangs):
    model = Model(describe("hgx", gpus=1))
    model.fault("tool:nvidia-smi", kind, times=1, data=data)
    answer = model.run(["nvidia-smi", "-L"])
    assert (answer.status, answer.hangs) == (status, hangs)
    assert "H200" in model.run(["nvidia-smi", "-L"]).stdout


def test_a_tool_can_wait_in_the_kernel():
    model = Model(describe("hgx", gpus=1))
    model.fault("tool:nvidia-smi", "stuck")
    with pytest.raises(Blocked):
        model.run(["nvidia-smi"])


def test_writes_can_be_made_to_fail():
    model, path = Model(describe("igb")), "/sys/bus/pci/devices/0000:21:00.0/driver_override"
    model.fault(path, 5)
    with pytest.raises(OSError, match="Input/output"):
        model.put(path, "vfio-pci")
    model.put(path, "vfio-pci")
    assert [one.error for one in model.log] == [5, 0]


def test_only_what_was_asked_to_change_something_is_in_the_log():
    model = Model(describe("l40s"))
    for words in (
        ["nvidia-smi", "-L"],
        ["lsmod"],
        ["modinfo", "-F", "version", "nvidia"],
        ["sriov-manage", "-e", "ALL"],
    ):
        model.run(words)
    assert [one.path for one in model.log] == ["sriov-manage -e ALL"]


def test_other_vendors():
    amd = Model(describe("mi300x", gpus=2))
    assert amd.run(["amd-smi", "list", "--json"]).stdout.count('"bdf"') == 2
    assert amd.run(["amd-smi", "set", "-g", "0", "--compute-partition", "CPX"]).status == 0
    assert '"accelerator_type": "CPX"' in amd.run(["amd-smi", "partition", "--json"]).stdout
    assert "0000:31:00.0" in amd.run(["rocm-smi", "--showbus"]).stdout
    intel = Model(describe("flex170"))
    assert '"pci_bdf_address": "0000:21:00.0"' in intel.run(["xpu-smi", "discovery", "-j"]).stdout
    assert intel.run(["xpu-smi", "vgpu", "-d", "0", "-c", "-n", "2", "--lmem", "4096"]).status == 0
    assert len(intel.state.devices["0000:21:00.0"].vfs) == 2


def test_unloading_follows_the_captured_words():
    model = Model(describe("hgx", gpus=1))
    assert model.run(["rmmod", "nvidia"]).stderr == "rmmod: ERROR: Module nvidia is in use by: nvidia_uvm\n"
    pid = model.hold("/dev/nvidiactl")
    assert model.run(["rmmod", "nvidia_drm", "nvidia_uvm", "nvidia"]).stderr == (
        "rmmod: ERROR: Module nvidia_drm is not currently loaded\nrmmod: ERROR: Module nvidia is in use\n"
    )
    model.end(pid)
    assert model.run(["modprobe", "-r", "nvidia"]).status == 0
    # The card is on vfio-pci, so the module finds none: as captured.
    model.run(["modprobe", "vfio-pci"])
    for address in (
        "0000:18:00.0",
        *[one for one in model.state.devices if model.state.devices[one].about.model == "NVSWITCH"],
    ):
        model.put(f"/sys/bus/pci/devices/{address}/driver_override", "vfio-pci")
        model.put("/sys/bus/pci/drivers_probe", address)
    assert model.run(["modprobe", "nvidia"]).stderr == "modprobe: ERROR: could not insert 'nvidia': No such device\n"
    assert "nvidia" not in model.state.modules
