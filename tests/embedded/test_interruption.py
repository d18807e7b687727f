# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kill -9` of a site at ten places, each from the seed: the next run converges, the one after changes nothing."""

from __future__ import annotations

import signal

import pytest
from embedded_content import content
from embedded_helpers import kill, wait_for

PLACES = 10


@pytest.fixture(scope="module")
def whole(region, cloud, base):
    """What an uninterrupted run does and leaves: (number of requests, content)."""
    before = region.mark()
    region.run("site", region_hosts=False).good()
    return len(region.requests(before)), content(cloud)


@pytest.mark.parametrize("place", range(PLACES))
def test_a_killed_site_is_completed_by_the_next(whole, seed, cloud, place):
    total, expected = whole
    after = 1 + place * (total - 1) // (PLACES - 1)
    before = seed.mark()
    process = seed.start("site", region_hosts=False)
    try:
        wait_for(lambda: len(seed.requests(before)) >= after)
    finally:
        # Everything at once, as a host dies; at every third place the main process only, whose workers go on a while.
        kill(process.pid, alone=place % 3 == 2)
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL

    again = seed.run("site", region_hosts=False).good()
    assert content(cloud) == expected
    # Not before: until then a worker may have written to it.
    process.stdout.close()
    requests = seed.requests(before)
    # Nothing was made twice: both runs together sent what one uninterrupted run sends.
    assert len(requests) == total, [str(one) for one in requests]
    assert len(again.result["actions"]) <= total - after

    before = seed.mark()
    assert seed.run("site", region_hosts=False).good().result["actions"] == []
    assert seed.requests(before) == []
