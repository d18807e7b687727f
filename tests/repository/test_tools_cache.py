# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments go where only their owner can change them, and are made once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import cache
import environment
import pytest
from checkout import ROOT


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("SOVEREIGN_REGION_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)


def test_xdg_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "with a space"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.root() == tmp_path / "with a space" / cache.NAME
    assert cache.root().stat().st_mode & 0o777 == 0o700


def test_a_relative_xdg_is_ignored_as_its_specification_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.root() == tmp_path / ".cache" / cache.NAME


@pytest.mark.parametrize("home", ["/nonexistent", "", "/proc"])
def test_without_a_home_of_ones_own(monkeypatch, tmp_path, home):
    monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(cache, "WITHOUT_HOME", tmp_path)
    assert cache.root() == tmp_path / f"{cache.NAME}-{os.getuid()}"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_change_is_refused(monkeypatch, tmp_path, mode):
    monkeypatch.setattr(cache, "WITHOUT_HOME", tmp_path)
    planted = tmp_path / f"{cache.NAME}-{os.getuid()}"
    planted.mkdir()
    planted.chmod(mode)
    with pytest.raises(cache.CacheError, match="only you can write"):
        cache.root()


def test_a_planted_link_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "WITHOUT_HOME", tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{cache.NAME}-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(cache.CacheError):
        cache.root()


def test_the_key_follows_the_content_of_the_lock(monkeypatch, tmp_path):
    monkeypatch.setenv("SOVEREIGN_REGION_CACHE", str(tmp_path / "cache"))
    lock = tmp_path / "some" / "requirements.txt"
    lock.parent.mkdir()
    lock.write_text("a==1\n")
    first = environment.location(str(lock))
    assert environment.location(str(lock)) == first
    lock.write_text("a==2\n")
    assert environment.location(str(lock)) != first


def test_two_at_once_make_it_once_and_a_broken_one_is_made_again(monkeypatch, tmp_path):
    monkeypatch.setenv("SOVEREIGN_REGION_CACHE", str(tmp_path / "cache"))
    lock = tmp_path / "some" / "requirements.txt"
    lock.parent.mkdir()
    lock.write_text("a==1\n")
    made = []

    def build(name, directory):
        made.append(name)
        directory.mkdir(exist_ok=True)
        if len(made) == 1:
            raise OSError("the disk is full")

    monkeypatch.setattr(environment, "_build", build)
    with pytest.raises(OSError):
        environment.make(str(lock))
    both = [threading.Thread(target=environment.make, args=(str(lock),)) for _number in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(made) == 2


def test_an_interpreter_is_chosen_by_running_it(tmp_path):
    for name in ("python3.11", "python3"):
        broken = tmp_path / name
        broken.write_text("#!/bin/sh\nexit 127\n")
        broken.chmod(0o755)
    works = tmp_path / "python3.12"
    works.write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    works.chmod(0o755)
    found = subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "python.sh")], env={"PATH": str(tmp_path)}, capture_output=True, text=True,
        check=True,
    )
    assert re.fullmatch(r"/\S+\n", found.stdout)
    assert os.path.samefile(os.path.realpath(found.stdout.strip()), os.path.realpath(sys.executable))
