# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a configuration is put together, against a model that knows only single values."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._isolation import config_files, config_merge
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["hypervisor", "qemu", "agent", "kata", "path", "image", "a.b", "", "Ä", "x y"])
VALUES = st.one_of(st.booleans(), st.integers(-2**63, 2**63 - 1), st.floats(allow_nan=False), st.text(),
                   st.lists(st.one_of(st.text(), st.integers(0, 3)), max_size=3))
TREES = st.recursive(st.dictionaries(NAMES, VALUES, max_size=4),
                     lambda inner: st.dictionaries(NAMES, st.one_of(VALUES, inner), max_size=4), max_leaves=12)


@given(TREES, TREES)
def test_what_comes_last_counts_and_nothing_else_changes(base, over):
    kept = copy.deepcopy((base, over))
    merged = config_merge.merge(base, over)
    assert (base, over) == kept
    over_paths = dict(config_merge.leaves(over))
    for path, value in over_paths.items():
        here = config_merge.at(merged, path)
        assert here == value or (value == {} and isinstance(here, dict))
    for path, value in config_merge.leaves(base):
        touched = any(path[:len(one)] == one or one[:len(path)] == path for one in over_paths)
        assert touched or config_merge.at(merged, path) == value


@given(TREES, st.lists(st.tuples(st.sampled_from(["10-a", "60-b", "90-c", "Z", "a.bak"]), TREES),
                       unique_by=lambda one: one[0]))
def test_the_order_in_which_files_are_found_means_nothing(base, drop_ins):
    forward = config_merge.together(base, drop_ins)
    assert forward == config_merge.together(base, list(reversed(drop_ins)))
    for name, tree in drop_ins:
        if all(name >= other for other, unused in drop_ins):
            assert config_merge.merge(forward, tree) == forward


@given(TREES, st.lists(st.tuples(st.sampled_from(["10-a", "50-b", "61-c", "90-d"]), TREES),
                       unique_by=lambda one: one[0]))
def test_a_value_that_is_taken_back_is_found_and_no_other(declared, others):
    whole = config_merge.together({}, others + [("60-ours", declared)])
    lost = [path for path, value in config_merge.leaves(declared)
            if not (config_merge.same(config_merge.at(whole, path), value) or value == {})]
    found = config_merge.overridden(declared, others, "60-ours")
    for path in lost:
        assert any(" {0} {1!r} is declared".format(config_merge.dotted(path), config_merge.at(declared, path)) in one
                   for one in found)
    if not any(value == {} for unused, value in config_merge.leaves(declared)):
        assert len(found) == len(lost)


@given(TREES)
def test_our_drop_in_says_what_it_was_given(tree):
    text = config_files.rendered(tree)
    assert (text is None) == (tree == {})
    assert tree == {} or tomli.loads(text) == tree


WORDS = st.lists(st.sampled_from(["a=1", "b", "quiet", "c.d=2", "a=2"]), max_size=4)


@given(WORDS, WORDS, WORDS, WORDS)
def test_appending_keeps_what_is_there_and_happens_once(words, more, names, others):
    base = {"hypervisor": {"qemu": {"kernel_params": " ".join(words), "enable_annotations": names}}}
    additions = {"hypervisor": {"qemu": {"kernel_params": " ".join(more), "enable_annotations": others}}}
    result = config_merge.appended(base, additions)
    line = result["hypervisor"]["qemu"]["kernel_params"].split()
    assert line[:len(words)] == words and set(line) == set(words + more)
    listed = result["hypervisor"]["qemu"]["enable_annotations"]
    assert listed[:len(names)] == names and set(listed) == set(names + others)
    again = config_merge.appended(config_merge.merge(base, result), additions)
    assert again == result


def test_arguments_of_a_program_stay_together():
    base = {"hypervisor": {"qemu": {"virtio_fs_extra_args": ["-o", "announce_submounts"]}}}
    more = {"hypervisor": {"qemu": {"virtio_fs_extra_args": ["-o", "xattr"]}}}
    once = config_merge.appended(base, more)
    assert once["hypervisor"]["qemu"]["virtio_fs_extra_args"] == ["-o", "announce_submounts", "-o", "xattr"]
    assert config_merge.appended(once, more) == once


@pytest.mark.parametrize("additions, words", [
    ({"hypervisor": {"qemu": {"path": "/x"}}}, "to which nothing can be appended"),
    ({"hypervisor": {"qemu": {"default_memory": 5}}}, "neither text nor a list"),
    ({"hypervisor": {"qemu": {"kernel_params": "a=1"}}}, "the same key is in settings"),
])
def test_what_cannot_be_appended(additions, words):
    settings = {"hypervisor": {"qemu": {"kernel_params": ""}}}
    found = config_merge.append_problems(additions, settings)
    assert len(found) == 1 and words in found[0]


@pytest.mark.parametrize("text", ["[a", "a = ", "a = 1\na = 2", "\x00", "x = " + "[" * 3000])
def test_what_is_no_toml_is_refused_by_its_path(text):
    with pytest.raises(errors.Refused, match="50-theirs.toml: no valid TOML"):
        config_merge.parsed(tomli, "/etc/50-theirs.toml", text)


def test_true_is_not_one():
    assert not config_merge.same(True, 1) and not config_merge.same([True], [1])
    assert config_merge.same(1, 1.0) and config_merge.same({"a": [1]}, {"a": [1]})
