# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be in a tarball, and what is rewritten."""

from __future__ import annotations

import posixpath

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release_tarball
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import CONFIGURATION
from hypothesis import example, given
from hypothesis import strategies as st

WHERE = "/opt/kata-releases/4.1.0-static"
PARTS = st.lists(st.sampled_from(["..", ".", "", "opt", "kata", "bin", "a", "etc", "share"]), max_size=7)
PATHS = st.builds(lambda slash, parts: slash + "/".join(parts), st.sampled_from(["", "/", "./", "//"]), PARTS)


@given(PATHS | st.text(max_size=20))
@example("./opt/kata/../../etc/passwd")
@example("/opt/kata/bin/x")
@example("opt/kata")
def test_no_name_leads_out_of_the_release(name):
    try:
        path = release_tarball.inner_path(name)
    except DeclarationError:
        return
    assert not path.startswith("/") and ".." not in path.split("/")
    assert posixpath.normpath("/r/" + path).startswith("/r")
    assert path == "" or posixpath.normpath("/" + name) == "/opt/kata/" + path


@given(PATHS.map(lambda one: one.strip("/.") or "a").filter(lambda one: ".." not in one), PATHS)
def test_no_relative_link_leads_out_of_the_release(path, target):
    path = posixpath.normpath(path)
    try:
        found = release_tarball.link_target(path, target, WHERE)
    except DeclarationError:
        return
    if target.startswith("/"):
        # It leads where it was packed to lead, or to the same place below the release.
        tidy = posixpath.normpath("/" + target.lstrip("/"))
        inside = (tidy + "/").startswith("/opt/kata/")
        assert found == (WHERE + tidy[len("/opt/kata"):] if inside else target)
    else:
        assert found == target
        assert (posixpath.normpath(posixpath.join(WHERE, posixpath.dirname(path), found)) + "/").startswith(WHERE + "/")


@pytest.mark.parametrize("target,found", [
    ("/opt/kata/share/x", WHERE + "/share/x"), ("/opt/kata", WHERE), ("//opt/kata//x/", WHERE + "/x"),
    ("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64"), ("/opt/kata-old/x", "/opt/kata-old/x"),
    ("../share/x", "../share/x"),
])
def test_links(target, found):
    assert release_tarball.link_target("bin/x", target, WHERE) == found


@pytest.mark.parametrize("target", ["../../x", "../..", "", "a/../../../x"])
def test_links_that_lead_out(target):
    with pytest.raises(DeclarationError):
        release_tarball.link_target("bin/x", target, WHERE)


def test_packaged_paths_are_rewritten_and_others_are_not():
    text = release_tarball.rewritten(CONFIGURATION, WHERE)
    assert text.count(WHERE) == CONFIGURATION.count('"/opt/kata/')
    assert '"/opt/kata/' not in text
    assert 'elsewhere = "/srv/opt/kata/x:/opt/kata-old/y"' in text


def test_a_qemu_with_a_wrapper_is_named_by_it():
    text = release_tarball.rewritten(CONFIGURATION, WHERE, ["bin/qemu-system-x86_64"])
    assert 'path = "{}/bin/qemu-system-x86_64-installation-prefix"'.format(WHERE) in text
    assert '"{}/bin/qemu-system-x86_64-snp"'.format(WHERE) in text


@given(st.text(alphabet='/optka. "-\n', max_size=60) | st.text())
def test_any_text_is_rewritten_once(text):
    once = release_tarball.rewritten(text, WHERE)
    assert release_tarball.rewritten(once, WHERE) == once
    assert once.replace(WHERE, "/opt/kata") == text or WHERE in text


def test_wrappers_are_for_upstreams_own_qemu():
    files = ["bin/qemu-system-x86_64", "bin/qemu-system-x86_64-snp-experimental", "bin/qemu-img", "bin/virtiofsd"]
    folders = {"share/kata-qemu/qemu": 0o755, "share/kata-qemu-snp-experimental/qemu": 0o755}
    assert release_tarball.wrappers(files, folders) == {
        files[0]: "share/kata-qemu/qemu", files[1]: "share/kata-qemu-snp-experimental/qemu"}
    assert release_tarball.wrappers(files, {}) == {}


@pytest.mark.parametrize("source,kind", [
    ("/srv/a.tar.zst", "zst"), ("https://m/a.tar.zst?sig=1#x", "zst"), ("/srv/a.tar.xz", "xz"), ("/srv/a.tar.gz", None),
    ("/srv/a.tar.zst?x", None), ("https://m/?a.tar.zst", None),
])
def test_compression_is_told_by_the_name(source, kind):
    assert release_tarball.compression(source) == kind


@pytest.mark.parametrize("version", ["4.1.0", "3.32.0", "4.2.0-rc0", "4.1.0-2", "4.1.0+site.1", "4.1.0-12-gabc1234"])
def test_versions(version):
    assert release_tarball.version_problem(version) is None


@pytest.mark.parametrize("version", ["", "4.1", "latest", "../4.1.0", "4.1.0/x", "4.1.0-", "4.1.0-go", "4.1.0-tools",
                                     "4.1.0\n", "4.1.0 ", "4.1.0-" + "1" * 80])
def test_no_versions(version):
    assert release_tarball.version_problem(version).startswith("version: ")


@given(st.lists(st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9](-rc[0-9]|-[0-9]|\+a[0-9])?", fullmatch=True), max_size=6))
def test_versions_have_an_order(versions):
    assert [release_tarball.version_key(one) for one in sorted(versions, key=release_tarball.version_key)] == sorted(
        release_tarball.version_key(one) for one in versions)


ORDERED = ["3.9.0", "3.32.0", "4.1.0-rc0", "4.1.0", "4.1.0-2", "4.1.0-10", "4.10.0"]


@given(st.permutations(ORDERED))
def test_the_order_of_versions(versions):
    assert sorted(versions, key=release_tarball.version_key) == ORDERED


GO, RUST = "bin/containerd-shim-kata-v2", "runtime-rs/bin/containerd-shim-kata-v2"


@pytest.mark.parametrize("flavour,version,packaged,paths,why", [
    ("static", "4.1.0", "4.1.0", [RUST], None), ("static", "4.1.0-2", "4.1.0", [RUST], None),
    ("static", "3.32.0", "3.32.0", [GO, RUST], None), ("static", "3.32.0", None, [GO], None),
    ("go-static", "4.1.0", "4.1.0", [GO], None), ("tools-static", "4.1.0", None, ["bin/genpolicy"], None),
    ("static", "4.1.1", "4.1.0", [RUST], "version '4.1.0'"), ("static", "4.1.01", "4.1.0", [RUST], "version '4.1.0'"),
    ("static", "4.1.0", "4.1.0", [GO], "'go-static'"), ("go-static", "4.1.0", "4.1.0", [RUST], "'static'"),
    ("go-static", "3.32.0", "3.32.0", [GO, RUST], "'static'"), ("static", "4.1.0", "4.1.0", [], "has no"),
    ("tools-static", "4.1.0", None, [], "no tools"),
])
def test_what_was_unpacked_must_be_what_was_declared(flavour, version, packaged, paths, why):
    found = release_tarball.content_problem(flavour, version, packaged, paths)
    assert found is None if why is None else why in found


def test_permissions():
    assert [oct(release_tarball.permissions(one)) for one in (0o4755, 0o2775, 0o1777, 0o640, 0o600)] == [
        "0o755", "0o755", "0o755", "0o640", "0o600"]
