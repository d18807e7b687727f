# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tarballs from a mirror that answers well, badly, in part, or not at all."""

from __future__ import annotations

import base64
import contextlib
import http.server
import threading

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    release,
    release_download,
    release_files,
)
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    ROOT,
    Machine,
    parameters,
)


class Mirror(http.server.BaseHTTPRequestHandler):
    """What it answers is said by the path; the server has ``content`` and counts ``asked``."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.told.append(self.headers.get("Authorization"))
        content, way = self.server.content, self.path.split("/")[1].split("?")[0]
        if way == "gone":
            self.send_error(404)
            return
        if way == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "/good/" + self.path.split("/")[2])
            self.end_headers()
            return
        if way in ("away", "inside", "circle", "odd"):
            if way == "inside" and not self.headers.get("Authorization"):
                self.send_error(401)
                return
            self.send_response(307)
            self.send_header("Location", {"away": self.server.away, "inside": "../closed/a.tar.xz",
                                          "circle": self.path, "odd": "file:///etc/passwd"}[way])
            self.end_headers()
            return
        if way == "closed" and self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:word").decode():
            self.send_error(401)
            return
        self.send_response(200)
        if way != "untold":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:len(content) // 2] if way in ("cut", "untold") else b"x" * len(
            content) if way == "other" else content)

    def log_message(self, *unused):
        """Say nothing."""


@contextlib.contextmanager
def serving():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked, server.told, server.away = [], [], None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture()
def mirror():
    with serving() as server:
        yield server


@pytest.fixture()
def machine(tmp_path):
    return Machine(tmp_path)


def declared(machine, mirror, way, **options):
    found = machine.tarball("4.1.0")
    mirror.content = (machine.root / found["source"][1:]).read_bytes()
    source = "http://127.0.0.1:{}/{}/kata-static-4.1.0-amd64.tar.xz".format(mirror.server_port, way)
    return dict(found, source=source, **options)


@pytest.mark.parametrize("way,options", [
    ("good", {}), ("elsewhere", {}),
    ("inside", {"url_username": "me", "url_password": "word"}),
    ("closed", {"url_username": "me", "url_password": "word"})])
def test_what_a_mirror_has_is_installed(machine, mirror, way, options):
    options = declared(machine, mirror, way, **options)
    planned = machine.converge(check=True, **options)
    assert mirror.asked == []
    done = machine.converge(**options)
    assert done["actions"] == planned["actions"]
    assert [(one["verb"], one["kind"]) for one in done["actions"]] == [
        ("create", "tarball"), ("create", "Kata release"), ("delete", "tarball"), ("create", "current release")]
    assert "word" not in str(done)
    assert list((machine.releases / ".tarballs").iterdir()) == []
    asked = len(mirror.asked)
    assert machine.converge(**options)["changed"] is False
    assert len(mirror.asked) == asked


@pytest.mark.parametrize("way,said", [
    ("cut", "the answer ended after|could not be downloaded"), ("untold", "the SHA-256 of what came is"),
    ("other", "the SHA-256 of what came is"), ("gone", "404"), ("closed", "401")])
def test_what_is_not_the_declared_tarball_is_not_kept(machine, mirror, way, said):
    with pytest.raises(change.PartialFailure, match=said) as caught:
        machine.converge(**declared(machine, mirror, way))
    assert isinstance(caught.value.cause, errors.HostError) and caught.value.done == []
    assert [one for one in machine.releases.rglob("*") if one.is_file()] == []


def test_the_password_of_a_mirror_is_told_to_nobody_else(machine, mirror):
    with serving() as other:
        options = declared(machine, mirror, "away", url_username="me", url_password="word")
        other.content, mirror.away = mirror.content, f"http://127.0.0.1:{other.server_port}/good/a.tar.xz"
        assert machine.converge(**options)["changed"] is True
        assert mirror.told == ["Basic " + base64.b64encode(b"me:word").decode()]
        assert other.told == [None]


@pytest.mark.parametrize("way,said", [("circle", "more than 10 times"), ("odd", "neither http nor https")])
def test_a_mirror_that_sends_us_away_for_nothing(machine, mirror, way, said):
    with pytest.raises(change.PartialFailure, match=said):
        machine.converge(**declared(machine, mirror, way))
    assert len(mirror.asked) < 15


def test_a_mirror_that_does_not_answer(machine, mirror):
    options = declared(machine, mirror, "good")
    mirror.server_close()
    mirror.shutdown()
    with pytest.raises(change.PartialFailure, match="could not be downloaded"):
        machine.converge(**options)


def test_what_was_downloaded_before_a_kill_is_used(machine, mirror):
    options = declared(machine, mirror, "good")
    params = parameters(**options)
    observed = release.observe(machine.host, params)
    release.performer(machine.host, params, observed)(release.decide(params, observed)[0])
    assert len(mirror.asked) == 1
    done = machine.converge(**options)
    assert done["changed"] is True and len(mirror.asked) == 1
    assert list((machine.releases / ".tarballs").iterdir()) == []


def test_a_download_that_was_damaged_on_the_disk_is_fetched_again(machine, mirror):
    options = declared(machine, mirror, "good")
    cache = machine.releases / ".tarballs" / (options["sha256"] + ".tar.xz")
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"damaged")
    assert [(one["verb"], one["kind"]) for one in machine.converge(**options)["actions"]][:3] == [
        ("delete", "tarball"), ("create", "tarball"), ("create", "Kata release")]


def test_half_a_download_goes_unless_a_run_is_at_work_on_it(machine, mirror):
    options = declared(machine, mirror, "good")
    place = machine.releases / ".tarballs"
    place.mkdir(parents=True)
    mine = ".downloading-" + options["sha256"] + ".tar.xz"
    for name in (mine, ".downloading-other.tar.zst"):
        (place / name).write_bytes(b"half of it")
    with open(place / mine, "rb") as busy:
        assert release_files.lock(busy.fileno())
        with pytest.raises(change.PartialFailure, match="another run is downloading it"):
            machine.converge(**options)
        assert (place / mine).read_bytes() == b"half of it" and len(list(place.iterdir())) == 1
    assert machine.converge(**options)["changed"] is True
    assert list(place.iterdir()) == []


def test_a_link_in_the_way_is_not_followed(machine, mirror):
    options = parameters(**declared(machine, mirror, "good"))
    place = machine.releases / ".tarballs"
    place.mkdir(parents=True)
    (machine.root / "victim").write_text("mine")
    (place / ".downloading-x").symlink_to(machine.root / "victim")
    with pytest.raises(errors.HostError, match="could not be written"):
        release_download.fetch(machine.host, options, f"{ROOT}/.tarballs/x")
    assert (machine.root / "victim").read_text() == "mine"
