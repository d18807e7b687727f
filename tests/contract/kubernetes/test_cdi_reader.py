# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CDI specifications, read by the library that containerd and Kata's Go shim read them with."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cdi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEVICE = {"address": "0000:19:00.0", "group": 12}


@pytest.fixture
def read(programs, tmp_path):
    """What the library finds in a specification, by qualified name; a sentence where it takes none."""
    def judged(specification):
        path = tmp_path / "kind.json"
        path.write_text(json.dumps(specification), encoding="utf-8")
        done = subprocess.run([programs / "cdi", path], capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else dict(line.split(" ") for line in done.stdout.splitlines())

    return judged


def test_every_vendor_is_read(read):
    for kind in ("nvidia.com/pgpu", "amd.com/gpu", "intel.com/gpu.i915_x"):
        found = read(cdi.render(kind, [DEVICE, {"address": "0000:3b:00.0", "cdev": "vfio3"}]))
        assert found == {kind + "=12": "/dev/vfio/12", kind + "=vfio3": "/dev/vfio/devices/vfio3"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.text(st.sampled_from("aB1.-_/: "), min_size=1, max_size=8),
       name=st.text(st.sampled_from("aB1.-_:/ "), min_size=1, max_size=5))
def test_we_refuse_what_the_library_refuses_and_no_more(read, kind, name):
    unchecked = dict(cdi.render("amd.com/gpu", [DEVICE]), kind=kind)
    unchecked["devices"][0]["name"] = name
    try:
        cdi.render(kind, [dict(DEVICE, name=name)])
        assert isinstance(read(unchecked), dict), read(unchecked)
    except DeclarationError:
        assert isinstance(read(unchecked), str), (kind, name)
