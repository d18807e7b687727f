# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator of the catalogue, on a small pci.ids of our own; the real one is not needed."""

from __future__ import annotations

import hashlib

import pci_models
import pytest
from checkout import ROOT

TABLE = ROOT / "plugins" / "module_utils" / "_hardware" / "models_table.py"
SMALL = """\
#	Version: 2026.01.02
1002  Advanced Micro Devices, Inc. [AMD/ATI]
	73a4  Navi 21 USB
	740f  Aldebaran/MI200 [Instinct MI210]
	1638  Cezanne [Radeon Vega Series]
10de  NVIDIA Corporation
	0000  nothing
	1af1  GA100 [A100 NVSwitch]
	2080  GA100
	2204  GA102 [GeForce RTX 3090]
	228b  GA104 High Definition Audio Controller
	22a3  GH100 [H100 NVSwitch]
	2321  GH100 [H100L 94GB]
	2335  GH100 [H200 SXM 141GB]
		10de 18be  a subsystem
	2438  GA103GLM [RTX A5500 Laptop GPU]
	2900  GB100 [Reserved Dev ID A]
	1c90  GP107M [GeForce MX150]
1da3  Habana Labs Ltd.
	1020  Gaudi2 AI Training Accelerator
1e36  Shanghai Enflame Technology Co. Ltd
	0021  T20(32GB) [CloudBlazer]
8086  Intel Corporation
	10c9  82576 Gigabit Network Connection
	56c0  ATS-M [Data Center GPU Flex 170]
	e20d  Battlemage G21 [Intel Graphics]
C 00  Unclassified device
	2335  is a class here
"""


def test_only_accelerators_are_taken():
    made = pci_models.rows(SMALL)
    assert {key: row for key, row in made.items() if row[2] == "PCI_IDS"} == {
        "1002740f": ("gpu", "Instinct MI210", "PCI_IDS"),
        "10de1af1": ("nvswitch", "A100 NVSwitch", "PCI_IDS"),
        "10de2204": ("gpu", "GeForce RTX 3090", "PCI_IDS"),
        "10de22a3": ("nvswitch", "H100 NVSwitch", "PCI_IDS"),
        "10de2335": ("gpu", "H200 SXM 141GB", "PCI_IDS"),
        "1da31020": ("gpu", "Gaudi2", "PCI_IDS"),
        "1e360021": ("gpu", "T20(32GB)", "PCI_IDS"),
        "808656c0": ("gpu", "Data Center GPU Flex 170", "PCI_IDS")}
    assert made["10de2321"] == ("gpu", "H100 NVL 94GB", "OPEN_KERNEL_MODULES")
    assert made["100274b6"] == ("gpu", "Instinct MI308X VF", "ROCM")


def test_a_row_that_pci_ids_has_by_now_is_not_supplied_any_longer():
    grown = SMALL.replace("\t740f", "\t74b6  Aqua Vanjaram [Instinct MI308X VF]\n\t740f")
    with pytest.raises(SystemExit, match="pci.ids has 100274b6 by now"):
        pci_models.rows(grown)


def test_the_table_is_python_with_one_row_a_line():
    names = {}
    text = pci_models.table(SMALL, "2026.01.02", "0" * 64)
    exec(compile(text, "models_table", "exec"), names)
    assert names["MODELS"]["10de2335"] == ("gpu", "H200 SXM 141GB", "pci.ids 2026-01-02")
    assert text.count('\n    "') == len(names["MODELS"]) + len(names["VENDORS"])
    assert names["VENDORS"]["10de"] == "NVIDIA"


def test_another_pci_ids_than_the_pinned_one_is_refused(tmp_path, capsys):
    path = tmp_path / "pci.ids"
    path.write_text(SMALL)
    assert pci_models.main([str(path)], tmp_path / "table.py") == 1
    assert not (tmp_path / "table.py").exists()
    assert "is not the pinned pci.ids" in capsys.readouterr().err


def test_check_writes_nothing_and_finds_what_was_edited(tmp_path, monkeypatch, capsys):
    path, target = tmp_path / "pci.ids", tmp_path / "table.py"
    path.write_text(SMALL)
    monkeypatch.setattr(pci_models, "SHA256", hashlib.sha256(SMALL.encode()).hexdigest())
    assert pci_models.main([str(path), "--check"], target) == 1
    assert not target.exists()
    assert pci_models.main([str(path)], target) == 0
    assert pci_models.main([str(path), "--check"], target) == 0
    target.write_text(target.read_text().replace("H200", "H300"))
    assert pci_models.main([str(path), "--check"], target) == 1
    assert "run it without --check" in capsys.readouterr().err


def test_the_table_that_is_shipped_is_of_the_pinned_version():
    text = TABLE.read_text(encoding="utf-8")
    assert pci_models.VERSION in text and pci_models.SHA256 in text
    assert max(len(line) for line in text.splitlines()) <= 120
    for key, (kind, model, source) in pci_models.SUPPLEMENT.items():
        assert f'    "{key}": ("{kind}", "{model}", {source}),' in text
