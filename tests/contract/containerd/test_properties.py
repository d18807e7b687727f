# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an operator has in the files of containerd, the effective difference is ours and nothing else."""

from __future__ import annotations

import copy
import shutil

from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli_w
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    MAIN,
    SUITES,
    Containerd,
    handler,
    handlers_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VERSIONS = {"sid": [2, 3], "upstream": [2, 3, 4]}
DROP_IN = "/etc/containerd/conf.d/10-operator.toml"
NAMES = st.sampled_from(["mine", "crun", "nvidia", "kata-old", "a.b", "runc"])
OPTIONS = st.fixed_dictionaries({}, optional={"SystemdCgroup": st.booleans(), "BinaryName": st.just("/usr/bin/crun")})
HANDLER = st.fixed_dictionaries({"runtime_type": st.just("io.containerd.runc.v2")}, optional={
    "pod_annotations": st.lists(st.sampled_from(["example.com/*", "a", "ü \" '"]), max_size=2),
    "privileged_without_host_devices": st.booleans(), "base_runtime_spec": st.just("/etc/containerd/cri-base.json"),
    "options": OPTIONS})
HANDLERS = st.dictionaries(NAMES, HANDLER, max_size=3)
REGISTRY = st.one_of(st.none(), st.just({"config_path": "/etc/containerd/certs.d"}), st.just({
    "mirrors": {"docker.io": {"endpoint": ["https://mirror.example"]}},
    "configs": {"mirror.example": {"auth": {"username": "u", "password": "not \\ a secret"}}}}))
OWN = [handler(), handler("kata-rs", config_path=None, pod_annotations=[], privileged_without_host_devices=False)]


@st.composite
def layouts(draw, suite):
    """(text of the main file, text of an imported one or None)."""
    version = draw(st.sampled_from(VERSIONS.get(suite, [2])))
    old = version == 2
    cri = "io.containerd.grpc.v1.cri" if old else "io.containerd.cri.v1.runtime"
    images = cri if old else "io.containerd.cri.v1.images"
    plugins = {cri: {}, images: {}}
    found = draw(HANDLERS)
    if found or draw(st.booleans()):
        plugins[cri]["containerd"] = {"runtimes": found} if found else {"default_runtime_name": "runc"}
    if draw(st.booleans()):
        plugins[images].update({"sandbox_image": "mirror.example/pause:3.9"} if old else {
            "pinned_images": {"sandbox": "mirror.example/pause:3.9"}})
    registry = draw(REGISTRY)
    if registry:
        plugins[images]["registry"] = registry
    if draw(st.booleans()):
        plugins[cri]["max_container_log_line_size"] = draw(st.integers(1, 2**31))
    rest = {"oom_score": -999} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        rest["proxy_plugins"] = {"nydus": {"type": "snapshot", "address": "/run/nydus.sock"}}
    head = draw(st.sampled_from(["", "# mine\n\n", "# ü [plugins]\n"]))
    split = draw(st.sampled_from(["main", "literal", "pattern", "relative"]))
    if split == "main":
        return head + tomli_w.dumps({"version": version, **rest, "plugins": plugins}), None
    imports = {"literal": DROP_IN, "pattern": "/etc/containerd/conf.d/*.toml", "relative": "conf.d/10-operator.toml"}
    main = {"version": version, "imports": [imports[split]], **rest}
    if draw(st.booleans()):
        main["plugins"] = {cri: {"containerd": {"default_runtime_name": "runc"}}}
    return head + tomli_w.dumps(main), tomli_w.dumps({"version": version, "plugins": plugins})


@settings(max_examples=30, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_the_difference_is_ours(tmp_path, data):
    shutil.rmtree(tmp_path / "host", ignore_errors=True)
    suite = data.draw(st.sampled_from(SUITES))
    main, extra = data.draw(layouts(suite))
    host = Containerd(tmp_path / "host", suite, main, {} if extra is None else {DROP_IN: extra})
    before, files = host.dump(), host.files()
    host.converge(OWN)
    after = copy.deepcopy(host.dump())
    mine = {name: handlers_of(after).pop(name) for name in ("kata", "kata-rs")}
    assert after == before
    assert mine["kata"]["options"] == {"ConfigPath": "/opt/kata/share/configuration.toml"}
    assert mine["kata-rs"]["privileged_without_host_devices"] is False
    assert host.converge(OWN)["changed"] is False
    for path, content in files.items():
        assert host.files()[path].startswith(content)
    host.converge([dict(one, state="absent") for one in OWN])
    assert host.files() == files
    assert host.dump() == before and (tmp_path / "host" / MAIN.lstrip("/")).exists()
