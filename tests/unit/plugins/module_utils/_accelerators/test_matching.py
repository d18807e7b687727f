# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards and pools: what fits, and in which words a host is said not to be as declared."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators.matching import match

H200 = {"vendor_id": "10de", "device_id": "2335", "model": "H200 SXM 141GB", "models": ["H200", "H200 SXM"]}
L40S = {"vendor_id": "10de", "device_id": "26b9", "model": "L40S", "models": ["L40S"]}


def device(address, what, **more):
    return dict(what, address=address, kind="gpu", sriov=None, **more)


def pool(devices, model="H200", name="p"):
    count = len(devices) if isinstance(devices, list) else devices
    return {"name": name, "model": model, "devices": devices, "cards_per_host": count}


HOST = [device("0000:41:00.0", H200), device("0000:42:00.0", H200), device("0000:61:00.0", L40S)]


@pytest.mark.parametrize(
    ("pools", "claimed"),
    [
        ([pool(2)], {"p": ["0000:41:00.0", "0000:42:00.0"]}),
        ([pool(2, "h200 sxm")], {"p": ["0000:41:00.0", "0000:42:00.0"]}),
        ([pool(["0000:42:00.0"])], {"p": ["0000:42:00.0"]}),
        ([pool(["00000000:42:00.0"])], {"p": ["0000:42:00.0"]}),
        ([pool(["0000:42:00.0"]), pool(1, name="rest")], {"p": ["0000:42:00.0"], "rest": ["0000:41:00.0"]}),
        ([pool(1, "L40S"), pool(2, name="q")], {"p": ["0000:61:00.0"], "q": ["0000:41:00.0", "0000:42:00.0"]}),
    ],
)
def test_what_fits(pools, claimed):
    assert match(pools, HOST) == (claimed, [])


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([pool(8)], "pool p: declared are 8 x H200, and this host has 2: 0000:41:00.0, 0000:42:00.0; name the addr"),
        ([pool(1)], "pool p: declared are 1 x H200, and this host has 2"),
        ([pool(1, "H2O0")], "declared are 1 x H2O0, and this host has none; did you mean 'H200'?"),
        ([pool(1, "MI300X")], "this host has none; here are: H200 SXM 141GB, L40S"),
        ([pool(["0000:61:00.0"])], "pool p: devices: 0000:61:00.0 is L40S, not H200"),
        ([pool(["0000:41:00.1"])], "'0000:41:00.1' is no accelerator of this host; the nearest is '0000:41:00.0'"),
    ],
)
def test_what_does_not_fit_is_said(pools, words):
    assert words in match(pools, HOST)[1][0]


def test_an_empty_host():
    assert match([pool(1)], [])[1] == ["pool p: declared are 1 x H200, and this host has none; "
                                       "this host has no accelerator"]


def test_vfs_and_the_display_of_the_board_are_no_cards():
    vf = device("0000:41:00.4", H200)
    vf["sriov"] = {"role": "vf", "pf": "0000:41:00.0"}
    vga = device("0000:03:00.0", dict(H200, model=None, models=[]))
    vga["kind"] = "display"
    assert match([pool(2)], [*HOST, vf, vga]) == ({"p": ["0000:41:00.0", "0000:42:00.0"]}, [])
    assert match([pool(["0000:41:00.4"])], [*HOST, vf])[1] == ["pool p: devices: 0000:41:00.4 is a VF; name its PF"]
