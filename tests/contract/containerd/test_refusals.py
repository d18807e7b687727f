# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, by the real containerd or before it is asked, and that nothing was changed then."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    MAIN,
    SUITES,
    Containerd,
    handler,
    handlers_of,
)
from ansible_collections.sovereign.region.tests.contract.containerd.test_dump import (
    DEBIAN,
    OPERATOR,
    VERSION_3,
    without,
)

CRI = '"io.containerd.grpc.v1.cri"'


def refused(host, handlers, kind=errors.Refused, **more):
    """The words of a refusal, after a check that it is the same in check mode and that no file was touched."""
    files = host.files()
    with pytest.raises(kind) as planned:
        host.converge(handlers, check_mode=True, **more)
    with pytest.raises(kind) as done:
        host.converge(handlers, **more)
    assert str(planned.value) == str(done.value) and host.files() == files
    left = host.root / "run/sovereign-region/cri-candidate"
    assert not left.exists() or not [path for path in left.rglob("*") if path.is_file()]
    return str(done.value)


@pytest.mark.parametrize("suite", SUITES)
def test_a_snapshotter_has_to_be_one_of_this_containerd(tmp_path, suite):
    host = Containerd(tmp_path, suite, DEBIAN)
    assert "'overlay' is no snapshotter of this containerd; the nearest is 'overlayfs'" in refused(
        host, [handler(snapshotter="overlay")])
    proxy = '[proxy_plugins.nydus]\ntype = "snapshot"\naddress = "/run/nydus.sock"\n'
    host.write(MAIN, DEBIAN + proxy)
    if suite == "bookworm":
        assert "snapshotter of handler 'kata' would be None and not 'nydus'" in refused(
            host, [handler(snapshotter="nydus")])
    else:
        assert host.converge([handler(snapshotter="nydus")])["handlers_after"][0]["snapshotter"] == "nydus"


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("more", [{"runtime_path": "/opt/kata/bin/nothing"}, {"config_path": "/opt/kata/nothing.toml"}])
def test_a_path_that_is_not_there_is_told_because_containerd_would_not(tmp_path, suite, more):
    host = Containerd(tmp_path, suite, DEBIAN)
    (key, path), = more.items()
    assert "handlers[0].{0}: ".format(key) in refused(host, [handler(**more)])
    pending = [{"verb": "create", "kind": "release", "name": "/opt/kata", "before": None, "after": {"version": "1"}}]
    assert host.converge([handler(**more)], check_mode=True, pending=pending)["changed"] is True


def test_a_shim_has_to_be_executable_and_a_type_has_to_have_a_binary(tmp_path):
    host = Containerd(tmp_path, "trixie", DEBIAN)
    host.write("/opt/kata/shim", "#!/bin/true\n")
    assert "is not executable" in refused(host, [handler(runtime_path="/opt/kata/shim")])
    assert "there is no containerd-shim-kata-v2 in /usr/local/sbin" in refused(host, [handler(runtime_path=None)])
    host.write("/opt/kata/c.toml", "a = \n")
    assert "is no TOML: Invalid value" in refused(host, [handler(config_path="/opt/kata/c.toml")])


@pytest.mark.parametrize("suite", SUITES)
def test_what_containerd_cannot_read_is_told_before_anything(tmp_path, suite):
    host = Containerd(tmp_path, suite, DEBIAN + "[plugins.\n")
    assert "config.toml: is no TOML" in refused(host, [handler()])
    host.write(MAIN, DEBIAN + '[metrics]\naddress = ["a"]\n')
    assert "containerd cannot read /etc/containerd/config.toml" in refused(host, [handler()])
    host.write(MAIN, 'version = 2\nimports = ["/etc/containerd/gone.toml"]\n')
    assert "gone.toml: is imported and does not exist" in refused(host, [handler()])


@pytest.mark.parametrize("suite", SUITES)
def test_an_operators_handler_is_never_overwritten_or_removed(tmp_path, suite):
    host = Containerd(tmp_path, suite, OPERATOR)
    mine = handler("mine", runtime_type="io.containerd.runc.v2", runtime_path=None, config_path=None,
                   privileged_without_host_devices=False, pod_annotations=["example.com/*"])
    assert host.converge([mine])["changed"] is False
    assert "is defined already, and differently, in /etc/containerd/config.toml" in refused(
        host, [dict(mine, pod_annotations=["*"])])
    assert "take it out there" in refused(host, [dict(mine, state="absent")])


@pytest.mark.parametrize("suite", SUITES)
def test_tables_that_cannot_be_added_to_are_told(tmp_path, suite):
    inline = DEBIAN + '[plugins.{0}.containerd]\nruntimes = {{mine = {{runtime_type = "io.containerd.runc.v2"}}}}\n'
    host = Containerd(tmp_path, suite, inline.format(CRI))
    assert "write it as a table of its own" in refused(host, [handler()])


def test_a_main_file_of_version_1_on_containerd_2_is_told(tmp_path):
    old = '[plugins.cri.containerd.runtimes.mine]\nruntime_type = "io.containerd.runc.v2"\n'
    host = Containerd(tmp_path, "sid", old)
    assert "containerd config migrate" in refused(host, [handler()])


@pytest.mark.parametrize("main", [
    "", 'oom_score = -999\n[plugins."io.containerd.cri.v1.runtime"]\nenable_cdi = true\n'])
def test_containerd_2_needs_no_version(tmp_path, main):
    host = Containerd(tmp_path, "sid", main)
    before = host.dump()
    host.converge([handler()])
    assert without(host.dump(), "kata") == before and sorted(handlers_of(host.dump())) == ["kata", "runc"]
    host.converge([handler(state="absent")])
    assert host.dump() == before and host.read(MAIN) == main


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_options_of_runc_beside_our_block_are_taken_over(tmp_path, suite):
    """Without a handler of ours runc is containerd's own, and its options alone would be no handler."""
    host = Containerd(tmp_path, suite, DEBIAN)
    host.converge([handler()])
    runc = handlers_of(host.dump())["runc"]
    options = "[plugins.{0}.containerd.runtimes.runc.options]\nSystemdCgroup = true\n".format(CRI)
    host.write(MAIN, host.read(MAIN) + options)
    assert not host.inside(["containerd", "--config", MAIN, "config", "dump"]).ok
    assert "has a table twice" in host.converge([handler()])["advice"][0]
    found = handlers_of(host.dump())
    assert found["runc"] == dict(runc, options={"SystemdCgroup": True}) and "kata" in found
    assert host.converge([handler()])["changed"] is False
    assert "runtime_type of handler 'runc' would change" in refused(host, [handler(state="absent")])
    # containerd 2.x adds them to its own runc, so that none of ours is needed.
    host.suite = "sid"
    host.converge([handler()])
    assert handlers_of(host.dump())["runc"]["options"]["SystemdCgroup"] is True
    host.converge([handler(state="absent")])
    assert host.read(MAIN) == DEBIAN + options


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_version_1_is_served_by_containerd_1(tmp_path, suite):
    old = '[plugins.cri]\n  sandbox_image = "a/b:1"\n'
    host = Containerd(tmp_path, suite, old)
    before = host.dump()
    host.converge([handler()])
    assert without(host.dump(), "kata") == before and sorted(handlers_of(host.dump())) == ["kata", "runc"]
    host.converge([handler(state="absent")])
    assert host.dump() == before and host.read(MAIN) == old


def test_a_drop_in_of_others_that_takes_ours_away_is_told(tmp_path):
    """On 1.x the last file with a CRI section counts: ours goes there, and where that cannot be it is refused."""
    host = Containerd(tmp_path, "trixie", DEBIAN.replace("version = 2\n", 'version = 2\nimports = ["/etc/x/a.toml"]\n'))
    (tmp_path / "etc/containerd/x").mkdir()
    host.write(MAIN, host.read(MAIN).replace("/etc/x/", "/etc/containerd/x/"))
    host.write("/etc/containerd/x/a.toml", 'version = 2\nimports = ["/etc/containerd/x/b.toml"]\n')
    host.write("/etc/containerd/x/b.toml", 'version = 2\n[plugins.{0}]\nsandbox_image = "x"\n'.format(CRI))
    assert "with the new files handler 'kata' would not be there" in refused(host, [handler()])


@pytest.mark.parametrize(("suite", "main"), [("bookworm", OPERATOR), ("trixie", OPERATOR), ("sid", OPERATOR),
                                             ("sid", VERSION_3)])
def test_an_operators_pause_image_is_his(tmp_path, suite, main):
    host = Containerd(tmp_path, suite, main)
    assert "'mirror.example/pause:3.9' there" in refused(host, [handler()], sandbox_image="other/pause:1")
    host.converge([handler()], sandbox_image="mirror.example/pause:3.9")
    host.converge([handler(state="absent")])
    assert host.read(MAIN) == main


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("main", [None, DEBIAN, "version = 2\n"])
def test_pause_image_and_cdi_come_and_go(tmp_path, suite, main):
    host = Containerd(tmp_path, suite, main)
    before, files = host.dump(), host.files()
    if suite == "bookworm":
        assert "enable_cdi would be None and not True" in refused(host, [handler()], enable_cdi=True)
    given = {"sandbox_image": "mirror.example/pause:3.10"}
    given.update({} if suite == "bookworm" else {"enable_cdi": suite == "trixie"})
    host.converge([handler()], **given)
    text = json.dumps(host.dump())
    assert "mirror.example/pause:3.10" in text
    assert host.converge([handler()])["changed"] is False
    host.converge([handler()], sandbox_image="mirror.example/pause:3.11")
    assert "mirror.example/pause:3.11" in json.dumps(host.dump())
    host.converge([handler(state="absent")])
    assert host.dump() == before and host.files() == files


def test_a_drop_in_is_not_taken_back_in_part(tmp_path):
    host = Containerd(tmp_path, "trixie", DEBIAN)
    host.converge([handler(), handler("kata-rs")])
    host.converge([handler(state="absent")])
    assert sorted(handlers_of(host.dump())) == ["kata-rs", "runc"]
    broken = host.read(MAIN).replace("# END sovereign", "# end sovereign")
    host.write(MAIN, broken)
    assert "has no last line" in refused(host, [handler()])
