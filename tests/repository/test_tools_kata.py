# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests with real Kata pods find the tarballs, and what they say when they do not."""

from __future__ import annotations

import kata_material
import pytest
from machine import image, qemu
from machine.variants import KATA, STANDARD, VARIANTS

FILES = ("kata-static-4.1.0-amd64.tar.zst", "kata-go-static-4.1.0-amd64.tar.zst", "crictl-amd64.zst",
         "images/pause.tar", "images/busybox.tar")


@pytest.fixture
def directory(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    for name in FILES:
        (tmp_path / name).touch()
    monkeypatch.setenv(kata_material.VARIABLE, str(tmp_path))
    return tmp_path


def test_a_directory_with_all_of_it_is_no_hindrance(directory):
    assert kata_material.hindrance() == ""


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_named(directory, name):
    (directory / name).unlink()
    assert kata_material.hindrance().startswith(f"{directory} has no ")


def test_without_a_directory_it_is_said_how_to_name_one(directory, monkeypatch):
    monkeypatch.setenv(kata_material.VARIABLE, str(directory / "nothing"))
    assert kata_material.hindrance() == "no Kata tarballs (set KATA_RELEASES)"


def test_the_version_is_that_of_the_name(directory):
    assert [kata_material._version(directory / name) for name in FILES[:2]] == ["4.1.0", "4.1.0"]
    assert kata_material._version(directory / "kata-static-3.32.0-amd64.tar.zst") == "3.32.0"


def test_each_kind_of_machine_has_an_image_and_a_processor_of_its_own(directory, monkeypatch):
    assert image.location(VARIANTS[KATA]) != image.location(VARIANTS[STANDARD]) == image.location()
    monkeypatch.setattr(qemu.emulator, "qemu", lambda *words: list(words))
    monkeypatch.setattr(qemu.devices, "arguments", lambda groups, sockets: [])
    shown = [qemu.command(directory, directory, "/s", directory, [], 22, "tcg", VARIANTS[one], medium)
             for one, medium in ((KATA, "/medium.img"), (STANDARD, ""))]
    assert [words[words.index("-cpu") + 1] for words in shown] == ["EPYC,+svm,+npt", "Haswell-noTSX"]
    assert [words[words.index("-accel") + 1] for words in shown] == ["tcg,tb-size=1024", "tcg"]
    assert ["/medium.img" in " ".join(words) for words in shown] == [True, False]
