# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers become paths in the directory of their release; what cannot be right is said before anything is asked."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation.wiring import wire
from hypothesis import given
from hypothesis import strategies as st

HOME = "/opt/kata-releases"
RUST = {"version": "4.1.0", "flavour": "static"}
GO = {"version": "4.1.0", "flavour": "go-static"}
OLD = {"version": "3.32.0", "flavour": "static"}


def wired(*handlers, releases=(RUST,)):
    return wire(list(handlers), list(releases), HOME)


def refused(*handlers, releases=(RUST,)):
    with pytest.raises(DeclarationError) as raised:
        wired(*handlers, releases=releases)
    return str(raised.value)


def test_a_handler_names_the_directory_of_its_release():
    made = wired({"name": "kata", "shim": "qemu-runtime-rs", "pod_annotations": ["io.katacontainers.*"],
                  "settings": {"hypervisor": {"qemu": {"default_memory": 4096}}}})
    home = HOME + "/4.1.0-static"
    assert made == {
        "releases": [RUST], "removed": [], "removed_names": [],
        "shims": [{"shim": "qemu-runtime-rs", "release": home,
                   "settings": {"hypervisor": {"qemu": {"default_memory": 4096}}}}],
        "handlers": [{
            "name": "kata", "state": "present", "pod_annotations": ["io.katacontainers.*"],
            "runtime_path": home + "/runtime-rs/bin/containerd-shim-kata-v2",
            "config_path": home + "/share/defaults/kata-containers/runtime-rs/runtimes/qemu-runtime-rs/"
                                  "configuration-qemu-runtime-rs.toml"}]}


@pytest.mark.parametrize("shim, release, folder", [
    ("qemu", GO, ""), ("qemu-runtime-rs", RUST, "/runtime-rs"), ("dragonball", RUST, "/runtime-rs"),
    ("qemu", OLD, ""), ("qemu-runtime-rs", OLD, "/runtime-rs"), ("dragonball", OLD, "/runtime-rs")])
def test_the_program_is_that_of_the_shim(shim, release, folder):
    (handler,) = wired({"name": "kata", "shim": shim}, releases=[release])["handlers"]
    assert handler["runtime_path"] == "{0}/{1}-{2}{3}/bin/containerd-shim-kata-v2".format(
        HOME, release["version"], release["flavour"], folder)


def test_two_handlers_may_share_a_shim():
    made = wired({"name": "one", "shim": "qemu-runtime-rs"}, {"name": "two", "shim": "qemu-runtime-rs"})
    assert len(made["shims"]) == 1 and [one["name"] for one in made["handlers"]] == ["one", "two"]
    assert "other settings" in refused({"name": "one", "shim": "qemu-runtime-rs"},
                                       {"name": "two", "shim": "qemu-runtime-rs", "settings": {"runtime": {}}})


def test_a_name_is_declared_once():
    assert "kata_handlers[1].name: 'k' is declared already by kata_handlers[0]" in refused(
        {"name": "k", "shim": "qemu-runtime-rs"}, {"name": "k", "state": "absent"})


def test_switches_may_be_texts():
    made = wired({"name": "a", "shim": "qemu-runtime-rs", "allow_debug": "true"},
                 {"name": "b", "shim": "qemu-runtime-rs", "allow_debug": True})
    assert [one["allow_debug"] for one in made["shims"]] == [True]


def test_what_goes_needs_no_release():
    gone = dict(OLD, state="absent")
    assert wired({"name": "kata", "state": "absent"}, releases=[gone]) == {
        "shims": [], "handlers": [{"name": "kata", "state": "absent"}],
        "releases": [], "removed": [gone], "removed_names": ["3.32.0-static"]}


@pytest.mark.parametrize("handler, releases, said", [
    ({"name": "k", "shim": "qemu", "snapshoter": "erofs"}, [RUST], "the nearest is 'snapshotter'"),
    ({"shim": "qemu"}, [RUST], "kata_handlers[0].name: missing"),
    ({"name": "k"}, [RUST], "kata_handlers[0].shim: missing"),
    ({"name": "k", "shim": "qemu"}, [], "no release is declared in kata_releases"),
    ({"name": "k", "shim": "qemu"}, [RUST, GO], "declared are 4.1.0-static, 4.1.0-go-static"),
    ({"name": "k", "shim": "qemu", "release": "4.1.0-statik"}, [RUST], "the nearest is '4.1.0-static'"),
    ({"name": "k", "shim": "qemu", "release": "4.2.0-static"}, [RUST], "the nearest is '4.1.0-static'"),
    ({"name": "k", "shim": "qemu"}, [dict(RUST, state="absent")], "no release is declared"),
    ({"name": "k", "shim": "qemu"}, [dict(RUST, flavour="tools-static")], "holds tools and no shim"),
    ({"name": "k", "shim": "../qemu"}, [RUST], "is no name of a shim"),
    ({"name": "k", "shim": "qemu", "state": "absnt"}, [RUST], "state: 'absnt'; expected present or absent"),
    ({"name": "k", "shim": "qemu"}, [{"flavour": "static"}], "kata_releases[0].version: missing"),
])
def test_what_cannot_be_right(handler, releases, said):
    assert said in refused(handler, releases=releases)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "shim", "release", "state", "settings", "x"]),
                                st.one_of(st.text(), st.sampled_from(["absent", "qemu", "4.1.0-static"])))))
def test_nothing_else_is_raised(handlers):
    try:
        wired(*handlers)
    except DeclarationError:
        pass
