# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement over a device: pure, and in sentences."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._hardware import health, nvidia_smi, xids
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._hardware.smi_documents import (
    CAPTURES,
    device,
    document,
    gpu,
)
from hypothesis import given
from hypothesis import strategies as st

GOOD = {"ecc_uncorrected": 0, "ecc_mode": "enabled", "recovery_action": "None",
        "remapped_rows": {"correctable": 0, "uncorrectable": 0, "pending": False, "failure": False}}


def judged(raw=None, **fields):
    return health.judge(device("0000:06:00.0", health=dict(GOOD, **(raw or {})), **fields))


def xid(number, message=""):
    return {"xid": number, "time": 1.0, "message": message}


def test_a_good_card():
    found = judged()
    assert (found["status"], found["reasons"], found["xids"]) == ("ok", [], [])


@pytest.mark.parametrize("raw, status, words", [
    ({"ecc_uncorrected": 3}, "degraded", "3 uncorrected memory errors"),
    ({"remapped_rows": {"pending": True}}, "degraded", "waits to be remapped"),
    ({"remapped_rows": {"failure": True}}, "failed", "could not be remapped"),
    ({"sram_threshold_exceeded": True}, "failed", "has to be replaced"),
    ({"unrepairable_memory": True}, "failed", "cannot be repaired"),
    ({"retirement_pending": True}, "degraded", "waits to be retired"),
    ({"repair_pending": ["tpc"]}, "degraded", "A repair waits for a reset of the GPU: tpc"),
    ({"bad_pages": {"failed": 1}}, "failed", "1 bad memory pages could not"),
    ({"bad_pages": {"pending": 1}}, "degraded", "1 bad memory pages wait"),
    ({"lost": "GPU is lost."}, "failed", "The driver has lost the GPU: GPU is lost."),
    ({"recovery_action": "Reset"}, "failed", "The driver asks for: Reset."),
    ({"recovery_action": "Node Reboot Required"}, "failed", "asks for: Node Reboot Required."),
    ({"recovery_action": "Drain P2P"}, "degraded", "asks for: Drain P2P."),
    ({"recovery_action": "Drain and Reset"}, "degraded", "asks for: Drain and Reset."),
    ({"xids": [xid(79)], "recovery_action": None}, "failed", "Xid 79 in the kernel log: the GPU has fallen off"),
    ({"xids": [xid(79), xid(79)]}, "degraded", "Xid 79 in the kernel log, 2 times"),
    ({"xids": [xid(143)], "recovery_action": None}, "failed", "the GPU did not start"),
    ({"xids": [xid(63), xid(63)]}, "ok", "Remark: Xid 63 in the kernel log, 2 times: a row is remapped"),
    ({"xids": [xid(48)], "recovery_action": None}, "failed", "Xid 48 in the kernel log: uncorrectable"),
    ({"xids": [xid(94)], "recovery_action": None}, "degraded", "Xid 94 in the kernel log: contained"),
    ({"xids": [xid(149, "NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6)")], "recovery_action": None}, "failed",
     "Xid 149 in the kernel log: NVLink error."),
    ({"xids": [xid(145, "RLW_REMAP Nonfatal XC0 i0 Link 00 (0x00000004)")], "recovery_action": None}, "degraded",
     "Xid 145 in the kernel log: NVLink error."),
    ({"xids": [xid(61), xid(123), xid(151), xid(185)]}, "ok", None),
    ({"xids": [xid(13), xid(31), xid(43), xid(45)]}, "ok", None),
    ({"xids": [xid(154, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)")],
      "recovery_action": None}, "failed", "The driver asks for: GPU Reset Required."),
    ({"xids": [xid(79), xid(154, "changed from 0x1 (GPU Reset Required) to 0x0 (None)")], "recovery_action": None},
     "degraded", "Xid 79"),
])
def test_what_counts(raw, status, words):
    found = judged(raw)
    assert found["status"] == status
    assert [words in one for one in found["reasons"]] == ([True] if words else [])


# Codes of the catalogue by what it says to do at once. Numbers, so that a class is never changed by a slip.
RESET = (46, 62, 64, 79, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158)
RESTART_APP = (8, 11, 13, 25, 31, 32, 39, 40, 41, 60, 68, 69, 70, 71, 72, 75, 76, 77, 80, 82, 83, 84, 85, 86, 88, 89,
               *range(96, 106), *range(126, 136), 139)
IGNORE = (14, 37, 38, 43, 44, 63, 66, 67, 106, 107, 108, 137, 141, 152, 153)


def test_the_classes_are_those_of_the_catalogue():
    assert set(xids.FATAL) == {*RESET, 48, 74}
    assert not set(RESTART_APP + IGNORE) & (set(xids.FATAL) | set(xids.WARNING))
    assert not set(xids.FATAL) & set(xids.WARNING) and set(xids.REMARK) == {63}
    assert max([*xids.FATAL, *xids.WARNING]) <= 172
    assert {xids.classify(xid(number))[0] for number in range(144, 151)} == {"WARNING"}


def test_the_worst_comes_first():
    found = judged({"ecc_uncorrected": 1, "remapped_rows": {"pending": True, "failure": True}})
    assert found["status"] == "failed" and "could not be remapped" in found["reasons"][0]
    assert len(found["reasons"]) == 3


def test_a_slow_link_is_a_remark():
    link = {"speed_gts": 2.5, "width": 16, "max_speed_gts": 16.0, "max_width": 16, "degraded": True}
    found = judged(link=link)
    assert found["status"] == "ok"
    assert found["reasons"][0].startswith("Remark: the PCIe link runs at 2.5 GT/s x16, its best is 16.0 GT/s x16")
    assert judged(link=dict(link, degraded=False))["reasons"] == []


@pytest.mark.parametrize("raw", [None, {}, {"xids": []}, {"xids": [xid(13)]}])
def test_silence_is_not_health(raw):
    found = health.judge(device("0000:06:00.0", driver="vfio-pci", health=raw))
    assert found["status"] == "unknown"
    assert found["reasons"] == ["Nothing here tells the health of this device, which is on driver vfio-pci."]
    assert {"ecc_uncorrected", "remapped_rows", "recovery_action", "xids"} <= set(found)


def test_judging_twice_changes_nothing():
    first = judged({"ecc_uncorrected": 1, "xids": [xid(79)]})
    assert health.judge(device("0000:06:00.0", health=first)) == first


@pytest.mark.parametrize("text", [document(("0000:06:00.0", gpu().replace("_secded>2<", "_secded>0<").replace(
    "parity>1<", "parity>0<").replace("dram_uncorrectable>4<", "dram_uncorrectable>0<"))), *(
        path.read_text() for path in sorted(CAPTURES.glob("nvidia-smi/qx-*.xml")))])
def test_the_cards_of_the_captures_are_well(text):
    rows, _missing, _attached = nvidia_smi.parse(text)
    assert rows
    for where, facts in rows:
        assert health.judge(device(where, health=facts["health"]))["status"] == "ok"


RAW = st.fixed_dictionaries({}, optional={
    "ecc_uncorrected": st.none() | st.integers(0, 9), "recovery_action": st.none() | st.text(max_size=9),
    "remapped_rows": st.none() | st.fixed_dictionaries({}, optional={
        "pending": st.none() | st.booleans(), "failure": st.none() | st.booleans()}),
    "lost": st.none() | st.text(max_size=5), "repair_pending": st.lists(st.sampled_from(["tpc", "channel"])),
    "xids": st.none() | st.lists(st.builds(xid, st.integers(0, 200), st.text(max_size=20)), max_size=5)})


@given(RAW, st.none() | st.sampled_from(["nvidia", "vfio-pci"]))
def test_any_facts_are_judged(raw, driver):
    found = health.judge({"address": "0000:06:00.0", "driver": driver, "health": raw})
    assert found["status"] in ("ok", "degraded", "failed", "unknown")
    assert all(one.endswith((".", "themselves.")) for one in found["reasons"])
    assert found["status"] == "ok" or found["reasons"]
    json.dumps(found)
