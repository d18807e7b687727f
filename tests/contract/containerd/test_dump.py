# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written for containerd, judged by the real ones: nothing lost, nothing changed but what was asked."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    MAIN,
    SUITES,
    Containerd,
    handler,
    handlers_of,
)

DEBIAN = """\
version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
"""
# An operator's own: a mirror with credentials, a pause image of his, a handler of his, cgroups, and words about it.
OPERATOR = """\
# managed by the platform team, ask before you change it
version = 2
oom_score = -999

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "mirror.example/pause:3.9" # air gap
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = true
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mine]
      runtime_type = "io.containerd.runc.v2"
      pod_annotations = ["example.com/*"]
"""
VERSION_3 = """\
version = 3
imports = ["/etc/containerd/conf.d/*.toml"]

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'mirror.example/pause:3.9'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.mine]
  runtime_type = 'io.containerd.runc.v2'
"""
MAINS = {"none": None, "debian": DEBIAN, "operator": OPERATOR}


def without(dump, *names):
    """A dump without some handlers, and without what goes with them."""
    dump = copy.deepcopy(dump)
    for name in names:
        handlers_of(dump).pop(name)
    images = dump["plugins"].get("io.containerd.cri.v1.images", {})
    for name in names:
        images.get("runtime_platforms", {}).pop(name, None)
    if not images.get("runtime_platforms", True):
        del images["runtime_platforms"]
    return dump


@pytest.mark.parametrize("main", MAINS)
@pytest.mark.parametrize("suite", SUITES)
def test_a_handler_comes_and_goes_and_nothing_else_moves(tmp_path, suite, main):
    host = Containerd(tmp_path, suite, MAINS[main])
    before, files = host.dump(), host.files()
    planned = host.converge([handler()], check_mode=True)
    assert host.files() == files
    result = host.converge([handler()])
    assert result["actions"] == planned["actions"] and result["changed"] is True
    after = host.dump()
    found = handlers_of(after)["kata"]
    assert (found["runtime_type"], found["privileged_without_host_devices"]) == ("io.containerd.kata.v2", True)
    assert found["options"] == {"ConfigPath": "/opt/kata/share/configuration.toml"}
    assert without(after, "kata") == before
    assert host.converge([handler()])["changed"] is False
    assert [row["name"] for row in result["handlers_after"]] == sorted(handlers_of(after))
    assert [row["name"] for row in result["handlers_before"]] == sorted(handlers_of(before))
    assert host.converge([handler(state="absent")])["changed"] is True
    assert host.dump() == before
    assert host.files() == files


@pytest.mark.parametrize("suite", SUITES)
def test_all_that_an_operator_wrote_stays_byte_by_byte(tmp_path, suite):
    host = Containerd(tmp_path, suite, OPERATOR)
    host.converge([handler()])
    assert host.read(MAIN).startswith(OPERATOR)


def test_a_drop_in_where_the_main_file_imports_a_directory(tmp_path):
    host = Containerd(tmp_path, "sid", VERSION_3)
    before = host.dump()
    result = host.converge([handler(snapshotter="native")])
    assert [one["name"] for one in result["actions"]] == ["/etc/containerd/conf.d/60-sovereign-region.toml"]
    after = host.dump()
    assert host.read(MAIN) == VERSION_3
    assert after["plugins"]["io.containerd.cri.v1.images"]["runtime_platforms"]["kata"]["snapshotter"] == "native"
    assert without(after, "kata") == before
    host.converge([handler(state="absent")])
    assert host.dump() == before and host.files().keys() == {"etc/containerd/config.toml"}


@pytest.mark.parametrize("main", MAINS)
def test_an_upgrade_of_containerd_finds_what_the_older_one_got(tmp_path, main):
    """The distribution brings 1.7 and then 2.x; every time the result is that of a host which was new with it."""
    host = Containerd(tmp_path / "old", "bookworm", MAINS[main])
    files = host.files()
    host.converge([handler()])
    for suite in SUITES[1:]:
        host.suite = suite
        host.converge([handler()])
        fresh = Containerd(tmp_path / suite, suite, MAINS[main])
        fresh.converge([handler()])
        assert host.dump() == fresh.dump()
        # A main file that had to be made stays of the version of then.
        assert main == "none" or host.files() == fresh.files()
        assert host.converge([handler()])["changed"] is False
    host.converge([handler(state="absent")])
    assert host.files() == files
