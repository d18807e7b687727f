# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's password appears nowhere: not in output, process lists, logs or files of the region."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
import yaml


class Watcher(threading.Thread):
    """Reads the command line and the environment of every process, over and over.

    Args:
        secret: what must not be seen.
    """

    def __init__(self, secret):
        super().__init__(daemon=True)
        self.secret, self.seen, self.rounds = secret.encode(), set(), 0
        self._done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self._done.set()
        self.join()

    def run(self):
        while not self._done.wait(0.01):
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (process / name).read_bytes()
                    except OSError:
                        continue
                    if self.secret in content:
                        self.seen.add(name + ": " + content.replace(b"\0", b" ").decode(errors="replace")[:200])


def files_with(secret, *roots):
    """Every file below the roots that holds the secret, in plain text."""
    found = []
    for root in roots:
        for path in sorted(Path(root).rglob("*")):
            if path.is_file() and not path.is_symlink() and secret.encode() in path.read_bytes():
                found.append(path)
    return found


@pytest.fixture(scope="module")
def secret(region):
    """The password of the embedded administrator."""
    clouds = yaml.safe_load((region.directory / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]
    found = clouds["embedded-admin"]["auth"]["password"]
    assert len(found) >= 12
    return found


def test_the_password_is_nowhere_but_where_it_must_be(region, secret):
    output = ""
    with Watcher(secret) as watcher:
        for verb, variables in (("plan", {}), ("site", {}), ("verify", {"region_canary": True}), ("teardown", {}),
                                ("page", {"region_page_path": str(region.home / "region.html")})):
            output += region.run(verb, "-vvv", "--diff", **variables).good().output
    assert watcher.rounds > 20
    assert watcher.seen == set()
    assert "identity_projects" in output and secret not in output

    holders = files_with(secret, region.directory, region.home)
    allowed = [region.directory / "clouds.yaml", *(region.directory / "etc").rglob("*")]
    assert region.directory / "clouds.yaml" in holders, "the search itself is broken"
    assert [path for path in holders if path not in allowed] == []
    assert [path for path in holders if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_a_wrong_password_is_not_repeated_in_the_error(region, secret):
    wrong = "planted-" + secret[::-1]
    text = (region.directory / "clouds.yaml").read_text(encoding="utf-8").replace(secret, wrong)
    private = region.home / "wrong.yaml"
    private.touch(mode=0o600)
    private.write_text(text, encoding="utf-8")
    environment = region.environment
    try:
        region.environment = lambda: {**environment(), "OS_CLIENT_CONFIG_FILE": str(private)}
        failed = region.run("plan", "-vvv")
    finally:
        region.environment = environment
        private.unlink()
    assert failed.code != 0 and "refused the credentials (401)" in failed.output
    assert wrong not in failed.output


def test_a_planted_password_would_be_found(region, secret):
    planted = region.directory / "log" / "planted.log"
    planted.write_text("user admin, password " + secret + "\n", encoding="utf-8")
    try:
        assert planted in files_with(secret, region.directory)
    finally:
        planted.unlink()
    with Watcher(secret) as watcher:
        region.run("plan", "-e", "planted=" + secret)
    assert [one for one in watcher.seen if one.startswith("cmdline")]


def test_what_holds_secrets_is_private(region):
    assert stat.S_IMODE((region.directory / "clouds.yaml").stat().st_mode) == 0o600
    for path in (region.directory / "etc").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
