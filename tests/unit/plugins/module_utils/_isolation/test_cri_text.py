# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our lines in somebody else's TOML: added and taken out without a byte of his lost; and what cannot be declared."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cri_declared, cri_effective, cri_text
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli, tomli_w
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.cri_hosts import handler, params
from hypothesis import given
from hypothesis import strategies as st

CRI = ("plugins", "io.containerd.grpc.v1.cri")
KATA = CRI + ("containerd", "runtimes", "kata")
TABLES = cri_text.nested(KATA, {"runtime_type": "a.v2", "options": {"x": "\" ' \n"}})
SCALARS = st.one_of(st.text(max_size=8), st.integers(-9, 9), st.booleans(), st.lists(st.text(max_size=3), max_size=2))
KEYS = st.one_of(st.sampled_from(["plugins", "a.b", "io.containerd.grpc.v1.cri", "cri", "containerd", "ü", "#", "\""]),
                 st.text(min_size=1, max_size=3))
DOCUMENTS = st.recursive(st.dictionaries(KEYS, SCALARS, max_size=3),
                         lambda inner: st.dictionaries(KEYS, st.one_of(SCALARS, inner), max_size=3), max_leaves=12)
HEADS = st.sampled_from(["", "# mine\n", "\n\n# [plugins]\n", "# END of nothing\n"])


@given(DOCUMENTS, HEADS, st.booleans())
def test_what_is_added_can_be_taken_out_again(document, head, value):
    """A table that the operator has as a value refuses; everything else keeps its text."""
    text = head + tomli_w.dumps(document)
    values = {(CRI, "enable_cdi"): True} if value and cri_text.at(document, CRI + ("enable_cdi",)) is None else {}
    try:
        joined = cri_text.join("x", text, TABLES, values)
    except errors.Refused as refusal:
        assert "of its own" in str(refusal)
        return
    found = tomli.loads(joined)
    assert cri_text.at(found, KATA + ("options", "x")) == "\" ' \n"
    assert bool(values) is (cri_text.at(found, CRI + ("enable_cdi",)) is True) or not values
    rest, block, single = cri_text.split("x", joined)
    assert rest == text and block is not None
    assert cri_text.join("x", rest, TABLES, values) == joined


@given(st.text(alphabet="[]{}=\"'# \n.abEGINDsovrgn:_", max_size=200))
def test_garbage_is_refused_or_kept(text):
    try:
        cri_text.parse("x", text)
        joined = cri_text.join("x", text, TABLES, {})
    except errors.Refused:
        return
    rest = cri_text.split("x", joined)[0]
    assert rest in (text, text + "\n")


@pytest.mark.parametrize(("header", "at_end"), [
    ('[plugins."io.containerd.grpc.v1.cri"]', False), ("  [ plugins . 'io.containerd.grpc.v1.cri' ] # x", False),
    ('[plugins."io.containerd.grpc.v1.cri".cni]', True), ("[other]", True)])
def test_a_setting_goes_into_the_table_that_is_there(header, at_end):
    text = "version = 2\n{0}\nx = 1\n".format(header)
    joined = cri_text.join("x", text, {}, {(CRI, "sandbox_image"): "a/b:1"})
    assert joined.startswith(text) is at_end
    assert cri_text.at(tomli.loads(joined), CRI + ("sandbox_image",)) == "a/b:1"
    assert cri_text.split("x", joined)[0] == text


def test_two_blocks_and_half_a_block_are_told_with_their_line():
    one = cri_text.join("x", "a = 1\n", TABLES, {})
    with pytest.raises(errors.Refused, match=r"x:\d+: a second block"):
        cri_text.split("x", one + one.partition("\n")[2])
    with pytest.raises(errors.Refused, match="has no last line"):
        cri_text.split("x", one.rpartition("# END")[0])


@pytest.mark.parametrize(("change", "word"), [
    ({"name": "Kata_QEMU"}, "such as 'kata-qemu'"), ({"name": "a" * 64}, "at most 63"),
    ({"name": "runc"}, "belongs to"),
    ({"runtime_path": "opt/shim"}, "no absolute path"), ({"runtime_path": "/opt/../shim"}, "no absolute path"),
    ({"config_path": "/a\nb"}, "no absolute path"), ({"runtime_type": "/opt/shim"}, "goes into runtime_path"),
    ({"runtime_type": "kata"}, "no runtime type"), ({"snapshotter": "a b"}, "no name of a snapshotter"),
    ({"pod_annotations": ["a b"]}, "no pattern"), ({"options": {"ConfigPath": "/x"}}, "declared as config_path"),
])
def test_what_cannot_be_right_is_told_with_its_path(change, word):
    told = cri_declared.problems(params([handler("first"), handler(**change)]))
    assert len(told) == 1 and told[0].startswith("handlers[1].") and word in told[0]
    assert cri_declared.problems(params([handler("first"), handler("kata2")])) == []


def test_one_name_is_declared_once_and_what_a_runtime_lacks_is_told():
    assert "declared already by handlers[0]" in cri_declared.problems(params([handler(), handler()]))[0]
    for runtime in ("crio", "docker"):
        given_ = [handler(snapshotter="native", pod_annotations=["a"])]
        told = cri_declared.problems(params(given_, runtime=runtime, sandbox_image="a/b:1"))
        assert [one.split(":")[0] for one in told] == [
            "handlers[0].snapshotter", "handlers[0].pod_annotations", "sandbox_image"]
    assert "looks for no shim" in cri_declared.problems(params([handler(runtime_path=None)], runtime="crio"))[0]
    told = cri_declared.problems(params(service="a b", runtime_config="x", sandbox_image="a b"))
    assert [one.split(":")[0] for one in told] == ["sandbox_image", "service", "runtime_config"]


TABLE = st.dictionaries(st.sampled_from(["runtime_type", "runtime_path", "snapshotter"]), st.text(max_size=3))
EFFECTIVE = st.fixed_dictionaries({
    "handlers": st.dictionaries(st.sampled_from(["kata", "runc", "mine"]), TABLE),
    "settings": st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), st.integers(0, 2))})


@given(EFFECTIVE, EFFECTIVE)
def test_every_difference_is_told_but_what_was_asked_for(before, after):
    told = cri_effective.differences(before, after, params([handler()]), {("a", "x")}, {})

    def rest(one):
        return ({name: row for name, row in one["handlers"].items() if name != "kata"},
                {path: value for path, value in one["settings"].items() if path != ("a", "x")})

    assert bool(told) is (rest(before) != rest(after))


def test_what_is_not_taken_over_is_told():
    wanted = {"kata": {"runtime_type": "a.v2", "snapshotter": "native", "options": {"ConfigPath": "/x"}}}
    after = {"handlers": {"kata": {"runtime_type": "a.v2", "options": {"ConfigPath": "/y"}}}, "settings": {}}
    assert cri_effective.unmet(after, params([handler()]), wanted, {("a",): 1}) == [
        "a would be None and not 1", "options.ConfigPath of handler 'kata' would be '/y' and not '/x'",
        "snapshotter of handler 'kata' would be None and not 'native'"]
