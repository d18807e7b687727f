# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``nvidia-smi -q -x`` of every branch gives the same facts, and nothing that it prints breaks them."""

from __future__ import annotations

import re

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._hardware import nvidia_smi
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._hardware.smi_documents import (
    CAPTURES,
    HEAD,
    LAYOUTS,
    LISTING,
    MIG,
    document,
    gpu,
    host_with,
)
from hypothesis import given, settings
from hypothesis import strategies as st

QX = "nvidia-smi -q -x"
LGI = "nvidia-smi mig -lgi"
CAPTURED = sorted(CAPTURES.glob("nvidia-smi/qx-*.xml"))
# What the hardware of each capture has, whatever its branch calls it.
EXPECTED = {
    "qx-a100.xml": {"gpus": 1, "driver": "570.148.08", "mig": "disabled", "rows": True, "first": "0000:06:00.0"},
    "qx-h100.xml": {"gpus": 8, "driver": "580.105.08", "mig": "disabled", "rows": True, "first": "0000:53:00.0"},
    "qx-l40s.xml": {"gpus": 1, "driver": "595.91.07", "mig": None, "rows": True, "first": "0000:30:00.0"},
    "qx-t4.xml": {"gpus": 1, "driver": "595.91.07", "mig": None, "rows": False, "first": "0000:00:1e.0"},
}


def plain(facts):
    """Return every key that a device of this tool has, down to the last one."""
    return {
        key: set(value) if isinstance(value, dict) else None
        for key, value in facts.items() if key not in ("mig", "fabric")
    }


def captured():
    return [pytest.param(path.read_text(), EXPECTED.get(path.name), id=path.name) for path in CAPTURED] + [
        pytest.param(document(("00000000:06:00.0", gpu(memory)), driver="570.1.1"),
                     {"gpus": 1, "driver": "570.1.1", "mig": "disabled", "rows": name != "turing",
                      "first": "0000:06:00.0"}, id="synthetic-" + name)
        for name, memory in sorted(LAYOUTS.items())]


@pytest.mark.parametrize("text, expected", captured())
def test_the_same_facts_come_out_of_every_branch(text, expected):
    rows, missing, attached = nvidia_smi.parse(text)
    assert missing == [], "an element was renamed: add its new spelling to nvidia_smi.py"
    assert rows and attached == len(rows)
    model = nvidia_smi.parse(document(("0000:06:00.0", gpu())))[0][0][1]
    for where, facts in rows:
        assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.0", where)
        assert plain(facts) == plain(model)
        assert facts["uuid"].startswith("GPU-") and facts["product"] and facts["firmware"]["vbios"]
        assert facts["health"]["ecc_mode"] == "enabled"
        assert facts["health"]["ecc_uncorrected"] is not None
        assert facts["health"]["ecc_uncorrected_lifetime"] is not None
        assert facts["health"]["recovery_action"] == "None"
        assert facts["health"]["lost"] is None
        assert facts["virtualization"]["mode"] == "Pass-Through"
    if expected is None:
        return
    assert (len(rows), rows[0][0], rows[0][1]["driver_version"]) == (
        expected["gpus"], expected["first"], expected["driver"])
    for _where, facts in rows:
        assert (facts["mig"] or {}).get("mode") == expected["mig"]
        remapped = facts["health"]["remapped_rows"]
        assert remapped is None if not expected["rows"] else None not in remapped.values()


@pytest.mark.parametrize("text, _expected", captured())
def test_no_serial_number_leaves_the_parser(text, _expected):
    rows, _missing, _attached = nvidia_smi.parse(text)
    serials = set(re.findall(r"<(?:serial|pdi|chassis_serial_number|board_id)>([^<]{5,})<", text)) - {"N/A"}
    assert serials
    assert not [one for one in serials if one in repr(rows)]


@pytest.mark.parametrize("layout, lifetime", [("570", 9), ("turing", 9), ("535", 9)])
def test_uncorrected_errors_add_up_in_every_layout(layout, lifetime):
    (row,), _missing, _attached = nvidia_smi.parse(document(("00000000:06:00.0", gpu(LAYOUTS[layout]))))
    assert row[1]["health"]["ecc_uncorrected"] == 7
    assert row[1]["health"]["ecc_uncorrected_lifetime"] == lifetime


@pytest.mark.parametrize("old, new", [
    ("gpu_recovery_action", "gpu_recovery_step"),
    ("remapped_row_failure", "row_remap_failure"),
    ("current_mig", "mig_mode_current"),
    ("vbios_version", "vbios"),
    ("ecc_errors", "ecc_counters"),
])
def test_a_renamed_element_is_named_in_the_status(tmp_path, old, new):
    text = document(("00000000:06:00.0", gpu())).replace(old, new)
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (0, text)}))
    assert rows
    assert sources["nvidia-smi"].startswith("partial: this branch has no element ") and old in sources["nvidia-smi"]


@pytest.mark.parametrize("reset, drain, action", [
    ("No", "No", "None"), ("Yes", "No", "Reset"), ("Yes", "Yes", "Drain and Reset"), ("N/A", "N/A", None)])
def test_older_branches_say_the_action_in_two_elements(reset, drain, action):
    text = LAYOUTS["535"].replace("required>No<", "required>{0}<".format(reset)).replace(
        "recommended>No<", "recommended>{0}<".format(drain))
    (row,), _missing, _attached = nvidia_smi.parse(document(("00000000:06:00.0", gpu(text))))
    assert row[1]["health"]["recovery_action"] == action


def test_the_capture_has_nvlink_and_the_place_on_the_board():
    for path in CAPTURED:
        if path.name == "qx-h100.xml":
            rows, _missing, _attached = nvidia_smi.parse(path.read_text())
            assert {facts["fabric"]["state"] for _where, facts in rows} == {"Completed"}
            assert len({facts["fabric"]["module_id"] for _where, facts in rows}) == 8
    (row,), _missing, _attached = nvidia_smi.parse(document(("0000:06:00.0", gpu())))
    assert row[1]["fabric"] == {"state": "Completed", "status": "Success", "health": None, "clique": 0,
                                "module_id": None}


NONSENSE = {
    "plain text": (6, "No devices were found\n", "error: nvidia-smi ended with status 6: No devices were found"),
    "text and 0": (0, "No devices found.\n", "error: nvidia-smi ended with status 0, and printed no XML"),
    "nothing": (0, "", "error: nvidia-smi ended with status 0, and printed no XML"),
    "mismatch": (18, "Failed to initialize NVML: Driver/library version mismatch\n",
                 "error: nvidia-smi ended with status 18: Failed to initialize NVML: Driver/library version mismatch"),
    "no driver": (9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n\n",
                  "error: nvidia-smi ended with status 9"),
    "255": (255,
            "Failed to initialize NVML: No supported GPUs were found\n",
            "error: nvidia-smi ended with status 255: Fa"),
    "cut off": (0, document(("0000:06:00.0", gpu()))[:900], "and its XML is cut off after 900 characters"),
    "no gpu": (0, document(), "error: nvidia-smi lists no GPU"),
    "not closed": (0, HEAD + "<nvidia_smi_log><gpu></nvidia_smi_log>", "and its XML cannot be read"),
    "hangs": (None, "", "error: nvidia-smi gave no answer within 20 s"),
    "floods": (0, "x" * (8 * 1024 * 1024 + 1), "at most 8388608 are read"),
    "entities": (0, document().replace('SYSTEM "nvsmi_device_v12.dtd"', '[<!ENTITY a "b">]'), "declares entities"),
    "external": (0, document().replace('SYSTEM "nvsmi_device_v12.dtd"', '[<!ENTITY a SYSTEM "file:///etc/passwd">]'),
                 "declares entities"),
    "other code": (0, document(("0000:06:00.0", gpu())).replace('"1.0" ?', '"1.0" encoding="cp037" ?'), "ok"),
    "other root": (0, "<?xml version='1.0'?><html><nvidia_smi_log/></nvidia_smi_log></html>",
                   "cannot be read"),
}


@pytest.mark.parametrize("name", sorted(NONSENSE))
def test_nonsense_becomes_a_status(tmp_path, name):
    status, text, words = NONSENSE[name]
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (status, text)}))
    assert words in sources["nvidia-smi"]
    assert bool(rows) == (words == "ok")


def test_it_is_absent(tmp_path):
    assert nvidia_smi.observe(host_with(tmp_path)) == ([], {"nvidia-smi": "absent"})


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(8, "Exec format error")])
def test_it_cannot_be_started(tmp_path, error):
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: error}))
    assert rows == [] and sources["nvidia-smi"].startswith("error: nvidia-smi could not be run: ")


def test_what_surrounds_the_document_is_left_out(tmp_path):
    after = "WARNING: infoROM is corrupted at gpu 0000:06:00.0\n"
    text = "WARNING: first\n" + document(("0000:06:00.0", gpu())) + after
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (14, text)}))
    assert len(rows) == 1
    assert sources["nvidia-smi"] == (
        "partial: nvidia-smi ended with status 14: WARNING: infoROM is corrupted at gpu 0000:06:00.0")


def test_a_lost_gpu_is_told_even_without_a_document(tmp_path):
    text = "Unable to determine the device handle for GPU0000:86:00.0: GPU is lost.  Reboot the system\n"
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (15, text)}))
    assert rows == [("0000:86:00.0", {"health": {"lost": "GPU is lost.  Reboot the system"}})]
    assert sources["nvidia-smi"].startswith("error: nvidia-smi ended with status 15")


def test_a_lost_gpu_in_the_document():
    text = document(("0000:06:00.0", gpu().replace(">96.00.99.00.01<", ">GPU is lost<")))
    (row,), missing, _attached = nvidia_smi.parse(text)
    assert row[1]["health"]["lost"] == "GPU is lost" and row[1]["firmware"]["vbios"] is None and missing == []


def test_fewer_gpus_than_it_counts(tmp_path):
    text = document(("0000:06:00.0", gpu()), attached=8)
    _rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (0, text)}))
    assert sources["nvidia-smi"] == "partial: it counts 8 GPUs and describes 1"


def test_mig_by_address(tmp_path):
    text = document(("00000000:06:00.0", gpu(mig=MIG)), ("00000000:07:00.0", gpu()))
    host = host_with(tmp_path, {QX: (0, text), LGI: (0, LISTING)})
    rows, sources = nvidia_smi.observe(host)
    assert sources == {"nvidia-smi": "ok", "nvidia-smi mig": "ok"}
    assert rows[0][1]["mig"] == {"mode": "enabled", "pending": "enabled", "instances": [
        {"profile": "3g.40gb", "profile_id": 9, "gi_id": 2, "placement": "4:4", "compute_instances": 2},
        {"profile": "1g.10gb", "profile_id": 19, "gi_id": 9, "placement": "2:1", "compute_instances": 1},
        {"profile": "1g.10gb+me", "profile_id": 20, "gi_id": 13, "placement": "0:1", "compute_instances": 0}]}
    assert rows[1][1]["mig"] == {"mode": "disabled", "pending": "disabled", "instances": []}


def test_without_mig_one_process_is_enough(tmp_path):
    host = host_with(tmp_path, {QX: (0, document(("0000:06:00.0", gpu())))})
    nvidia_smi.observe(host)
    assert host._runner.ran == [["nvidia-smi", "-q", "-x"]]


@pytest.mark.parametrize("answer, words", [
    (None, "absent"),
    ((None, ""), "gave no answer within 20 s"),
    ((4, "Insufficient Permissions\n"), "status 4: Insufficient Permissions"),
    ((0, "nonsense"), "printed no table"),
    ((0, LISTING.replace("|   0  MIG", "|   5  MIG")), "names GPU 5, the XML has 1"),
    ((0, LISTING.replace("        2          4:4", "        3          4:4")), "differ on 0000:06:00.0"),
    ((6, "No GPU instances found: Not Found\n"), "differ on 0000:06:00.0"),
])
def test_mig_without_a_listing_keeps_what_the_document_has(tmp_path, answer, words):
    answers = {QX: (0, document(("0000:06:00.0", gpu(mig=MIG))))}
    if answer:
        answers[LGI] = answer
    rows, sources = nvidia_smi.observe(host_with(tmp_path, answers))
    assert words in sources["nvidia-smi mig"]
    assert [(one["gi_id"], one["compute_instances"], one["profile"]) for one in rows[0][1]["mig"]["instances"]] == [
        (2, 2, None), (9, 1, None)]


def test_mig_enabled_and_empty(tmp_path):
    text = document(("0000:06:00.0", gpu(mig=MIG[:MIG.index("<mig_devices>")] + "<mig_devices>None</mig_devices>")))
    rows, sources = nvidia_smi.observe(
        host_with(tmp_path, {QX: (0, text), LGI: (6, "No GPU instances found: Not Found\n")}))
    assert sources["nvidia-smi mig"] == "ok"
    assert rows[0][1]["mig"] == {"mode": "enabled", "pending": "enabled", "instances": []}


def test_indexes_are_not_guessed_when_a_gpu_is_missing(tmp_path):
    text = document(("0000:06:00.0", gpu(mig=MIG)), attached=2)
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (0, text), LGI: (0, LISTING)}))
    assert "profiles are unknown" in sources["nvidia-smi mig"]
    assert {one["profile"] for one in rows[0][1]["mig"]["instances"]} == {None}


def driven(root, text, status=0):
    rows, sources = nvidia_smi.observe(host_with(root, {QX: (status, text), LGI: (0, LISTING)}))
    assert set(sources) <= {"nvidia-smi", "nvidia-smi mig"}
    assert all(re.match(r"ok$|partial: |error: ", one) for one in sources.values())
    return rows


WHOLE = document(("00000000:06:00.0", gpu(mig=MIG)), ("00000000:07:00.0", gpu(LAYOUTS["turing"])))


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(WHOLE)), st.sampled_from([0, 6, 255]))
def test_truncated_output_raises_nothing(tmp_path_factory, length, status):
    driven(tmp_path_factory.getbasetemp(), WHOLE[:length], status)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.text(max_size=6)), max_size=4))
def test_garbage_in_the_middle_raises_nothing(tmp_path_factory, cuts):
    text = WHOLE
    for place, garbage in cuts:
        text = text[:place] + garbage + text[place + len(garbage):]
    driven(tmp_path_factory.getbasetemp(), text)


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_raises_nothing(tmp_path_factory, text):
    driven(tmp_path_factory.getbasetemp(), text)
    driven(tmp_path_factory.getbasetemp(), HEAD + "<nvidia_smi_log>" + text + "</nvidia_smi_log>")


PRINTED = sorted(CAPTURES.glob("nvidia-driver/*/*nvidia-smi*.stdout"))


@pytest.mark.parametrize("text", ["No devices were found\n", *(path.read_text() for path in PRINTED)])
def test_what_a_real_tool_prints_without_a_gpu_is_an_error(tmp_path, text):
    rows, sources = nvidia_smi.observe(host_with(tmp_path, {QX: (0, text)}))
    assert rows == [] and sources["nvidia-smi"].startswith("error: ")
