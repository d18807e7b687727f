# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``daemon.json`` as the real dockerd accepts it, or not."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.tests.contract.containerd.containerd_host import (
    CONFIG,
    SHIM,
    Containerd,
    handler,
)

FILE = "/etc/docker/daemon.json"
OPERATOR = """\
{
  "data-root": "/srv/docker",
  "log-driver": "journald",
  "registry-mirrors": ["https://mirror.example"],
  "runtimes": {
    "mine": {"path": "/usr/bin/crun"}
  }
}
"""


def validated(host):
    """Whether dockerd accepts the file, asked without our code."""
    return host.inside(["dockerd", "--validate", "--config-file", FILE]).ok


@pytest.mark.parametrize("text", [None, "{}\n", OPERATOR])
def test_a_runtime_comes_and_goes(tmp_path, text):
    host = Containerd(tmp_path, "trixie")
    if text is not None:
        host.write(FILE, text)
    wanted = handler(pod_annotations=[])
    assert host.converge([wanted], check_mode=True, runtime="docker")["changed"] is True
    assert text is None or host.read(FILE) == text
    host.converge([wanted], runtime="docker")
    assert validated(host)
    found = json.loads(host.read(FILE))
    assert found.pop("runtimes")["kata"] == {"runtimeType": SHIM, "options": {"ConfigPath": CONFIG}}
    before = json.loads(text or "{}")
    assert found == {key: value for key, value in before.items() if key != "runtimes"}
    assert host.converge([wanted], runtime="docker")["changed"] is False
    host.converge([dict(wanted, state="absent")], runtime="docker")
    assert json.loads(host.read(FILE)) == before and validated(host)


def test_what_dockerd_does_not_know_is_told_and_left(tmp_path):
    host = Containerd(tmp_path, "trixie")
    broken = OPERATOR.replace("data-root", "dataroot")
    host.write(FILE, broken)
    with pytest.raises(errors.Refused, match="dockerd does not accept /etc/docker/daemon.json.*dataroot"):
        host.converge([handler(pod_annotations=[])], runtime="docker")
    assert host.read(FILE) == broken
