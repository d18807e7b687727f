# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module on hosts below a directory: what it writes, what it refuses, and a process that is killed anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli_w
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import config_hosts
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.config_hosts import (
    GO_SHIM,
    GO_TEXT,
    RUST,
    RUST_SHIM,
    RUST_TEXT,
    Dying,
    Killed,
    own_folder,
    put,
    run,
    seen,
    sized,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OURS = "config.d/60-sovereign-region.toml"
MEMORY = {"settings": {"hypervisor": {"qemu": {"default_memory": 4096}}}}


@pytest.fixture
def machine(tmp_path):
    return config_hosts.host(tmp_path)


def tree_of(machine):
    """Return what is below the root: path to content, or to the target of a link."""
    found = {}
    for path in Path(machine.root).rglob("*"):
        name = str(path.relative_to(machine.root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("shim", [GO_SHIM, RUST_SHIM])
def test_check_run_and_run_again(machine, shim):
    options = dict(shim, sizing=sized(gpus=2), append={"hypervisor": {"qemu": {
        "kernel_params": "mitigations=off", "enable_annotations": ["default_vcpus"]}}}, **MEMORY)
    before = tree_of(machine)
    planned = run(machine, check=True, **options)
    assert tree_of(machine) == before
    done = run(machine, expected_actions=planned["actions"], **options)
    assert done == planned and done["changed"]
    assert [one["kind"] for one in done["actions"]] == ["configuration drop-in", "configuration file"]
    assert done["config_path"].endswith("/runtimes/{0}/configuration-{0}.toml".format(shim["shim"]))
    assert done["effective"] == seen(machine, shim)
    rows = seen(machine, shim)["hypervisor"]["qemu"]
    assert rows["kernel_params"] == "cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 mitigations=off"
    assert rows["enable_annotations"] == ["enable_iommu", "kernel_params", "default_vcpus"]
    assert (rows["default_memory"], rows["pcie_root_port"]) == (4096, 2)
    again = run(machine, **options)
    assert not again["changed"] and again["effective"] == done["effective"]
    # The packaged file is as it was, and the shim's own is no link: config.d is looked for beside what it leads to.
    assert {name: text for name, text in tree_of(machine).items() if "/runtimes/" not in name} == before


@pytest.mark.parametrize("shim", [GO_SHIM, RUST_SHIM])
@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("left", [0, 1])
def test_a_process_that_is_killed_leaves_what_the_next_one_finishes(tmp_path, shim, within, left):
    machine = config_hosts.host(tmp_path)
    with pytest.raises(Killed):
        run(Dying(str(tmp_path), left, within), **dict(shim, **MEMORY))
    real = tmp_path / own_folder(shim).lstrip("/")
    # Never the packaged configuration without what was declared.
    assert (real / OURS).exists() or not (real / "configuration-{0}.toml".format(shim["shim"])).exists()
    assert run(machine, **dict(shim, **MEMORY))["changed"]
    assert seen(machine, shim)["hypervisor"]["qemu"]["default_memory"] == 4096
    assert os.listdir(real / "config.d") == ["60-sovereign-region.toml"]
    assert not run(machine, **dict(shim, **MEMORY))["changed"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_removal_that_is_killed(tmp_path, left):
    machine = config_hosts.host(tmp_path)
    before = tree_of(machine)
    run(machine, **dict(RUST_SHIM, **MEMORY))
    with pytest.raises(Killed):
        run(Dying(str(tmp_path), left), state="absent", **RUST_SHIM)
    assert run(machine, state="absent", **RUST_SHIM)["changed"]
    assert tree_of(machine) == before
    again = run(machine, state="absent", **RUST_SHIM)
    assert not again["changed"] and again["effective"] == {} and again["sizing"] is None


@pytest.mark.parametrize("name, text, words", [
    ("70-late.toml", "[hypervisor.qemu]\ndefault_memory = 1024\n", "config.d/70-late.toml: it sets "
     "hypervisor.qemu.default_memory to 1024, and hypervisor.qemu.default_memory 4096 is declared"),
    ("70-late.toml", "hypervisor = 3\n", "70-late.toml: it sets hypervisor to 3, and "),
    ("readme", "no toml at all", "config.d/readme: no valid TOML"),
    ("20-debug.toml", "[agent.kata]\ndebug_console_enabled = true\n", "a shell in the guest"),
    ("20-old.toml", "[agent.kata]\nnonsense = 1\n", "does not know agent.kata.nonsense and does not start"),
    ("20-old.toml", "[hypervisor.qemu]\ndefault_memory = '2G'\n", "of the wrong type"),
    ("20-other.toml", "[hypervisor.clh]\npath = '/x'\n", "does not know hypervisor.clh and does not start"),
    ("20-open.toml", "[hypervisor.qemu]\nenable_annotations = ['.*']\n", "matches every annotation"),
    ("20-kernel.toml", "[hypervisor.qemu]\nkernel_params = 'nokaslr'\n", "would reach the agent"),
    ("20-image.toml", "[hypervisor.qemu]\nimage = '/nowhere.img'\n", "there is no /nowhere.img on this host"),
])
@pytest.mark.parametrize("shim", [GO_SHIM, RUST_SHIM])
def test_what_others_put_there_is_judged_and_named(machine, shim, name, text, words):
    run(machine, **dict(shim, **MEMORY))
    put(machine.root, "{0}/config.d/{1}".format(own_folder(shim), name), text)
    before = tree_of(machine)
    with pytest.raises((errors.Refused, errors.DeclarationError)) as caught:
        run(machine, **dict(shim, **MEMORY))
    assert words in str(caught.value)
    assert tree_of(machine) == before


def test_drop_ins_of_others_that_agree_are_kept_and_counted(machine):
    put(machine.root, own_folder(RUST_SHIM) + "/config.d/30-kernel-params.toml",
        '[hypervisor.qemu]\nkernel_params = "theirs=1"\n')
    put(machine.root, own_folder(RUST_SHIM) + "/config.d/70-same.toml", "[hypervisor.qemu]\ndefault_memory = 4096\n")
    done = run(machine, append={"hypervisor": {"qemu": {"kernel_params": "ours=1"}}}, **dict(RUST_SHIM, **MEMORY))
    assert done["effective"]["hypervisor"]["qemu"]["kernel_params"] == "theirs=1 ours=1"
    assert done["effective"] == seen(machine, RUST_SHIM)
    run(machine, state="absent", **RUST_SHIM)
    # Somebody else's drop-ins need the file beside them.
    left = os.listdir(Path(machine.root) / own_folder(RUST_SHIM).lstrip("/"))
    assert sorted(left) == ["config.d", "configuration-qemu-runtime-rs.toml"]


def test_links_and_directories_among_the_drop_ins(machine):
    theirs = put(machine.root, "/etc/theirs.toml", "[hypervisor.qemu]\ndefault_vcpus = 2\n")
    for shim in (GO_SHIM, RUST_SHIM):
        folder = Path(machine.root) / own_folder(shim).lstrip("/") / "config.d"
        folder.mkdir(parents=True)
        (folder / "55-theirs.toml").symlink_to("/etc/theirs.toml")
    # The Go shim opens what a link leads to; runtime-rs asks the entry itself, and does not start.
    assert run(machine, **dict(GO_SHIM, **MEMORY))["effective"]["hypervisor"]["qemu"]["default_vcpus"] == 2
    with pytest.raises(errors.Refused, match="55-theirs.toml: a link, and runtime-rs reads everything"):
        run(machine, **dict(RUST_SHIM, **MEMORY))
    theirs.unlink()
    with pytest.raises(errors.Refused, match="55-theirs.toml: a directory or unreadable"):
        run(machine, **dict(GO_SHIM, **MEMORY))


def test_a_link_in_the_place_of_the_copy_is_replaced(machine):
    folder = Path(machine.root) / own_folder(GO_SHIM).lstrip("/")
    folder.mkdir(parents=True)
    (folder / "configuration-qemu.toml").symlink_to("../../configuration-qemu.toml")
    done = run(machine, **dict(GO_SHIM, **MEMORY))
    assert [(one["verb"], one["kind"]) for one in done["actions"]] == [
        ("create", "configuration drop-in"), ("delete", "configuration file"), ("create", "configuration file")]
    assert not (folder / "configuration-qemu.toml").is_symlink()
    assert "config.d" not in os.listdir(folder.parent.parent)


def test_the_layout_of_kata_deploy_is_left_as_it_is(machine):
    folder = Path(machine.root) / own_folder(RUST_SHIM).lstrip("/")
    folder.mkdir(parents=True)
    packaged = folder.parent.parent / "configuration-qemu-runtime-rs.toml"
    packaged.rename(folder / packaged.name)
    packaged.symlink_to("runtimes/qemu-runtime-rs/" + packaged.name)
    done = run(machine, **dict(RUST_SHIM, **MEMORY))
    assert [one["kind"] for one in done["actions"]] == ["configuration drop-in"]
    run(machine, state="absent", **RUST_SHIM)
    assert (folder / packaged.name).read_text(encoding="utf-8") == RUST_TEXT


def test_a_copy_that_was_edited_is_told_by_its_keys(machine):
    run(machine, **dict(GO_SHIM, **MEMORY))
    put(machine.root, own_folder(GO_SHIM) + "/configuration-qemu.toml", GO_TEXT.replace("2048", "1024"))
    done = run(machine, **dict(GO_SHIM, **MEMORY))
    assert done["actions"][0]["before"]["settings"] == {"hypervisor.qemu.default_memory": 1024}
    assert done["actions"][0]["after"]["settings"] == {"hypervisor.qemu.default_memory": 2048}


def test_a_link_to_the_release_is_named_by_where_it_leads(machine):
    (Path(machine.root) / "opt/kata-releases/current-static").symlink_to("4.1.0-static")
    done = run(machine, shim="qemu-runtime-rs", release="/opt/kata-releases/current-static")
    assert done["config_path"].startswith(RUST + "/") and done["kata_version"] == "4.1.0"


def test_debugging_and_open_annotations_when_they_are_wanted(machine):
    loose = {"settings": {"hypervisor": {"qemu": {"enable_debug": True, "enable_annotations": [".*"]}}}}
    for allowed in ({}, {"allow_debug": True}, {"allow_all_annotations": True}):
        with pytest.raises(errors.DeclarationError):
            run(machine, **dict(RUST_SHIM, **loose, **allowed))
    assert run(machine, allow_debug=True, allow_all_annotations=True, **dict(RUST_SHIM, **loose))["changed"]


def test_settings_go_before_sizing_and_too_little_is_refused(machine):
    few = {"settings": {"hypervisor": {"qemu": {"pcie_root_port": 8}}}}
    with pytest.raises(errors.DeclarationError, match="8 is too few for 12 devices"):
        run(machine, sizing=sized(gpus=8, nvswitches=4), **dict(RUST_SHIM, **few))
    many = {"settings": {"hypervisor": {"qemu": {"pcie_root_port": 16}}}}
    done = run(machine, sizing=sized(gpus=8, nvswitches=4), **dict(RUST_SHIM, **many))
    assert done["sizing"]["pcie_root_port"] == 16


def test_secrets_of_others_are_never_shown(machine):
    put(machine.root, own_folder(GO_SHIM) + "/config.d/55-tracing.toml", '[runtime]\njaeger_password = "s3cret"\n')
    assert "s3cret" not in repr(run(machine, **dict(GO_SHIM, **MEMORY)))
    with pytest.raises(errors.DeclarationError) as caught:
        run(machine, settings={"runtime": {"jaeger_password": "s3cret"}}, **GO_SHIM)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("options, words", [
    ({"shim": "qemu-runtime", "release": RUST}, "the nearest is 'qemu-runtime-rs'"),
    ({"shim": "qemu", "release": "/opt/nothing"}, "install a release there with kata_release first"),
    ({"shim": "../etc", "release": RUST}, "no name of a shim"),
    ({"shim": "qemu", "release": "opt"}, "no absolute path"),
    ({"shim": "qemu", "release": RUST, "kata_version": "newest"}, "is no version"),
])
def test_shims_and_releases_that_are_not_there(machine, options, words):
    with pytest.raises((errors.Refused, errors.DeclarationError)) as caught:
        run(machine, **options)
    assert words in str(caught.value)


def test_an_unknown_version_uses_the_tables_before_it_and_says_so(machine):
    put(machine.root, RUST + "/VERSION", "4.7.0\n")
    done = run(machine, **RUST_SHIM)
    assert (done["kata_version"], done["known_keys"]) == ("4.7.0", "4.1.0")
    assert "the keys of Kata 4.7.0 are not known here" in done["advice"][0]


def test_what_somebody_else_writes_meanwhile_is_seen_when_reading_back(tmp_path):
    config_hosts.host(tmp_path)

    class Racing(config_hosts.Host):
        def write_file(self, path, text, mode=None):
            super().write_file(path, text, mode)
            put(self.root, own_folder(GO_SHIM) + "/config.d/99-late.toml", "[hypervisor.qemu]\ndefault_memory = 300\n")

    with pytest.raises(change.Unverified, match="99-late.toml"):
        run(Racing(str(tmp_path)), **dict(GO_SHIM, **MEMORY))


KEYS = st.fixed_dictionaries({}, optional={
    "default_memory": st.integers(256, 2**20), "default_vcpus": st.one_of(st.integers(-1, 64), st.just(1.5)),
    "kernel_params": st.sampled_from(["a=1 b=2", "", "quiet"]), "machine_type": st.text(max_size=5),
    "enable_iommu": st.booleans(), "enable_annotations": st.lists(st.sampled_from(["default_vcpus", "kernel_params"])),
    "valid_hypervisor_paths": st.lists(st.text(max_size=4), max_size=2)})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.sampled_from([GO_SHIM, RUST_SHIM]), KEYS, KEYS, KEYS)
def test_any_declaration_on_any_state_converges_at_once(machine, shim, earlier, theirs, declared):
    put(machine.root, own_folder(shim) + "/config.d/50-theirs.toml", tomli_w.dumps({"hypervisor": {"qemu": theirs}}))
    for rows in (earlier, declared):
        tree = {"hypervisor": {"qemu": rows}} if rows else {}
        planned = run(machine, check=True, settings=tree, **shim)
        done = run(machine, settings=tree, expected_actions=planned["actions"], **shim)
        assert done == planned and done["effective"] == seen(machine, shim)
        for key, value in rows.items():
            assert done["effective"]["hypervisor"]["qemu"][key] == value
        assert not run(machine, settings=tree, **shim)["changed"]


def test_how_devices_reach_a_machine_is_told(machine):
    first = run(machine, sizing=sized(gpus=1), **RUST_SHIM)["advice"]
    assert len(first) == 1 and "pod_resource_api_sock is empty" in first[0]
    socket = {"runtime": {"pod_resource_api_sock": "/var/lib/kubelet/pod-resources/kubelet.sock"}}
    assert run(machine, sizing=sized(gpus=1), settings=socket, **RUST_SHIM)["advice"] == []


NONSENSE = st.recursive(
    st.one_of(st.booleans(), st.integers(0, 9), st.text(max_size=3), st.just([".*"]), st.just("nokaslr")),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(
        ["hypervisor", "qemu", "agent", "kata", "runtime", "kernel_params", "enable_annotations", "image", "mem_agent",
         "enable_debug", "guest_extension_images", "policy", "initdata", "pcie_root_port", "x"]), inner, max_size=3)),
    max_leaves=10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([GO_SHIM, RUST_SHIM]), st.sampled_from(["20-x.toml", "70-x.toml"]),
       st.dictionaries(st.sampled_from(["hypervisor", "agent", "runtime", "factory", "x"]), NONSENSE, max_size=3))
def test_any_drop_in_of_others_is_taken_or_refused(machine, shim, name, tree):
    path = put(machine.root, "{0}/config.d/{1}".format(own_folder(shim), name), tomli_w.dumps(tree))
    try:
        run(machine, check=True, sizing=sized(gpus=1), append={"hypervisor": {"qemu": {"kernel_params": "a=1"}}},
            **dict(shim, **MEMORY))
    except (errors.Refused, errors.DeclarationError) as error:
        assert str(error)
    finally:
        path.unlink()
