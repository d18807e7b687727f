# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a release, what differs from it, and the bill of materials."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import (
    release_bill,
    release_manifest,
    release_tarball,
)
from hypothesis import given
from hypothesis import strategies as st

TOML = "share/defaults/kata-containers/configuration-qemu.toml"
FILES = {
    "bin/containerd-shim-kata-v2": {"sha256": "a" * 64, "size": 5, "mode": 0o755},
    TOML: {"sha256": "b" * 64, "size": 6, "mode": 0o644},
    "share/kata-containers/vmlinux-6.18": {"sha256": "c" * 64, "size": 7, "mode": 0o644},
    "share/kata-containers/vmlinux.container": {"link": "vmlinux-6.18"},
    "share/kata-containers/kata-containers.img": {"sha256": "d" * 64, "size": 8, "mode": 0o644},
    "share/kata-containers/kata-containers-initrd.img": {"sha256": "e" * 64, "size": 9, "mode": 0o644},
    "share/kata-containers/root_hash_nvidia.txt": {"sha256": "f" * 64, "size": 1, "mode": 0o644},
    "share/ovmf/AMDSEV.fd": {"sha256": "0" * 64, "size": 2, "mode": 0o644},
}
DECLARED = {"version": "4.1.0", "flavour": "go-static", "sha256": "A" * 64,
            "source": "https://me:secret@mirror.example/k/kata-go-static-4.1.0-amd64.tar.zst?token=secret"}
RECORD = release_manifest.build(DECLARED, 42, "4.1.0", FILES, {TOML}, "2026-11-21T19:00:00Z")
TEXT = release_manifest.text_of(RECORD)
NAME = "4.1.0-go-static"


def test_a_record_comes_back():
    assert release_manifest.parse(TEXT, NAME) == (RECORD, None)


def test_a_record_holds_no_secret():
    assert "secret" not in TEXT
    assert RECORD["source"] == "https://mirror.example/k/kata-go-static-4.1.0-amd64.tar.zst"


@given(st.integers(0, len(TEXT) - 3))
def test_a_record_that_was_cut_off_is_none(place):
    record, why = release_manifest.parse(TEXT[:place], NAME)
    assert record is None and release_manifest.FILE in why


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8)


@given(st.sampled_from(sorted(RECORD)), JSON)
def test_a_record_with_anything_in_it_never_raises(key, value):
    record, why = release_manifest.parse(json.dumps(dict(RECORD, **{key: value})), NAME)
    assert (record is None) == (why is not None)
    if record is not None:
        release_manifest.compare(record, {})
        release_bill.bill_of_materials(record, "/x")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../b"])
def test_a_record_names_nothing_outside(path):
    text = json.dumps(dict(RECORD, files={path: FILES[TOML]}))
    assert release_manifest.parse(text, NAME)[0] is None


@given(st.text() | st.sampled_from(["[]", "{}", "null", '{"format": 1}', '{"format": 2}']))
def test_any_text_never_raises(text):
    assert release_manifest.parse(text, NAME)[0] is None


def test_a_record_of_another_release():
    assert "4.1.0-go-static" in release_manifest.parse(TEXT, "4.1.1-go-static")[1]


@given(st.sampled_from(sorted(release_tarball.FLAVOURS)),
       st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){2}([-+.][0-9A-Za-z]{1,5}){0,2}", fullmatch=True).filter(
           lambda one: release_tarball.version_problem(one) is None))
def test_a_name_says_version_and_flavour(flavour, version):
    assert release_manifest.split_name(release_manifest.name_of(version, flavour)) == (version, flavour)


@pytest.mark.parametrize("name", ["", "static", "-static", "current-static", "4.1.0", "4.1.0-static2", "4.1-static",
                                  ".unpacking-4.1.0-static", "../4.1.0-static"])
def test_other_names_are_no_releases(name):
    assert release_manifest.split_name(name) is None


def test_what_is_as_it_was_has_no_damage():
    found = copy.deepcopy(FILES)
    found["share/defaults/kata-containers/runtimes/qemu/config.d/60-x.toml"] = FILES[TOML]
    assert release_manifest.compare(RECORD, found) == {"missing": [], "changed": [], "added": []}


@given(st.sampled_from(sorted(FILES)), st.sampled_from(["gone", "sha256", "size", "mode", "link"]))
def test_every_difference_is_seen(path, way):
    found = copy.deepcopy(FILES)
    if way == "gone":
        del found[path]
    elif way == "link" or "link" in found[path]:
        found[path] = {"link": "/tmp/x"}
    else:
        found[path] = dict(found[path], **{way: "9" * 64 if way == "sha256" else 0o7777})
    differences = release_manifest.compare(RECORD, found)
    assert differences["missing" if way == "gone" else "changed"] == [path]
    assert path in release_manifest.damage(differences)


def test_digests_that_were_not_computed_do_not_count():
    found = {path: dict(entry, sha256=None) if "sha256" in entry else entry for path, entry in FILES.items()}
    assert release_manifest.damage(release_manifest.compare(RECORD, found)) is None


def test_a_configuration_may_move_into_the_directory_of_its_shim():
    moved = {"link": "runtimes/qemu/configuration-qemu.toml", "content": dict(FILES[TOML], mode=0o600)}
    assert release_manifest.compare(RECORD, dict(FILES, **{TOML: moved}))["changed"] == []
    other = dict(moved, content=dict(FILES[TOML], sha256="9" * 64))
    assert release_manifest.compare(RECORD, dict(FILES, **{TOML: other}))["changed"] == [TOML]
    away = dict(moved, link="/etc/kata-containers/configuration-qemu.toml")
    assert release_manifest.compare(RECORD, dict(FILES, **{TOML: away}))["changed"] == [TOML]
    shim = "bin/containerd-shim-kata-v2"
    swapped = {"link": "runtimes/x", "content": FILES[shim]}
    assert release_manifest.compare(RECORD, dict(FILES, **{shim: swapped}))["changed"] == [shim]


def test_additions_are_told_and_are_no_damage():
    found = dict(FILES, **{"bin/evil": FILES[TOML], release_manifest.FILE: FILES[TOML]})
    differences = release_manifest.compare(RECORD, found)
    assert differences["added"] == ["bin/evil"] and release_manifest.damage(differences) is None


@given(st.text() | st.text().map(lambda one: "https://" + one) | st.text().map(lambda one: "https://u:[" + one))
def test_any_source_can_be_shown(source):
    release_manifest.public_source(source)


def test_the_bill_names_all_that_a_mirror_must_hold():
    pause, chart = {"name": "registry.k8s.io/pause:3.10", "sha256": "B" * 64}, {"name": "oci://c", "sha256": "c" * 64}
    bill = release_bill.bill_of_materials(RECORD, "/r", [pause], [chart])
    assert [(one["kind"], one["name"].rpartition("/")[2]) for one in bill] == [
        ("tarball", "kata-go-static-4.1.0-amd64.tar.zst"), ("shim go", "containerd-shim-kata-v2"),
        ("guest initrd", "kata-containers-initrd.img"), ("guest image", "kata-containers.img"),
        ("root hash", "root_hash_nvidia.txt"), ("guest kernel", "vmlinux-6.18"), ("firmware", "AMDSEV.fd"),
        ("container image", "pause:3.10"), ("chart", "c")]
    assert all(release_manifest.is_digest(one["sha256"]) for one in bill)
    assert bill[0]["size"] == 42 and bill[1]["name"] == "/r/bin/containerd-shim-kata-v2"


def test_the_bill_of_what_is_not_installed_yet():
    bill = release_bill.bill_of_materials(None, "/r", [], [], DECLARED)
    assert [(one["kind"], one["sha256"], one["size"]) for one in bill] == [("tarball", "a" * 64, None)]
    assert release_bill.bill_of_materials(None, "/r", [], [], {"source": None, "sha256": None}) == []
