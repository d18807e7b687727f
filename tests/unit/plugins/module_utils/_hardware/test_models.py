# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every id that the project knows of is in it, and the names that a pool may use."""

from __future__ import annotations

import re

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._hardware import models
from ansible_collections.sovereign.region.plugins.module_utils._hardware.models_table import MODELS, VENDORS
from hypothesis import given
from hypothesis import strategies as st

# Name that a pool would use, then vendor and device ids. From pci.ids, the drivers' own lists and ROCm's.
EXPECTED = """
T4 10de:1eb8|A100 10de:20b0 20b1 20b2 20b5 20f1|A30 10de:20b7|A40 10de:2235|A10 10de:2236|A16 10de:25b6|A2 10de:25b6
L40 10de:26b5|L40S 10de:26b9|L4 10de:27b8|L2 10de:27b6|H100 10de:2330 2331 2321 2339 2336|H800 10de:2322 2324
H20 10de:2329|H200 10de:2335 233b|GH200 10de:2342 2348|B200 10de:2901|B100 10de:2920 29bc|GB200 10de:2941
B300 10de:3182|GB300 10de:31c2 31c3|RTX PRO 6000 10de:2bb5|RTX 6000 Ada 10de:26b1|V100 10de:1db1|H100 NVL 10de:2321
MI210 1002:740f 7410|MI250X 1002:7408 740c|MI250 1002:740c|MI300A 1002:74a0|MI300X 1002:74a1 74b5|MI308X 1002:74a2 74b6
MI308X HF 1002:74a8 74bc|MI325X 1002:74a5 74b9|MI300X HF 1002:74a9 74bd|MI350X 1002:75a0|MI355X 1002:75a3 75b3
MI350P 1002:75a8|MI100 1002:738c|V620 1002:73a1|Flex 170 8086:56c0|Flex 170V 8086:56c2|Flex 140 8086:56c1
Max 1550 8086:0bd5 0bd6|Max 1100 8086:0bd9 0bda 0bdb|Max 1350 8086:0bd7 0bd8|Max 1550VG 8086:0bd4|Arc Pro B60 8086:e211
Arc Pro B50 8086:e212|Gaudi 1da3:1000 1010|Gaudi2 1da3:1020|Gaudi3 1da3:1060 1063|Gaudi 3 1da3:1060
"""
ROWS = [(name, ids.split(":")[0], device) for row in EXPECTED.replace("\n", "|").split("|") if row.strip()
        for name, ids in [re.match(r"(.+?) (\w{4}:.+)", row).groups()] for device in ids.split(":")[1].split()]


@pytest.mark.parametrize("name, vendor, device", ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_a_pool_can_name_what_the_host_has(name, vendor, device):
    found = models.lookup(vendor, device)
    assert found["known"] is True
    assert found["kind"] == "gpu"
    assert name in found["models"]
    assert models.is_called(found, name.upper().replace(" ", "-"))


@pytest.mark.parametrize("name, vendor, device", [
    ("H200 NVL", "10de", "2335"), ("H100", "10de", "2335"), ("L40", "10de", "26b9"), ("L4", "10de", "26b5"),
    ("MI300X", "1002", "740f"), ("H200", "10de", "2333"), ("A100", "10de", "20bd"),
])
def test_a_pool_does_not_get_another_model(name, vendor, device):
    assert not models.is_called(models.lookup(vendor, device), name)


@pytest.mark.parametrize("subsystem, expected", [
    (("10de", "14a9"), ("A16", ["A16"])), (("10de", "157e"), ("A2", ["A2"])),
    ((None, None), ("A2 / A16", ["A2", "A16"])), (("10de", "ffff"), ("A2 / A16", ["A2", "A16"])),
])
def test_one_id_that_is_two_products_is_told_apart_by_the_subsystem(subsystem, expected):
    found = models.lookup("10de", "25b6", *subsystem)
    assert (found["model"], found["models"]) == expected


@pytest.mark.parametrize("device", ["1af1", "22a3"])
def test_nvswitches(device):
    assert models.lookup("10de", device)["kind"] == "nvswitch"


@pytest.mark.parametrize("vendor, device, expected", [
    ("1a03", "2000", "ASPEED"), ("10de", "22b9", "NVIDIA"), ("10de", "1ad8", "NVIDIA"), ("8086", "10c9", "Intel"),
    ("ffff", "ffff", None), (None, None, None), ("10de", None, "NVIDIA"),
])
def test_what_is_no_accelerator_is_not_in_it(vendor, device, expected):
    assert models.lookup(vendor, device) == {
        "vendor": expected, "model": None, "models": [], "known": False, "kind": None}


@pytest.mark.parametrize("model, expected", [
    ("H200 SXM 141GB", ["H200", "H200 SXM", "H200 141GB", "H200 SXM 141GB"]),
    ("A800-SXM4-80GB", ["A800", "A800 SXM", "A800 SXM4", "A800 80GB", "A800-SXM4-80GB"]),
    ("Instinct MI300X VF", ["MI300X", "MI300X VF", "Instinct MI300X VF"]),
    ("Quadro RTX 6000/8000", ["RTX 6000", "Quadro RTX 6000", "RTX 8000", "Quadro RTX 8000"]),
    ("GH200 120GB / 480GB", ["GH200", "GH200 120GB"]),
    ("Tesla T4", ["T4", "Tesla T4"]),
])
def test_names(model, expected):
    assert models.names(model) == expected


def test_a_name_belongs_to_one_vendor():
    owners = {}
    for key, (_, model, _) in MODELS.items():
        for name in models.names(model):
            owners.setdefault(name.lower(), set()).add(key[:4])
    # Two makers have a T10; nobody builds a cloud of either.
    assert {name for name, vendors in owners.items() if len(vendors) > 1} <= {"t10"}


def test_rows_are_what_they_should_be():
    assert 450 < len(MODELS) < 700
    for key, (kind, model, source) in MODELS.items():
        assert re.fullmatch("[0-9a-f]{8}([0-9a-f]{8})?", key)
        assert kind in ("gpu", "nvswitch")
        assert model and model.isprintable() and model == model.strip()
        assert re.search(r"\d{4}-\d{2}-\d{2}|at [0-9a-f]{8}", source)
        assert key[:4] in VENDORS
    assert not any(re.search("audio|usb|laptop|mobile", row[1], re.I) for row in MODELS.values())


@given(st.text(max_size=60))
def test_no_name_breaks(text):
    assert all(isinstance(name, str) and name for name in models.names(text))
    assert models.lookup(text, text)["known"] in (True, False)
